"""Decide what is to be told: notices follow the state of an incident, not its transitions, and only if fresh."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.judge import due_at
from hindsight.verdicts.model import Heard, Incident, State, Verdict, implied, is_doubling
from hindsight.vocabulary.severity import Severity


def is_stale(verdict: Verdict, *, max_age: timedelta, judged_at: datetime) -> bool:
    """Say whether a verdict was judged too long after it was due to be news: it may open and close, but not tell."""
    return judged_at - verdict.due > max_age


def is_late(incident: Incident, rule: Rule, monitor: Monitor, *, judged_at: datetime) -> bool:
    """Say whether the newest of what an incident is made of, its end where it has one, was judged too late for news."""
    end = incident.news_of or incident.breaches[-1] + monitor.window
    return judged_at - due_at(monitor, rule, end) > monitor.max_age


def needs_notice(incident: Incident, *, fresh: bool, just_over: bool = False) -> State | None:
    """Return the state to announce now, or None.

    `fresh` says whether a fresh verdict of the incident's rule was just judged, `just_over` whether its end is news.
    Open and not yet told, or worse than it was told, or another number of its column moves: told. Closed after it was
    told: told. Opened and calm again between two looks: only a P0 is told, once, while that is news. Nothing is
    repeated: neither while it recovers, nor where what was told as over lasts longer by another rule but has not
    breached again.
    """
    if incident.state is State.OPEN and incident.told is State.OPEN:
        return State.OPEN if fresh and has_more_to_say(incident) else None
    if not fresh or incident.state is incident.told:
        return None
    if incident.told is None and incident.state is not State.OPEN:
        is_missed = incident.state is not State.WITHDRAWN and incident.severity is Severity.P0
        return incident.told_as if is_missed and just_over else None
    if incident.state is State.RECOVERING:
        return None
    if incident.state is State.OPEN and incident.told is State.RESOLVED and not breached_since(incident):
        return None
    return incident.state if State.OPEN in (incident.state, incident.told) else None


def breached_since(incident: Incident) -> bool:
    """Say whether an incident has breached since it was last told."""
    return incident.heard is None or incident.breaches[-1] > incident.heard.until


def has_more_to_say(incident: Incident) -> bool:
    """Say whether an incident is graver than people were told, or another number of its column moves."""
    known = incident.heard
    return known is not None and (is_graver(incident) or moves_otherwise(incident))


def is_graver(incident: Incident) -> bool:
    """Say whether an incident is graver than people were told."""
    return incident.heard is not None and incident.severity < incident.heard.severity


def moves_otherwise(incident: Incident) -> bool:
    """Say whether another number of an incident's column moves than those people were told of.

    That one has doubled wakes nobody: what hurts is told every day until somebody looks after it.
    """
    known, number = incident.heard, incident.number
    if known is None or not (number and known.numbers) or number in known.numbers:
        return False
    return incident.severity is Severity.P2 or not is_doubling(number)


def unattended(
    incidents: Iterable[Incident],
    repeat: Mapping[Severity, timedelta],
    acknowledged: Mapping[str, datetime],
    now: datetime,
) -> list[Incident]:
    """Return the open incidents that are told again, all of a case together.

    That is, when anything of the case was told last as long ago as `repeat` says of its gravest, and nobody
    acknowledged the case since; of a severity without a time, or with none, never.
    """
    cases: dict[str, list[Incident]] = defaultdict(list)
    for one in incidents:
        if one.state is State.OPEN and one.told is State.OPEN:
            cases[one.case].append(one)
    return [
        one for case, some in cases.items() if _is_unattended(some, repeat, acknowledged.get(case), now) for one in some
    ]


def _is_unattended(
    case: Sequence[Incident], repeat: Mapping[Severity, timedelta], acknowledged: datetime | None, now: datetime
) -> bool:
    last = max((one.heard.at for one in case if one.heard and one.heard.at), default=None)
    after = repeat.get(min(one.severity for one in case))
    if not after or last is None or now - last < after:
        return False
    return acknowledged is None or acknowledged < last


def told_with_its_case(incident: Incident) -> Incident:
    """Return an incident of which nothing was said because what was said of its case says it: no telling of its own."""
    return told_now(incident, incident.heard.at if incident.heard else None)


def told_now(incident: Incident, at: datetime | None) -> Incident:
    """Return an incident as it is when it has been told at a moment: what people know of it then."""
    before = incident.heard or Heard(incident.breaches[-1], incident.severity, 0)
    numbers = dict.fromkeys([*before.numbers, *filter(None, [incident.number, *implied(incident.number)])])
    worst = min(before.severity, incident.severity)
    heard = Heard(max(before.until, incident.breaches[-1]), worst, before.n + 1, tuple(numbers), at)
    return replace(incident, told=incident.told_as, heard=heard)


def why_silent(
    incident: Incident, rule: Rule, monitor: Monitor, *, judged_at: datetime, spokesman: str = "", silence: str = ""
) -> str:
    """Say why there is no mail about an incident whose state last changed when it was judged at `judged_at`.

    `spokesman` is the rule that tells of its newest breach in its place, `silence` who silenced it then; "" without.
    """
    if "email" not in rule.then:
        return "its rule mails nobody"
    way = incident.severity, rule.kind, rule.id, incident.series.segment
    if not monitor.receivers(*way) and not monitor.alertmanagers(*way):
        return "the monitor file names nobody to mail"
    if silence:
        return silence
    if incident.state is State.WITHDRAWN:
        return "withdrawn before it was told"
    if incident.told is not None:
        return "told with its case" if incident.case not in ("", incident.id) else "there was nobody to mail then"
    if is_late(incident, rule, monitor, judged_at=judged_at):
        late = judged_at - due_at(monitor, rule, incident.news_of or incident.breaches[-1] + monitor.window)
        return f"{late.days} days late" if late.days else f"{late.seconds // 3600} hours late"
    if spokesman:
        return f"{spokesman} tells of it"
    if incident.stands:
        return "waits for the digest" if incident.severity is Severity.P2 else "waits for the next verdict"
    return "over before it was told"
