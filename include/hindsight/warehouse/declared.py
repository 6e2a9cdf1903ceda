"""Declared: the tables and columns that a monitor names, looked for in the warehouse before anything is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import sqlalchemy as sa

from hindsight.errors import DataError, HindsightError
from hindsight.monitors.document import Where
from hindsight.monitors.model import Monitor
from hindsight.warehouse.columns import roles
from hindsight.warehouse.connect import reading
from hindsight.warehouse.kpis import kpi_faults
from hindsight.warehouse.relations import Relation, relation

Missing = Iterator[tuple[Where, str]]
_PREDICTIONS, _LABELS = ("source", "predictions"), ("source", "labels")


def missing(engine: sa.Engine, monitor: Monitor) -> Missing:
    """Yield where the monitor file names a table or column that is not there, or a time that is none, and what is.

    A warehouse that cannot be read at all is said once, at the connection.
    """
    try:
        with reading(engine, monitor.source.connection):
            yield from _of_predictions(engine, monitor)
            yield from _of_labels(engine, monitor)
            yield from ((("kpis", name), said) for name, said in kpi_faults(engine, monitor, monitor.kpis).items())
    except DataError as exc:
        if not str(exc).startswith(f"connection {monitor.source.connection!r}"):
            return  # a table that a KPI needs too: said already
        yield ("source", "connection"), str(exc)
    except HindsightError as exc:
        yield ("source", "connection"), str(exc)


def columns_of_predictions(engine: sa.Engine, monitor: Monitor) -> frozenset[str] | None:
    """Return the columns of the predictions table; None where it cannot be read, which `missing` says."""
    try:
        with reading(engine, monitor.source.connection):
            return frozenset(relation(engine, monitor.source.predictions.table, "source.predictions.table").types)
    except HindsightError:
        return None


def _of_predictions(engine: sa.Engine, monitor: Monitor) -> Missing:
    where = (*_PREDICTIONS, "table")
    try:
        logged = relation(engine, monitor.source.predictions.table, "source.predictions.table")
    except DataError as exc:
        yield where, str(exc)
        return
    timestamp = monitor.source.predictions.timestamp
    for place, column in _named(monitor):
        is_time = place == (*_PREDICTIONS, "timestamp")
        check = partial(logged.require_time, engine, timestamp) if is_time else partial(logged.require, column)
        yield from _unless(check, place)


def _named(monitor: Monitor) -> Iterator[tuple[Where, str]]:
    """Every column of the predictions and where the file names it; the columns of KPIs are looked for on their own."""
    for key, column in roles(monitor).items():
        yield (*_PREDICTIONS, *key.split(".", 1)), column
    yield from ((("features", name), name) for name in monitor.features)
    yield from ((("segments", i), name) for i, name in enumerate(monitor.segments))
    yield from ((("pii", "hash", i), name) for i, name in enumerate(monitor.pii.hash))


def _of_labels(engine: sa.Engine, monitor: Monitor) -> Missing:
    labels = monitor.source.labels
    if labels is None:
        return
    try:
        truth: Relation = relation(engine, labels.table, "source.labels.table")
    except DataError as exc:
        yield (*_LABELS, "table"), str(exc)
        return
    yield from _unless(partial(truth.require, labels.id), (*_LABELS, "id"))
    yield from _unless(partial(truth.require, labels.label), (*_LABELS, "label"))
    if labels.arrived_at:
        yield from _unless(partial(truth.require_time, engine, labels.arrived_at), (*_LABELS, "arrived_at"))


def _unless(check: Callable[[str], None], where: Where) -> Missing:
    """What a check of the relation finds wrong at a place of the file."""
    try:
        check(".".join(map(str, where)))
    except DataError as exc:
        yield where, str(exc)
