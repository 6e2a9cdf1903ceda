"""Regression: what labelled rows say about a regressor, equal to scikit-learn and free of row order."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from hindsight.checks.statistics import intervals
from hindsight.checks.statistics.rates import mean
from hindsight.vocabulary.measurement import Measurement

NOTHING = "no labelled rows"


def regression(truth: np.ndarray, predicted: np.ndarray) -> Iterator[Measurement]:
    """Yield mae = mean |e|, rmse = √(mean e²), r2 = 1 − Σe²/Σ(y − ȳ)², mean_error = mean e and median_ae = median |e|.

    e = prediction − label; both are finite and in an order of content.
    """
    with np.errstate(over="ignore"):
        errors = predicted - truth
        yield mean("mae", np.abs(errors), nothing=NOTHING)
        yield _rmse(errors)
        yield _r2(errors, truth)
        yield mean("mean_error", errors, nothing=NOTHING)
        yield _median_ae(np.abs(errors))


def _rmse(errors: np.ndarray) -> Measurement:
    square = mean("rmse", errors**2, nothing=NOTHING)
    if square.value is None:
        return square
    lower, upper = intervals.rmse(errors**2) or (None, None)
    return Measurement("rmse", sqrt(square.value), square.n, lower=lower, upper=upper)


def _r2(errors: np.ndarray, truth: np.ndarray) -> Measurement:
    n = truth.size
    deviations = truth - truth.mean() if n else truth
    total, left = float((deviations**2).sum()), float((errors**2).sum())
    if n < 2 or truth.min() == truth.max():
        return Measurement("r2", None, n, note="labels of two values or more are needed" if n else NOTHING)
    if not np.isfinite(total) or not np.isfinite(left) or total == 0:
        return Measurement("r2", None, n, note="labels too large or too close together to be squared")
    lower, upper = intervals.r2(errors, deviations) or (None, None)
    return Measurement("r2", 1 - left / total, n, lower=lower, upper=upper)


def _median_ae(absolute: np.ndarray) -> Measurement:
    if absolute.size == 0:
        return Measurement("median_ae", None, note=NOTHING)
    lower, upper = intervals.median(absolute) or (None, None)
    value = float(np.median(absolute))
    if not np.isfinite(value):
        return Measurement("median_ae", None, absolute.size, note="too large to be subtracted")
    return Measurement("median_ae", value, absolute.size, lower=lower, upper=upper)
