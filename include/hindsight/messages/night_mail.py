"""Nightly: the mail about a night of labels alone, for those whose monitor file asks for one."""

from __future__ import annotations

from dataclasses import dataclass

from hindsight.messages import wording
from hindsight.messages.chart import WIDTH_PX
from hindsight.messages.incident_mail import chart, rendered
from hindsight.messages.night_note import NightNote
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.letters import Message
from hindsight.vocabulary.severity import Severity

PROMISE = "Sent because the monitor file says alerts.report; nothing in it asks for anything to be done."
_COLOUR = "#1f5fa8"


@dataclass(frozen=True, slots=True)
class NightView:
    """A mail about a night as its template shows it; every text in it is clean and none is HTML."""

    subject: str
    monitor: str
    model: str
    owner: str
    note: NightNote
    chart: str
    link: str
    runbook: str = ""
    promise: str = PROMISE
    chart_width: int = WIDTH_PX

    @property
    def preview(self) -> str:
        """What an inbox shows beside the subject."""
        return " ".join(self.note.sentences)


def compose_night(monitor: Monitor, note: NightNote, *, link: str = "") -> Message:
    """Make the message about a night: its sentences, what changed, the course of accuracy, what is open.

    Should the chart or the HTML fail, the text goes out without it.
    """
    note = note.cleaned()
    png = chart(note.points, note.reference, "")
    view = NightView(
        subject=wording.clean(f"[labels] {monitor.name}: {' '.join(note.sentences)}", 160),
        monitor=monitor.name,
        model=wording.clean(monitor.model.name, 80),
        owner=wording.clean(monitor.owner, 80),
        note=note,
        chart=_caption(note) if png else "",
        link=wording.web_link(link),
    )
    html = rendered("report.html.j2", view=view, colour=_COLOUR)
    return Message(view.subject, _as_text(view), html, png, Severity.P2)


def _caption(note: NightNote) -> str:
    dashed = f"; dashed: {note.reference_text}" if note.reference_text else ""
    return f"{note.metric} over the last {len(note.points)} windows, hollow while labels are coming{dashed}"


def _as_text(view: NightView) -> str:
    opened = ["Open", *(f"  {line}" for line in view.note.opened), ""] if view.note.opened else []
    labelled = [("In Airflow", view.link), ("Model", view.model), ("Owner", view.owner)]
    said = [f"{label}: {text}" for label, text in labelled if text]
    return "\n".join([view.subject, "", *view.note.as_text(), *opened, *said, "", view.promise, ""])
