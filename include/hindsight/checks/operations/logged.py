"""Logged: how complete the log of a window is, how evenly it came, and what serving took of the machines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.statistics.rates import NO_ROWS, mean, share
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window

MICROSECONDS = pa.timestamp("us", "UTC")


def arrivals(rows: Rows, monitor: Monitor, window: Window) -> Iterator[Measurement]:
    """Yield when the newest row was logged and the longest stretch without any, borders of the window included."""
    name = monitor.source.predictions.timestamp
    if name not in rows.columns:
        return
    moments = np.sort(rows.column(name).cast(MICROSECONDS).drop_null().cast(pa.int64()).to_numpy(zero_copy_only=False))
    if not moments.size:
        yield from (Measurement(metric, None, rows.n, note=NO_ROWS) for metric in ("freshness_s", "longest_gap_s"))
        return
    start, end = (_microseconds(border) for border in (window.start, window.end))
    gap = max(moments[0] - start, end - moments[-1], np.diff(moments).max(initial=0))
    yield Measurement("freshness_s", float(end - moments[-1]) / 1e6, rows.n)
    yield Measurement("longest_gap_s", float(gap) / 1e6, rows.n)


def _microseconds(moment: datetime) -> int:
    return int(pa.scalar(moment, MICROSECONDS).cast(pa.int64()).as_py())


def completeness(rows: Rows, monitor: Monitor) -> Measurement:
    """Return the share of rows that have all they should: prediction and score only where the status is 200."""
    source = monitor.source.predictions
    scores = source.score.values() if isinstance(source.score, dict) else [source.score]
    excused = np.zeros(rows.n, np.bool_)
    if source.status_code is not None and source.status_code in rows.columns:
        excused = numbers(rows.column(source.status_code)) != 200
    whole = np.ones(rows.n, np.bool_)
    for name in (source.prediction, *scores):
        whole &= _there(rows, name) | excused
    for name in (source.model_version, source.latency_ms, source.status_code, source.cost, *source.resources.values()):
        whole &= _there(rows, name, numeric=name != source.model_version)
    return share("log_completeness", int(np.count_nonzero(whole)), rows.n)


def _there(rows: Rows, name: str | None, *, numeric: bool = False) -> np.ndarray:
    if name is None:
        return np.ones(rows.n, np.bool_)
    if name not in rows.columns:
        return np.zeros(rows.n, np.bool_)
    column = rows.column(name)
    return np.isfinite(numbers(column)) if numeric else ~np.asarray(pc.is_null(column, nan_is_null=True))


def resource(name: str, column: pa.Array, mask: np.ndarray | None) -> Iterator[Measurement]:
    """Yield mean, 95th percentile and maximum of a resource; of booleans, such as cold starts, their rate."""
    values = numbers(column) if mask is None else numbers(column)[mask]
    known = np.sort(values[np.isfinite(values)])
    left_out = values.size - known.size
    note = NO_ROWS if not values.size else f"{left_out} of {values.size} rows without a finite {name} left out"
    note = note if left_out or not values.size else ""
    if pa.types.is_boolean(column.type):
        yield share(f"{name}_rate", int(np.count_nonzero(known)), known.size, nothing=note, note=note)
        return
    yield mean(f"{name}_mean", known, nothing=note, note=note)
    for statistic, percent in (("p95", 95), ("max", 100)):
        value = float(np.percentile(known, percent)) if known.size else None
        yield Measurement(f"{name}_{statistic}", value, known.size, note=note)
