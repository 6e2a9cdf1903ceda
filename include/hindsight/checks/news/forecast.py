"""Forecast: what the past of a number lets expect of a window, and how far off the same forecasts were before.

For many numbers at once: arrays of windows by numbers, oldest first, NaN where nothing is known.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

FEWEST = 14  # windows before anything is judged: fewer forecasts of two windows say too little of their scale
REPEATS = 3  # full repetitions before a cycle counts
BURN_IN = 3  # forecasts from fewer windows say little about later ones
MEMORIES = (0.03, 0.1, 0.25, 0.5, 0.8)  # weight of the newest window in the level: from all alike to nearly the last
SLOWER = 0.02  # better, at least, must the next quicker memory be
HUBER = 2.5
MAD = 1.4826  # median absolute deviation of a normal distribution, in standard deviations
SPIKE = 6.0  # typical steps from window to window that a window alone is off both its neighbours
EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of the mean of the next windows, the variance of its error, and that one's degrees of freedom.

    All three by number; NaN where too little is known. The variance is the mean square of the errors of the same
    forecasts before: autocorrelation and odd windows are in it. `errors` are those, in their own deviations.
    """

    expected: np.ndarray
    variance: np.ndarray
    freedom: np.ndarray
    errors: np.ndarray


def season(past: np.ndarray, slots: np.ndarray, count: int) -> np.ndarray:
    """Return the effect of each slot on each number, count by numbers: 0 where it is not confirmed.

    Effects are means of what a running mean over one cycle leaves, shrunk by the variance between slots over that
    within (James and Stein 1961). They count where every slot repeats three times and the windows held out one by one
    are foretold better with them than without.
    """
    effects = np.zeros((count, past.shape[1]))
    if count < 2 or len(past) < REPEATS * count:
        return effects
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of numbers without a past, which have no effect
        left = _clipped(past - _running_mean(past, count), slots, count)
        counts = _by_slot(~np.isnan(left), slots, count)
        means = _by_slot(np.nan_to_num(left), slots, count) / counts
        within = np.nansum((left - means[slots]) ** 2, axis=0) / np.maximum((counts - 1).sum(axis=0), 1)
        between = np.maximum((means**2).mean(axis=0) - (within / counts).mean(axis=0), 0)
        weight = between / (between + within / counts + EPSILON)
        held_out = ((means * counts)[slots] - left) / (counts - 1)[slots] * weight[slots]
        better = np.nansum((left - held_out) ** 2, axis=0) < np.nansum(left**2, axis=0)
    return np.where(better & (counts.min(axis=0) >= REPEATS), np.nan_to_num(means * weight), 0.0)


def _by_slot(values: np.ndarray, slots: np.ndarray, count: int) -> np.ndarray:
    return np.array([values[slots == slot].sum(axis=0) for slot in range(count)], float)


def _running_mean(past: np.ndarray, length: int) -> np.ndarray:
    """Return the mean over one whole cycle around each window; NaN at both ends, which have none."""
    sums = np.nancumsum(np.vstack([np.zeros(past.shape[1]), past]), axis=0)
    known = np.cumsum(np.vstack([np.zeros(past.shape[1]), ~np.isnan(past)]), axis=0)
    means = (sums[length:] - sums[:-length]) / (known[length:] - known[:-length])
    found = np.full(past.shape, np.nan)
    found[length // 2 : length // 2 + len(means)] = means
    return found


def _clipped(values: np.ndarray, slots: np.ndarray, count: int) -> np.ndarray:
    """Draw what lies far from its slot to where it may lie: one bad day is not a bad weekday."""
    nothing = np.full(values.shape[1], np.nan)
    chosen = [values[slots == slot] for slot in range(count)]
    middle = np.array([np.nanmedian(some, axis=0) if len(some) else nothing for some in chosen])[slots]
    size = np.abs(values - middle)
    reach = HUBER * MAD * np.nanmedian(size, axis=0)
    reach = np.where(reach > 0, reach, np.nanmax(size, axis=0))
    return np.asarray(np.clip(values, middle - reach, middle + reach))


def forecasts(past: np.ndarray, after: np.ndarray, *steps: int) -> list[Forecast]:
    """Return what the past lets expect of the mean of the next so many windows, for each number of steps.

    The level is an exponentially weighted mean; how quickly it follows is chosen for each number by how well it would
    have foretold its own past (Brown 1956; Muth 1960 on when it is best). Where the last windows are not known, the
    level may have moved on for as long as that. `after` is the first of the next windows: whether the last of the past
    stood alone.
    """
    levels, shares = _levels(without_spikes(past, after))
    unknown = np.argmax(~np.isnan(past[::-1]), axis=0) if len(past) else np.zeros(past.shape[1])
    return [_forecast(past, levels, shares, unknown, some) for some in steps]


def without_spikes(past: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the past in which a window that stood alone, far off those beside it, is as the nearer of them.

    One window alone is no news, so it moves no level either: else two windows later its end would be news. Far off is
    SPIKE times the median step between windows (a running median of three, Tukey 1977, where it matters).
    """
    beside = np.vstack([past, after])
    middle = beside.copy()
    middle[1:-1] = np.median([beside[:-2], beside[1:-1], beside[2:]], axis=0)  # NaN where one of them is not known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of numbers without a past, which have no steps
        step = np.nanmedian(np.abs(np.diff(past, axis=0)), axis=0)
    far = np.abs(beside - middle) > SPIKE * step
    return np.where(far, middle, beside)[:-1]


def _forecast(past: np.ndarray, levels: np.ndarray, shares: np.ndarray, unknown: np.ndarray, steps: int) -> Forecast:
    runs = np.add.reduce([past[k : len(past) - steps + 1 + k] for k in range(steps)]) / steps
    errors = (runs[:, None] - levels[: len(runs)]) / np.sqrt(1 / steps + shares[: len(runs)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of numbers without a past, whose variance is NaN
        scales = np.nanmean(errors**2, axis=0)
    foretold = scales * (1 / steps + shares[-1])
    order = np.where(np.isnan(foretold), np.inf, foretold) * (1 + SLOWER * np.arange(len(MEMORIES)))[:, None]
    best, columns = np.argmin(order, axis=0), np.arange(past.shape[1])
    chosen = errors[:, best, columns]
    count = (~np.isnan(chosen)).sum(axis=0)
    overlap = sum((1 - abs(k) / steps) ** 2 for k in range(1 - steps, steps))
    wander = 1 + unknown * np.array(MEMORIES)[best] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        own = chosen / np.sqrt(scales[best, columns])
    return Forecast(levels[-1, best, columns], foretold[best, columns] * wander, count / overlap - 1, own)


def _levels(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the level before each window and after the last, and its variance in that of one window.

    Windows by memories by numbers; NaN while burning in.
    """
    memories = np.array(MEMORIES)[:, None]
    weight = np.zeros((len(MEMORIES), past.shape[1]))
    level, share = np.zeros_like(weight), np.zeros_like(weight)
    levels = np.full((2, len(past) + 1, *weight.shape), np.nan)
    known, filled = ~np.isnan(past), np.nan_to_num(past)
    count = np.cumsum(known, axis=0)
    for t in range(len(past)):
        weight = np.where(known[t], weight * (1 - memories) + 1, weight)
        gain = np.where(known[t], 1 / np.maximum(weight, 1), 0.0)
        level = level + gain * (filled[t] - level)
        share = (1 - gain) ** 2 * share + gain**2
        levels[:, t + 1] = np.where(count[t] >= BURN_IN, (level, share), np.nan)
    return levels[0], levels[1]
