"""Distributions: sorted values with counts, and the two distances between a pair of them, in one exact merge."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import fsum

import numpy as np
from scipy.special import kolmogorov, smirnov

SOME, SMALL = 200, 0.05  # rows from which, and p up to which, twice the one-sided p is the two-sided one
MANY = 10_000  # rows from which Kolmogorov's limit is as good as the exact distribution
BLOCK = 1 << 17  # values merged at a time: small enough for the processor's cache, whatever the size of the window


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values in ascending order, without NaN; `ranks[i]` rows come before `values[i]`, and `ranks[-1]` is all of them.

    Without `ranks` each value is one row.
    """

    values: np.ndarray
    ranks: np.ndarray | None = None

    @classmethod
    def counted(cls, values: np.ndarray, counts: np.ndarray) -> Distribution:
        """Build from distinct ascending values and how often each occurs."""
        return cls(values, None if counts.sum() == len(values) else np.append(0, np.cumsum(counts)))

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.values) if self.ranks is None else int(self.ranks[-1])

    def below(self, edges: np.ndarray) -> np.ndarray:
        """Count the rows below each of the ascending `edges`."""
        return self.rows(np.searchsorted(self.values, edges, side="left"))

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Count the rows of the first `places[i]` values."""
        return places if self.ranks is None else self.ranks[places]

    def finite(self) -> Distribution:
        """Leave out infinite values."""
        first = int(np.searchsorted(self.values, -np.inf, side="right"))
        last = int(np.searchsorted(self.values, np.inf, side="left"))
        if first == 0 and last == len(self.values):
            return self
        ranks = None if self.ranks is None else self.ranks[first : last + 1] - self.ranks[first]
        return Distribution(self.values[first:last], ranks)


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values of an ascending array and their counts."""
    if not len(values):
        return values, np.zeros(0, np.int64)
    differs = values[1:] != values[:-1]
    if differs.all():
        return values, np.broadcast_to(np.int64(1), len(values))
    starts = np.append(0, np.flatnonzero(differs) + 1)
    return values[starts], np.diff(np.append(starts, len(values)))


@dataclass(frozen=True, slots=True)
class Distances:
    """`ks` is the largest vertical gap between two distribution functions, `wasserstein` the area between them."""

    ks: float
    wasserstein: float


def distances(reference: Distribution, current: Distribution) -> Distances:
    """Return the Kolmogorov-Smirnov statistic sup|F - G| and the Wasserstein-1 distance, the integral of |F - G|.

    Both distribution functions are step functions, so with the merged values v the first is the largest
    |F(v) - G(v)| and the second the sum of |F(v[i]) - G(v[i])| (v[i+1] - v[i]) (Ramdas, Garcia, Cuturi 2017,
    arXiv:1509.02237). Gaps are counted in whole rows, so the order of rows changes nothing. Both sides need at least
    one value; the Wasserstein distance needs finite ones.
    """
    size = reference.n * current.n
    widest, areas = 0, []
    for gap, values in _merged(reference, current):
        with np.errstate(invalid="ignore", over="ignore"):
            areas.append(float(np.sum(gap * np.diff(values))))
        widest = max(widest, int(np.max(gap, where=values[1:] > values[:-1], initial=0)))
    return Distances(widest / size, fsum(areas) / size if np.isfinite(areas).all() else float("inf"))


def _merged(reference: Distribution, current: Distribution) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, block by block of the merged values, |F - G| in units of 1 / (n m) and the values with the one after."""
    a, b = reference.values, current.values
    cuts = [(0, 0)]
    for rank in range(BLOCK, len(a) + len(b) + BLOCK, BLOCK):
        cuts.append(_cut(a, b, min(rank, len(a) + len(b))))
    for (i, j), (k, m) in pairwise(cuts):
        following = min([*a[k : k + 1], *b[m : m + 1]], default=None)
        both = np.concatenate((a[i:k], b[j:m]))
        order = np.argsort(both, kind="stable")  # two sorted runs: a single linear merge
        from_a = np.cumsum(order < k - i)
        from_b = np.arange(1 + j, len(order) + 1 + j) - from_a
        gap = np.abs(reference.rows(from_a + i) * current.n - current.rows(from_b) * reference.n)
        yield gap, np.append(both[order], both[order[-1]] if following is None else following)


def _cut(a: np.ndarray, b: np.ndarray, rank: int) -> tuple[int, int]:
    """Return how many values of `a` and of `b` are among the `rank` smallest of both (merge path)."""
    low, high = max(0, rank - len(b)), min(rank, len(a))
    taken = low + bisect_left(range(low, high), True, key=lambda i: bool(a[i] > b[rank - i - 1]))
    return taken, rank - taken


def ks_p(ks: float, n: int, m: int) -> float:
    """Return the asymptotic two-sided p-value of a two-sample Kolmogorov-Smirnov statistic.

    The exact one-sample distribution at the effective size n m / (n + m), as scipy.stats.ks_2samp(method="asymp"). From
    SOME on without it, for scipy.stats takes longer to import than a small window to be measured: twice Smirnov's
    one-sided p where that is small (Miller, Journal of the American Statistical Association 51, 1956; within 2e-5 of
    it), else, and from MANY on, Kolmogorov's limit with Vrbik's correction (Pioneer Journal of Theoretical and Applied
    Statistics 15, 2018; within a thousandth, from MANY on where p > 1e-5). With ties it is conservative.
    """
    size = max(1, np.round(n * m / (n + m)))
    if size < SOME:
        from scipy.stats import kstwo

        return float(np.clip(kstwo.sf(ks, size), 0, 1))
    if size < MANY and (p := 2 * float(smirnov(size, ks))) < SMALL:
        return p
    z = ks * np.sqrt(size)
    return float(np.clip(kolmogorov(z + 1 / (6 * np.sqrt(size)) + (z - 1) / (4 * size)), 0, 1))
