"""The review of a week or a month, for those who own the monitors: what happened, and the quiet ones in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hindsight.messages import wording
from hindsight.messages.incident_mail import rendered
from hindsight.verdicts.review_words import Said, counted
from hindsight.vocabulary.letters import Message
from hindsight.vocabulary.periods import Period

MOST = 20  # monitors spelt out, and as many quiet ones named; the rest is counted
PROMISE = "Sent once for each {kind}; HINDSIGHT_REVIEW says how often. Nothing in it is urgent."
_COLOUR = "#1f5fa8"


@dataclass(frozen=True, slots=True)
class Part:
    """What there is to say of one monitor, each sentence under its topic."""

    monitor: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReviewMail:
    """A review as its template shows it; every text in it is clean and none is HTML."""

    subject: str
    whose: str
    period: str
    headline: str
    parts: tuple[Part, ...]
    more: int
    quiet: str
    link: str
    promise: str
    runbook: str = ""

    @property
    def preview(self) -> str:
        """What an inbox shows beside the subject."""
        return self.headline


def compose_review(owner: str, period: Period, reviews: Sequence[Said], headline: str, *, link: str = "") -> Message:
    """Make the message about a period of an owner's monitors, which are in the order they are to be told in."""
    loud = [one for one in reviews if not one.quiet]
    whose = wording.clean(owner, 80) or "monitors that nobody owns"
    view = ReviewMail(
        subject=wording.clean(f"[review] {whose}, {period.kind} {period.name}: {headline}", 160),
        whose=whose,
        period=period.said,
        headline=headline[:1].upper() + headline[1:],
        parts=tuple(_part(one) for one in loud[:MOST]),
        more=max(len(loud) - MOST, 0),
        quiet=_quiet([one for one in reviews if one.quiet]) if loud else "",
        link=wording.web_link(link),
        promise=PROMISE.format(kind=period.kind),
    )
    return Message(view.subject, _as_text(view), rendered("review.html.j2", view=view, colour=_COLOUR))


def _part(one: Said) -> Part:
    lines = ((topic, wording.clean(text, 300)) for topic, text in one.lines())
    return Part(wording.clean(one.monitor, 80), tuple(lines))


def _quiet(reviews: Sequence[Said]) -> str:
    if not reviews:
        return ""
    named = ", ".join(one.monitor for one in reviews[:MOST])
    more = f" and {counted(len(reviews) - MOST, 'more monitor')}" if len(reviews) > MOST else ""
    return f"Nothing happened: {named}{more}"


def _as_text(view: ReviewMail) -> str:
    said = [f"{view.headline}."]
    for part in view.parts:
        said += ["", part.monitor, *(f"  {topic}: {text}" for topic, text in part.lines)]
    said += ["", f"and {counted(view.more, 'more monitor')}, on the page"] if view.more else []
    said += ["", view.quiet] if view.quiet else []
    said += ["", f"In Airflow: {view.link}"] if view.link else []
    return "\n".join([f"Review of {view.whose}, {view.period}", "", *said, "", view.promise, ""])
