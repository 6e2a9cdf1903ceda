"""Completeness: the windows whose rows have become more since they were measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.horizon import unexpired
from hindsight.pipeline.resources import Resources, remembering
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import connected
from hindsight.warehouse.predictions import volumes

LOOKED_BACK = timedelta(days=7)
FEWEST = 3  # windows


@dataclass(frozen=True, slots=True)
class Late:
    """A window with rows that came after it was measured: `measured` requests then, `logged` now."""

    window: Window
    measured: int
    logged: int

    def __str__(self) -> str:
        return f"{self.logged - self.measured:,} requests came late, after {self.measured:,} had been measured"


@remembering
def late_rows(monitor: Monitor, now: datetime, resources: Resources) -> list[Late]:
    """Return the windows of the last week, or the last three, with more requests logged than were measured.

    Oldest first. Windows that were not measured are none, nor are those with fewer rows than then: a log that forgets
    says nothing about the window. Raises WarehouseError, or DataError, as a run does.
    """
    until = now - monitor.lateness
    since = until - max(LOOKED_BACK, FEWEST * monitor.window)
    closed = [w for w in monitor.grid.starting_in(monitor.grid.window_at(since).end, until) if w.end <= until]
    measured = _measured(monitor, unexpired(monitor, closed, resources), resources)
    if not measured:
        return []
    engine = resources.warehouse(monitor.source.connection)
    with connected(engine):
        logged = volumes(engine, monitor, list(measured))
    return [Late(window, n, logged[window]) for window, n in measured.items() if logged[window] > n]


def _measured(monitor: Monitor, windows: list[Window], resources: Resources) -> dict[Window, int]:
    """Return the requests that were measured in each window."""
    starts = {window.start: window for window in windows}
    table = resources.store.read(monitor.name, kinds=[Kind.OPERATIONS], windows=list(starts))
    rows = table.select(["window_start", "metric", "model_version", "segment", "value"]).to_pylist()
    found = {
        row["window_start"]: int(row["value"])
        for row in rows
        if row["metric"] == "total_requests" and not (row["model_version"] or row["segment"])
    }
    return {starts[start]: found[start] for start in sorted(found)}
