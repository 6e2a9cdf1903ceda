"""Gather what the accuracy report of a night shows, from two states of the snapshots: as of the night and before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.incident_changes import Turns, turns
from hindsight.pipeline.judge.knowledge import Known, known
from hindsight.pipeline.judge.past_incidents import open_incidents
from hindsight.pipeline.judge.verdicts import NIGHT_KINDS
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show import scorecard
from hindsight.pipeline.show.curves import unit_of
from hindsight.pipeline.show.pages import incident_row
from hindsight.reports.charts import Unit
from hindsight.reports.night import AccuracyReport, Awaited, Change, called, count
from hindsight.reports.pages import IncidentRow, Link, Number
from hindsight.reports.timeline import Course, Spot
from hindsight.verdicts.judge import waits_for_labels
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

CHARTED = 90  # windows looked at, at least; at most twice as many are drawn
MATURED, MOST = 30, 4500  # of these so many that have matured, where that is not too far back
_INSTANT = timedelta(microseconds=1)
_COUNTED = {
    "label_corrections": "corrected labels",
    "label_conflicts": "contradictory labels",
    "label_duplicates": "labels given twice",
    "orphan_labels": "labels without a prediction",
    "undated_labels": "labels without a time",
    "early_labels": "labels before their prediction",
}


@dataclass(frozen=True, slots=True)
class Night:
    """What is known as of a night and was known until then of the windows measured anew, whose starts are `revised`.

    `recent` are the newest windows, back to some that have matured.
    """

    monitor: Monitor
    as_of: datetime
    now: Known
    before: Known
    revised: tuple[datetime, ...]
    recent: tuple[Window, ...]

    @property
    def metric(self) -> str:
        """The one number a report is about: accuracy, or the mean absolute error of a regression."""
        return "mae" if self.monitor.model.task == "regression" else "accuracy"

    @property
    def path(self) -> str:
        """Its path."""
        return f"performance.{self.metric}"

    @property
    def unit(self) -> Unit:
        """How it is written."""
        return unit_of(self.metric)

    @property
    def finals(self) -> list[Window]:
        """The recent windows that are final and have a value, oldest first."""
        has_value = (w for w in self.recent if self.now.value(w.start, self.path) is not None)
        return [w for w in has_value if self.now.is_final(w.start)]

    def window(self, start: datetime) -> Window:
        """The window that starts at a moment."""
        return Window(start, start + self.monitor.window)


def open_night(monitor: Monitor, as_of: datetime, resources: Resources, *, since: datetime | None = None) -> Night:
    """Read what was known at `as_of`, and at `since` (by default just before) of what was measured anew in between."""
    since = since or as_of - _INSTANT
    newest = monitor.grid.window_at(as_of)
    reach = max(CHARTED, min(monitor.labels.matures_after // monitor.window + MATURED, MOST))
    starts = [newest.start - k * monitor.window for k in range(reach, 0, -1)]
    recent = tuple(Window(start, start + monitor.window) for start in starts if start + monitor.window <= as_of)
    revised = resources.store.revised(monitor.name, Kind.LABELS, after=since, until=as_of)
    now = known(monitor, resources, as_of=as_of, windows={*revised, *(window.start for window in recent)})
    before = known(monitor, resources, as_of=since, windows=revised, kinds=NIGHT_KINDS)
    return Night(monitor, as_of, now, before, tuple(sorted(revised)), recent)


def accuracy_report(night: Night, resources: Resources, *, links: Sequence[Link] = ()) -> AccuracyReport:
    """Return everything the report of a night says."""
    monitor = night.monitor
    changes, told = tuple(_changes(night)), turns(monitor, night.before, night.now, night.revised)
    awaited = tuple(_awaited(night))
    return AccuracyReport(
        monitor=monitor.name,
        description=monitor.description,
        about=tuple(filter(None, (monitor.owner, monitor.model.task, f"model {monitor.model.name}"))),
        night=night.as_of,
        size=monitor.window,
        metric="mean absolute error" if night.metric == "mae" else "accuracy",
        unit=night.unit,
        numbers=tuple(_numbers(night, changes, awaited)),
        changes=changes,
        course=_course(night),
        segments=scorecard.segment_rows(night.now, night.finals, night.metric),
        calibration=scorecard.calibration(night.now, night.finals),
        estimates=tuple(scorecard.estimates(night.now, night.finals, night.metric, night.unit)),
        opened=tuple(sorted(_opened(night, told, resources), key=lambda row: row.severity)),
        turned=tuple(incident_row(incident, monitor) for incident in told.turned),
        counts=tuple(_counts(night)),
        awaited=awaited,
        backlog=_backlog(night, awaited),
        links=tuple(links),
    )


def _changes(night: Night) -> list[Change]:
    """What changed, by how far it moved; of what did not move the newest window first."""
    found = [change for start in night.revised if (change := _change(night, start)) is not None]
    found.sort(key=lambda change: change.window.start, reverse=True)
    return sorted(found, key=lambda change: abs(change.moved), reverse=True)


def _change(night: Night, start: datetime) -> Change | None:
    """What changed about a window; None where nothing did, or it has no row a label could be for."""
    now, before, window = night.now, night.before, night.window(start)
    coverage = now.fact(start, "labels.coverage")
    final, was_final = now.is_final(start), before.is_final(start)
    value, old = (known.value(start, night.path) for known in (now, before))
    added, corrected = _added(night, window, settled=final and not was_final), _corrected(night, start)
    if not (coverage and coverage.n) or not (added or corrected or final != was_final or value != old):
        return None
    why = ", ".join(_why(night, window, added, corrected, settled=final and not was_final))
    return Change(window, old, value, added, corrected, coverage.value, final, was_final, why or "measured again")


def _added(night: Night, window: Window, *, settled: bool) -> int:
    """How many labels came; labels that are assumed from maturity on did not come."""
    if settled and _is_assumed(night, window):
        return 0
    labels = [known.value(window.start, "labels.n_labeled") or 0.0 for known in (night.before, night.now)]
    return round(labels[1] - labels[0])


def _is_assumed(night: Night, window: Window) -> bool:
    policy = night.monitor.labels
    return policy.absent_means is not None and window.end + policy.matures_after <= night.as_of


def _corrected(night: Night, start: datetime) -> int | None:
    """How many labels were corrected; None where one of the two snapshots does not count them."""
    now, before = (known.value(start, "labels.label_corrections") for known in (night.now, night.before))
    if now is None or (before is None and start in night.before.as_of):
        return None
    return round(now - (before or 0.0))


def _why(night: Night, window: Window, added: int, corrected: int | None, *, settled: bool) -> Iterator[str]:
    if added:
        yield "new labels" if added > 0 else "labels taken back"
    if corrected:
        yield "corrections"
    if settled:
        yield "matured" if window.end + night.monitor.labels.matures_after <= night.as_of else "nearly all labels in"
    if settled and _is_assumed(night, window):
        yield f"the missing count as {night.monitor.labels.absent_means}"


def _numbers(night: Night, changes: Sequence[Change], awaited: Sequence[Awaited]) -> Iterator[Number]:
    name = "mean absolute error" if night.metric == "mae" else "accuracy"
    if night.finals:
        newest = night.now.fact(night.finals[-1].start, night.path)
        if newest:
            note = f"newest final: {called(night.finals[-1], night.monitor.window)}"
            yield Number(name, newest.value, night.unit, newest.reference, note)
    else:
        why = "no final window has a label" if _any_final(night) else "no window is final yet"
        yield Number(name, None, night.unit, None, why)
    expected = _expected(night)
    if expected:
        yield expected
    yield Number("labels that came", sum(max(c.added, 0) for c in changes), "count", None, "this night")
    yield Number("windows now final", sum(c.final and not c.was_final for c in changes), "count", None, "this night")
    yield Number(
        "labels awaited", sum(a.missing for a in awaited), "count", None, f"of {count(len(awaited), 'window')}"
    )


def _expected(night: Night) -> Number | None:
    """The accuracy to expect of the newest window that is not final and has labels enough to say."""
    for window in reversed(night.recent):
        fact = night.now.fact(window.start, "labels.accuracy_expected")
        if fact and fact.value is not None and not night.now.is_final(window.start):
            note = f"once all labels are in: {called(window, night.monitor.window)}"
            return Number("accuracy expected", fact.value, night.unit, None, note)
    return None


def _course(night: Night) -> Course:
    there = [window for window in night.recent if window.start in night.now.windows]
    since = [window for window in night.recent if there and window.start >= there[0].start]
    every = max(1, -(-len(since) // (2 * CHARTED)))
    newest = night.now.fact(night.finals[-1].start, night.path) if night.finals else None
    return Course(
        title="mean absolute error" if night.metric == "mae" else "accuracy",
        unit=night.unit,
        spots=tuple(_spot(night, window, every) for window in since[(len(since) - 1) % every :: every]),
        every=every,
        reference=newest.reference if newest else None,
        matured=night.as_of - night.monitor.labels.matures_after,
    )


def _spot(night: Night, window: Window, every: int) -> Spot:
    start = window.start
    fact = night.now.fact(start, night.path) or Measurement(night.metric, None)
    guess = night.now.fact(start, f"estimate.{night.metric}") or Measurement(night.metric, None)
    before = night.before.value(start, night.path)
    return Spot(
        start=start,
        end=start + every * night.monitor.window,
        value=fact.value,
        lower=fact.lower,
        upper=fact.upper,
        n=fact.n,
        final=night.now.is_final(start),
        before=before if before != fact.value else None,
        estimate=guess.value,
        estimate_lower=guess.lower,
        estimate_upper=guess.upper,
        coverage=night.now.value(start, "labels.coverage") if start in night.now.as_of else 0.0,
    )


def _opened(night: Night, told: Turns, resources: Resources) -> Iterator[IncidentRow]:
    """What was open: about labels as they tell it, about all else as it can be recalled."""
    monitor = night.monitor
    rules = {rule.id: rule for rule in monitor.rules}
    yield from (incident_row(incident, monitor) for incident in told.opened)
    for incident in open_incidents(monitor, resources, night.as_of):
        if not waits_for_labels(monitor, rules[incident.series.rule]):
            yield incident_row(incident, monitor)


def _counts(night: Night) -> Iterator[Number]:
    """Count what came wrong in the recent windows; what never did is left out."""
    for metric, name in _COUNTED.items():
        path = f"labels.{metric}"
        total = sum(night.now.value(window.start, path) or 0.0 for window in night.recent)
        fresh = sum((night.now.value(s, path) or 0.0) - (night.before.value(s, path) or 0.0) for s in night.revised)
        if total or fresh:
            yield Number(name, total, "count", None, f"{fresh:+,.0f} this night" if fresh else "none this night")


def _awaited(night: Night) -> Iterator[Awaited]:
    """The windows whose labels are still coming, those that mature first first."""
    for window in night.recent:
        if night.now.is_final(window.start) or window.start not in night.now.windows:
            continue
        coverage = night.now.fact(window.start, "labels.coverage")
        scored = coverage.n if coverage else round(night.now.value(window.start, "operations.total_requests") or 0)
        if not scored:
            continue
        expected = night.now.value(window.start, "labels.expected_final_coverage")
        came = night.now.value(window.start, "labels.n_labeled") or 0.0
        missing = max(0, round((1.0 if expected is None else expected) * scored - came))
        due = window.end + night.monitor.labels.matures_after
        yield Awaited(window, due, (coverage.value if coverage else None) or 0.0, missing)


def _any_final(night: Night) -> bool:
    return any(night.now.is_final(window.start) for window in night.recent)


def _backlog(night: Night, awaited: Sequence[Awaited]) -> str:
    if not awaited:
        return "Every window is final: no label is awaited." if _any_final(night) else "No label is awaited."
    missing, next_ = sum(one.missing for one in awaited), awaited[0].final_on
    return (
        f"About {count(missing, 'label')} of {count(len(awaited), 'window')} are still to come;"
        f" the next window is final from {next_:%Y-%m-%d %H:%M} UTC on."
    )
