"""Decide what is to be told: notices follow the state of an incident, not its transitions, and only if fresh."""

from __future__ import annotations

from datetime import datetime, timedelta

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.judge import due_at
from hindsight.verdicts.model import Incident, State, Verdict
from hindsight.vocabulary.severity import Severity


def is_stale(verdict: Verdict, *, max_age: timedelta, judged_at: datetime) -> bool:
    """Say whether a verdict was judged too long after it was due to be news: it may open and close, but not tell."""
    return judged_at - verdict.due > max_age


def is_late(incident: Incident, rule: Rule, monitor: Monitor, *, judged_at: datetime) -> bool:
    """Say whether the newest of what an incident is made of, its end where it has one, was judged too late for news."""
    end = incident.ended or incident.breaches[-1] + monitor.window
    return judged_at - due_at(monitor, rule, end) > monitor.max_age


def needs_notice(incident: Incident, *, fresh: bool, just_over: bool = False) -> State | None:
    """Return the state to announce now, or None.

    `fresh` says whether a fresh verdict of the incident's rule was just judged, `just_over` whether its end is news.
    Open and not yet told: told. Closed after it was told: told. Opened and closed between two looks: only a P0 is told,
    once, while that is news. Nothing is repeated.
    """
    if not fresh or incident.state is incident.told:
        return None
    if incident.state is State.OPEN or incident.told is State.OPEN:
        return incident.state
    was_missed = incident.told is None and incident.state is State.RESOLVED and incident.severity is Severity.P0
    return State.RESOLVED if was_missed and just_over else None


def why_silent(incident: Incident, rule: Rule, monitor: Monitor, *, judged_at: datetime, spokesman: str = "") -> str:
    """Say why there is no mail about an incident whose state last changed when it was judged at `judged_at`.

    `spokesman` is the rule that tells of its newest breach in its place, "" without one.
    """
    if "email" not in rule.then:
        return "its rule mails nobody"
    if not monitor.alerts.email:
        return "the monitor file names nobody to mail"
    if incident.state is State.WITHDRAWN:
        return "withdrawn before it was told"
    if incident.told is not None:
        return "told with its case" if incident.case not in ("", incident.id) else "there was nobody to mail then"
    if is_late(incident, rule, monitor, judged_at=judged_at):
        late = judged_at - due_at(monitor, rule, incident.ended or incident.breaches[-1] + monitor.window)
        return f"{late.days} days late" if late.days else f"{late.seconds // 3600} hours late"
    if spokesman:
        return f"{spokesman} tells of it"
    if incident.state is State.OPEN:
        return "waits for the digest" if incident.severity is Severity.P2 else "waits for the next verdict"
    return "over before it was told"
