"""The nightly label back-fill: find the windows that labels touched or that matured, and measure them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hindsight.checks.drift.prior import label_drift
from hindsight.checks.estimate.estimate import estimate_error
from hindsight.checks.labels.delays import delay_measurements, final_coverage, read_curves
from hindsight.checks.labels.expected import accuracy_expected
from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.performance.performance import performance
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import baseline_for
from hindsight.pipeline.measure.first_seen import look, matures_at
from hindsight.pipeline.measure.kpis import kpis_of_night
from hindsight.pipeline.measure.windows import keep
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import connected
from hindsight.warehouse.labels import Labelled, labelled, touched
from hindsight.warehouse.predictions import first_timestamp

PAST = 24  # matured windows that delay curves and the expected coverage are learnt from


def find_windows(monitor: Monitor, as_of: datetime, resources: Resources, *, everything: bool = False) -> list[Window]:
    """Return the windows that night `as_of` must measure again, oldest first (DESIGN 3.1).

    Labels are looked for since the last committed night before this one, so a missed or failed night loses nothing.
    A source without times of arrival is looked at anew, and what has changed is remembered as seen by this night.
    With `everything` it is every window that is over: what a corrected monitor file asks for.
    """
    if monitor.source.labels is None:
        return []
    previous = resources.ledger.last_night(monitor.name, before=as_of)
    with connected(resources.warehouse(monitor.source.connection)):
        closed = list(closed_windows(monitor, as_of, resources))
        if monitor.source.labels.arrived_at is None:
            revised = set(look(monitor, closed, previous, as_of, resources))
        elif previous is not None and closed:
            revised = _touched(monitor, closed, previous, as_of, resources)
    if previous is None or everything or not closed:
        return closed
    return [w for w in closed if w in revised or previous <= matures_at(monitor, w) < as_of]


def _touched(
    monitor: Monitor, closed: Sequence[Window], previous: datetime, as_of: datetime, resources: Resources
) -> set[Window]:
    """The windows with labels since the previous night, or, where they ended since, with labels of whatever age."""
    look_in = partial(touched, resources.warehouse(monitor.source.connection), monitor)
    since = previous - monitor.labels.overlap
    found = set(look_in(since=since, until=as_of, among=_span(closed)))
    if ended := [window for window in closed if window.end > previous and window not in found]:
        found |= set(look_in(since=None, until=since, among=_span(ended)))
    return found


def _span(windows: Sequence[Window]) -> Window:
    return Window(windows[0].start, windows[-1].end)


def closed_windows(monitor: Monitor, as_of: datetime, resources: Resources) -> Iterator[Window]:
    """Yield the monitor's windows that ended by `as_of`, oldest first."""
    first = monitor.start or first_timestamp(resources.warehouse(monitor.source.connection), monitor)
    if first is None:
        return
    until = min(as_of, monitor.end) if monitor.end else as_of
    start = first if monitor.start else monitor.grid.window_at(first).start
    yield from (w for w in monitor.grid.starting_in(start, until) if w.end <= as_of)


def revise_windows(
    monitor: Monitor, windows: Sequence[Window], as_of: datetime, resources: Resources
) -> dict[str, Any]:
    """Measure realised performance of each window with the labels known at `as_of`, and keep it; return the counts."""
    past = matured_labels(monitor, as_of, resources) if windows else []
    with connected(resources.warehouse(monitor.source.connection)):
        kept = [_revise(monitor, window, as_of, past, resources) for window in windows]
    return {"windows": len(kept), "new": sum(k["new"] for k in kept)}


def matured_labels(monitor: Monitor, as_of: datetime, resources: Resources) -> list[list[Measurement]]:
    """Return the label measurements of the windows that matured last, as they were known before the night `as_of`.

    What this night measures is left out, so that a night cut into chunks gives the same numbers in any order.
    """
    newest = monitor.grid.window_at(as_of - monitor.labels.matures_after)
    windows = (Window(newest.start - k * monitor.window, newest.end - k * monitor.window) for k in range(1, PAST + 1))
    before = as_of - timedelta(microseconds=1)
    found = (resources.store.measurements(monitor.name, Kind.LABELS, window, before) for window in windows)
    return [measured for measured in found if any(m.metric == "mature" and m.value for m in measured)]


def _revise(
    monitor: Monitor, window: Window, as_of: datetime, past: Sequence[Sequence[Measurement]], resources: Resources
) -> dict[str, Any]:
    engine = resources.warehouse(monitor.source.connection)
    timestamp = [monitor.source.predictions.timestamp]
    seen = resources.seen.known(monitor.name, window, as_of) if _undated(monitor) else None
    known = labelled(engine, monitor, window, as_of, pii_key=resources.pii_key, also=timestamp, seen=seen)
    baseline = baseline_for(monitor, window, resources, as_of=as_of)
    reference = baseline.performance if baseline else {}
    realised = performance(known.table, monitor, reference=reference)
    if matures_at(monitor, window) <= as_of:
        realised += _reconciled(monitor, window, realised, resources)
    labels = _labels(monitor, window, as_of, known, past)
    if baseline is not None:
        mature = any(m.metric == "mature" and m.value for m in labels)
        labels += label_drift(known.table, monitor, baseline, mature=mature)
    numbers = kpis_of_night(monitor, window, resources, as_of=as_of)
    measured = {Kind.PERFORMANCE: realised, Kind.LABELS: labels, Kind.KPI: numbers}
    return keep(monitor, window, as_of, measured, resources)


def _undated(monitor: Monitor) -> bool:
    return monitor.source.labels is not None and monitor.source.labels.arrived_at is None


def _labels(
    monitor: Monitor, window: Window, as_of: datetime, known: Labelled, past: Sequence[Sequence[Measurement]]
) -> list[Measurement]:
    """What is known of the labels, what is still expected of them and, once they are in, how long they took."""
    coverage = final_coverage(past)
    overall = next((m.value for m in coverage if not m.model_version), None)
    found = label_measurements(
        known.table,
        monitor,
        window,
        as_of=as_of,
        conflicts=known.conflicts,
        orphans=known.orphans,
        duplicates=known.duplicates,
        corrections=known.corrections,
        undated=known.undated,
        expected_final_coverage=overall,
    )
    found += coverage
    found += accuracy_expected(known.table, monitor, window, as_of=as_of, curves=read_curves(past))
    if matures_at(monitor, window) <= as_of:
        found += delay_measurements(known.table, monitor, window)
    return found


def _reconciled(
    monitor: Monitor, window: Window, realised: Sequence[Measurement], resources: Resources
) -> list[Measurement]:
    """Score the estimate that was frozen when the window closed against the truth, group by group."""
    guessed = _by_group(resources.store.measurements(monitor.name, Kind.ESTIMATE, window))
    truth = _by_group(realised)
    return [m for group, guesses in guessed.items() if group in truth for m in estimate_error(guesses, truth[group])]


def _by_group(measurements: Iterable[Measurement]) -> dict[tuple[str, str], dict[str, Measurement]]:
    groups: dict[tuple[str, str], dict[str, Measurement]] = defaultdict(dict)
    for m in measurements:
        if not (m.feature or m.bin):
            groups[m.model_version, m.segment][m.metric] = m
    return dict(groups)
