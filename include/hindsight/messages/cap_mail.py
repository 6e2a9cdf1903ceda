"""Mails about mails: that no more are sent today, and how many were not sent yesterday."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from hindsight.messages.wording import headline, moment
from hindsight.monitors.model import Monitor
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.letters import Message
from hindsight.vocabulary.severity import Severity

MOST = 10  # incidents spelt out


def too_many(monitor: Monitor, at: datetime) -> Message:
    """Say that what comes later on that day is not sent."""
    cap = monitor.alerts.cap
    subject = f"[P1] {monitor.name}: more than {cap} message{'s' * (cap != 1)} on {at:%Y-%m-%d}"
    text = (
        f"What else is found of {monitor.name} until midnight UTC is not sent to you, P0 aside.\n"
        f"hindsight incidents {monitor.name} and its page show all of it. Is a rule too strict, or was it meant? "
        f"hindsight alerts {monitor.name} says what you were told; alerts.cap in the monitor file is the limit.\n"
    )
    return Message(subject, text, severity=Severity.P1)


def held_back(monitor: Monitor, day: date, count: int, lasting: Sequence[Incident]) -> Message:
    """Say how many messages of a day were not sent, and what of it lasts."""
    subject = f"[P2] {monitor.name}: and {count:,} more on {day:%Y-%m-%d}"
    were = "messages" if count != 1 else "message"
    text = (
        f"{count:,} {were} about {monitor.name} not sent to you on {day:%Y-%m-%d}, beyond the "
        f"{monitor.alerts.cap} a day of alerts.cap.\n"
        f"{''.join(_lasting(monitor, lasting))}"
        f"hindsight incidents {monitor.name} and its page show what they told.\n"
    )
    return Message(subject, text)


def _lasting(monitor: Monitor, incidents: Sequence[Incident]) -> Iterator[str]:
    rules = {rule.id: rule for rule in monitor.rules}
    known = [one for one in incidents if one.series.rule in rules]
    if known:
        yield "What they told and lasts:\n"
    for one in known[:MOST]:
        said = headline(rules[one.series.rule], one)
        yield f"- {one.severity} {said}, since {moment(one.started, monitor.window)}\n"
    if len(known) > MOST:
        yield f"- and {len(known) - MOST:,} more\n"
