"""Incident mail: all that one cause has to tell about a monitor, as one message that says first what matters most."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hindsight.messages import wording
from hindsight.messages.chart import WIDTH_PX, Point, draw
from hindsight.messages.night_note import NightNote
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.explain import GRADED
from hindsight.verdicts.model import Incident, State
from hindsight.vocabulary.letters import Fact, Message

if TYPE_CHECKING:
    from jinja2 import Template

logger = logging.getLogger(__name__)
MOST = 20  # incidents spelt out in one mail; the rest is counted
MOST_COLUMNS = 5  # drifted columns behind a share of them
BEFORE = 14  # windows before the first bad one that the page a mail leads to shows, too
PROMISE = (
    "One mail when an incident opens and one when it ends, and reminders of what is grave until somebody acknowledges "
    "it; should a copy come twice, its Message-ID is the same."
)
_ORDER = {State.OPEN: 0, State.RESOLVED: 1, State.WITHDRAWN: 2}


@dataclass(frozen=True, slots=True)
class Told:
    """One incident to tell, with the rule it broke and, for the chart, the windows around it, oldest first.

    Of drift, `columns` says which moved and how far (PSI), the weightiest first, and `weight` what such a move weighs.
    `note` is what was noted about its last window that breached. `measure` is what the points are of where that is not
    what the rule judges.
    """

    incident: Incident
    rule: Rule
    points: tuple[Point, ...] = ()
    columns: tuple[tuple[str, float], ...] = ()
    weight: float = inf
    note: str = ""
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at first, filled in by what is known; `code` is shown as it is written."""

    what: str
    known: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a mail adds to its incidents: why it may have come to it, what happens next, what else the night changed.

    `harm` says what is known of the quality of the model in the same window, `why_now` why it is told now, `checklist`
    what is known where something grave began.
    """

    likely_cause: str = ""
    next_step: str = ""
    link: str = ""
    note: NightNote | None = None
    harm: str = ""
    why_now: str = ""
    checklist: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One incident as a mail shows it."""

    state: State
    severity: str
    title: str
    since: str
    big: str
    caption: str
    lasted: str


@dataclass(frozen=True, slots=True)
class View:
    """A whole mail as the template and the text part show it; every text in it is clean and none is HTML."""

    subject: str
    severity: str
    monitor: str
    model: str
    owner: str
    first: Line
    lines: tuple[Line, ...]
    more: int
    advice: str
    likely_cause: str
    next_step: str
    runbook: str
    link: str
    answer: str
    promise: str
    chart: str
    chart_width: int
    waits: bool
    note: NightNote | None = None
    harm: str = ""
    why_now: str = ""
    checklist: tuple[Check, ...] = ()

    @property
    def preview(self) -> str:
        """What an inbox shows beside the subject."""
        return self.first.title


def facts(told: Sequence[Told]) -> tuple[Fact, ...]:
    """Return what is told as the (incident id, state) pairs a letter is keyed by."""
    return tuple((one.incident.id, one.incident.told_as) for one in told)


def compose(monitor: Monitor, told: Sequence[Told], context: Context = Context()) -> Message:
    """Make one message of everything told: open incidents first, the most severe at the top, drift by its weight.

    Raises ValueError where nothing is told. Should the chart or the HTML fail, the text goes out without it: a mail
    that looks plain is better than none.
    """
    if not told:
        raise ValueError(f"nothing to tell about {monitor.name}")
    ordered = ranked(told)
    first = ordered[0]
    limit = _limit(monitor, first)
    text = "" if limit is None else f"limit {wording.number(first.measure or first.rule.metric, limit)}"
    png = chart(first.points, limit, text)
    view = _view(monitor, ordered, context, chart=png is not None)
    html = rendered("mail.html.j2", view=view, colour=_COLOURS[view.severity])
    return Message(view.subject, as_text(view), html, png, first.incident.severity)


def _limit(monitor: Monitor, told: Told) -> float | None:
    if not told.measure:
        return told.incident.threshold
    return None if monitor.drift.threshold == "auto" else monitor.drift.threshold


def ranked(told: Iterable[Told]) -> list[Told]:
    """Return what is told in the order of a mail, which spells out the first MOST."""
    return sorted(told, key=_rank)


def _rank(told: Told) -> tuple[object, ...]:
    incident = told.incident
    return _ORDER[incident.told_as], incident.severity, -told.weight, incident.started


def chart(points: Sequence[Point], limit: float | None, text: str) -> bytes | None:
    """Named boundary: whatever a plotting library raises costs the chart, never the mail."""
    try:
        return draw(points, limit=limit, limit_text=text)
    except Exception:
        logger.exception("chart failed limit=%s", text)
        return None


def rendered(template: str, *, view: object, colour: str) -> str:
    """Named boundary: whatever a template raises costs the HTML part, never the mail."""
    try:
        return _template(template).render(view=view, colour=colour, State=State)
    except Exception:
        logger.exception("template failed template=%s", template)
        return ""


_COLOURS = {"P0": "#b42318", "P1": "#b54708", "P2": "#175cd3", "resolved": "#067647", "withdrawn": "#475467"}


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def _view(monitor: Monitor, told: Sequence[Told], context: Context, *, chart: bool) -> View:
    lines = tuple(_line(one, monitor.window) for one in told[:MOST])
    first, more = lines[0], len(told) - len(lines)
    badge = first.severity if first.state is State.OPEN else str(first.state)
    others = f", and {len(told) - 1} more" if len(told) > 1 else ""
    since = f" (since {first.since})" if first.state is State.OPEN else ""
    metric = told[0].measure or wording.metric_name(told[0].rule.metric)
    return View(
        subject=wording.clean(f"[{badge}] {monitor.name}: {first.title}{others}{since}", 160),
        severity=badge,
        monitor=monitor.name,
        model=wording.clean(monitor.model.name, 80),
        owner=wording.clean(monitor.owner, 80),
        first=first,
        lines=lines,
        more=more,
        advice=wording.advice(told[0].rule, context.likely_cause, monitor.name) if first.state is State.OPEN else "",
        likely_cause=wording.clean(context.likely_cause, 300),
        next_step=wording.clean(context.next_step, 300),
        runbook=wording.web_link(told[0].rule.runbook or monitor.alerts.runbook),
        link=wording.web_link(_page(told[0].incident, context.link, monitor.window)),
        answer=_answer(told[0], context.link),
        promise=PROMISE,
        chart=f"{metric} over the last {len(told[0].points)} windows" if chart else "",
        chart_width=WIDTH_PX,
        waits=chart and any(point.provisional for point in told[0].points),
        note=context.note.cleaned() if context.note else None,
        harm=wording.clean(context.harm, 300),
        why_now=wording.clean(context.why_now, 300),
        checklist=tuple(Check(one.what, _cleaned(one.known), one.code) for one in context.checklist),
    )


def _page(incident: Incident, link: str, window: timedelta) -> str:
    """Where people see what is told first: the monitor's page of these windows and some before, of that part of it."""
    if not link:
        return ""
    series, until = incident.series, max((*incident.breaches, incident.started)) + window
    part = {"version": series.model_version, "segment": series.segment, "feature": series.feature}
    span = {"from": f"{incident.started - BEFORE * window:%Y-%m-%dT%H:%MZ}", "to": f"{until:%Y-%m-%dT%H:%MZ}"}
    return f"{link}?{urlencode(span | {name: value for name, value in part.items() if value})}"


def _answer(first: Told, link: str) -> str:
    """Where people answer what is told first while it is open: the page of its case; reading it does nothing."""
    incident = first.incident
    page = f"{link}/cases/{incident.case or incident.id}" if link and incident.state is State.OPEN else ""
    return wording.web_link(page)


def _cleaned(text: str) -> str:
    return "\n".join(wording.clean(line, 600) for line in text.splitlines())


def _line(told: Told, size: timedelta) -> Line:
    incident = told.incident
    windows = len(incident.breaches)
    return Line(
        state=incident.told_as,
        severity=str(incident.severity),
        title=wording.clean(_title(told, size), 200),
        since=wording.moment(incident.started, size),
        big=_big(told),
        caption=wording.clean(_caption(told), 400),
        lasted=f"{windows} window{'' if windows == 1 else 's'}",
    )


def _title(told: Told, size: timedelta) -> str:
    if not told.incident.stands:
        return wording.ending(told.rule, told.incident, size, told.note)
    again = ", good again in its newest window" if told.incident.state is State.RECOVERING else ""
    return wording.headline(told.rule, told.incident, told.note) + again


def _big(told: Told) -> str:
    if told.rule.metric in GRADED or told.incident.value is None:
        return ""
    return wording.number(told.rule.metric, told.incident.value)


def _caption(told: Told) -> str:
    metric, threshold = told.rule.metric, told.incident.threshold
    if metric in GRADED:
        said_above = told.measure == "psi"
        return f"PSI {wording.number('psi', told.columns[0][1])}" if told.columns and not said_above else ""
    reference = wording.reference_of(told.rule, told.incident.threshold)
    parts = [
        wording.metric_name(metric) + wording.whose(told.incident.series),
        f"limit {wording.number(metric, threshold)}" if threshold is not None else "",
        f"reference {wording.number(metric, reference)}" if reference is not None else "",
        _columns(told),
    ]
    return " · ".join(part for part in parts if part)


def _columns(told: Told) -> str:
    first = told.columns[:MOST_COLUMNS]
    named = [f"{wording.clean(name, 40)} (PSI {wording.number('psi', psi)})" for name, psi in first]
    more = len(told.columns) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def as_text(view: View) -> str:
    """The same mail as plain text, also what is sent when the HTML fails."""
    parts = [view.subject, ""]
    for heading, state in (("Open", State.OPEN), ("Resolved", State.RESOLVED), ("Withdrawn", State.WITHDRAWN)):
        lines = [line for line in view.lines if line.state is state]
        if lines:
            parts += [heading, *(_as_text(line) for line in lines), ""]
    if view.more:
        parts += [f"… and {view.more} more", ""]
    labelled = [
        ("Likely cause", view.likely_cause),
        ("Why now", view.why_now),
        ("Does it hurt", view.harm),
        ("What to do", view.advice),
        ("Next", view.next_step),
        ("Runbook", view.runbook),
        ("In Airflow", view.link),
        ("Look after it, mute it or say it was meant", view.answer),
        ("Model", view.model),
        ("Owner", view.owner),
    ]
    parts += [f"{label}: {text}" for label, text in labelled if text]
    if view.checklist:
        parts += ["", "Checklist", *(f"  {one.what}: {one.known}".replace("\n", "\n    ") for one in view.checklist)]
    if view.note:
        parts += ["", *view.note.as_text()[:-1]]
    return "\n".join([*parts, "", view.promise, ""])


def _as_text(line: Line) -> str:
    if line.state is State.OPEN:
        about = f"; {line.caption}" if line.caption else ""
        return f"  {line.severity}  {line.title}\n      since {line.since}, {line.lasted}{about}"
    return f"  {line.severity}  {line.title}"
