"""Reminders: what lasts is told again while nobody looks after it, and when the silence it was in is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from hindsight.ledger.acknowledgements import acknowledgements
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.alerts import promise
from hindsight.pipeline.judge.incidents_to_tell import AT_ONCE, fresh, split
from hindsight.pipeline.judge.silences import AFTER, silences_of
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import Incident, State
from hindsight.verdicts.notices import needs_notice, needs_reminder, told_now
from hindsight.verdicts.silence import Silence, audible, no_longer_silent


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
        and _may_wait(monitor, opened[monitor.name], now)
        and _tell(monitor, resources, now)
    ]


def _may_wait(monitor: Monitor, opened: Sequence[Incident], now: datetime) -> bool:
    """Whether any may be due: asked without the lock, so that a tick with nothing to do costs next to nothing."""
    grave = _grave(opened)
    return any(needs_notice(one, fresh=True) or needs_reminder(one, monitor.alerts.repeat, None, now) for one in grave)


def _grave(incidents: Iterable[Incident]) -> list[Incident]:
    return [one for one in incidents if one.state is State.OPEN and one.severity in AT_ONCE]


def _tell(monitor: Monitor, resources: Resources, now: datetime) -> bool:
    with resources.ledger.locked(monitor.name) as tx:
        silences = silences_of(monitor, tx.connection, now, since=now - AFTER)
        opened = _fresh(monitor, tx, _grave(tx.incidents(states=[State.OPEN])), now)
        waited = [one for one in opened if needs_notice(one, fresh=True) and _was_silent(one, silences, now)]
        due, silent = split(monitor, tx, waited)
        again = _unattended(monitor, tx, opened, now)
        due, _ = audible([*due, *again], silences, now)
        why = no_longer_silent(due, silences, now) or _unanswered(monitor, due)
        promise(monitor, due, tx, cause=f"reminder {now:%Y-%m-%dT%H:%MZ}", moved={}, at=now, why_now=why)
        tx.save_incidents([told_now(one, now) for one in (*due, *silent)], now)
    return bool(due)


def _fresh(monitor: Monitor, tx: Transaction, opened: Sequence[Incident], now: datetime) -> list[Incident]:
    """Return those whose newest verdict is news, of rules that there are: what is old may stand, and is not told."""
    rules = {rule.id for rule in monitor.rules}
    series = {one.series for one in opened if one.series.rule in rules}
    since = now - monitor.max_age - max(monitor.lateness, monitor.labels.matures_after) - monitor.window
    histories = tx.histories(series, since) if series else {}
    news = fresh(monitor, [verdicts[-1] for verdicts in histories.values()], now)
    return [one for one in opened if one.series in news]


def _was_silent(incident: Incident, silences: Iterable[Silence], now: datetime) -> bool:
    return any(one.until <= now and one.concerns(incident.series) for one in silences)


def _unattended(monitor: Monitor, tx: Transaction, opened: Sequence[Incident], now: datetime) -> list[Incident]:
    last = {one.case: one.at for one in acknowledgements(tx.connection, monitor.name)}
    return [one for one in opened if needs_reminder(one, monitor.alerts.repeat, last.get(one.case), now)]


def _unanswered(monitor: Monitor, due: Sequence[Incident]) -> str:
    how = f"hindsight ack {monitor.name} {due[0].case}" if due else ""
    return f"It is still open, and nobody has said that they look after it: {how}" if due else ""
