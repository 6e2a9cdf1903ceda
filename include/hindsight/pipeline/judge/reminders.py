"""Reminders: what lasts is told again while nobody looks after it, and when the silence it was in is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger.acknowledgements import acknowledgements
from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.alerts import promise
from hindsight.pipeline.judge.incidents_to_tell import split, still_news
from hindsight.pipeline.judge.silences import remembered_for, silences_of
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import Incident, State
from hindsight.verdicts.notices import needs_notice, told_now, told_with_its_case, unattended
from hindsight.verdicts.silence import Silence, audible, no_longer_silent
from hindsight.vocabulary.severity import AT_ONCE


def tell_what_lasts(monitors: Iterable[Monitor], resources: Resources, *, now: datetime) -> list[str]:
    """Tell of what is open at P0 or P1 and was silenced until lately, or was told long ago and nobody acknowledged.

    What is P2 waits for the next digest, as ever. Returns the names of the monitors concerned. Any number of relays may
    ask: what was told is not told again before its time.
    """
    opened: dict[str, list[Incident]] = defaultdict(list)
    for incident in resources.ledger.incidents(open_only=True):
        opened[incident.monitor].append(incident)
    return [
        monitor.name
        for monitor in monitors
        if monitor.state == "active"
        and _may_be_due(monitor, opened[monitor.name], resources, now)
        and _tell(monitor, resources, now)
    ]


def _may_be_due(monitor: Monitor, opened: Sequence[Incident], resources: Resources, now: datetime) -> bool:
    """Whether anything may be: asked without the lock, so that a tick with nothing to do costs next to nothing."""
    grave = _grave(opened)
    if any(needs_notice(one, fresh=True) for one in grave):
        return True
    if not unattended(grave, monitor.alerts.repeat, {}, now):
        return False
    with resources.ledger.reading() as connection:
        return bool(unattended(grave, monitor.alerts.repeat, _answers(connection, monitor), now))


def _answers(connection: sa.Connection, monitor: Monitor) -> dict[str, datetime]:
    return {one.case: one.at for one in acknowledgements(connection, monitor.name)}


def _grave(incidents: Iterable[Incident]) -> list[Incident]:
    return [one for one in incidents if one.state is State.OPEN and one.severity in AT_ONCE]


def _tell(monitor: Monitor, resources: Resources, now: datetime) -> bool:
    with resources.ledger.locked(monitor.name) as tx:
        silences = silences_of(monitor, tx.connection, now, since=now - remembered_for(monitor))
        opened = still_news(monitor, tx, _grave(tx.incidents(states=[State.OPEN])), now)
        waited = [one for one in opened if needs_notice(one, fresh=True) and _was_silent(one, silences, now)]
        new, silent = split(monitor, tx, waited)
        new, _ = audible(new, silences, now)
        again, _ = audible(
            unattended(opened, monitor.alerts.repeat, _answers(tx.connection, monitor), now), silences, now
        )
        why = no_longer_silent(new, silences, now) or _unanswered(monitor, [*new, *again])
        due = [*new, *(one for one in again if one not in new)]
        promise(monitor, due, tx, cause=f"reminder {now:%Y-%m-%dT%H:%MZ}", moved={}, at=now, why_now=why)
        tx.save_incidents([*(told_now(one, now) for one in due), *map(told_with_its_case, silent)], now)
    return bool(due)


def _was_silent(incident: Incident, silences: Iterable[Silence], now: datetime) -> bool:
    return any(one.until <= now and one.concerns(incident.series) for one in silences)


def _unanswered(monitor: Monitor, due: Sequence[Incident]) -> str:
    how = f"hindsight ack {monitor.name} {due[0].case}" if due else ""
    return f"It is still open, and nobody has said that they look after it: {how}" if due else ""
