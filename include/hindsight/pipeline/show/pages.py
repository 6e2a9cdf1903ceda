"""Gather what the pages show: one card a monitor, and everything about one monitor, from snapshots and ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.errors import ConfigError, StoreError
from hindsight.monitors.kpis import is_labelled_metric
from hindsight.monitors.loader import load_folder, load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.definition import advice
from hindsight.pipeline.resources import Resources, remembering
from hindsight.pipeline.show.slos import SloState, slo_states
from hindsight.pipeline.show.state import MonitorState, Story, state_of, stories
from hindsight.reports.charts import Chart, Mark, Point, Unit
from hindsight.reports.pages import IncidentRow, Link, MonitorCard, MonitorView, Number, SloRow
from hindsight.snapshots.damage import leaving_out
from hindsight.verdicts.explain import GRADED
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.severity import Severity

logger = logging.getLogger(__name__)
CHARTED = 90  # windows on each chart
REPORTS = 20
_REPORTS = {
    "evidently": "Evidently report",
    "performance": "Evidently report on the labels",
    "data docs": "Data Docs",
}
AGE = "drift.reference_age_days"  # of interest where there is something to say of it
_HEADLINES = (
    "operations.total_requests",
    "operations.error_rate",
    "operations.latency_p95_ms",
    "operations.volume_ratio",
    "drift.drift_share",
    AGE,
    "performance.accuracy",
    "performance.f1",
    "performance.roc_auc",
    "performance.mae",
    "performance.rmse",
    "labels.coverage",
)
_CHARTS = ("drift.drift_share", "operations.total_requests", "operations.latency_p95_ms")
_UNITS: Mapping[str, Unit] = {"total_requests": "count", "rows_raw": "count", "n_labeled": "count", "freshness_s": "s"}
_SHARES = ("rate", "share", "accuracy", "f1", "coverage", "precision", "recall", "_left")


def overview_cards(resources: Resources, *, now: datetime) -> list[MonitorCard]:
    """Return a card for every monitor whose file is fine; one whose snapshots cannot be read says so on its own."""
    monitors = load_folder(resources.settings.monitors).monitors.values()
    return [_card(monitor, _state(monitor, resources), prefix="monitors/") for monitor in monitors]


def _state(monitor: Monitor, resources: Resources) -> MonitorState:
    try:
        return state_of(monitor, resources)
    except StoreError:
        logger.exception("snapshots cannot be read monitor=%s", monitor.name)
        return MonitorState(monitor.name, monitor.state, "unknown", None, {}, ())


def monitor_view(name: str, resources: Resources, *, now: datetime) -> MonitorView | None:
    """Return everything about one monitor; None where there is none of that name.

    Snapshots that cannot be read are named, and the rest is shown.
    """
    try:
        monitor = load_monitor(name, resources.settings.monitors)
    except ConfigError:
        return None
    with leaving_out() as damaged:
        view = _view(monitor, resources, now)
    return replace(view, damaged=tuple(damaged))


@remembering
def _view(monitor: Monitor, resources: Resources, now: datetime) -> MonitorView:
    state = state_of(monitor, resources)
    told = stories(monitor, resources)
    history = _history(monitor, resources, state)
    reports = tuple(_reports(monitor, resources))
    return MonitorView(
        card=_card(monitor, state, prefix=""),
        as_of=now,
        numbers=tuple(_numbers(monitor, state, history)),
        drifted=tuple(_drifted(state, monitor)),
        slos=tuple(map(_slo, slo_states(monitor, resources))) if monitor.slos else (),
        charts=tuple(_charts(monitor, resources, history, told)),
        incidents=tuple(_incident(story, monitor) for story in told),
        reports=reports,
        accuracy=next((link for link in reports if link.text.startswith("Accuracy")), None),
        back=Link("All monitors", "../"),
        advice=tuple(advice(monitor, resources, monitor.name)),
    )


def _card(monitor: Monitor, state: MonitorState, *, prefix: str) -> MonitorCard:
    return MonitorCard(
        name=monitor.name,
        href=f"{prefix}{monitor.name}",
        state=monitor.state,
        health=state.health,
        description=monitor.description,
        owner=monitor.owner,
        task=monitor.model.task,
        criticality=monitor.criticality,
        last_window=monitor.grid.window_at(state.window) if state.window else None,
        open={Severity(severity): count for severity, count in state.open.items()},
        recovering=state.recovering,
    )


def _numbers(monitor: Monitor, state: MonitorState, history: pa.Table) -> Iterable[Number]:
    """Yield the headline numbers; performance is that of the newest window whose labels are in, if there is one."""
    found = {number.metric: number for number in state.numbers if not number.about}
    mature = [point.start for point in _points(history, "labels.mature") if point.value]
    for metric in (*_HEADLINES, *(f"kpi.{name}" for name in monitor.kpis)):
        kind, _, name = metric.partition(".")
        waits = kind == Kind.PERFORMANCE or is_labelled_metric(monitor, metric)
        points = _points(history, metric) if waits else ()
        settled = [point for point in points if point.start in mature]
        if settled:
            note = f"{settled[-1].start:%Y-%m-%d}: the newest with all labels"
            yield Number(name.replace("_", " "), settled[-1].value, unit_of(name), found[metric].reference, note)
        elif (number := found.get(metric)) and (metric != AGE or number.note):
            yield Number(name.replace("_", " "), number.value, unit_of(name), number.reference, number.note)


def _drifted(state: MonitorState, monitor: Monitor) -> Iterable[Number]:
    """Yield the PSI of the columns that drifted in the latest window, the weightiest first, with what each weighs."""
    psi = {number.about: number.value for number in state.numbers if number.metric == "drift.psi"}
    for number in state.numbers:
        if number.metric == "drift.drifted" and number.value:
            feature = monitor.features.get(number.about)
            weighs = "" if feature is None or feature.importance is None else f"importance {feature.importance:g}"
            yield Number(number.about, psi.get(number.about), note=weighs)


def _slo(state: SloState) -> SloRow:
    return SloRow(state.name, state.good, state.promised, state.left, *state.burns, state.since)


def unit_of(metric: str) -> Unit:
    """Return how a metric of this name is written: a count, a share of one, milliseconds, seconds or a bare number."""
    if metric in _UNITS:
        return _UNITS[metric]
    if metric.endswith("_ms"):
        return "ms"
    return "share" if metric.endswith(_SHARES) else "number"


def _history(monitor: Monitor, resources: Resources, state: MonitorState) -> pa.Table:
    """Return the numbers of all rows together over the last windows, oldest first."""
    start = state.window - CHARTED * monitor.window if state.window else None
    kinds = (Kind.OPERATIONS, Kind.DRIFT, Kind.PERFORMANCE, Kind.LABELS, Kind.KPI)
    return _overall(resources.store.read(monitor.name, kinds=kinds, start=start))


def _charts(monitor: Monitor, resources: Resources, table: pa.Table, told: Iterable[Story]) -> Iterable[Chart]:
    immature = {point.start for point in _points(table, "labels.mature") if not point.value}
    limits = {rule.metric: rule.above or rule.below for rule in monitor.rules}
    quality = "performance.mae" if monitor.model.task == "regression" else "performance.accuracy"
    first = min((point.start for point in _points(table, "operations.total_requests")), default=None)
    marks = tuple(_marks(monitor, resources, told, first)) if first else ()
    for metric in (quality, *(f"kpi.{name}" for name in monitor.kpis), *_CHARTS):
        waits = metric == quality or is_labelled_metric(monitor, metric)
        points = _points(table, metric, immature if waits else frozenset())
        if points:
            name = metric.partition(".")[2]
            yield Chart(name.replace("_", " "), unit_of(name), points, limits.get(metric), marks)


def _overall(table: pa.Table) -> pa.Table:
    """Keep the numbers of all rows together, in order of the window."""
    bare = [pc.equal(table[column], "") for column in ("model_version", "segment", "feature", "bin")]
    keep = bare[0]
    for condition in bare[1:]:
        keep = pc.and_(keep, condition)
    return table.filter(keep).sort_by("window_start")


def _points(table: pa.Table, metric: str, immature: Iterable[datetime] = ()) -> tuple[Point, ...]:
    kind, _, name = metric.partition(".")
    rows = table.filter(pc.and_(pc.equal(table["kind"], kind), pc.equal(table["metric"], name))).to_pylist()
    hollow = set(immature)
    return tuple(
        Point(r["window_start"], r["value"], r["lower"], r["upper"], r["window_start"] in hollow, r["note"])
        for r in rows
    )


def _marks(monitor: Monitor, resources: Resources, told: Iterable[Story], start: datetime) -> Iterable[Mark]:
    for story in told:
        incident = story.incident
        if incident.severity is Severity.P0 and incident.started >= start:
            yield Mark(incident.started, f"{incident.series.rule}: {incident.state}")
    for version in resources.registry.versions(monitor.name):
        if version.promoted_at and version.promoted_at >= start:
            yield Mark(version.promoted_at, f"{version.version} promoted")


def _incident(story: Story, monitor: Monitor) -> IncidentRow:
    """Return what is told of an incident, with the way to its case."""
    case = story.incident.case or story.incident.id
    link = Link("The case: its timeline, and your answer", f"{monitor.name}/cases/{case}")
    row = incident_row(story.incident, monitor)
    return replace(row, done=(story.done,), advice=story.advice, case=link if story.incident.stands else None)


def incident_row(incident: Incident, monitor: Monitor) -> IncidentRow:
    """Return an incident as pages show it."""
    series = incident.series
    rule = next((rule for rule in monitor.rules if rule.id == series.rule), None)
    metric, runbook = (rule.metric, rule.runbook) if rule else ("", None)
    runbook = runbook or monitor.alerts.runbook
    is_grade, is_open = metric in GRADED, incident.stands
    return IncidentRow(
        rule=series.rule,
        severity=incident.severity,
        state=incident.state,
        started=incident.started,
        ended=incident.ended,
        about=" ".join(part for part in (series.feature, series.segment, series.model_version) if part),
        value=None if is_grade else incident.value,
        threshold=None if is_grade else incident.threshold,
        unit=unit_of(metric.partition(".")[2]),
        reason=incident.reason,
        runbook=Link("Runbook", runbook) if runbook and is_open else None,
    )


def _reports(monitor: Monitor, resources: Resources) -> Iterable[Link]:
    """Yield the reports on record, newest first: of each night the one made last, and of windows the last twenty."""
    newest_first = resources.ledger.reports(monitor.name)[::-1]
    nights = {report.window.end: report for report in reversed(newest_first) if report.kind == "accuracy"}
    of_windows = [report for report in newest_first if report.kind != "accuracy"][:REPORTS]
    for end in sorted(nights, reverse=True)[:REPORTS]:
        yield Link(f"Accuracy report of the night {end:%Y-%m-%d %H:%M} UTC", f"../reports/{nights[end].id}")
    for report in of_windows:
        yield Link(f"{_REPORTS[report.kind]} of {report.window}", f"../reports/{report.id}")
