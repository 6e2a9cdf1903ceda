"""Mails about mails: that no more are sent today, and how many were not sent yesterday."""

from __future__ import annotations

from datetime import datetime

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.letters import Message
from hindsight.vocabulary.severity import Severity


def too_many(monitor: Monitor, at: datetime) -> Message:
    """Say that what comes later on that day is not sent."""
    subject = f"[P1] {monitor.name}: more than {monitor.alerts.cap} messages on {at:%Y-%m-%d}"
    text = (
        f"What else is found of {monitor.name} until midnight UTC is not sent to you, P0 aside.\n"
        f"hindsight incidents {monitor.name} and its page show all of it. Is a rule too strict, or was it meant? "
        f"hindsight alerts {monitor.name} says what you were told; alerts.cap in the monitor file is the limit.\n"
    )
    return Message(subject, text, severity=Severity.P1)


def held_back(monitor: Monitor, day: datetime, count: int) -> Message:
    """Say how many messages of a day were not sent."""
    subject = f"[P2] {monitor.name}: and {count:,} more on {day:%Y-%m-%d}"
    text = (
        f"{count:,} messages about {monitor.name} were not sent to you on {day:%Y-%m-%d}, beyond the "
        f"{monitor.alerts.cap} a day of alerts.cap.\n"
        f"hindsight incidents {monitor.name} and its page show what they told.\n"
    )
    return Message(subject, text)
