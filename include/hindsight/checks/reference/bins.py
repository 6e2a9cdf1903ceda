"""Bins: edges or categories frozen from the reference, so that every later window is counted in the same bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hindsight.checks.values.categories import NULL, OTHER, Frequencies
from hindsight.checks.values.distributions import Distribution, distinct

FEW = 20  # a numeric column of so few distinct values has a bin for each of them
TOP = 50
PERCENTS = np.arange(1, 100) / 100
DECILES = np.arange(1, 10) / 10


@dataclass(frozen=True)
class NumericBins:
    """Bins [edge, next edge) with open ends, and null; two neighbouring floats as edges enclose a single value."""

    edges: np.ndarray

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The name of each bin, such as (-inf,1) [1,2.5) =7 (7,inf) <null>."""
        bounds = (-np.inf, -np.inf, *self.edges.tolist(), np.inf)
        return (*map(_label, bounds, bounds[1:], bounds[2:]), NULL)

    def counts(self, distribution: Distribution, nulls: int) -> np.ndarray:
        """Count the rows in each bin, null the last."""
        below = distribution.below(self.edges)
        return np.concatenate((np.diff(below, prepend=0, append=distribution.n), [nulls])).astype(np.int64)


def _label(before: float, left: float, right: float) -> str:
    if right == np.nextafter(left, np.inf):
        return f"={_text(left)}"
    follows_value = np.isfinite(before) and left == np.nextafter(before, np.inf)
    opening = f"({_text(before)}" if follows_value else f"{'[' if np.isfinite(left) else '('}{_text(left)}"
    return f"{opening},{_text(right)})"


def _text(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def percentile_bins(values: np.ndarray) -> NumericBins:
    """Freeze the 1st to 99th percentiles of ascending finite values as edges.

    A value that repeats across percentiles, a point mass, gets a bin of its own, so that mass moving off it upwards
    is seen as well. So does each value of a column of at most 20 distinct ones.
    """
    values_seen = distinct(values)[0]
    if len(values_seen) <= FEW:
        return NumericBins(_enclosed(values_seen))
    percentiles = quantiles(values, PERCENTS)
    masses = percentiles[1:][percentiles[1:] == percentiles[:-1]]
    return NumericBins(np.union1d(percentiles, _enclosed(masses)))


def decile_bins(values: np.ndarray) -> NumericBins:
    """Freeze the distinct deciles of ascending finite values as edges."""
    return NumericBins(np.unique(quantiles(values, DECILES)))


def _enclosed(values: np.ndarray) -> np.ndarray:
    edges = np.union1d(values, np.nextafter(values, np.inf))
    return np.asarray(edges[np.isfinite(edges)])


def quantiles(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return numpy's linear quantiles of ascending finite values; none for no values or where they overflow."""
    if not len(values):
        return np.zeros(0)
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.quantile(values, shares)
    return np.asarray(found[np.isfinite(found)])


@dataclass(frozen=True)
class CategoryBins:
    """The most frequent texts, one bin each, then all other texts, then null."""

    texts: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The name of each bin."""
        return (*self.texts, OTHER, NULL)

    def counts(self, frequencies: Frequencies, nulls: int) -> np.ndarray:
        """Count the rows in each bin, null the last."""
        return np.append(frequencies.onto((*self.texts, OTHER), rest=OTHER)[1], nulls)


def top_bins(frequencies: Frequencies) -> CategoryBins:
    """Freeze the 50 most frequent texts."""
    return CategoryBins(tuple(text for text in frequencies.texts[:TOP] if text != OTHER))
