"""Family: all numbers of a window judged together, so that false news comes no more often than people agreed to."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, sin

import numpy as np
from scipy.special import digamma, ndtri, polygamma, stdtr

from hindsight.checks.news.coordinates import LOCATION, MARK, MEAN, ROWS, SPREAD, Coordinate, Key
from hindsight.checks.news.forecast import FEWEST, Forecast, forecasts, season

SLIGHT = {LOCATION: 0.05, SPREAD: 0.05, ROWS: 0.1}  # moves that matter to nobody, however rare
SLIGHT_SHARE = 0.01
BOTH = 2.0  # standard deviations, at least, of each of the two windows: one odd window is not yet news
MOST_FREEDOM = 40.0  # no more than so many windows are ever trusted about a tail
WEIGHT = 0.4  # of the location among the numbers of a column: most faults move it

Numbers = Mapping[Key, Coordinate]
Out = Callable[[int, str, str], bool]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the past says of one column of a window, all rows or one segment.

    `z` is how many standard deviations of its own forecasts the number `coordinate` is off, `p` how often the column
    would be off as far by chance, corrected for its numbers but not for the family; `is_news` is. `learning` says why
    nothing can be said, "" where it can.
    """

    segment: str
    feature: str
    coordinate: str = ""
    value: float = float("nan")
    expected: float = float("nan")
    z: float = 0.0
    p: float = 1.0
    is_news: bool = False
    learning: str = ""


def news(
    now: Numbers,
    past: Sequence[Numbers],
    slots: Sequence[int],
    *,
    rate: float,
    slot_count: int = 7,
    left_out: Out = lambda window, segment, feature: False,
) -> list[Finding]:
    """Judge a window by the windows before it, oldest first, empty where there is none; one finding a column.

    `slots` are those of the past and, last, of the window. `rate` is how often any news at all may come by chance in a
    window. `left_out` says of a window of the past, by its place, that a column does not count in it. Half the rate is
    spent on all rows together and half on segments; within each, Holm's procedure (1979) over the columns, and
    Bonferroni's weighted correction over the numbers of a column and over one window and two.
    """
    keys = [key for key in sorted(now) if key[2] != MEAN and key != MARK]
    table, noise = _tables(keys, past, left_out)
    here = np.array([now[key].value for key in keys])
    drawn = np.array([now[key].variance for key in keys])
    effects = season(table, np.asarray(slots[:-1]), slot_count)
    calm = table - effects[list(slots[:-1])] if len(table) else table
    today = here - effects[slots[-1]]
    before, drawn_before = _last(calm), _last(noise)
    both, lasting = _tested(calm[:-1], noise[:-1], today, drawn, before, drawn_before)
    known = (~np.isnan(table)).sum(axis=0)
    found = _columns(keys, here, effects[slots[-1]], both, lasting, known)
    return _told(found, rate)


def _tables(keys: Sequence[Key], past: Sequence[Numbers], left_out: Out) -> tuple[np.ndarray, np.ndarray]:
    """Return values and the variances of their rows, windows by numbers, NaN where unknown or left out."""
    values = np.full((len(past), len(keys)), np.nan)
    noise = np.full((len(past), len(keys)), np.nan)
    for t, numbers in enumerate(past):
        for k, key in enumerate(keys):
            if (one := numbers.get(key)) is not None and not left_out(t, key[0], key[1]):
                values[t, k], noise[t, k] = one.value, one.variance
    return values, noise


def _last(table: np.ndarray) -> np.ndarray:
    return table[-1] if len(table) else np.full(table.shape[1], np.nan)


@dataclass(frozen=True, slots=True)
class _Test:
    """How far numbers are off what was expected, in standard deviations, and how often that happens by chance."""

    expected: np.ndarray
    z: np.ndarray
    p: np.ndarray


def _tested(
    past: np.ndarray,
    noise: np.ndarray,
    today: np.ndarray,
    drawn: np.ndarray,
    before: np.ndarray,
    drawn_before: np.ndarray,
) -> tuple[_Test, np.ndarray]:
    """Test the mean of the last two windows, and say of which numbers both are off, to the same side."""
    nothing = np.full(len(today), np.nan)
    if len(past) + 1 < FEWEST:
        return _Test(nothing, nothing, nothing), np.zeros(len(today), bool)
    one, two = forecasts(past, 1, 2)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of numbers without a past
        rows = np.nanmean(noise, axis=0)
        each = [_test(one, rows, now, some).z for now, some in ((today, drawn), (before, drawn_before))]
        both = _test(two, rows / 2, (today + before) / 2, (drawn + drawn_before) / 4)
        lasting = (np.sign(each[0]) == np.sign(each[1])) & (np.abs(each).min(axis=0) >= BOTH)
    return both, lasting


def _test(known: Forecast, rows: np.ndarray, now: np.ndarray, drawn: np.ndarray) -> _Test:
    """Test numbers; `rows` is the variance those of the past had because rows are drawn, `drawn` that of these."""
    moderated, freedom = squeezed(known.variance / rows, known.freedom)
    between = np.maximum(moderated - 1, 0) * rows * known.wander
    z = (now - known.expected) / np.sqrt(between + drawn)
    tails = _tails(known, np.sqrt(np.maximum(moderated, 1) * rows))
    p = 2 * stdtr(np.minimum(freedom, MOST_FREEDOM), -np.abs(z) / tails)
    return _Test(known.expected, z, np.where(known.freedom < 1, np.nan, p))


def _tails(known: Forecast, scale: np.ndarray) -> np.ndarray:
    """Return how many times larger the errors that come once or twice in the past are than a normal law's would be."""
    size = np.sort(np.nan_to_num(np.abs(known.errors)), axis=0) / scale
    count = np.maximum((~np.isnan(known.errors)).sum(axis=0), 4)
    second = size[-2] if len(size) > 1 else np.ones(size.shape[1])
    return np.asarray(np.maximum(second / -ndtri(0.8 / count), 1.0))


def squeezed(variances: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return variances drawn towards one another and their degrees of freedom, the common ones included.

    Smyth (2004), Linear models and empirical Bayes methods, section 6.2: sample variances are scaled F given a prior
    with d0 degrees of freedom and scale s0; both are estimated from the mean and the variance of their logarithms.
    """
    usable = np.isfinite(variances) & (variances > 0) & (freedom > 0)
    if usable.sum() < 3:
        return variances, freedom
    half = freedom[usable] / 2
    logs = np.log(variances[usable]) - digamma(half) + np.log(half)
    excess = float(np.var(logs, ddof=1) - np.mean(polygamma(1, half)))
    if excess <= 0:
        return np.where(usable, np.exp(logs.mean()), variances), np.where(usable, np.inf, freedom)
    prior = 2 * _trigamma_inverse(excess)
    common = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
    drawn = (prior * common + freedom * variances) / (prior + freedom)
    return np.where(usable, drawn, variances), np.where(usable, freedom + prior, freedom)


def _trigamma_inverse(value: float) -> float:
    """Solve trigamma(y) = value by Newton's method (Smyth 2004, appendix)."""
    y = 0.5 + 1 / value
    for _ in range(50):
        tri = float(polygamma(1, y))
        step = tri * (1 - tri / value) / float(polygamma(2, y))
        y += step
        if -step / y < 1e-8:
            break
    return y


def _columns(
    keys: Sequence[Key], here: np.ndarray, effect: np.ndarray, test: _Test, lasting: np.ndarray, known: np.ndarray
) -> list[Finding]:
    """Return a finding for each column: its rarest number, after correction for how many it has."""
    columns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for k, (segment, feature, _) in enumerate(keys):
        columns[segment, feature].append(k)
    found = []
    for (segment, feature), places in columns.items():
        tests = [(_corrected(keys, places, k, test), k) for k in places if isfinite(test.p[k])]
        if not tests:
            windows = int(known[places].max())
            found.append(Finding(segment, feature, learning=f"{windows} comparable windows, {FEWEST} are needed"))
            continue
        counted = [
            (p if lasting[k] and _matters(keys[k][2], here[k], test.expected[k] + effect[k]) else 1.0, k)
            for p, k in tests
        ]
        p, k = min(counted)
        expected = float(test.expected[k] + effect[k])
        found.append(Finding(segment, feature, keys[k][2], float(here[k]), expected, float(test.z[k]), p))
    return found


def _corrected(keys: Sequence[Key], places: Sequence[int], k: int, test: _Test) -> float:
    """Return the p-value of a number times how many its column has."""
    names = [keys[place][2] for place in places]
    if LOCATION in names and len(names) > 1:
        weight = WEIGHT if keys[k][2] == LOCATION else (1 - WEIGHT) / (len(names) - 1)
    else:
        weight = 1 / len(names)
    return min(1.0, float(test.p[k]) / weight)


def _matters(name: str, value: float, expected: float) -> bool:
    if name in SLIGHT:
        return abs(value - expected) >= SLIGHT[name]
    return abs(sin(value) ** 2 - sin(min(max(expected, 0.0), 1.5708)) ** 2) >= SLIGHT_SHARE


def _told(found: Sequence[Finding], rate: float) -> list[Finding]:
    """Mark what is news: Holm's procedure over the columns of all rows, and over those of all segments."""
    told: list[Finding] = []
    for is_whole in (True, False):
        family = sorted((one for one in found if (not one.segment) == is_whole), key=lambda one: one.p)
        judged = sum(not one.learning for one in family)
        holds = True
        for rank, one in enumerate(family):
            holds = holds and not one.learning and one.p <= rate / 2 / max(judged - rank, 1)
            told.append(replace(one, is_news=holds))
    return told
