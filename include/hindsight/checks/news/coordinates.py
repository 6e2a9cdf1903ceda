"""Coordinates: a window's stored profile in a few robust numbers a column, small enough to keep a year of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import asin, fsum, log, sqrt
from zlib import crc32

import numpy as np
from scipy.special import ndtri

from hindsight.checks.values.categories import NULL, OTHER
from hindsight.vocabulary.measurement import Measurement

Key = tuple[str, str, str]  # segment, feature, coordinate
LOCATION, SPREAD, PEAK, LOW, HIGH, NULLS, ROWS, MEAN = (
    *("location", "spread", "peak", "low", "high"),
    *("null", "rows", "mean"),
)
MARK: Key = ("", "", "reference")
SHARE = "="  # before the name of a category
TAIL = 0.015  # the outermost percentile on either side
TOP = 8  # categories by their share of the reference
ARCSINE = 0.25  # n times the variance of the arcsine of the root of a share (Anscombe 1948)
COUNTED = 0.02**2  # of log(n): counts of a steady source hardly vary at all, so rows drawn set no floor


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A number of a window: its value, the variance it has because rows are drawn, and the rows behind it."""

    value: float
    variance: float
    n: int


def coordinates(profile: Iterable[Measurement]) -> dict[Key, Coordinate]:
    """Return the coordinates of every segment and column of a window's profile; versions are left out.

    Numeric columns: `location` and `spread` are the mean and the mean size of the rows' normal scores in the frozen
    bins (van der Waerden 1952: the quantile of the reference's mid-rank), so that one row of -999 counts as any row
    below the first percentile does; `low` and `high` are the shares outside the reference's outermost percentiles,
    `peak` the largest share of one bin. Texts: the share of each of the reference's most frequent categories and of
    all others. Both: the share of nulls. Shares p are written as asin(sqrt(p)). `rows` is log(n), of feature "";
    `mean`, in units of the column, is for people only, and `reference` names what the scores are those of.
    """
    bins: dict[tuple[str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
    sums: dict[tuple[str, str], list[float]] = defaultdict(list)
    rows: dict[str, int] = {}
    for row in profile:
        if row.model_version or row.value is None:
            continue
        if row.metric == "bin_count":
            bins[row.segment, row.feature][row.bin] = (row.value, row.reference or 0.0)
            rows[row.segment] = row.n
        elif row.metric == "bin_sum":
            sums[row.segment, row.feature].append(row.value)
    filled = sorted((*key, label, then) for key, counts in bins.items() for label, (_, then) in counts.items() if then)
    mark = Coordinate(float(crc32(repr(filled).encode())), 0.0, 0)
    found = {MARK: mark} if filled else {}
    found |= {(segment, "", ROWS): Coordinate(log(n), COUNTED, n) for segment, n in rows.items() if n}
    for (segment, feature), counts in bins.items():
        total = sums.get((segment, feature))
        made = _of_numbers(counts, fsum(total)) if total is not None else _of_texts(counts)
        found |= {(segment, feature, name): one for name, one in made}
    return found


def _of_numbers(counts: Mapping[str, tuple[float, float]], total: float) -> Iterator[tuple[str, Coordinate]]:
    yield from _nulls(counts)
    labels = sorted((label for label in counts if label != NULL), key=_border)
    now, known = np.array([counts[label] for label in labels]).reshape(-1, 2).T
    n, reference = int(now.sum()), known.sum()
    if not n or not reference:
        return
    ranks = (np.cumsum(known) - known / 2) / reference
    scores = ndtri(np.clip(ranks, 1 / (2 * reference), 1 - 1 / (2 * reference)))
    yield LOCATION, _mean(scores, now, n)
    yield SPREAD, _mean(np.abs(scores), now, n)
    yield PEAK, _share(float(now.max()), n)
    if len(labels) > 2:
        yield LOW, _share(float(now[ranks < TAIL].sum()), n)
        yield HIGH, _share(float(now[ranks > 1 - TAIL].sum()), n)
    yield MEAN, Coordinate(total / n, 0.0, n)


def _of_texts(counts: Mapping[str, tuple[float, float]]) -> Iterator[tuple[str, Coordinate]]:
    yield from _nulls(counts)
    n = int(sum(now for label, (now, _) in counts.items() if label != NULL))
    if not n:
        return
    texts = [label for label in counts if label not in (NULL, OTHER)]
    top = sorted(texts, key=lambda label: (-counts[label][1], label))[:TOP]
    for label in top:
        yield f"{SHARE}{label}", _share(counts[label][0], n)
    yield OTHER, _share(n - sum(counts[label][0] for label in top), n)
    yield PEAK, _share(max(now for label, (now, _) in counts.items() if label != NULL), n)


def _nulls(counts: Mapping[str, tuple[float, float]]) -> Iterator[tuple[str, Coordinate]]:
    if n := int(sum(now for now, _ in counts.values())):
        yield NULLS, _share(counts.get(NULL, (0.0, 0.0))[0], n)


def _mean(scores: np.ndarray, counts: np.ndarray, n: int) -> Coordinate:
    mean = float(scores @ counts) / n
    variance = float((scores - mean) ** 2 @ counts) / n
    return Coordinate(mean, max(variance, 1 / n) / n, n)


def _share(count: float, n: int) -> Coordinate:
    return Coordinate(asin(sqrt(min(max(count / n, 0.0), 1.0))), ARCSINE / n, n)


def _border(label: str) -> tuple[float, int]:
    """Where a bin begins; behind a value's own bin comes what lies above the value."""
    if label.startswith("="):
        return float(label[1:]), 0
    return float(label[1:].partition(",")[0]), int(label.startswith("(") and not label.startswith("(-inf"))
