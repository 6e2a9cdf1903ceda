"""Profile: what is kept of a column of a window, counts and sums in frozen bins, exact and mergeable by addition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, isfinite, sqrt

import numpy as np

from hindsight.checks.values.bins import CategoryBins, NumericBins
from hindsight.checks.values.categories import OTHER, Frequencies
from hindsight.checks.values.distributions import BLOCK, Distribution
from hindsight.checks.values.precision import untwinned
from hindsight.vocabulary.measurement import Measurement

TENTH = 0.095  # of the reference, at least, in each bin of a coarse profile: ten bins of about a percent
TOP_TEN = 10  # texts, by their share of the reference


@dataclass(frozen=True, slots=True)
class Moments:
    """Rows, mean and sum of squared deviations from the mean, of finite values; the last two infinite on overflow."""

    n: int
    mean: float
    deviations: float

    @property
    def std(self) -> float:
        """Population standard deviation; 0 under 1e-14 of the mean, which is rounding; infinite on overflow."""
        std = sqrt(self.deviations / self.n) if self.n else 0.0
        return std if std > 1e-14 * abs(self.mean) or std == float("inf") else 0.0

    def __add__(self, other: Moments) -> Moments:
        n = self.n + other.n
        if not self.n or not other.n:
            return self if self.n else other
        gap = other.mean - self.mean
        mean = self.mean + gap * (other.n / n)
        return Moments(n, mean, self.deviations + other.deviations + gap * gap * (self.n * (other.n / n)))


def moments(values: np.ndarray) -> Moments:
    """Return the moments of ascending finite values, in two passes and in blocks: no copy of the column is made.

    One value as double in some rows and as float32 in others has no spread.
    """
    if not len(values):
        return Moments(0, 0.0, 0.0)
    lowest, highest = untwinned(values[[0, -1]])
    blocks = [values[i : i + BLOCK] for i in range(0, len(values), BLOCK)]
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _total(np.sum(block) for block in blocks) / len(values)
        deviations = _total(np.sum((block - mean) ** 2) for block in blocks)
    return Moments(len(values), mean, deviations if lowest < highest else 0.0)


def _total(parts: Iterable[float]) -> float:
    """Add up; infinity where a part or the whole is too large for a double."""
    parts = [float(part) for part in parts]
    try:
        return fsum(parts) if all(map(isfinite, parts)) else float("inf")
    except OverflowError:
        return float("inf")


@dataclass(frozen=True)
class Profile:
    """Counts (null last) and, of a numeric column, sums of the finite values in each bin, their moments and range.

    Counts merge exactly, sums and moments to 1e-12 relative.
    """

    labels: tuple[str, ...]
    counts: np.ndarray
    sums: np.ndarray | None = None
    moments: Moments | None = None
    range: tuple[float, float] | None = None

    @property
    def n(self) -> int:
        """Rows, nulls included."""
        return int(self.counts.sum())

    @property
    def nulls(self) -> int:
        """Rows that are null."""
        return int(self.counts[-1])

    def __add__(self, other: Profile) -> Profile:
        if self.labels != other.labels:
            raise ValueError("profiles over different bins cannot be added; they come from different baselines")
        if self.sums is None or other.sums is None or self.moments is None or other.moments is None:
            return Profile(self.labels, self.counts + other.counts)
        ends = [end for profile in (self, other) for end in profile.range or ()]
        with np.errstate(over="ignore", invalid="ignore"):
            sums = self.sums + other.sums
        return Profile(
            self.labels,
            self.counts + other.counts,
            sums,
            self.moments + other.moments,
            (min(ends), max(ends)) if ends else None,
        )


def numeric_profile(bins: NumericBins, values: np.ndarray, nulls: int) -> Profile:
    """Count and add up ascending values (infinite ones are counted, not added) in the frozen bins."""
    whole = Distribution(values)
    finite = whole.finite().values
    starts = np.concatenate(([0], np.searchsorted(finite, bins.borders, side="left"), [len(finite)]))
    with np.errstate(over="ignore"):
        sums = np.array([*(np.sum(finite[i:j]) for i, j in pairwise(starts.tolist())), 0.0])
    ends = (float(finite[0]), float(finite[-1])) if len(finite) else None
    return Profile(bins.labels, bins.counts(whole, nulls), sums, moments(finite), ends)


def category_profile(bins: CategoryBins, frequencies: Frequencies, nulls: int) -> Profile:
    """Count texts in the frozen bins."""
    return Profile(bins.labels, bins.counts(frequencies, nulls))


def coarse(profile: Profile, reference: Profile) -> tuple[Profile, Profile]:
    """Return both in fewer bins, without moments and range, which are single values.

    Neighbouring bins of numbers are joined until each holds a tenth of the reference; of texts the ten most frequent
    stay and the others are one with those that have no bin. Null stays by itself.
    """
    starts = _text_starts(profile.labels) if profile.sums is None else _tenths(reference.counts[:-1])
    ends = [*starts[1:], len(profile.labels) - 1]
    labels = tuple(_joined(profile.labels[i], profile.labels[j - 1]) for i, j in zip(starts, ends, strict=True))
    places = [*starts, len(profile.labels) - 1]
    return _in_bins(profile, labels, places), _in_bins(reference, labels, places)


def _tenths(counts: np.ndarray) -> list[int]:
    """Return where bins begin that each hold at least a tenth; what is left at the end belongs to the last."""
    starts, held, least = [0], 0, max(TENTH * counts.sum(), 1)
    for place, count in enumerate(counts):
        if held >= least and counts[place:].sum() >= least:
            starts.append(place)
            held = 0
        held += count
    return starts


def _text_starts(labels: tuple[str, ...]) -> list[int]:
    texts = len(labels) - 2
    return list(range(min(texts, TOP_TEN) + 1))


def _joined(first: str, last: str) -> str:
    """Name the bin from the beginning of one numeric bin to the end of another; the last of texts is all others."""
    if first == last or last == OTHER:
        return last
    begin = f"[{first[1:]}" if first.startswith("=") else first.partition(",")[0]
    end = f"{last[1:]}]" if last.startswith("=") else last.partition(",")[2]
    return f"{begin},{end}"


def _in_bins(profile: Profile, labels: tuple[str, ...], places: list[int]) -> Profile:
    counts = np.add.reduceat(profile.counts, places)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = None if profile.sums is None else np.add.reduceat(profile.sums, places)
    return Profile((*labels, profile.labels[-1]), counts, sums)


def measurements(
    profile: Profile, reference: Profile, feature: str, *, model_version: str = "", segment: str = ""
) -> list[Measurement]:
    """Write a profile down, bins that neither the window nor the reference fills left out: they are zero."""

    n = profile.n

    def row(metric: str, value: float | None, known: float | None, label: str = "", note: str = "") -> Measurement:
        fits = value is None or isfinite(value)
        return Measurement(
            metric,
            value if fits else None,
            n,
            model_version=model_version,
            segment=segment,
            feature=feature,
            bin=label,
            reference=known if known is None or isfinite(known) else None,
            note=note if fits else "too large for a double",
        )

    rows = [row("n", float(n), float(reference.n))]
    for metric, now, then in (
        ("bin_count", profile.counts, reference.counts),
        ("bin_sum", profile.sums, reference.sums),
    ):
        if now is not None and then is not None:
            filled = np.flatnonzero(profile.counts + reference.counts)
            rows += [row(metric, float(now[i]), float(then[i]), profile.labels[i]) for i in filled]
    if profile.moments is None or reference.moments is None:
        return rows
    empty = "" if profile.range else "no finite value"
    low, high = profile.range or (None, None)
    known_low, known_high = reference.range or (None, None)
    squares = _sum_squares(profile.moments) if profile.range else None
    return [
        *rows,
        row("sum_squares", squares, _sum_squares(reference.moments), note=empty),
        row("min", low, known_low, note=empty),
        row("max", high, known_high, note=empty),
    ]


def _sum_squares(moments: Moments) -> float:
    try:
        return moments.deviations + moments.n * moments.mean**2
    except OverflowError:
        return float("inf")
