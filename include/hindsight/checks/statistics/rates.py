"""Rates: shares and means of rows as measurements, with an interval, or None with the reason."""

from __future__ import annotations

import numpy as np

from hindsight.checks.statistics import intervals
from hindsight.vocabulary.measurement import Measurement

NO_ROWS = "no rows"


def share(
    metric: str,
    hits: int,
    n: int,
    *,
    nothing: str = NO_ROWS,
    feature: str = "",
    reference: float | None = None,
    note: str = "",
) -> Measurement:
    """Return hits/n with Wilson's interval; None with the note `nothing` where n is 0."""
    if n == 0:
        return Measurement(metric, None, feature=feature, reference=reference, note=nothing)
    lower, upper = intervals.wilson(hits, n) or (None, None)
    return Measurement(metric, hits / n, n, feature=feature, lower=lower, upper=upper, reference=reference, note=note)


def mean(metric: str, values: np.ndarray, *, nothing: str = NO_ROWS, note: str = "") -> Measurement:
    """Return the mean of finite values with Student's interval; None with the note `nothing` where there are none.

    The values must come in an order of content: a sum depends on the order in its last digits.
    """
    if values.size == 0:
        return Measurement(metric, None, note=nothing)
    with np.errstate(over="ignore", invalid="ignore"):
        value, ends = float(values.mean()), intervals.mean_t(values)
    if not np.isfinite(value):
        return Measurement(metric, None, values.size, note="too large to be summed")
    lower, upper = ends if ends and np.isfinite(ends).all() else (None, None)
    return Measurement(metric, value, values.size, lower=lower, upper=upper, note=note)


def mean_of(
    metric: str, n: int, value: float, deviations: float, *, nothing: str = NO_ROWS, note: str = ""
) -> Measurement:
    """Return the same from the mean of n values and the sum of their squared deviations from it."""
    if n == 0:
        return Measurement(metric, None, note=nothing)
    if not np.isfinite(value):
        return Measurement(metric, None, n, note="too large to be summed")
    lower, upper = intervals.mean_t_of(n, value, deviations) or (None, None)
    return Measurement(metric, value, n, lower=lower, upper=upper, note=note)
