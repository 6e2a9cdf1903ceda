"""Labels: how much of the truth about a window is known, how late it came, and what the rest could still change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.performance.outcomes import Classified, Outcomes, outcomes_of
from hindsight.checks.performance.unknown_labels import Strangers
from hindsight.checks.statistics.rates import share
from hindsight.checks.values.groups import groups
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from hindsight.vocabulary.windows import Window

ENOUGH_COVERAGE, ENOUGH_LABELS = 0.95, 200
_MICROSECOND = 1e-6


def label_measurements(
    labelled: pa.Table,
    monitor: Monitor,
    window: Window,
    *,
    as_of: datetime,
    conflicts: int,
    orphans: int,
    duplicates: int = 0,
    corrections: int = 0,
    undated: int = 0,
    expected_final_coverage: float | None = None,
) -> list[Measurement]:
    """Return what is known of a window's labels at `as_of`, for all rows, versions and segments of 20 rows or more.

    `labelled` is the table `performance` takes. `conflicts` counts ids with contradictory newest labels, `orphans`
    labels without a prediction, `duplicates` rows that repeat a label, `corrections` ids with labels of several values,
    `undated` ids of labels without a time of arrival. `expected_final_coverage` is the share of rows that will ever be
    labelled.
    """
    outcomes = outcomes_of(labelled, monitor)
    delays = delays_of(outcomes.table, monitor, window)
    found: list[Measurement] = []
    for group in groups(TableRows(outcomes.table), monitor):
        mask = group.mask
        measured = _known(outcomes.of(mask), delays if mask is None else delays[mask], group.n)
        found += (replace(m, model_version=group.model_version, segment=group.segment) for m in measured)
    known, n = int(np.count_nonzero(outcomes.known)), labelled.num_rows
    ripe = is_mature(window, as_of, monitor.labels.matures_after, known, n, expected_final_coverage)
    return [
        *found,
        _unknown(outcomes.strangers),
        Measurement("label_conflicts", float(conflicts), n),
        Measurement("orphan_labels", float(orphans), n),
        Measurement("label_duplicates", float(duplicates), n),
        Measurement("label_corrections", float(corrections), n),
        Measurement("undated_labels", float(undated), n),
        Measurement("early_labels", float(np.count_nonzero(delays < 0)), n),
        Measurement("mature", float(ripe), n),
    ]


def is_mature(
    window: Window, as_of: datetime, matures_after: timedelta, n_labeled: int, n_scored: int, expected: float | None
) -> bool:
    """Say whether a window may be judged: its labels are due, or 95 % of those expected are there and at least 200."""
    if window.end + matures_after <= as_of:
        return True
    return bool(expected) and n_labeled >= max(ENOUGH_LABELS, ENOUGH_COVERAGE * (expected or 0.0) * n_scored)


def delays_of(labelled: pa.Table, monitor: Monitor, window: Window) -> np.ndarray:
    """Return seconds from prediction to label, NaN where no label is known."""
    if "arrived_at" not in labelled.column_names or pa.types.is_null(labelled["arrived_at"].type):
        return np.full(labelled.num_rows, np.nan)
    made = _made(labelled, monitor, window)
    seconds = (_microseconds(labelled["arrived_at"]) - made) * _MICROSECOND
    return np.where(np.asarray(labelled["label"].combine_chunks().is_null()), np.nan, seconds)


def ages_of(labelled: pa.Table, monitor: Monitor, window: Window, moment: datetime) -> np.ndarray:
    """Return seconds from prediction to `moment`."""
    return (moment.timestamp() / _MICROSECOND - _made(labelled, monitor, window)) * _MICROSECOND


def _made(labelled: pa.Table, monitor: Monitor, window: Window) -> np.ndarray:
    """When each prediction was made, in microseconds since 1970.

    A table without the monitor's timestamp column (or one named predicted_at) is counted from the end of the window.
    """
    names = [c for c in (monitor.source.predictions.timestamp, "predicted_at") if c in labelled.column_names]
    if not names:
        return np.full(labelled.num_rows, window.end.timestamp() / _MICROSECOND)
    return _microseconds(labelled[names[0]])


def _microseconds(moments: pa.ChunkedArray) -> np.ndarray:
    whole = moments.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).combine_chunks()
    return np.asarray(pc.cast(whole, pa.float64(), safe=False).to_numpy(zero_copy_only=False))


def _unknown(strangers: Strangers) -> Measurement:
    found = share("unknown_label_share", strangers.n, strangers.given, nothing="no labels yet")
    return replace(found, note=strangers.note or found.note)


def _known(outcomes: Outcomes, delays: np.ndarray, n: int) -> Iterator[Measurement]:
    known = int(np.count_nonzero(outcomes.known))
    yield Measurement("n_labeled", float(known), n)
    yield Measurement("n_unlabeled", float(n - known), n)
    yield share("coverage", known, n, nothing="no scored rows")
    delays = delays[np.isfinite(delays)]
    points = np.percentile(delays, [50, 95]) if delays.size else (None, None)
    for percent, point in zip((50, 95), points, strict=True):
        value = None if point is None else float(point)
        yield Measurement(f"delay_p{percent}_s", value, delays.size, note="" if delays.size else "no labels yet")
    if isinstance(outcomes, Classified):
        yield from _bounds(int(np.count_nonzero(outcomes.right)), known, n)


def _bounds(hits: int, known: int, n: int) -> Iterator[Measurement]:
    """The accuracy if every unlabelled row were right, or wrong: Manski 1990, bounds without assumptions."""
    for metric, count in (("accuracy_best", hits + n - known), ("accuracy_worst", hits)):
        yield Measurement(metric, count / n if n else None, n, note="" if n else "no scored rows")
