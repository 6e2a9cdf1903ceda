"""Bins: edges or categories frozen from the reference, so that every later window is counted in the same bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hindsight.checks.values.categories import NULL, OTHER, Frequencies
from hindsight.checks.values.distributions import Distribution, distinct
from hindsight.checks.values.precision import near, untwinned

FEW = 20  # a numeric column of so few distinct values has a bin for each of them
TOP = 50
PERCENTS = np.arange(1, 100) / 100
DECILES = np.arange(1, 10) / 10
_ROUNDS = 3  # each brings an edge a million times nearer to where it belongs
CLOSE = 0.01  # of the way to the edge before: edges so close for their size stay where they are
LAST_BITS = 4 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class NumericBins:
    """Bins [edge, next edge) with open ends, and null; two neighbouring floats as edges enclose a single value.

    A value that was written as a float32 is still that value: rows are counted by `borders`.
    """

    edges: np.ndarray

    @cached_property
    def borders(self) -> np.ndarray:
        """Where the bins begin: four float32 steps below the edge, above it where the bin of a single value ends.

        Of single values never beyond the middle between two edges.
        """
        with np.errstate(over="ignore"):
            after = np.diff(self.edges, append=np.inf)
        begins = self.edges[1:] == np.nextafter(self.edges[:-1], np.inf)
        begins, ends = np.append(begins, False)[: self.edges.size], np.insert(begins, 0, False)[: self.edges.size]
        lower = self.edges - _slack(self.edges, np.where(begins, 0.5, CLOSE))
        return np.asarray(np.where(ends, self.edges + np.minimum(near(self.edges), after / 2), lower))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The name of each bin, such as (-inf,1) [1,2.5) =7 (7,inf) <null>."""
        bounds = (-np.inf, -np.inf, *self.edges.tolist(), np.inf)
        return (*map(_label, bounds, bounds[1:], bounds[2:]), NULL)

    def counts(self, distribution: Distribution, nulls: int) -> np.ndarray:
        """Count the rows in each bin, null the last."""
        below = distribution.below(self.borders)
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
    is seen as well. So does each value of a column of at most 20 distinct ones. A double and the float32 that stands
    for it in other rows are one value.
    """
    values = untwinned(values)
    values_seen = distinct(values)[0]
    if len(values_seen) <= FEW:
        return NumericBins(_enclosed(values_seen))
    percentiles = quantiles(values, PERCENTS)
    masses = percentiles[1:][percentiles[1:] == percentiles[:-1]]
    return NumericBins(np.union1d(percentiles, _enclosed(masses)))


def decile_bins(values: np.ndarray) -> NumericBins:
    """Freeze the distinct deciles of ascending finite values as edges."""
    return NumericBins(np.unique(quantiles(untwinned(values), DECILES)))


def _enclosed(values: np.ndarray) -> np.ndarray:
    edges = np.union1d(values, np.nextafter(values, np.inf))
    return np.asarray(edges[np.isfinite(edges)])


def quantiles(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return numpy's linear quantiles of ascending finite values; none for no values or where they overflow.

    A quantile between two equal values is that value, to the last bit: the interpolation may miss it by one. One
    between two values is written so much higher as the border of its bin lies below it: that border is numpy's number.
    """
    if not len(values):
        return np.zeros(0)
    with np.errstate(over="ignore", invalid="ignore"):
        found = linear(values, shares)
        found = snapped(found[np.isfinite(found)], values)
        return _raised(found, _among(found, values))


def linear(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """As np.quantile, to the last bit, but of ascending values, which need neither be copied nor put in order."""
    places = (len(values) - 1) * shares
    low = np.floor(places).astype(np.intp)
    before, after, part = values[low], values[np.minimum(low + 1, len(values) - 1)], places - low
    gap = after - before
    return np.asarray(np.where(part >= 0.5, after - gap * (1 - part), before + gap * part))


def _raised(found: np.ndarray, stays: np.ndarray) -> np.ndarray:
    """Return the ascending edges whose bins begin at `found`, or below those that stay; never a bit above it."""
    edges = found
    for _ in range(_ROUNDS):
        edges = np.where(stays, found, edges + (found - (edges - _slack(edges, CLOSE))))
    above = ~stays & (edges - _slack(edges, CLOSE) > found)
    return np.where(above, np.nextafter(edges, -np.inf), edges)


def _slack(edges: np.ndarray, reach: float | np.ndarray) -> np.ndarray:
    """How far below each ascending edge its border lies: a float32's steps, within a reach of the way down."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.minimum(near(edges), np.diff(edges, prepend=-np.inf) * reach))


def _among(found: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.minimum(np.searchsorted(values, found), len(values) - 1)] == found)


def snapped(found: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return each number, or the nearest of the ascending values where that is only its last bits away."""
    places = np.searchsorted(values, found)
    for neighbours in (np.maximum(places - 1, 0), np.minimum(places, len(values) - 1)):
        is_same = np.abs(values[neighbours] - found) <= LAST_BITS * np.abs(found)
        found = np.where(is_same, values[neighbours], found)
    return found


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
