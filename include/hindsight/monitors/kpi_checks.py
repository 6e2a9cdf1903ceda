"""Whether the KPIs of a monitor file can be computed from the columns they name. Pure; yields where and what."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from hindsight.monitors.document import Where
from hindsight.monitors.kpis import LABELS, PREDICTIONS, aggregate, operand
from hindsight.monitors.model import Kpi, Monitor

Found = Iterator[tuple[Where, str]]


def kpi_problems(monitor: Monitor) -> Found:
    """Yield what is wrong with `kpis`."""
    for name, kpi in monitor.kpis.items():
        part, columns = aggregate(kpi)
        for column in columns:
            yield from ((("kpis", name, part), x) for x in _column(monitor, column, None if part == "count" else part))
        for column, wanted in kpi.where.items():
            where = ("kpis", name, "where", column)
            yield from ((where, x) for x in _column(monitor, column, "range" if isinstance(wanted, dict) else None))
            if column in monitor.pii.hash and not isinstance(wanted, dict):
                yield where, f"{column!r} is hashed; no row would equal {wanted!r}"
        yield from _ranges(name, kpi)


def _column(monitor: Monitor, written: str, number: str | None) -> Iterator[str]:
    """Say what is wrong with one column; `number` names what needs it to hold numbers."""
    found = operand(monitor, written)
    if found.of_labels and monitor.source.labels is None:
        yield f"{written!r} needs source.labels"
    elif found.of_labels and written == found.column and written in _declared(monitor):
        yield (
            f"{written!r} is a column of the predictions and of the labels; "
            f"write {PREDICTIONS}{written} or {LABELS}{written}"
        )
    elif not found.of_labels and found.column in monitor.pii.drop:
        yield f"{found.column!r} is in pii.drop and is never read"
    elif not found.of_labels and number is not None:
        yield from _not_numbers(monitor, found.column, number)


def _not_numbers(monitor: Monitor, column: str, number: str) -> Iterator[str]:
    feature = monitor.features.get(column)
    if feature is not None and feature.type == "categorical":
        yield f"{column!r} is a categorical feature; a {number} needs numbers"
    elif column in monitor.pii.hash:
        yield f"{column!r} is hashed; a {number} needs numbers"
    elif column == monitor.source.predictions.timestamp:
        yield f"{column!r} holds times; a {number} needs numbers"


def _declared(monitor: Monitor) -> set[object]:
    """The columns of the predictions that the file names."""
    predictions = monitor.source.predictions.model_dump(exclude={"table", "score", "resources"}).values()
    return {*predictions, *monitor.source.predictions.resources.values(), *monitor.features, *monitor.segments}


def _ranges(name: str, kpi: Kpi) -> Found:
    for column, wanted in kpi.where.items():
        if isinstance(wanted, dict) and wanted.get("above", -inf) >= wanted.get("below", inf):
            yield ("kpis", name, "where", column), "above is not less than below, so that no row would be left"
