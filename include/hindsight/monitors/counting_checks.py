"""Whether a monitor whose windows the warehouse counts asks for what only rows can tell. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from hindsight.monitors.document import Where
from hindsight.monitors.kpis import operands
from hindsight.monitors.model import Monitor

STAY = "and source.count_in leaves them in the warehouse: set source.allow_rows, or take it out"


def counting_problems(monitor: Monitor) -> Iterator[tuple[Where, str]]:
    """Yield what cannot be had while rows stay where they are."""
    source = monitor.source
    if source.allow_rows and not source.counts:
        yield ("source", "allow_rows"), "says nothing without count_in: warehouse, for a worker reads rows anyway"
    if not source.counts:
        return
    if monitor.drift.method.startswith("evidently:"):
        yield ("drift", "method"), "Evidently tests rows, and source.count_in counts them in the warehouse: use psi"
    if source.rows_stay and monitor.quality is not None:
        yield ("quality", "suite"), f"a suite looks at rows, {STAY}"
    if source.rows_stay:
        for name in monitor.kpis:
            for column in features_of(monitor, name):
                yield ("kpis", name), f"{column} is a feature, a KPI adds up rows, {STAY}"


def features_of(monitor: Monitor, kpi: str) -> list[str]:
    """Return the features whose rows a KPI reads; segments are none, for their values are counted by anyway."""
    named = {one.column for one in operands(monitor, monitor.kpis[kpi]) if not one.of_labels}
    return sorted(named & monitor.features.keys() - set(monitor.segments))
