"""The nightly label back-fill: find the windows that labels touched or that matured, and measure them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from hindsight.checks.drift.prior import label_drift
from hindsight.checks.estimate.estimate import estimate_error
from hindsight.checks.labels.delays import Curves, delay_measurements, final_coverage, read_curves
from hindsight.checks.labels.expected import accuracy_expected
from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.labels.overdue import missing
from hindsight.checks.performance.performance import performance
from hindsight.monitors.kpis import kpis_of
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import baseline_for
from hindsight.pipeline.measure.first_seen import look, matures_at
from hindsight.pipeline.measure.horizon import kept_from, refuse_night, unexpired
from hindsight.pipeline.measure.kpis import kpis_of_night
from hindsight.pipeline.measure.label_history import History, matured_labels, overdue_windows, rhythm
from hindsight.pipeline.measure.matching import misspelt, misspelt_windows, unmatched
from hindsight.pipeline.measure.renaming import own_history
from hindsight.pipeline.measure.windows import keep
from hindsight.pipeline.resources import Resources, remembering
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import connected
from hindsight.warehouse.identities import Unmatched
from hindsight.warehouse.labels import Labelled, labelled, touched
from hindsight.warehouse.predictions import first_timestamp

_EVER = datetime.min.replace(tzinfo=UTC)


@remembering
def find_windows(monitor: Monitor, as_of: datetime, resources: Resources, *, everything: bool = False) -> list[Window]:
    """Return the windows that night `as_of` must measure again, oldest first (DESIGN 3.1).

    Labels are looked for since the last committed night before this one, so a missed or failed night loses nothing; the
    first night looks for all there ever were, so that it finds what nights in order would have. A source without times
    of arrival is looked at anew, and what has changed is remembered as seen by this night. Windows that wait for labels
    in vain are found too: their labels came under another spelling of the id, or are overdue.
    With `everything` it is every window that is over: what a corrected monitor file asks for. Windows that have expired
    are never found; raises ExpiredError for a night of which all have.
    """
    own_history(monitor, resources, now=as_of)
    refuse_night(monitor, as_of, resources)
    if monitor.source.labels is None:
        return []
    previous = resources.ledger.last_night(monitor.name, before=as_of)
    with connected(resources.warehouse(monitor.source.connection)):
        closed = list(closed_windows(monitor, as_of, resources))
        if monitor.source.labels.arrived_at is None:
            found = set(look(monitor, closed, previous, as_of, resources))
        else:
            found = _touched(monitor, closed, previous, as_of, resources) if closed else set()
        if everything or not closed:
            return closed
        found |= {w for w in closed if (previous or _EVER) <= matures_at(monitor, w) < as_of}
        found |= _waiting_in_vain(monitor, [w for w in closed if w not in found], previous, as_of, resources)
    return [w for w in closed if w in found]


def _waiting_in_vain(
    monitor: Monitor, untouched: Sequence[Window], previous: datetime | None, as_of: datetime, resources: Resources
) -> set[Window]:
    waiting = [w for w in untouched if matures_at(monitor, w) >= as_of]
    if not waiting:
        return set()
    found = misspelt_windows(monitor, waiting, previous, as_of, resources)
    return found | overdue_windows(monitor, waiting, previous, as_of, resources)


def _touched(
    monitor: Monitor, closed: Sequence[Window], previous: datetime | None, as_of: datetime, resources: Resources
) -> set[Window]:
    """The windows with labels since the previous night, or, where they ended since, with labels of whatever age."""
    look_in = partial(touched, resources.warehouse(monitor.source.connection), monitor)
    if previous is None:
        return set(look_in(since=None, until=as_of, among=_span(closed)))
    since = previous - monitor.labels.overlap
    found = set(look_in(since=since, until=as_of, among=_span(closed)))
    if ended := [window for window in closed if window.end > previous and window not in found]:
        found |= set(look_in(since=None, until=since, among=_span(ended)))
    return found


def _span(windows: Sequence[Window]) -> Window:
    return Window(windows[0].start, windows[-1].end)


def closed_windows(monitor: Monitor, as_of: datetime, resources: Resources) -> Iterator[Window]:
    """Yield the monitor's windows that ended by `as_of`, from the horizon on, oldest first."""
    first = monitor.start or first_timestamp(resources.warehouse(monitor.source.connection), monitor)
    if first is None:
        return
    until = min(as_of, monitor.end) if monitor.end else as_of
    start = first if monitor.start else monitor.grid.window_at(first).start
    start = max(filter(None, [start, kept_from(monitor, as_of, resources)]))
    yield from (w for w in monitor.grid.starting_in(start, until) if w.end <= as_of)


@remembering
def revise_windows(
    monitor: Monitor, windows: Sequence[Window], as_of: datetime, resources: Resources
) -> dict[str, Any]:
    """Measure realised performance of each window with the labels known at `as_of`, and keep it; return the counts.

    Windows that expired after they were found are left out.
    """
    windows = unexpired(monitor, windows, resources)
    learnt = _Learnt(monitor, as_of, resources)
    with connected(resources.warehouse(monitor.source.connection)):
        kept = [_revise(monitor, window, as_of, learnt, resources) for window in windows]
    return {"windows": len(kept), "new": sum(k["new"] for k in kept)}


class _Learnt:
    """What a night knows before it measures: of matured windows, and of labels that belong to no prediction."""

    def __init__(self, monitor: Monitor, as_of: datetime, resources: Resources) -> None:
        self._night = (monitor, as_of, resources)

    @cached_property
    def history(self) -> History:
        """The matured windows that curves and the expected coverage are learnt from."""
        return matured_labels(*self._night)

    @cached_property
    def curves(self) -> Curves:
        """How long labels took in these windows."""
        return read_curves(self.history.values())

    @cached_property
    def coverage(self) -> Sequence[Measurement]:
        """How many of their predictions ever got a label."""
        return final_coverage(self.history.values())

    @cached_property
    def rhythm(self) -> History:
        """The matured windows that tell when labels must have come."""
        return rhythm(*self._night, self.history)

    @cached_property
    def unmatched(self) -> Unmatched:
        """The newest labels that belong to no prediction."""
        return unmatched(*self._night)


def _revise(monitor: Monitor, window: Window, as_of: datetime, learnt: _Learnt, resources: Resources) -> dict[str, Any]:
    engine = resources.warehouse(monitor.source.connection)
    timestamp = [monitor.source.predictions.timestamp]
    seen = resources.seen.known(monitor.name, window, as_of) if _undated(monitor) else None
    known = labelled(engine, monitor, window, as_of, pii_key=resources.pii_key, also=timestamp, seen=seen)
    baseline = baseline_for(monitor, window, resources, as_of=as_of)
    reference = baseline.performance if baseline else {}
    realised = performance(known.table, monitor, reference=reference)
    mature = matures_at(monitor, window) <= as_of
    if mature:
        realised += _reconciled(monitor, window, realised, resources)
    labels = _labels(monitor, window, as_of, known, learnt)
    labels.append(misspelt(monitor, window, as_of, known, lambda: learnt.unmatched, resources))
    if baseline is not None:
        ripe = any(m.metric == "mature" and m.value for m in labels)
        labels += label_drift(known.table, monitor, baseline, mature=ripe)
    measured = {Kind.PERFORMANCE: realised, Kind.LABELS: labels}
    if kpis_of(monitor, labelled=True):  # else what the run computed stands
        measured[Kind.KPI] = kpis_of_night(monitor, window, resources, as_of=as_of)
    return keep(monitor, window, as_of, measured, resources)


def _undated(monitor: Monitor) -> bool:
    return monitor.source.labels is not None and monitor.source.labels.arrived_at is None


def _labels(monitor: Monitor, window: Window, as_of: datetime, known: Labelled, learnt: _Learnt) -> list[Measurement]:
    """What is known of the labels, what is still expected of them and, once they are in, how long they took."""
    mature = matures_at(monitor, window) <= as_of
    overall = next((m.value for m in learnt.coverage if not m.model_version), None)
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
    found += learnt.coverage
    found += accuracy_expected(known.table, monitor, window, as_of=as_of, curves=learnt.curves)
    age, n = as_of - window.end, known.n_scored
    found.append(missing(learnt.rhythm, age, mature=mature, known=known.n_labeled, n=n))
    if mature:
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
