"""Family: all numbers of a window judged together, so that false news comes no more often than people agreed to."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, sin

import numpy as np
from scipy.special import digamma, polygamma, stdtr, stdtrit

from hindsight.checks.news.coordinates import (
    HIGH,
    LOCATION,
    LOW,
    MIDDLE,
    PEAK,
    ROWS,
    SPREAD,
    TILT,
)
from hindsight.checks.news.forecast import EPSILON, FEWEST, Forecast, forecasts, season
from hindsight.checks.news.numbers import Key, Numbers, Table, table

SLIGHT = {
    LOCATION: 0.05,
    MIDDLE: 0.05,
    SPREAD: 0.05,
    TILT: 0.05,
    ROWS: 0.1,
}  # moves that matter to nobody, however rare
SLIGHT_SHARE = 0.015
OF_A_PART = 3.0  # times as far must a segment move
ONLY_MORE = {PEAK, LOW, HIGH}  # of a stuck value, or of values far off, less is no fault
BOTH = 2.0  # standard deviations, at least, of each of the two windows: one odd window is not yet news
MOST_FREEDOM, LEAST_FREEDOM = 40.0, 4.0  # of what varies between windows
FAR_OUT = 0.99  # the share of errors whose size tells how heavy their tails are
SUREST = 200.0
WEIGHTS = {LOCATION: 3.0, MIDDLE: 3.0}  # among the numbers of a column, the others 1: most faults move these

Column = tuple[str, str]  # segment, feature
Out = Mapping[Column, Collection[int]]


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
    now: Numbers, past: Sequence[Numbers], slots: Sequence[int], left_out: Out, *, rate: float, slot_count: int = 7
) -> list[Finding]:
    """Judge a window by the windows before it, oldest first, empty where there is none; one finding a column.

    `slots` are those of the past and, last, of the window. `rate` is how often any news at all may come by chance in a
    window. `left_out` says by column which windows of the past, by their places, do not count in it. Half the rate is
    spent on all rows together and half on segments, and once more on the segments of a column that is news in all rows;
    within each, Holm's procedure (1979) over the columns, and Bonferroni's weighted correction over the numbers of a
    column. What is new in most segments of a kind and in all
    rows is left to all rows, the smallest set that explains it.

    What is tested is the mean of the window and the one before it, forecast from the windows before both.
    """
    known = table(now, [*past, now])
    counted = np.where(_out(known.keys, len(past), left_out), np.nan, known.values[:-1])
    effects = season(counted, np.asarray(slots[:-1], int), slot_count)
    calm = known.values - effects[list(slots)]
    before = counted[:-1] - effects[list(slots[:-2])]
    test = _one_sided(_tested(before, known.noise[:-2], calm[-2:], known.noise[-2:]), known.keys)
    return explained(_told(_columns(known, effects[slots[-1]], test, (~np.isnan(counted)).sum(axis=0)), rate))


def explained(found: Sequence[Finding]) -> list[Finding]:
    """Take back the news of segments where all rows are news and so are most segments of their kind, in one column."""
    told = {(one.segment, one.feature) for one in found if one.is_news}
    kinds: dict[Column, list[bool]] = defaultdict(list)
    for one in found:
        if one.segment and not one.learning:
            kinds[_kind(one)].append(one.is_news)
    everywhere = {kind for kind, some in kinds.items() if sum(some) > len(some) / 2 and ("", kind[1]) in told}
    return [replace(one, is_news=one.is_news and not (one.segment and _kind(one) in everywhere)) for one in found]


def unless_returned(found: Sequence[Finding], earlier: Sequence[Finding], levels: Container[Column]) -> list[Finding]:
    """Take back the news of columns with a new level where the past before that level finds nothing new in them."""
    usual = {(one.segment, one.feature) for one in earlier if not (one.is_news or one.learning)}
    returned = {column for column in usual if column in levels}
    return [replace(one, is_news=one.is_news and (one.segment, one.feature) not in returned) for one in found]


def _kind(one: Finding) -> Column:
    return one.segment.partition("=")[0], one.feature


def _out(keys: Sequence[Key], windows: int, left_out: Out) -> np.ndarray:
    """Return which windows do not count in which numbers."""
    out = np.zeros((windows, len(keys)), bool)
    for k, (segment, feature, _) in enumerate(keys):
        if gone := left_out.get((segment, feature)):
            out[list(gone), k] = True
    return out


@dataclass(frozen=True, slots=True)
class _Test:
    """How far numbers are off what was expected, in standard deviations, and how often that happens by chance."""

    expected: np.ndarray
    z: np.ndarray
    p: np.ndarray
    lasts: np.ndarray


def _tested(past: np.ndarray, noise: np.ndarray, two: np.ndarray, drawn: np.ndarray) -> _Test:
    """Test the mean of the last two windows, and say of which numbers both are off, to the same side."""
    nothing = np.full(past.shape[1], np.nan)
    if len(two) < 2 or len(past) + 1 < FEWEST:
        return _Test(nothing, nothing, nothing, np.zeros(past.shape[1], bool))
    single, double = forecasts(past, two[0], 1, 2)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of numbers without a past
        rows = np.nanmean(noise, axis=0)
        between, _ = _between(single, rows)
        each = (two - single.expected) / np.sqrt(between + np.maximum(drawn, rows))
        z, p = _test(double, rows / 2, two.mean(axis=0), drawn.mean(axis=0) / 2)
        lasts = (np.sign(each[0]) == np.sign(each[1])) & (np.abs(each).min(axis=0) >= BOTH)
    few = (~np.isnan(past)).sum(axis=0) + 1 < FEWEST
    return _Test(double.expected, z, np.where(few, np.nan, p), lasts)


def _one_sided(test: _Test, keys: Sequence[Key]) -> _Test:
    """Return the test with half the p-values where only more is news, and none where it is less."""
    only_more = np.array([key[2] in ONLY_MORE for key in keys], bool)
    halves = np.where(test.z > 0, test.p / 2, np.where(np.isnan(test.p), np.nan, 1.0))
    return replace(test, p=np.where(only_more, halves, test.p))


def _test(known: Forecast, rows: np.ndarray, now: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many deviations numbers are off, and the p-value of Student's law.

    `rows` is the variance those of the past had because rows are drawn, `drawn` that of these. What varies beyond it
    is drawn to the other numbers' and is no surer than the errors' tails allow; the drawing of rows is known, so
    together they have Satterthwaite's (1946) degrees of freedom.
    """
    between, freedom = _between(known, rows)
    variance = between + np.maximum(drawn, rows)  # rows that happen to be alike are drawn no more surely
    z = (now - known.expected) / np.sqrt(variance)
    freedom = np.minimum(freedom, tail_freedom(known.errors)) * (variance / np.maximum(between, EPSILON)) ** 2
    return z, 2 * stdtr(np.minimum(freedom, SUREST), -np.abs(z))


def _between(known: Forecast, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance between windows, beyond that of the rows drawn, and its degrees of freedom."""
    moderated, freedom = squeezed(known.variance / rows, known.freedom)
    return np.maximum(moderated - 1, 0) * rows, freedom


def tail_freedom(errors: np.ndarray) -> float:
    """Return the degrees of freedom of the Student's law that errors in their own deviations are as far out as.

    Of all numbers together: the law of unit variance with the same 99th percentile of sizes, between 4 and 40.
    """
    sizes = np.abs(errors[np.isfinite(errors)])
    if not len(sizes):
        return LEAST_FREEDOM
    laws = np.linspace(LEAST_FREEDOM, MOST_FREEDOM, 73)
    sizes_of_laws = stdtrit(laws, (1 + FAR_OUT) / 2) * np.sqrt((laws - 2) / laws)  # falls from law to law
    return float(np.interp(-np.quantile(sizes, FAR_OUT), -sizes_of_laws, laws))


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


def _columns(known: Table, effect: np.ndarray, test: _Test, windows: np.ndarray) -> list[Finding]:
    """Return a finding for each column: its rarest number, after correction for how many it has."""
    columns: dict[Column, list[int]] = defaultdict(list)
    for k, (segment, feature, _) in enumerate(known.keys):
        columns[segment, feature].append(k)
    here, expected = known.values[-1], test.expected + effect
    found = []
    for (segment, feature), places in columns.items():
        if not any(isfinite(test.p[k]) for k in places):
            why = f"{windows[places].max()} comparable windows, {FEWEST} are needed"
            found.append(Finding(segment, feature, learning=why))
            continue
        names = [known.keys[k][2] for k in places]
        ps = [_corrected(names, k, p) for k, p in enumerate(test.p[places])]
        counts = [test.lasts[k] and _matters(known.keys[k], here[k], expected[k]) for k in places]
        p, at = min((p if counts[i] else 1.0, i) for i, p in enumerate(ps) if isfinite(p))
        k = places[at]
        found.append(Finding(segment, feature, names[at], float(here[k]), float(expected[k]), float(test.z[k]), p))
    return found


def _corrected(names: Sequence[str], k: int, p: float) -> float:
    """Return the p-value of a number times how many its column has."""
    weights = [WEIGHTS.get(name, 1.0) for name in names]
    return min(1.0, float(p) * sum(weights) / weights[k]) if isfinite(p) else float("nan")


def _matters(key: Key, value: float, expected: float) -> bool:
    least = OF_A_PART if key[0] else 1.0
    if key[2] in SLIGHT:
        return abs(value - expected) >= least * SLIGHT[key[2]]
    return abs(sin(value) ** 2 - sin(min(max(expected, 0.0), 1.5708)) ** 2) >= least * SLIGHT_SHARE


def _told(found: Sequence[Finding], rate: float) -> list[Finding]:
    """Mark what is news: of all rows, of all segments and, where all rows of a column are news, of its segments alone.

    The last is the hierarchical test of Meinshausen (2008): who asks where a column moved has found that it did, by the
    same rate, so that its segments are no longer one family with those of all other columns.
    """
    whole = _holm([one for one in found if not one.segment], rate / 2)
    parts = [one for one in found if one.segment]
    told = whole | _holm(parts, rate / 2)
    for _, column in whole:
        told |= _holm([one for one in parts if one.feature == column], rate / 2)
    return [replace(one, is_news=(one.segment, one.feature) in told) for one in found]


def _holm(family: Sequence[Finding], rate: float) -> set[Column]:
    """Return what Holm's procedure (1979) rejects: the columns that together are news by chance no more often."""
    judged = sorted((one for one in family if not one.learning), key=lambda one: one.p)
    rejected: set[Column] = set()
    for rank, one in enumerate(judged):
        if one.p > rate / (len(judged) - rank):
            break
        rejected.add((one.segment, one.feature))
    return rejected
