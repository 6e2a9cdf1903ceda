"""The nightly label back-fill: find the windows that labels touched or that matured, and measure them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from hindsight.checks.labels import label_measurements
from hindsight.checks.performance import performance
from hindsight.monitors.measurement import Kind
from hindsight.monitors.model import Monitor
from hindsight.monitors.windows import Window
from hindsight.pipeline.baselines import baseline_for
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.windows import keep
from hindsight.warehouse.labels import labelled, touched
from hindsight.warehouse.predictions import first_timestamp


def find_windows(monitor: Monitor, as_of: datetime, resources: Resources) -> list[Window]:
    """Return the windows that night `as_of` must measure again, oldest first (DESIGN 3.1).

    Labels are looked for since the last committed night before this one, so a missed or failed night loses nothing.
    """
    if monitor.source.labels is None:
        return []
    closed = list(closed_windows(monitor, as_of, resources))
    previous = resources.ledger.last_night(monitor.name, before=as_of)
    if previous is None:
        return closed
    engine = resources.warehouse(monitor.source.connection)
    revised = set(touched(engine, monitor, since=previous - monitor.labels.overlap, until=as_of))
    return [w for w in closed if w in revised or previous <= matures_at(monitor, w) < as_of]


def closed_windows(monitor: Monitor, as_of: datetime, resources: Resources) -> Iterator[Window]:
    """Yield the monitor's windows that ended by `as_of`, oldest first."""
    first = monitor.start or first_timestamp(resources.warehouse(monitor.source.connection), monitor)
    if first is None:
        return
    until = min(as_of, monitor.end) if monitor.end else as_of
    start = first if monitor.start else monitor.grid.window_at(first).start
    yield from (w for w in monitor.grid.starting_in(start, until) if w.end <= until)


def matures_at(monitor: Monitor, window: Window) -> datetime:
    """The moment from which a window's labels count as complete."""
    return window.end + monitor.labels.matures_after


def revise_windows(
    monitor: Monitor, windows: Sequence[Window], as_of: datetime, resources: Resources
) -> dict[str, Any]:
    """Measure realised performance of each window with the labels known at `as_of`, and keep it; return the counts."""
    kept = [_revise(monitor, window, as_of, resources) for window in windows]
    return {"windows": len(kept), "new": sum(k["new"] for k in kept)}


def _revise(monitor: Monitor, window: Window, as_of: datetime, resources: Resources) -> dict[str, Any]:
    engine = resources.warehouse(monitor.source.connection)
    timestamp = [monitor.source.predictions.timestamp]
    known = labelled(engine, monitor, window, as_of, pii_key=resources.pii_key, also=timestamp)
    baseline = baseline_for(monitor, window, resources, as_of=as_of)
    reference = baseline.performance if baseline else {}
    measured = {
        Kind.PERFORMANCE: performance(known.table, monitor, reference=reference),
        Kind.LABELS: label_measurements(
            known.table, monitor, window, as_of=as_of, conflicts=known.conflicts, orphans=known.orphans
        ),
    }
    return keep(monitor, window, as_of, measured, resources)
