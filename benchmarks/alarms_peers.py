"""Peers: what Evidently's defaults and NannyML's rule say of one column of a window, each as its makers define it."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.spatial.distance import jensenshannon

from hindsight.checks.reference.thresholds import FEWEST

JS_LIMIT = 0.1


def flags(reference: np.ndarray, window: np.ndarray, *, numeric: bool) -> dict[str, bool]:
    """Return each peer's verdict on a column; the reference's rows lie in the order of its chunks, NaN is null.

    The rule of three deviations is left out where the reference has too few chunks of the window's size to have any.
    """
    constant, chunks = nannyml(reference, window, numeric=numeric)
    found = {"evidently": evidently(reference, window, numeric=numeric), "nannyml": constant}
    return found if chunks is None else found | {"nannyml_chunks": chunks}


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


def nannyml(reference: np.ndarray, window: np.ndarray, *, numeric: bool) -> tuple[bool, bool | None]:
    """Return the verdicts of NannyML's default for univariate drift, and of its rule of three deviations.

    The measure is the Jensen-Shannon distance in base 2 over bins of the reference: numpy's "doane" for numbers, one
    for each value of categories, what falls outside in one of its own. The default alarm is a distance over 0.1; where
    a StandardDeviationThreshold is asked for, over mean + 3 (population) deviations of the reference's own chunks,
    here its runs of as many rows as the window has, None where there are fewer than eight of these; nulls are dropped.
    NannyML 0.13: drift/univariate/methods.py and calculator.py, thresholds.py, and "How it works" in its guide.
    Categories are whole numbers from 0.
    """
    size = len(window)
    before, now = _known(reference, numeric), _known(window, numeric)
    edges = np.histogram_bin_edges(before, bins="doane") if numeric else np.arange(before.max() + 2) - 0.5
    whole = np.histogram(before, bins=edges)[0]
    distance = _distance(whole, now, edges)
    chunks = [_known(reference[i : i + size], numeric) for i in range(0, len(reference) - size + 1, size)]
    if len(chunks) < FEWEST:
        return distance > JS_LIMIT, None
    own = [_distance(whole, chunk, edges) for chunk in chunks if len(chunk)]
    return distance > JS_LIMIT, distance > float(np.mean(own) + 3 * np.std(own))


def _known(rows: np.ndarray, numeric: bool) -> np.ndarray:
    return rows[~np.isnan(rows)] if numeric else rows


def _distance(reference: np.ndarray, rows: np.ndarray, edges: np.ndarray) -> float:
    counts = np.histogram(rows, bins=edges)[0] / len(rows)
    outside = max(0.0, 1 - counts.sum())
    return float(jensenshannon(np.append(reference / reference.sum(), 0.0), np.append(counts, outside), base=2))
