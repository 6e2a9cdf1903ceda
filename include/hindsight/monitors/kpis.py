"""Kpis: which columns of which table the business numbers of a monitor file are made from, told from the file alone.

A bare name is a column of the predictions, unless it is `source.labels.label`; `labels.<column>` is any column of the
label's row and `predictions.<column>` a column of the predictions whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hindsight.monitors.model import Kpi, Monitor
from hindsight.vocabulary.measurement import Kind

LABELS, PREDICTIONS = "labels.", "predictions."


@dataclass(frozen=True, slots=True)
class Operand:
    """A column a KPI names: in which key of its section, and whether it belongs to the labels table."""

    field: str
    column: str
    of_labels: bool

    @property
    def key(self) -> str:
        """The name of the column among the rows a KPI is computed from; no table has a column with a dot."""
        return f"{LABELS}{self.column}" if self.of_labels else self.column


def aggregate(kpi: Kpi) -> tuple[str, tuple[str, ...]]:
    """Return "sum", "mean", "count" or "ratio" and the columns as written; a count may have none."""
    if kpi.ratio is not None:
        return "ratio", kpi.ratio
    part = next(part for part in ("sum", "mean", "count") if getattr(kpi, part) is not None)
    column = getattr(kpi, part)
    return part, () if column is True else (column,)


def operands(monitor: Monitor, kpi: Kpi) -> tuple[Operand, ...]:
    """Return every column a KPI names, those of its filter last."""
    part, columns = aggregate(kpi)
    named = [(part, column) for column in columns] + [(f"where.{column}", column) for column in kpi.where]
    return tuple(operand(monitor, written, field) for field, written in named)


def operand(monitor: Monitor, written: str, field: str = "") -> Operand:
    """Return the column that a name in a KPI means."""
    for prefix, of_labels in ((LABELS, True), (PREDICTIONS, False)):
        if written.startswith(prefix):
            return Operand(field, written.removeprefix(prefix), of_labels)
    labels = monitor.source.labels
    return Operand(field, written, labels is not None and written == labels.label)


def needs_labels(monitor: Monitor, name: str) -> bool:
    """Say whether a KPI waits for labels; False for a name the file does not have."""
    kpi = monitor.kpis.get(name)
    return kpi is not None and any(operand.of_labels for operand in operands(monitor, kpi))


def kpis_of(monitor: Monitor, *, labelled: bool) -> list[str]:
    """Return the names of the KPIs that wait for labels, or of those that do not, in the file's order."""
    return [name for name in monitor.kpis if needs_labels(monitor, name) is labelled]


def logged_columns(monitor: Monitor, names: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the columns of the predictions that these KPIs name, all KPIs if not said, each once."""
    chosen = monitor.kpis if names is None else names
    found = (o.column for name in chosen for o in operands(monitor, monitor.kpis[name]) if not o.of_labels)
    return tuple(dict.fromkeys(found))


def is_labelled_metric(monitor: Monitor, path: str) -> bool:
    """Say whether a metric, as rules name it, is a KPI that waits for labels."""
    kind, _, name = path.partition(".")
    return kind == Kind.KPI and needs_labels(monitor, name)
