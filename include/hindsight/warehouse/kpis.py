"""Kpis: the distinct rows of some windows with the columns that business numbers are made of, labels as of a moment.

Which row stands for an id, and which label is known, is decided as everywhere else (`outcome.distinct`); an id that
occurs in several windows counts in each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.monitors.kpis import LABELS, Operand, logged_columns, operands
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse import stream
from hindsight.warehouse.columns import named, read_as
from hindsight.warehouse.connect import reading
from hindsight.warehouse.labels import beside_labels, declared_labels, label_tables, output_columns
from hindsight.warehouse.outcome import ARRIVED, LABEL, distinct
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.predictions import logged_in, logged_predictions
from hindsight.warehouse.relations import relation
from hindsight.warehouse.times import TIMESTAMP, microseconds


def kpi_faults(engine: sa.Engine, monitor: Monitor, names: Iterable[str]) -> dict[str, str]:
    """Return, of these KPIs, those that name a column its table lacks, and what to do about each in one sentence."""
    found: dict[str, str] = {}
    with reading(engine, monitor.source.connection):
        for name in names:
            try:
                for operand in operands(monitor, monitor.kpis[name]):
                    _require(engine, monitor, name, operand)
            except DataError as exc:
                found[name] = str(exc)
    return found


def kpi_rows(
    engine: sa.Engine,
    monitor: Monitor,
    windows: Sequence[Window],
    names: Sequence[str],
    *,
    as_of: datetime | None,
    pii_key: bytes | None,
) -> dict[Window, pa.Table]:
    """Return the distinct rows of each of some windows in order, read at once: ids, versions, segments, KPI columns.

    With `as_of` each row also has what was known of its label then, in columns `labels.<column>`: null where nothing
    was. `names` are KPIs whose columns are there. Errors as for `labels.labelled`.
    """
    span = Window(windows[0].start, windows[-1].end)
    hasher = Hasher(monitor.pii.hash, pii_key)
    with reading(engine, monitor.source.connection):
        statement, schema = _statement(engine, monitor, span, names, as_of)
    answer = stream.batches(engine, statement, schema, monitor.source.connection)
    rows = pa.Table.from_batches(map(hasher, answer), hasher.schema(schema))
    return dict(_split(rows, monitor, windows, as_of))


def _require(engine: sa.Engine, monitor: Monitor, name: str, operand: Operand) -> None:
    predictions, labels = monitor.source.predictions.table, monitor.source.labels
    field = f"kpis.{name}.{operand.field}"
    if operand.of_labels:
        relation(engine, declared_labels(monitor).table, "source.labels.table").require(operand.column, field)
        return
    logged = relation(engine, predictions, "source.predictions.table")
    if labels is not None and operand.column not in logged.types:
        truth = relation(engine, labels.table, "source.labels.table")
        if operand.column in truth.types:
            raise DataError(
                f"{logged.name}.{operand.column}: no such column, but {truth.name} has one. "
                f"Write {LABELS}{operand.column} in {field} of the monitor file"
            )
    logged.require(operand.column, field)


def _statement(
    engine: sa.Engine, monitor: Monitor, span: Window, names: Sequence[str], as_of: datetime | None
) -> tuple[stream.Statement, pa.Schema]:
    """One row per prediction row or, with `as_of`, per prediction row and label row known of its id."""
    columns = logged_columns(monitor, names)
    pair = None if as_of is None else label_tables(engine, monitor)
    logged = pair[0] if pair else logged_predictions(engine, monitor)
    where = logged_in(monitor, logged, span)
    wanted = {*output_columns(monitor), *columns}
    ordered = [column for column in named(monitor, columns) if column in wanted]
    read = read_as(engine, logged, ordered, where, [monitor.source.predictions.timestamp])
    if as_of is None or pair is None:
        return sa.select(*read.expressions).select_from(logged.table).where(where), read.schema
    truth = _truth_columns(monitor, names)
    joined, beside, fields = beside_labels(engine, monitor, pair, as_of, truth)
    places = [*map(_place(monitor), truth), ARRIVED]
    labelled = [expression.label(place) for expression, place in zip(beside, places, strict=True)]
    schema = pa.schema([*read.schema, *(f.with_name(place) for f, place in zip(fields, places, strict=True))])
    return sa.select(*read.expressions, *labelled).select_from(joined).where(where), schema


def _truth_columns(monitor: Monitor, names: Sequence[str]) -> list[str]:
    """The columns of a label's row that are read, the label first."""
    used = [o.column for name in names for o in operands(monitor, monitor.kpis[name]) if o.of_labels]
    return list(dict.fromkeys((declared_labels(monitor).label, *used)))


def _place(monitor: Monitor) -> Callable[[str], str]:
    """Return under which name a column of the label's row stands until the newest label is chosen."""
    label = declared_labels(monitor).label
    return lambda column: LABEL if column == label else f"{LABELS}{column}"


def _split(
    rows: pa.Table, monitor: Monitor, windows: Sequence[Window], as_of: datetime | None
) -> Iterator[tuple[Window, pa.Table]]:
    if len(windows) == 1:
        yield windows[0], _chosen(rows, monitor, windows[0], as_of)
        return
    made = np.asarray(rows.column(monitor.source.predictions.timestamp).cast(pa.int64()))
    for window in windows:
        inside = (made >= microseconds(window.start)) & (made < microseconds(window.end))
        yield window, _chosen(rows.filter(pa.array(inside)), monitor, window, as_of)


def _chosen(rows: pa.Table, monitor: Monitor, window: Window, as_of: datetime | None) -> pa.Table:
    """One row for each id; an unlabelled one has the label that absence means, once its window has matured."""
    if as_of is None:
        unlabelled = rows.append_column(LABEL, pa.nulls(rows.num_rows)).append_column(
            ARRIVED, pa.nulls(rows.num_rows, TIMESTAMP)
        )
        return distinct(unlabelled, monitor).select(rows.column_names)
    is_mature = window.end + monitor.labels.matures_after <= as_of
    absent = monitor.labels.absent_means if is_mature else None
    found = distinct(rows, monitor, absent=absent)
    names = {LABEL: f"{LABELS}{declared_labels(monitor).label}"}
    return found.select(rows.column_names).rename_columns([names.get(name, name) for name in rows.column_names])
