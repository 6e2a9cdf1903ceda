"""The pages people see in Airflow, as pure functions from plain data to HTML.

Nothing is loaded but scripts and styles of this package; without them a page says as much.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from hindsight.reports.assets import NAMES
from hindsight.reports.case import Act, Findings
from hindsight.reports.charts import Chart, Mark, Unit, draw, moment, moved, spanned, written
from hindsight.reports.heat import HeatMap
from hindsight.reports.plots import payload, thinned
from hindsight.reports.quadrant import Quadrant
from hindsight.reports.selection import Choices, Selection
from hindsight.verdicts.model import STANDING, State
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window

LONGEST_TEXT = 300
MOST_DRIFTED = 10  # columns that are spelt out; the rest is counted
LISTED = 200  # names offered, or happenings told; of the rest it is said how many
_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
_UNPRINTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""The header to serve the pages with: their one style sheet may apply, everything else may not."""

FOLLOWING = CONTENT_SECURITY_POLICY.replace("style-src ", "script-src 'self'; style-src ")
"""The same for a page in Airflow, which follows its light and dark by a script of this server; none stands in it."""

ANSWERING = FOLLOWING.replace("form-action 'none'", "form-action 'self'")
"""The same for a page whose answers go back to where it came from."""

CHARTING = ANSWERING.replace("style-src ", "style-src 'self' ")
"""The same for a page with charts: styles of this server may be loaded too."""

Health = Literal["healthy", "warning", "critical", "unknown"]


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads somewhere: a path of this server or an http(s) address."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Labels:
    """How far labels are judged: to which window, how many windows are late by what the file expects, and in words."""

    judged: datetime | None = None
    late: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class MonitorCard:
    """A monitor in the list; `open` counts its open incidents by severity, `recovering` those calm now.

    `worst` leads to the case of the gravest, which began at `since`.
    """

    name: str
    href: str
    state: Literal["active", "paused", "archived"]
    health: Health = "unknown"
    description: str = ""
    owner: str = ""
    task: str = ""
    criticality: str = "medium"
    last_window: Window | None = None
    open: Mapping[Severity, int] = field(default_factory=dict)
    recovering: int = 0
    worst: Link | None = None
    since: datetime | None = None
    labels: Labels = field(default_factory=Labels)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the latest window, None where it was not evaluated and `note` says why."""

    name: str
    value: float | None
    unit: Unit = "number"
    reference: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident as it is told: `about` is its feature, segment or version, `done` what was done, oldest first."""

    rule: str
    severity: Severity
    state: State
    started: datetime
    ended: datetime | None = None
    about: str = ""
    value: float | None = None
    threshold: float | None = None
    unit: Unit = "number"
    reason: str = ""
    done: tuple[str, ...] = ()
    advice: str = ""
    runbook: Link | None = None
    case: Link | None = None


@dataclass(frozen=True, slots=True)
class SloRow:
    """An SLO: what is good, what is promised, the share of its budget that is left, and how fast that burns."""

    name: str
    good: str
    target: str
    left: float | None
    burn_short: str
    burn_long: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What may be answered to a case: `token` goes back with an answer; `muted` and `usual` say what it is about."""

    token: str
    muted: tuple[str, ...]
    usual: tuple[str, ...] = ()
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything the page of one case shows; `answers` is None where it is over, or may not be answered."""

    monitor: str
    id: str
    title: str
    severity: Severity
    as_of: datetime
    incidents: tuple[IncidentRow, ...]
    timeline: tuple[tuple[datetime, str], ...] = ()
    answers: Answers | None = None
    findings: Findings = field(default_factory=Findings)
    token: str = ""  # with which rows may be asked for, over or not; "" for those who may not
    damaged: tuple[str, ...] = ()  # what is wrong with which snapshot, of those that are left out
    asked: str = ""  # the id it was asked for by, which `token` was made for


@dataclass(frozen=True, slots=True)
class Hanging:
    """A DAG that no file makes any more, and how many of its runs wait."""

    dag: str
    runs: int


@dataclass(frozen=True, slots=True)
class MonitorView:
    """Everything the page of one monitor shows, as it was known at `as_of`."""

    card: MonitorCard
    as_of: datetime
    numbers: tuple[Number, ...] = ()
    charts: tuple[Chart, ...] = ()
    incidents: tuple[IncidentRow, ...] = ()
    reports: tuple[Link, ...] = ()
    accuracy: Link | None = None
    back: Link | None = None
    drifted: tuple[Number, ...] = ()
    slos: tuple[SloRow, ...] = ()
    advice: tuple[str, ...] = ()  # what of the file does not go with what is on record, and what to do
    damaged: tuple[str, ...] = ()  # what is wrong with which snapshot, of those that are left out
    selection: Selection = field(default_factory=Selection)
    choices: Choices = field(default_factory=Choices)
    happened: tuple[Mark, ...] = ()  # newest first
    heat: HeatMap | None = None
    quadrant: Quadrant | None = None


def monitor_page(view: MonitorView) -> str:
    """Return the page of one monitor: its latest numbers, its time series, its incidents and its reports."""
    newest_first = sorted(view.incidents, key=lambda incident: incident.started, reverse=True)
    opened = [incident for incident in newest_first if incident.state in STANDING]
    return render(
        "monitor.html.j2",
        view=view,
        card=view.card,
        opened=sorted(opened, key=lambda incident: (STANDING.index(incident.state), incident.severity)),
        past=[incident for incident in newest_first if incident.state not in STANDING],
        charts=[(chart, draw(_thin(chart))) for chart in view.charts],
        payload=Markup(payload(view.charts, _printable)),  # noqa: S704  nothing in it can end the element
        signs={mark.kind for mark in view.happened},
        chart_query=lambda chart: f"{view.selection.query()}&chart={quote(chart.key)}".replace("?&", "?"),
        feature_query=lambda feature: view.selection.query(span="", start=None, end=None, feature=feature),
        most=MOST_DRIFTED,
        listed=LISTED,
    )


def _thin(chart: Chart) -> Chart:
    more = tuple(replace(line, points=thinned(line.points)) for line in chart.more)
    return replace(chart, points=thinned(chart.points), more=more)


def case_page(view: CaseView) -> str:
    """Return the page of one case: what it is about, what happened when and, for those who may, its answers."""
    return render("case.html.j2", view=view)


def render(template: str, **data: Any) -> str:
    """Return a page of ours from its template: everything in `data` is escaped, the style sheet is in it."""
    style = Markup(_STYLE)  # noqa: S704  our own file
    return _environment.get_template(template).render(style=style, files=NAMES, severities=tuple(Severity), **data)


def _printable(value: object) -> object:
    """Cut long texts and take out what would reorder or hide others; markup of our own templates stays."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    cut = value if len(value) <= LONGEST_TEXT else value[: LONGEST_TEXT - 1] + "…"
    return _UNPRINTED.sub("\ufffd", cut)


def _href(address: str) -> str:
    """Return an address to link to, "#" for one that would run something."""
    return address if re.match(r"(https?://|/(?!/)|#|\?|[\w.-]+(/|$|\?))", address) else "#"


def _whole(text: str) -> Markup:
    """Return text for an attribute that goes back to us as it is: escaped, and never cut or cleaned for the eye."""
    return escape(text)


def _environment_of(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"written": written, "moved": moved, "moment": moment, "spanned": spanned}
    environment.filters |= {"href": _href, "whole": _whole}
    return environment


_environment = _environment_of(_TEMPLATES)
