"""Gather what the page of a monitor shows, from snapshots and ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.errors import ConfigError
from hindsight.monitors.kpis import is_labelled_metric
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.definition import advice
from hindsight.pipeline.resources import Resources, remembering
from hindsight.pipeline.show import curves
from hindsight.pipeline.show.happenings import drawn, happenings
from hindsight.pipeline.show.promises import budgets, with_offline
from hindsight.pipeline.show.slos import SloState, slo_states
from hindsight.pipeline.show.state import Health, MonitorState, Story, state_of, stories
from hindsight.reports.charts import Chart, Mark
from hindsight.reports.heat import HeatMap, heat_map
from hindsight.reports.pages import IncidentRow, Link, MonitorCard, MonitorView, Number, SloRow
from hindsight.reports.quadrant import Moved, quadrant
from hindsight.reports.selection import Selection
from hindsight.snapshots.damage import leaving_out
from hindsight.verdicts.explain import GRADED
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.severity import Severity

REPORTS = 20
EVERYTHING = Selection()
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


def monitor_view(
    name: str, resources: Resources, *, now: datetime, selection: Selection = EVERYTHING
) -> MonitorView | None:
    """Return everything about one monitor, its charts of what is selected; None where there is none of that name.

    Snapshots that cannot be read are named, and the rest is shown.
    """
    try:
        monitor = load_monitor(name, resources.settings.monitors)
    except ConfigError:
        return None
    with leaving_out() as damaged:
        view = _view(monitor, resources, now, selection)
    return replace(view, damaged=tuple(damaged))


@remembering
def _view(monitor: Monitor, resources: Resources, now: datetime, selection: Selection) -> MonitorView:
    state = state_of(monitor, resources)
    told = stories(monitor, resources)
    table = curves.history(monitor, resources, state.window, selection)
    first = pc.min(table["window_start"]).as_py()
    happened = happenings(monitor, resources, told, first, selection.end) if first else []
    reports = tuple(_reports(monitor, resources))
    return MonitorView(
        card=_card(monitor, state),
        as_of=now,
        numbers=tuple(_numbers(monitor, state, curves.of_rows(_newest(monitor, resources, state, selection, table)))),
        drifted=tuple(_drifted(state, monitor)),
        slos=tuple(map(_slo, slo_states(monitor, resources))) if monitor.slos else (),
        charts=tuple(_charts(monitor, resources, table, drawn(happened), selection)),
        selection=selection,
        choices=curves.choices(monitor, table),
        happened=tuple(happened),
        quadrant=quadrant(_moved(monitor, state)),
        heat=_heat(table, selection),
        incidents=tuple(_incident(story, monitor) for story in told),
        reports=reports,
        accuracy=next((link for link in reports if link.text.startswith("Accuracy")), None),
        back=Link("All monitors", "../"),
        advice=tuple(advice(monitor, resources, monitor.name)),
    )


def _charts(
    monitor: Monitor, resources: Resources, table: pa.Table, marks: Sequence[Mark], selection: Selection
) -> Iterator[Chart]:
    """Yield the charts of what is selected; what is promised is promised of all rows."""
    shown = curves.charts(monitor, table, marks, selection)
    if selection.version or selection.segment or not table.num_rows:
        yield from shown
        return
    yield from with_offline(shown, resources.registry.versions(monitor.name))
    span = pc.min_max(table["window_start"]).as_py()
    yield from budgets(monitor, resources, marks, span["min"], span["max"])


def _newest(
    monitor: Monitor, resources: Resources, state: MonitorState, selection: Selection, shown: pa.Table
) -> pa.Table:
    """The last windows whatever is selected, for the headline numbers; not read twice where they are shown."""
    is_shown = not (selection.span or selection.start or selection.end)
    return shown if is_shown else curves.history(monitor, resources, state.window, EVERYTHING)


def _moved(monitor: Monitor, state: MonitorState) -> Iterable[Moved]:
    """Yield how far each feature whose weight the file names lay from its reference in the latest window."""
    for number in state.numbers:
        feature = monitor.features.get(number.about)
        if number.metric == "drift.psi" and number.value is not None and feature and feature.importance is not None:
            yield Moved(number.about, number.value, feature.importance)


def _heat(table: pa.Table, selection: Selection) -> HeatMap | None:
    every = curves.step_of(len(pc.unique(table["window_start"])))
    return heat_map(curves.drift_of(table, selection), only=selection.feature, every=every)


def worst(state: MonitorState) -> Health:
    """The worst of the service's health and of what is open: nothing is green beside a P0, or beside a P1."""
    graves: dict[str, Health] = {Severity.P0: "critical", Severity.P1: "warning"}
    found = [grade for severity, grade in graves.items() if state.open.get(severity)]
    order: tuple[Health, ...] = ("critical", "warning", "unknown", "healthy")
    return min([state.health, *found], key=order.index)


def _card(monitor: Monitor, state: MonitorState) -> MonitorCard:
    return MonitorCard(
        name=monitor.name,
        href=monitor.name,
        state=monitor.state,
        health=worst(state),
        description=monitor.description,
        owner=monitor.owner,
        task=monitor.model.task,
        criticality=monitor.criticality,
        last_window=monitor.grid.window_at(state.window) if state.window else None,
        open={Severity(severity): count for severity, count in state.open.items()},
        recovering=state.recovering,
        tags=monitor.tags,
    )


def _numbers(monitor: Monitor, state: MonitorState, history: pa.Table) -> Iterable[Number]:
    """Yield the headline numbers; performance is that of the newest window whose labels are in, if there is one."""
    found = {number.metric: number for number in state.numbers if not number.about}
    mature = [point.start for point in curves.points(history, "labels.mature") if point.value]
    for metric in (*_HEADLINES, *(f"kpi.{name}" for name in monitor.kpis)):
        kind, _, name = metric.partition(".")
        waits = kind == Kind.PERFORMANCE or is_labelled_metric(monitor, metric)
        points = curves.points(history, metric) if waits else ()
        settled = [point for point in points if point.start in mature]
        if settled:
            note = f"{settled[-1].start:%Y-%m-%d}: the newest with all labels"
            yield Number(name.replace("_", " "), settled[-1].value, curves.unit_of(name), found[metric].reference, note)
        elif (number := found.get(metric)) and (metric != AGE or number.note):
            yield Number(name.replace("_", " "), number.value, curves.unit_of(name), number.reference, number.note)


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
        unit=curves.unit_of(metric.partition(".")[2]),
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
