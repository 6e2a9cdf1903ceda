"""Note what a night of labels changed for a mail: the accuracy report in a few lines, its numbers as mails say them."""

from __future__ import annotations

import logging
from datetime import datetime

from hindsight.messages.chart import Point
from hindsight.messages.night_note import NightNote, NoteRow
from hindsight.messages.wording import number
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.accuracy_report import accuracy_report, open_night
from hindsight.reports.night import AccuracyReport, Change, called, count, in_words
from hindsight.reports.pages import IncidentRow

logger = logging.getLogger(__name__)
MOST = 8  # windows in a mail; the rest is counted
MOST_OPEN = 8
CHARTED = 60


def night_note(
    monitor: Monitor, as_of: datetime, resources: Resources, *, since: datetime | None = None
) -> NightNote | None:
    """Return what changed since the night before, or since a moment; None where nothing did.

    Named boundary: whatever the report raises costs the note, never the mail it would stand in nor the night.
    """
    try:
        report = accuracy_report(open_night(monitor, as_of, resources, since=since), resources)
    except Exception:
        logger.exception("no note of the night monitor=%s as_of=%s", monitor.name, as_of)
        return None
    return _note(report, monitor, "this week" if since else "this night") if report.is_news else None


def _note(report: AccuracyReport, monitor: Monitor, period: str) -> NightNote:
    def say(value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.3f}" if report.unit == "share" else number("", value)

    spots, reference = report.course.spots[-CHARTED:], report.course.reference
    return NightNote(
        night=f"{report.night:%Y-%m-%d %H:%M} UTC",
        period=period,
        sentences=tuple(in_words(report, say)),
        metric=report.metric,
        rows=tuple(_row(change, monitor, say(change.before), say(change.now)) for change in report.changes[:MOST]),
        more=max(0, len(report.changes) - MOST),
        backlog=report.backlog,
        opened=tuple(_opened(row) for row in report.opened[:MOST_OPEN]) + _more(len(report.opened) - MOST_OPEN),
        points=tuple(Point(s.start, s.value, provisional=not s.final, lower=s.lower, upper=s.upper) for s in spots),
        reference=reference,
        reference_text="" if reference is None else f"reference {say(reference)}",
    )


def _row(change: Change, monitor: Monitor, before: str, now: str) -> NoteRow:
    came = [
        count(change.added, "label") if change.added > 0 else "",
        count(change.corrected, "correction") if change.corrected else "",
        f"{change.coverage:.0%} in" if change.coverage is not None else "",
    ]
    return NoteRow(
        window=called(change.window, monitor.window),
        before=before,
        now=now,
        labels=", ".join(filter(None, came)),
        state="provisional" if not change.final else "final" if change.was_final else "now final",
    )


def _opened(row: IncidentRow) -> str:
    about = f" {row.about}" if row.about else ""
    return f"{row.severity}  {row.rule}{about}, since {row.started:%Y-%m-%d}"


def _more(left: int) -> tuple[str, ...]:
    return (f"and {left} more",) if left > 0 else ()
