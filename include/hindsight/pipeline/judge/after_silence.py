"""After a silence: what lasts longer than people wished not to hear of it is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.alerts import promise
from hindsight.pipeline.judge.incidents_to_tell import AT_ONCE, fresh, split
from hindsight.pipeline.judge.silences import AFTER, silences_of
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import State
from hindsight.verdicts.notices import needs_notice, told_now
from hindsight.verdicts.silence import Silence, audible


def tell_what_lasts(monitors: Iterable[Monitor], resources: Resources, *, now: datetime) -> list[str]:
    """Tell of what is open at P0 or P1 and was silenced until lately; return the names of the monitors concerned.

    What is P2 waits for the next digest, as ever. Once told it is not told again, so any number of relays may ask.
    """
    return [monitor.name for monitor in monitors if _ended(monitor, resources, now) and _tell(monitor, resources, now)]


def _ended(monitor: Monitor, resources: Resources, now: datetime) -> list[Silence]:
    with resources.ledger.reading() as connection:
        given = silences_of(monitor, connection, now, since=now - AFTER)
    return [one for one in given if one.until <= now]


def _tell(monitor: Monitor, resources: Resources, now: datetime) -> bool:
    with resources.ledger.locked(monitor.name) as tx:
        given = silences_of(monitor, tx.connection, now, since=now - AFTER)
        over = [one for one in given if one.until <= now]
        opened = [i for i in tx.incidents(states=[State.OPEN]) if i.severity in AT_ONCE and needs_notice(i, fresh=True)]
        waited = [i for i in opened if any(one.concerns(i.series) for one in over)]
        lately = tx.histories({i.series for i in waited}, now - AFTER - monitor.max_age - monitor.labels.matures_after)
        news = fresh(monitor, [verdicts[-1] for verdicts in lately.values()], now)
        due, silent = split(monitor, tx, [i for i in waited if i.series in news])
        due, _ = audible(due, given, now)
        cause = f"silence until {max(one.until for one in over):%Y-%m-%dT%H:%MZ}"
        promise(monitor, due, tx, cause=cause, retraining=None, moved={}, at=now, after=given)
        tx.save_incidents(map(told_now, [*due, *silent]), now)
    return bool(due)
