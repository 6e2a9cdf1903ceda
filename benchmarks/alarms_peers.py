"""Peers: what Evidently's defaults and NannyML's rule say of one column of a window, each as its makers define it."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.spatial.distance import jensenshannon

RULES = ("evidently", "nannyml", "nannyml_chunks")
JS_LIMIT = 0.1


def flags(reference: np.ndarray, window: np.ndarray, *, numeric: bool) -> dict[str, bool]:
    """Return each peer's verdict on a column; the reference's rows lie in the order of its chunks, NaN is null."""
    constant, chunks = nannyml(reference, window, numeric=numeric)
    return {"evidently": evidently(reference, window, numeric=numeric), "nannyml": constant, "nannyml_chunks": chunks}


def evidently(reference: np.ndarray, window: np.ndarray, *, numeric: bool) -> bool:
    """Return the verdict of Evidently 0.7: its own default test for this column, at its own default threshold.

    Up to 1,000 rows of reference a p-value under 0.05 (Kolmogorov-Smirnov, chi-square, z), above a distance of 0.1
    (Wasserstein over the deviation, Jensen-Shannon). Evidently drops nulls and infinities before.
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if numeric else ColumnType.Categorical
    before, now = (pd.Series(side).replace([np.inf, -np.inf], np.nan).dropna() for side in (reference, window))
    with np.errstate(divide="ignore", invalid="ignore"):
        return bool(get_stattest(before, now, kind, None)(before, now, kind, None).drifted)


def nannyml(reference: np.ndarray, window: np.ndarray, *, numeric: bool) -> tuple[bool, bool]:
    """Return the verdicts of NannyML's default for univariate drift, and of its rule of three deviations.

    The measure is the Jensen-Shannon distance in base 2 over bins of the reference: numpy's "doane" for numbers, one
    for each value of categories, what falls outside in one of its own. The default alarm is a distance over 0.1; where
    a StandardDeviationThreshold is asked for, over mean + 3 (population) deviations of the reference's own chunks,
    here its runs of as many rows as the window has. NannyML 0.13, drift/univariate/methods.py, calculator.py,
    thresholds.py, and its guide "How it works": nulls are dropped. Categories are whole numbers from 0.
    """
    size = len(window)
    before, now = (side[~np.isnan(side)] if numeric else side for side in (reference, window))
    edges = np.histogram_bin_edges(before, bins="doane") if numeric else np.arange(before.max() + 2) - 0.5
    whole = np.histogram(before, bins=edges)[0]
    distance = _distance(whole, now, edges)
    own = [_distance(whole, before[i : i + size], edges) for i in range(0, len(before) - size + 1, size)]
    return distance > JS_LIMIT, bool(own) and distance > float(np.mean(own) + 3 * np.std(own))


def _distance(reference: np.ndarray, rows: np.ndarray, edges: np.ndarray) -> float:
    counts = np.histogram(rows, bins=edges)[0] / len(rows)
    outside = max(0.0, 1 - counts.sum())
    return float(jensenshannon(np.append(reference / reference.sum(), 0.0), np.append(counts, outside), base=2))
