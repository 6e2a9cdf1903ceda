"""Reference: the rows that windows are compared with, from a period of the warehouse or from a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from hindsight.errors import ConfigError, DataError, Problem
from hindsight.monitors.model import Monitor, Reference
from hindsight.vocabulary.windows import Grid, Window
from hindsight.warehouse.connect import reading
from hindsight.warehouse.distinct import Mask
from hindsight.warehouse.labels import labelled, output_columns
from hindsight.warehouse.outcome import ARRIVED, LABEL, scored, without_nan
from hindsight.warehouse.parquet import LIMITS, Limits, spool_parquet
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.predictions import collect, logged_predictions
from hindsight.warehouse.rows import WindowRows
from hindsight.warehouse.times import TIMESTAMP

SAMPLE = 200_000  # rows that are read of a reference whose windows are counted in the warehouse
_DAY = Grid(timedelta(days=1))


@dataclass(frozen=True, slots=True)
class ReferenceRows:
    """All reference rows, those the output (prediction, score) is compared with, and the labelled ones among these.

    `labels` has the columns of `Labelled.table` and only rows with a label; None where the monitor or the file has
    none. `output` shares the file of `rows`.
    """

    rows: WindowRows
    output: WindowRows
    labels: pa.Table | None

    def close(self) -> None:
        """Delete the file."""
        self.rows.close()


def collect_reference(
    engine: sa.Engine,
    monitor: Monitor,
    *,
    folder: Path,
    pii_key: bytes | None,
    as_of: datetime,
    needed: Sequence[str] = (),
    limits: Limits = LIMITS,
) -> ReferenceRows:
    """Read the monitor's reference; the caller closes it.

    A trailing period ends `lag` before `as_of`, the start of the window to compare; labels are those known at `as_of`.
    `needed` names the features that must be there. Raises ConfigError (no reference, no such file), DataError (not
    Parquet, too large, a needed column missing) and what `predictions.collect` raises.
    """
    reference = monitor.reference
    if reference is None:
        raise ConfigError(Problem(f"monitor {monitor.name!r} declares no reference", field="reference"))
    if reference.parquet is not None:
        found = _from_file(monitor, reference, folder, Hasher(monitor.pii.hash, pii_key), needed, limits)
    else:
        with reading(engine, monitor.source.connection):
            for column in needed:
                logged_predictions(engine, monitor).require(column, f"features.{column}")
        found = _from_warehouse(engine, monitor, reference, folder, pii_key, as_of)
    if reference.output is not None and found.rows.n and not found.output.n:
        found.close()
        raise DataError(f"reference.output: no row has {reference.output.column} = {reference.output.value!r}")
    return found


def _from_warehouse(
    engine: sa.Engine, monitor: Monitor, reference: Reference, folder: Path, pii_key: bytes | None, as_of: datetime
) -> ReferenceRows:
    also = () if reference.output is None else (reference.output.column,)
    with reading(engine, monitor.source.connection):
        for column in also:
            logged_predictions(engine, monitor).require(column, "reference.output")
    period = _period(reference, as_of)
    sample = SAMPLE if monitor.source.counts else None
    rows = collect(engine, monitor, period, folder=folder, pii_key=pii_key, also=also, sample=sample)
    try:
        spans = _alike(period, as_of, monitor, reference)
        if spans != [period]:
            rows = rows.narrowed(_within(rows, spans))
        output = _output(rows, reference)
        if monitor.source.labels is None:
            return ReferenceRows(rows, output, None)
        tables = [labelled(engine, monitor, span, as_of, pii_key=pii_key, also=also).table for span in spans]
        return ReferenceRows(rows, output, _with_label(pa.concat_tables(tables), monitor, reference))
    except BaseException:  # whatever ends this, an interrupt too, leaves no file behind
        rows.close()
        raise


def spans_of(monitor: Monitor, reference: Reference, as_of: datetime) -> list[Window]:
    """Return the spans a reference that is no file is made of; a trailing one ends `lag` before `as_of`."""
    return _alike(_period(reference, as_of), as_of, monitor, reference)


def _period(reference: Reference, as_of: datetime) -> Window:
    if reference.start is not None and reference.end is not None:
        return Window(reference.start, reference.end)
    end = as_of - reference.lag
    return Window(end - (reference.trailing or timedelta(0)), end)


def _alike(period: Window, as_of: datetime, monitor: Monitor, reference: Reference) -> list[Window]:
    """The parts of the period on the weekday of `as_of` and at its time of day, where that is asked for; in UTC."""
    if not (reference.same_weekday or reference.same_hour):
        return [period]
    moment = as_of.astimezone(UTC)
    offset = moment - _DAY.window_at(moment).start if reference.same_hour else timedelta(0)
    size = monitor.window if reference.same_hour else _DAY.size
    days = dict.fromkeys([_DAY.window_at(period.start), *_DAY.starting_in(period.start, period.end)])
    weekdays = {moment.weekday()} if reference.same_weekday else set(range(7))
    chosen = [day.start + offset for day in days if day.start.weekday() in weekdays]
    parts = [(max(start, period.start), min(start + size, period.end)) for start in chosen]
    return [Window(start, end) for start, end in parts if start < end]


def _within(rows: WindowRows, spans: Sequence[Window]) -> Mask:
    """Which rows lie in one of the spans, which come in order: after an odd number of their borders."""
    known = rows.column(str(rows.timestamp_column)).cast(TIMESTAMP).cast(pa.int64())
    moments = pc.fill_null(known, np.iinfo(np.int64).min).to_numpy()
    borders = pa.array([moment for span in spans for moment in (span.start, span.end)], TIMESTAMP).cast(pa.int64())
    inside: Mask = np.searchsorted(borders.to_numpy(), moments, side="right") % 2 == 1
    return inside


def _output(rows: WindowRows, reference: Reference) -> WindowRows:
    return rows if reference.output is None else rows.where(reference.output.column, reference.output.value)


def _with_label(table: pa.Table, monitor: Monitor, reference: Reference) -> pa.Table:
    """The rows with a label that belong to the output, without the column that says so."""
    table = table.filter(pc.is_valid(table.column("label")))
    output = reference.output
    if output is None:
        return table
    wanted = pa.scalar(
        str(output.value) if pa.types.is_string(table.schema.field(output.column).type) else output.value
    )
    table = table.filter(pc.equal(table.column(output.column), wanted))
    shown = output.column in monitor.segments or output.column == "model_version"
    return table if shown else table.drop_columns([output.column])


def _from_file(
    monitor: Monitor, reference: Reference, folder: Path, hasher: Hasher, needed: Sequence[str], limits: Limits
) -> ReferenceRows:
    label = monitor.source.labels.label if monitor.source.labels else None
    also = [*([reference.output.column] if reference.output else []), *([label] if label else [])]
    rows, there = spool_parquet(str(reference.parquet), monitor, also, folder, hasher, limits, needed=needed)
    if reference.output is not None and reference.output.column not in there:
        rows.close()
        raise DataError(f"{reference.parquet}.{reference.output.column}: no such column, named in reference.output")
    output = _output(rows, reference)
    return ReferenceRows(rows, output, _labels_of(output, monitor, label, there))


def _labels_of(output: WindowRows, monitor: Monitor, label: str | None, there: Sequence[str]) -> pa.Table | None:
    if label not in there or monitor.source.predictions.prediction not in there:
        return None
    table = output.table([column for column in output_columns(monitor) if column in there])
    table = table.append_column(LABEL, output.column(str(label)))
    table = without_nan(table.append_column(ARRIVED, pa.nulls(output.n, TIMESTAMP)), LABEL)
    return scored(table.filter(pc.is_valid(table.column(LABEL))), monitor)
