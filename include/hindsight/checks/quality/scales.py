"""Scales: values that are the reference's times a factor, as dollars in thousands, or without their fractions."""

from __future__ import annotations

import numpy as np

from hindsight.checks.reference.peaks import CHANCE
from hindsight.checks.values.distributions import BLOCK, Distribution
from hindsight.checks.values.precision import near

FEWEST, FEWEST_VALUES = 20, 5  # rows other than zero that a factor is read from, and distinct ones of the reference
AS_NEAR = 1.5  # how far chance may put the ratio of the medians off a usual factor
LEAST_FACTOR, FAR, NEAR = 10 / AS_NEAR, 0.5, 0.05
LARGEST = 1e200  # factors beyond are no units, and overflow
LARGE = 1e5  # from there on a number of six digits is whole
CLOSE = 1.63  # the 1 % point of Kolmogorov's distribution
_KNOWN = [10.0**k for k in range(1, 10)] + [12.0, 24.0, 60.0, 1440.0, 3600.0, 86400.0, 25.4]
FACTORS = np.array(sorted([*_KNOWN, *(1 / factor for factor in _KNOWN)]))


def factor(values: np.ndarray, reference: Distribution) -> float | None:
    """Return the factor between the reference's values and these, None where they are no multiples of each other.

    Zeros have no scale and are left out, as are signs. The factor is a usual one (a power of ten, 60, 3600, …) near the
    ratio of the medians: values that shrink by any other factor have drifted, as incomes or years of service do. It
    counts where the Kolmogorov-Smirnov distance, at least 0.5 before, is at most 0.05 after, or what chance explains
    (1 %).
    """
    if not _may_differ(values, reference):
        return None
    now, then = _magnitudes(Distribution(values)), _magnitudes(reference)
    if now.n < FEWEST or then.n < FEWEST or len(then.values) < FEWEST_VALUES:
        return None
    ratio = _median(now) / _median(then)
    if not LARGEST**-1 < ratio < LARGEST or 1 / LEAST_FACTOR < ratio < LEAST_FACTOR or _gap(now, then, 1.0) < FAR:
        return None
    near = FACTORS[np.abs(np.log(FACTORS / ratio)) < np.log(AS_NEAR)].tolist()
    chance = float(CLOSE * np.sqrt(1 / now.n + 1 / then.n))
    distance, best = min(((_gap(now, then, one), one) for one in near), default=(1.0, ratio))
    return best if distance <= max(NEAR, chance) else None


def is_rounded(values: np.ndarray, reference: Distribution) -> bool:
    """Whether all values are whole, and lie where the reference's do, that are whole too seldom for this to be chance.

    Chance is the share of whole values in the reference to the power of the rows, less than 1e-9; where they lie is
    the Kolmogorov-Smirnov distance, less than 0.5. One value in all rows is stuck, not rounded, and numbers so large
    that six digits hold no fractions have only lost precision.
    """
    if not (values.size and reference.n) or not _whole(values[:FEWEST]).all() or np.abs(values).min() >= LARGE:
        return False
    if not seldom_whole(values.size, reference) or not _whole(values).all() or not np.ptp(values):
        return False
    return lie_together(Distribution(np.sort(values)), reference)


def seldom_whole(n: int, reference: Distribution) -> bool:
    """Whether the reference's values are whole so seldom that n whole ones are no chance."""
    counts = np.diff(_ranks(reference))
    share = max(int(counts[_whole(reference.values)].sum()), 1) / max(reference.n, 2)
    return bool(n * np.log(share) < np.log(CHANCE))


def lie_together(now: Distribution, then: Distribution) -> bool:
    """Whether values lie where the reference's do, by and large."""
    return _gap(now, then, 1.0) < FAR


def _whole(values: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray(values % 1 == 0)


def as_words(factor: float) -> str:
    """'1,000 times' or '1/1,000 of'."""
    return f"{factor:,.4g} times" if factor >= 1 else f"1/{1 / factor:,.4g} of"


def _may_differ(values: np.ndarray, reference: Distribution) -> bool:
    """Whether the mean sizes are far apart: quick to ask of every column, where sorting one is not."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ratio = _mean_size(Distribution(values)) / _mean_size(reference)
    return not LEAST_FACTOR**-0.5 < ratio < LEAST_FACTOR**0.5


def _mean_size(values: Distribution) -> np.float64:
    """The mean of the absolute values other than zero, in blocks: no copy of the column is made."""
    total, rows = np.float64(0), np.float64(0)
    for start in range(0, len(values.values), BLOCK):
        sizes = np.abs(values.values[start : start + BLOCK])
        counts = 1 if values.ranks is None else np.diff(values.ranks[start : start + BLOCK + 1])
        total += np.sum(sizes * counts)
        rows += np.sum((sizes > 0) * counts)
    return total / rows


def _magnitudes(values: Distribution) -> Distribution:
    """The absolute values other than zero, distinct and in order; infinite ones left out."""
    counts = np.diff(_ranks(values))
    there = (values.values != 0) & np.isfinite(values.values)
    sizes, places = np.unique(np.abs(values.values[there]), return_inverse=True)
    return Distribution(sizes, np.append(0, np.cumsum(np.bincount(places, counts[there]).astype(np.int64))))


def _ranks(values: Distribution) -> np.ndarray:
    return np.arange(len(values.values) + 1) if values.ranks is None else values.ranks


def _median(values: Distribution) -> float:
    return float(values.values[np.searchsorted(_ranks(values)[1:], np.ceil(values.n / 2))])


def _gap(now: Distribution, then: Distribution, factor: float) -> float:
    """The Kolmogorov-Smirnov distance after division; values that differ by rounding to float32 are equal."""
    with np.errstate(over="ignore"):
        scaled = now.values / factor
        points = np.union1d(scaled, then.values)
        points = points + near(points)
    below = now.rows(np.searchsorted(scaled, points, side="right")) / now.n
    return float(np.max(np.abs(below - then.rows(np.searchsorted(then.values, points, side="right")) / then.n)))
