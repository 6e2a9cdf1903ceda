"""Draws: one column's reference and window, made anew, and what Hindsight's own functions say of the pair.

Rows are drawn where the test needs rows. Where counts decide, counts are drawn: their law is that of the rows'. A
column of 100,000 rows against 2,000,000 costs microseconds then: two thousand windows of fifty of them are possible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import ndtr, ndtri

from hindsight.checks.reference.columns import CategoryBaseline, sample_of
from hindsight.checks.reference.fitting import fit_column
from hindsight.checks.reference.profile import category_profile
from hindsight.checks.reference.thresholds import FEWEST, FLOORS, MOST, learnt, weight
from hindsight.checks.statistics.effects import any_of, benjamini_hochberg, homogeneity, psi
from hindsight.checks.values.bins import DECILES, top_bins
from hindsight.checks.values.categories import Frequencies
from hindsight.checks.values.distributions import ks_p
from hindsight.checks.values.groups import Group
from hindsight.checks.values.samples import Numbers, Texts
from hindsight.monitors.model import Drift

DEFAULTS = Drift()
FIXED, Q, SHARE, METHOD = float(DEFAULTS.threshold), DEFAULTS.significance, DEFAULTS.share, DEFAULTS.method
MODES = ("fixed", "auto")
ROWS_UP_TO = 1_000  # rows of a window up to which a numeric column is drawn row by row

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a feature of the window: a shift of its mean in deviations, nulls, or rows that swap category."""

    name: str = "none"
    shift: float = 0.0
    nulls: float = 0.0
    swap: float = 0.0


SAME = Change()


@dataclass(frozen=True)
class Draw:
    """One column drawn: how large its effect is, its p-value, how its `auto` threshold is learnt, and its rows."""

    weight: float
    p: float
    learn: Callable[[], float]
    rows: Callable[[], Rows]

    @cached_property
    def threshold(self) -> float:
        """The `auto` threshold; learnt only where a verdict hangs on it."""
        return self.learn()


def drifted(draws: Sequence[Draw]) -> dict[str, list[bool]]:
    """Say which columns of a window drift, as `checks.drift` does: over the threshold and significant among them all.

    The `auto` threshold is never under its floor, so it is not learnt for what is smaller, or not significant.
    """
    significant = benjamini_hochberg([draw.p for draw in draws], Q)
    pairs = list(zip(draws, significant, strict=True))
    return {
        "fixed": [found and draw.weight > FIXED for draw, found in pairs],
        "auto": [found and draw.weight > FLOORS[METHOD] and draw.weight > draw.threshold for draw, found in pairs],
    }


def numeric(rng: np.random.Generator, n: int, m: int, changes: Sequence[Change] = (SAME,)) -> list[Draw]:
    """Draw a normal column row by row, m of the reference and n of the window; one Draw for each change of the window.

    The changed windows share their rows, so each is a draw of its own law, but they are not independent.
    """
    reference, window, chance = rng.standard_normal(m), rng.standard_normal(n), rng.random(n)
    [known], values = fitted(reference, n)
    sample = sample_of(known, values)

    def draw(change: Change) -> Draw:
        rows = np.where(chance < change.nulls, np.nan, window + change.shift)
        found = known.compare(sample, Numbers.of(rows.copy()))
        size = weight(METHOD, found)
        if size is None or found.p_value is None:
            raise ValueError("a column with rows on both sides has an effect and a p-value")
        return Draw(size, found.p_value, lambda: learn_from_rows(reference, n), lambda: (reference, rows))

    return [draw(change) for change in changes]


def learn_from_rows(reference: np.ndarray, n: int) -> float:
    """Learn the `auto` threshold of numeric rows, whose windows are the consecutive runs of n, if there are eight."""
    windows = np.arange(len(reference)) // n if len(reference) // n >= FEWEST else None
    [known], _ = fitted(reference, n, windows=windows, method=METHOD)
    if known.threshold is None:
        raise ValueError("a threshold was asked for")
    return float(known.threshold)


def fitted(rows: np.ndarray, n: int, windows: np.ndarray | None = None, method: str | None = None) -> Any:
    """Freeze a numeric column of these rows, for windows of n."""
    return fit_column(
        pa.array(rows),
        "x",
        "feature",
        numeric=True,
        groups=[Group()],
        windows=windows,
        window_rows=window_rows(len(rows), n),
        method=method,
        like={},
    )


def window_rows(m: int, n: int) -> int:
    """Return how many rows the windows have that a threshold is learnt from: n, or a twentieth if they are too few."""
    return n if m // n >= FEWEST else max(m // 20, DEFAULTS.min_rows)


@dataclass(frozen=True, slots=True)
class Deciles:
    """The decile edges of a reference of m normal rows, drawn without the rows; `below[i]` of them lie under edge i."""

    edges: np.ndarray
    below: np.ndarray
    m: int

    @classmethod
    def draw(cls, rng: np.random.Generator, m: int) -> Deciles:
        """Draw numpy's linear quantiles from the joint law of the order statistics on which they lie.

        Spacings of uniform order statistics are Gamma variables over their sum (David and Nagaraja, Order Statistics,
        §6.4); the normal quantile function makes normal ones of them.
        """
        place = (m - 1) * DECILES
        low = np.floor(place).astype(int) + 1
        ranks = np.unique(np.concatenate((low, low + 1)))
        spacings = rng.standard_gamma(np.diff(ranks, prepend=0, append=m + 1))
        values = ndtri(np.cumsum(spacings)[:-1] / spacings.sum())
        left, right = values[np.searchsorted(ranks, low)], values[np.searchsorted(ranks, low + 1)]
        share = place - np.floor(place)
        return cls(left + share * (right - left), np.where(share > 0, low, low - 1), m)

    @property
    def counts(self) -> np.ndarray:
        """The rows of the reference in each bin, and no null."""
        return np.append(np.diff(self.below, prepend=0, append=self.m), 0)

    def window(self, rng: np.random.Generator, n: int, change: Change) -> np.ndarray:
        """Draw how many of a window's n rows fall into each bin, null the last."""
        shares = np.diff(ndtr(self.edges - change.shift), prepend=0.0, append=1.0)
        return rng.multinomial(n, np.append(shares * (1 - change.nulls), change.nulls))


def counted_numeric(rng: np.random.Generator, n: int, m: int, change: Change = SAME) -> Draw:
    """Draw a normal column by its counts in the deciles: the effect and the threshold are exact, p is an upper bound.

    Kolmogorov and Smirnov's statistic is at least the gap at the deciles, which the counts know.
    """
    deciles = Deciles.draw(rng, m)
    reference, window = deciles.counts, deciles.window(rng, n, change)
    size = psi(reference, window)
    values = int(window[:-1].sum())
    gap = np.abs(np.cumsum(reference[:-1]) / m - np.cumsum(window[:-1]) / values).max()
    tests = [ks_p(float(gap), m, values)]
    if window[-1]:
        tests.append(homogeneity(np.array([0, m]), np.array([window[-1], values]))[0])

    def learn() -> float:
        windows = split(rng, reference, n)
        return learnt(METHOD, [psi(reference, counts) or 0.0 for counts in windows])

    def rows() -> Rows:
        drawn, chance = rng.standard_normal(n) + change.shift, rng.random(n)
        return rng.standard_normal(m), np.where(chance < change.nulls, np.nan, drawn)

    return Draw(size or 0.0, any_of(tests), learn, rows)


def at_worst(draw: Draw) -> Draw:
    """Return the draw as if it were significant whatever its rows: what alarms then, bounds the alarms from above."""
    return replace(draw, p=0.0)


def split(rng: np.random.Generator, counts: np.ndarray, n: int) -> list[np.ndarray]:
    """Divide the rows of a reference, of which only counts are known, by lot into windows of n, at most forty."""
    windows, left = [], counts.copy()
    for _ in range(min(int(counts.sum()) // n, MOST)):
        windows.append(rng.multivariate_hypergeometric(left, n, method="marginals"))
        left = left - windows[-1]
    return windows


def categorical(rng: np.random.Generator, n: int, m: int, categories: int, change: Change = SAME) -> Draw:
    """Draw a column of equally frequent categories; all that is asked of it depends on counts alone."""
    shares = np.full(categories, 1 / categories)
    moved = shares.copy()
    moved[:2] += (-change.swap, change.swap)
    reference, window = rng.multinomial(m, shares), rng.multinomial(n, moved)
    texts = [f"v{place:03}" for place in range(categories)]
    sample = _texts(texts, reference)
    bins = top_bins(sample.values)
    known = CategoryBaseline(
        name="x",
        role="feature",
        segment="",
        type="string",
        bins=bins,
        profile=category_profile(bins, sample.values, 0),
    )
    found = known.compare(sample, _texts(texts, window))
    size = weight(METHOD, found)
    if size is None or found.p_value is None:
        raise ValueError("a column with rows on both sides has an effect and a p-value")

    def learn() -> float:
        compared = (known.compare(sample, _texts(texts, counts)) for counts in _windows(rng, reference, n))
        return learnt(METHOD, [size for size in (weight(METHOD, one) for one in compared) if size is not None])

    def rows() -> Rows:
        return rng.permutation(np.repeat(np.arange(categories), reference)), np.repeat(np.arange(categories), window)

    return Draw(size, found.p_value, learn, rows)


def _texts(texts: list[str], counts: np.ndarray) -> Texts:
    return Texts(Frequencies.of(texts, counts), 0)


def _windows(rng: np.random.Generator, reference: np.ndarray, n: int) -> list[np.ndarray]:
    m = int(reference.sum())
    if m // n >= FEWEST:
        return split(rng, reference, n)
    return [rng.multinomial(window_rows(m, n), reference / m) for _ in range(MOST)]


def columns(rng: np.random.Generator, categories: int, n: int, m: int, size: int) -> list[Draw]:
    """Draw `size` independent columns in which nothing has changed; no categories: numeric ones."""
    if categories:
        return [categorical(rng, n, m, categories) for _ in range(size)]
    if n <= ROWS_UP_TO:
        return [numeric(rng, n, m)[0] for _ in range(size)]
    return [at_worst(counted_numeric(rng, n, m)) for _ in range(size)]


def over_share(flags: Sequence[bool]) -> bool:
    """Whether more than `drift.share` of the features drifted: the rule `drift_share`."""
    return sum(flags) / len(flags) > SHARE


def places(total: int, size: int) -> range:
    """Return where each of the windows of `size` columns begins."""
    return range(0, total // size * size, size)
