"""Failures: which requests of a window were not answered."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import Rows


def failures(rows: Rows, monitor: Monitor) -> np.ndarray | None:
    """Return True for each row with status >= 500, status 408 or no prediction; None where the rows have neither."""
    source = monitor.source.predictions
    found = []
    if source.status_code is not None and source.status_code in rows.columns:
        status = numbers(rows.column(source.status_code))
        found.append((status >= 500) | (status == 408))
    if source.prediction in rows.columns:
        found.append(np.asarray(pc.is_null(rows.column(source.prediction), nan_is_null=True)))
    return np.logical_or.reduce(found) if found else None
