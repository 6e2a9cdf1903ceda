"""Confidence: how sure a classifier is of what it says, before any label comes."""

from __future__ import annotations

import numpy as np

from hindsight.checks.statistics.rates import mean
from hindsight.checks.values.groups import Group, groups
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows

UNSURE = "no scores between 0 and 1"


def confidences(rows: Rows, monitor: Monitor) -> dict[str, float]:
    """Return the mean confidence of the rows by segment, "" for all of them; nothing where there are no scores."""
    sure = confidence(rows, monitor)
    found = {g.segment: mean_confidence(sure, g).value for g in groups(rows, monitor) if not g.model_version}
    return {segment: value for segment, value in found.items() if value is not None}


def confidence(rows: Rows, monitor: Monitor) -> np.ndarray | None:
    """Return the probability each row's scores give to the class they find likeliest, NaN where none is known."""
    declared = monitor.source.predictions.score
    names = [*declared.values()] if isinstance(declared, dict) else [declared] if declared else []
    if not names or any(name not in rows.columns for name in names):
        return None
    sure = np.full(rows.n, -np.inf)
    for name in names:
        score = numbers(rows.column(name))
        score[~((score >= 0) & (score <= 1))] = np.nan
        sure = np.maximum(sure, score)
    return np.asarray(np.maximum(sure, 1 - sure)) if isinstance(declared, str) else sure


def mean_confidence(sure: np.ndarray | None, group: Group) -> Measurement:
    """Return the mean of what `confidence` returned over a group of rows, or why there is none."""
    values = np.zeros(0) if sure is None else sure if group.mask is None else sure[group.mask]
    return mean("confidence", np.sort(values[np.isfinite(values)]), nothing=UNSURE)
