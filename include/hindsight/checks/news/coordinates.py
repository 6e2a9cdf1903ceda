"""Coordinates: a window's stored profile in a few robust numbers a column, small enough to keep a year of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import asin, asinh, isfinite, log, sqrt
from zlib import crc32

import numpy as np
from scipy.special import ndtri

from hindsight.checks.values.categories import NULL, OTHER
from hindsight.vocabulary.counts import LARGEST
from hindsight.vocabulary.measurement import Measurement

Key = tuple[str, str, str]  # segment, feature, coordinate
LOCATION, MIDDLE, SPREAD, PEAK, LOW, HIGH, TILT, NULLS, ROWS, MEAN = (
    *("location", "middle", "spread", "peak", "low", "high", "tilt"),
    *("null", "rows", "mean"),
)
SHARE = "="  # before the name of a category
TOP = 6  # categories by their share of the reference
QUARTER = 0.25  # trimmed on either side of the middle
FAR = 4.0  # deviations of the reference from a window's own middle: what lies twice as far is low or high as a whole
SOFT = 4.0  # deviations up to which the middle is nearly linear
ARCSINE = 0.25  # n times the variance of the arcsine of the root of a share (Anscombe 1948)
COUNTED = 0.02**2  # of log(n): counts of a steady source hardly vary at all, so rows drawn set no floor
STEADY = 0.05  # variance of a row, in the reference's, that is assumed at least: of one day rows may be all alike

Pair = tuple[float, float]  # now, in the reference


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A number of a window: its value, the variance it has because rows are drawn, and the rows behind it."""

    value: float
    variance: float
    n: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A profile by segment and column: counts and sums by bin, and by segment the rows."""

    counts: dict[tuple[str, str], dict[str, Pair]]
    sums: dict[tuple[str, str], dict[str, Pair]]
    rows: dict[str, int]


def coordinates(profile: Iterable[Measurement]) -> dict[Key, Coordinate]:
    """Return the coordinates of every segment and column of a window's profile; versions are left out.

    Numbers, by the frozen bins: `location` and `spread` are the mean and the mean deviation of the rows' normal scores
    (van der Waerden 1952: the quantile of the reference's mid-rank), so that one row of -999 counts as any row below
    the first percentile does; `peak` is the largest share that one bin has beyond what its neighbours' density would
    give it. By the mean of each bin, in the reference's deviations: `middle` is the mean of the middle half of the
    rows, which moves on where the reference's bins end; `low` and `high` are the shares far from it, what is between 4
    and 8 deviations off counted in part, `tilt` how far the mean is, drawn in by asinh. Texts: the share of each of the
    reference's most frequent categories, and of all that are in none of its bins. Both: the share of nulls. Shares p
    are written as asin(sqrt(p)). `rows` is log(n), of feature ""; `mean`, in units of the column, is for people only.
    """
    return _coordinates(_read(profile))


def marked(profile: Iterable[Measurement]) -> tuple[dict[Key, Coordinate], dict[tuple[str, str], int], dict[str, int]]:
    """Return the coordinates, a number by segment and column that tells references apart, and the rows by segment.

    Coordinates of different references are not comparable: their scores are not those of the same bins.
    """
    found = _read(profile)
    marks = {
        column: crc32(repr(sorted((label, then) for label, (_, then) in some.items() if then)).encode())
        for column, some in found.counts.items()
    }
    return _coordinates(found), marks, found.rows


def _read(profile: Iterable[Measurement]) -> _Read:
    found = _Read(defaultdict(dict), defaultdict(dict), {})
    for row in profile:
        if row.model_version:
            continue
        if row.metric == "bin_count" and row.value is not None:
            found.counts[row.segment, row.feature][row.bin] = (row.value, row.reference or 0.0)
            found.rows[row.segment] = row.n
        elif row.metric == "bin_sum":
            found.sums[row.segment, row.feature][row.bin] = (_or_nan(row.value), _or_nan(row.reference))
    return found


def _coordinates(read: _Read) -> dict[Key, Coordinate]:
    found = {(segment, "", ROWS): Coordinate(log(n), COUNTED, n) for segment, n in read.rows.items() if n}
    for (segment, feature), some in read.counts.items():
        total = read.sums.get((segment, feature))
        made = _of_texts(some) if total is None else _of_numbers(some, total)
        found |= {(segment, feature, name): one for name, one in made if isfinite(one.value)}
    return found


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _of_numbers(counts: Mapping[str, Pair], sums: Mapping[str, Pair]) -> Iterator[tuple[str, Coordinate]]:
    yield from _nulls(counts)
    labels = sorted((label for label in counts if label != NULL), key=_border)
    now, known = np.array([counts[label] for label in labels], float).reshape(-1, 2).T
    n, reference = int(now.sum()), known.sum()
    if not n or not reference:
        return
    ranks = (np.cumsum(known) - known / 2) / reference
    scores = ndtri(np.clip(ranks, 1 / (2 * reference), 1 - 1 / (2 * reference)))
    location = _mean(scores, now, n)
    yield LOCATION, location
    yield SPREAD, _mean(np.abs(scores - location.value), now, n)
    yield PEAK, _share(_peak(labels, now), n)
    totals = np.array([sums.get(label, (0.0, 0.0)) for label in labels], float).reshape(-1, 2).T
    yield MEAN, Coordinate(float(totals[0].sum()) / n, 0.0, n)
    yield from _by_value(_Bins(now, totals[0]), _Bins(known, totals[1]), n)


def _peak(labels: Sequence[str], counts: np.ndarray) -> float:
    """Return the most rows that are in one bin and would not be were it as dense as its neighbours."""
    masses = max((c for label, c in zip(labels, counts, strict=True) if label.startswith("=")), default=0.0)
    spans = [(_ends(label), c) for label, c in zip(labels, counts, strict=True) if "=" not in label]
    inner = [(right - left, c) for (left, right), c in spans if isfinite(right - left) and right > left]
    if len(inner) < 3:
        return float(masses)
    widths, rows = np.array(inner).T
    density = rows / widths
    excess = rows[1:-1] - widths[1:-1] * (density[:-2] + density[2:]) / 2
    return float(max(masses, excess.max(), 0.0))


def _ends(label: str) -> tuple[float, float]:
    left, _, right = label[1:-1].partition(",")
    return float(left), float(right)


@dataclass(frozen=True, slots=True)
class _Bins:
    """Filled bins in ascending order: how many rows each has, and their sum."""

    counts: np.ndarray
    sums: np.ndarray

    @property
    def filled(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and counts of the bins that hold rows."""
        some = self.counts > 0
        return self.sums[some] / self.counts[some], self.counts[some]


def _by_value(now: _Bins, known: _Bins, n: int) -> Iterator[tuple[str, Coordinate]]:
    counts = now.filled[1]
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite then has no place by its value
        center, scale = _middle(*known.filled)[0], _scale(*known.filled)
        if not (isfinite(center) and isfinite(scale) and scale > 0):
            return
        values = (now.filled[0] - center) / scale
    if not (np.abs(values) <= LARGEST).all():
        return
    middle, variance = _middle(values, counts)
    drawn = 1 + (middle / SOFT) ** 2
    yield MIDDLE, Coordinate(SOFT * asinh(middle / SOFT), max(variance, STEADY) / n / drawn, n)
    yield LOW, _share(float(counts @ _far(middle - values)), n)
    yield HIGH, _share(float(counts @ _far(values - middle)), n)
    mean = float(values @ counts) / n
    spread = float((values - mean) ** 2 @ counts) / n
    off = mean - middle
    yield TILT, Coordinate(asinh(off), max(spread, STEADY) / n / (1 + off**2), n)


def _far(distances: np.ndarray) -> np.ndarray:
    """Return how much of each bin counts as far: from none at 4 deviations to all at 8.

    A bin is as far as its mean. Were there one border, the tenth of a segment's rows that a skewed column has in its
    last bin would be far in one window and near in the next.
    """
    return np.clip(distances / FAR - 1, 0, 1)


def _middle(values: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """Return the mean of the middle half of the rows, and n times its variance (Tukey and McLaughlin 1963)."""
    n = counts.sum()
    ends = np.cumsum(counts)
    inside = np.minimum(ends, (1 - QUARTER) * n) - np.maximum(ends - counts, QUARTER * n)
    weights = np.maximum(inside, 0)
    low, high = values[np.searchsorted(ends, (QUARTER * n, (1 - QUARTER) * n))]
    drawn_in = np.clip(values, low, high)
    mean = drawn_in @ counts / n
    variance = float((drawn_in - mean) ** 2 @ counts / n) / (1 - 2 * QUARTER) ** 2
    return float(values @ weights / weights.sum()), variance


def _scale(values: np.ndarray, counts: np.ndarray) -> float:
    """Return the standard deviation of the rows, those in the outermost bins aside where the others differ."""
    inner = slice(1, -1) if len(values) > 4 and values[1] < values[-2] else slice(None)
    values, counts = values[inner], counts[inner]
    mean = values @ counts / counts.sum()
    return sqrt(float((values - mean) ** 2 @ counts / counts.sum()))


def _of_texts(counts: Mapping[str, Pair]) -> Iterator[tuple[str, Coordinate]]:
    yield from _nulls(counts)
    n = int(sum(now for label, (now, _) in counts.items() if label != NULL))
    if not n:
        return
    texts = [label for label in counts if label not in (NULL, OTHER)]
    for label in sorted(texts, key=lambda label: (-counts[label][1], label))[:TOP]:
        yield f"{SHARE}{label}", _share(counts[label][0], n)
    yield OTHER, _share(n - sum(counts[label][0] for label in texts), n)


def _nulls(counts: Mapping[str, Pair]) -> Iterator[tuple[str, Coordinate]]:
    if n := int(sum(now for now, _ in counts.values())):
        yield NULLS, _share(counts.get(NULL, (0.0, 0.0))[0], n)


def _mean(scores: np.ndarray, counts: np.ndarray, n: int) -> Coordinate:
    mean = float(scores @ counts) / n
    variance = float((scores - mean) ** 2 @ counts) / n
    return Coordinate(mean, max(variance, STEADY) / n, n)


def _share(count: float, n: int) -> Coordinate:
    return Coordinate(asin(sqrt(min(max(count / n, 0.0), 1.0))), ARCSINE / n, n)


def _border(label: str) -> tuple[float, int]:
    """Where a bin begins; behind a value's own bin comes what lies above the value."""
    if label.startswith("="):
        return float(label[1:]), 0
    return float(label[1:].partition(",")[0]), int(label.startswith("(") and not label.startswith("(-inf"))
