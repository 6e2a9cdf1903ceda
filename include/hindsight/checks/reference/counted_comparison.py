"""Counted comparison: a numeric column against its reference where only counts and sums between cuts are known.

What is made of counts and moments is as from rows. Of Kolmogorov-Smirnov and Wasserstein there are bounds: the lower
one is the value, so that nothing is called drift which rows would not, and the upper one is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Self

import numpy as np

from hindsight.checks.reference.column_comparison import (
    MOVES,
    Comparison,
    Effect,
    moves,
    null_shift,
    numeric_test,
    plain,
    psi_effect,
    why_not,
    without_moves,
)
from hindsight.checks.reference.profile import Moments, Profile
from hindsight.checks.statistics.effects import js_distance, kl_divergence, wasserstein_normed
from hindsight.checks.values.bins import NumericBins
from hindsight.checks.values.counted import CountedNumbers
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.precision import untwinned
from hindsight.checks.values.samples import Numbers

GATE = "Kolmogorov-Smirnov over the frozen bins"
BOUND = "at least, by counts; at most {:.4g}"


def compare_counts(
    bins: NumericBins, deciles: NumericBins, reference: Numbers, known: Profile, current: CountedNumbers
) -> Comparison:
    """Compare a column that was counted with its reference."""
    counts = bins.counts(current.values, current.nulls)
    binned = [deciles.counts(side.values, side.nulls) for side in (reference, current)]
    n, why = current.values.n, why_not(reference, current)
    effects = {
        "psi": psi_effect(*binned),
        "psi_fine": psi_effect(known.counts, counts),
        "kl_divergence": plain(kl_divergence(*binned), current.n, "" if current.n and reference.n else "no rows"),
        "js_distance": plain(js_distance(binned[0][:-1], binned[1][:-1]), n, why),
    }
    ks = None
    if why:
        effects |= {name: Effect(None, n, why) for name in ("ks", *MOVES)}
    else:
        both = _Both.of(reference.values, current)
        ks = both.ks
        effects["ks"] = replace(plain(ks, n), note=BOUND.format(both.most_ks))
        effects |= _moves(reference, known, current)
    has_point_mass = len(deciles.edges) < 9
    pair = (known.counts, counts) if has_point_mass else None
    p, test = numeric_test(reference, current, ks, pair, name_of_ks=GATE)
    return Comparison(effects, p, test, null_shift(reference, current), has_point_mass)


def counted_moments(current: CountedNumbers) -> Moments:
    """Return the moments of the finite values; infinite where some are too large to be added up."""
    cells = current.cells
    n = int(cells.n[cells.finite].sum())
    if not n:
        return Moments(0, 0.0, 0.0)
    if not cells.adds_up:
        return Moments(n, inf, inf)
    mean = float(np.sum(cells.total)) / n
    means = cells.total[cells.finite] / cells.n[cells.finite]
    spread = float(np.sum(cells.squares[cells.finite] + cells.n[cells.finite] * (means - mean) ** 2))
    lowest, highest = untwinned(np.array(counted_range(current)))
    return Moments(n, mean, spread if lowest < highest else 0.0)


def counted_range(current: CountedNumbers) -> tuple[float, float] | None:
    """Return the smallest and the largest finite value."""
    cells = current.cells
    if not cells.finite.any():
        return None
    return float(cells.low[cells.finite].min()), float(cells.high[cells.finite].max())


def counted_profile(bins: NumericBins, current: CountedNumbers) -> Profile:
    """Return the profile of a column that was counted at every border of its bins."""
    cells, counts = current.cells, bins.counts(current.values, current.nulls)
    sums = np.zeros(len(counts))
    places = np.searchsorted(bins.borders, cells.starts, side="right")
    np.add.at(sums, places, cells.sums)
    return Profile(bins.labels, counts, sums, counted_moments(current), counted_range(current))


def _moves(reference: Numbers, known: Profile, current: CountedNumbers) -> Mapping[str, Effect]:
    then, now = known.moments or Moments(0, 0.0, 0.0), counted_moments(current)
    if why := without_moves(then, now.n):
        return {name: Effect(None, now.n, why) for name in MOVES}
    infinite = (known.n - known.nulls - then.n) + (current.values.n - now.n)
    note = f"{infinite} infinite values left out" if infinite else ""
    if now.mean == inf:
        return moves(then, now, inf, note)
    both = _Both.of(reference.values.finite(), current, centre=then.mean, finite=True)
    least, most = both.wasserstein
    found = moves(then, now, least, note)
    said = "; ".join(filter(None, (note, BOUND.format(wasserstein_normed(most, then.std) or 0.0))))
    effect = found["wasserstein_normed"]
    return found | {"wasserstein_normed": effect if effect.value is None else replace(effect, note=said)}


@dataclass(frozen=True)
class _Both:
    """Both sides in the same cells: rows of each, sums of the distances from a centre, and the extremes of both."""

    starts: np.ndarray
    then: np.ndarray
    now: np.ndarray
    sums: tuple[np.ndarray, np.ndarray]
    centre: float
    ends: tuple[float, float]

    @classmethod
    def of(cls, reference: Distribution, current: CountedNumbers, *, centre: float = 0.0, finite: bool = False) -> Self:
        cells = current.cells
        use = cells.finite if finite else cells.n > 0
        now = np.where(use, cells.n, 0)
        then = np.diff(np.concatenate(([0], reference.below(cells.cuts), [reference.n])))
        ours = np.where(use, cells.total - cells.n * centre, 0.0)
        low, high = (counted_range(current) or (inf, -inf)) if finite else (0.0, 0.0)
        ends = (min(low, float(reference.values[0])), max(high, float(reference.values[-1])))
        theirs = _sums(reference, cells.cuts, centre) if finite else np.zeros(len(then))
        return cls(cells.starts, then, now, (theirs, ours), centre, ends)

    @property
    def _gaps(self) -> np.ndarray:
        """F - G at the beginning of each cell and at the end of the last."""
        ours = [np.append(0, np.cumsum(side)) / side.sum() for side in (self.then, self.now)]
        return np.asarray(ours[0] - ours[1])

    @property
    def ks(self) -> float:
        """The largest gap at a cut, in whole rows: never over the one over all values."""
        n, m = int(self.then.sum()), int(self.now.sum())
        return float(np.abs(np.cumsum(self.then) * m - np.cumsum(self.now) * n).max()) / (n * m)

    @property
    def _widest(self) -> np.ndarray:
        """The largest gap there can be in each cell: all rows of one side come first, unless only one has any."""
        gaps, p, q = self._gaps, self.then / self.then.sum(), self.now / self.now.sum()
        at_ends = np.maximum(np.abs(gaps[:-1]), np.abs(gaps[1:]))
        inside = np.maximum(np.abs(gaps[:-1] + p), np.abs(gaps[:-1] - q))
        return np.asarray(np.where((self.then > 0) & (self.now > 0), np.maximum(at_ends, inside), at_ends))

    @property
    def most_ks(self) -> float:
        """What the largest gap over all values cannot be over."""
        return float(min(self._widest.max(), 1.0))

    @property
    def wasserstein(self) -> tuple[float, float]:
        """What the area between F and G is at least, and at most.

        Over each cell the integral of F - G follows from the sums by parts; of its sign inside nothing is known.
        """
        low, high = (end - self.centre for end in self.ends)
        size = max(map(abs, self.ends))  # that of what was added up: a sum is as exact as its numbers are large
        edges = np.clip(np.append(self.starts, inf) - self.centre, low, high)
        gaps = self._gaps
        theirs, ours = (side / n.sum() for side, n in zip(self.sums, (self.then, self.now), strict=True))
        areas = np.abs(edges[1:] * gaps[1:] - edges[:-1] * gaps[:-1] - (theirs - ours))
        least = float(np.sum(np.where(areas > 1e-13 * size, areas, 0.0)))
        return least, max(least, float(np.sum(np.diff(edges) * self._widest)))


def _sums(values: Distribution, cuts: np.ndarray, centre: float) -> np.ndarray:
    """Return the sums of the distances from a centre between the cuts."""
    counts = 1 if values.ranks is None else np.diff(values.ranks)
    places = np.searchsorted(cuts, values.values, side="right")
    return np.bincount(places, (values.values - centre) * counts, len(cuts) + 1)
