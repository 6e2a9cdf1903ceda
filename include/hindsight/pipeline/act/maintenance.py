"""Maintenance: notice monitors that fell silent, close what is watched no more, forget the old."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from hindsight.ledger.caps import held_back
from hindsight.ledger.heartbeats import at_rest, beat, heartbeats
from hindsight.messages import cap_mail
from hindsight.monitors.due import is_behind, missed_night
from hindsight.monitors.model import Monitor
from hindsight.monitors.retention import Retention
from hindsight.pipeline.act.delivery import promise
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.pipeline.act.retention import expire
from hindsight.pipeline.judge.retirement import close_retired
from hindsight.pipeline.measure.renaming import take_over_all
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.letters import Letter, Message, letters
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.severity import Severity

HELD_BACK_FOR = timedelta(days=7)  # how late it may be said what was not sent on a day
LONGEST_WRITE = timedelta(days=1)  # what was begun before and is not whole, nobody is still writing


def maintain(
    monitors: Collection[Monitor],
    resources: Resources,
    *,
    now: datetime,
    resumed: Mapping[str, datetime] = MappingProxyType({}),
    paused: Collection[str] = (),
    all_there: bool = False,
) -> dict[str, Any]:
    """Tell once a day of every active monitor that has not reported for two windows or missed a night, and tidy up.

    `resumed` says when the latest pause of a monitor ended: it counts as silent only from then on. Of those
    `paused` in Airflow, whose file says they are active, it is said that they are. Incidents of
    archived monitors are closed; those of monitors without a file too, but only where `all_there` says that `monitors`
    are all there are: a folder that is not mounted, or a broken file, is no removal.
    """
    apart = take_over_all(monitors, resources, now=now)
    active = [monitor for monitor in monitors if monitor.state == "active"]
    silent = [m for m in active if _is_silent(m, resources, now, since=resumed.get(m.name))]
    for monitor in silent:
        _tell_silence(monitor, resources, now, is_paused=monitor.name in paused)
    for monitor in active:
        _tell_held_back(monitor, resources, now)
    others = [monitor for monitor in active if monitor not in silent]
    unlabelled = [m for m in others if _unlabelled(m, resources, now, since=resumed.get(m.name))]
    for monitor in unlabelled:
        _tell_missed_night(monitor, resources, now)
    return {
        "silent": [monitor.name for monitor in silent],
        "unlabelled": [monitor.name for monitor in unlabelled],
        **({"not taken over": apart} if apart else {}),
        "closed": close_retired(monitors, resources, at=now, all_there=all_there),
        "expired": {monitor.name: gone for monitor in monitors if (gone := expire(monitor, resources, now=now))},
        "forgotten": _forget_others(monitors, resources, now),
        "leftovers": resources.store.remove_leftovers(now - LONGEST_WRITE),
        "folded": {monitor.name: fold_snapshots(monitor.name, resources, now=now) for monitor in monitors},
    }


def _forget_others(monitors: Collection[Monitor], resources: Resources, now: datetime) -> int:
    """Forget the texts of old mails of monitors whose files are gone: nothing else of theirs is touched."""
    return resources.ledger.forget_bodies(now - Retention().messages, but={monitor.name for monitor in monitors})


def _is_silent(monitor: Monitor, resources: Resources, now: datetime, *, since: datetime | None) -> bool:
    newest = resources.store.newest(monitor.name, Kind.OPERATIONS)
    return is_behind(monitor, newest.end if newest else None, now, since)


def _unlabelled(monitor: Monitor, resources: Resources, now: datetime, *, since: datetime | None) -> bool:
    """Whether a night of labels was missed by a monitor that has reported windows."""
    last = resources.ledger.last_night(monitor.name, before=now)
    is_missed = missed_night(monitor, last, now, since) is not None
    return is_missed and resources.store.newest(monitor.name, Kind.OPERATIONS) is not None


def _tell_silence(monitor: Monitor, resources: Resources, now: datetime, *, is_paused: bool) -> None:
    subject = f"[P1] {monitor.name} has not reported for two windows"
    due = now - monitor.lateness - 2 * monitor.window
    text = (
        f"No window of {monitor.name} was checked after {due:%Y-%m-%d %H:%M} UTC.\n"
        f"{_PAUSED if is_paused else _LOOK}".format(monitor.name)
    )
    promise(monitor, f"silence {now:%Y-%m-%d}", Message(subject, text, severity=Severity.P1), resources, now)


def _tell_missed_night(monitor: Monitor, resources: Resources, now: datetime) -> None:
    subject = f"[P1] {monitor.name}: no labels were looked at for a night"
    text = (
        f"The night of labels of {monitor.name} is held at {monitor.night_schedule!r} (cron, UTC) and was missed.\n"
        f"Look at the DAG labels__{monitor.name} in Airflow: is it paused, failing, or is the scheduler down?\n"
    )
    promise(monitor, f"missed night {now:%Y-%m-%d}", Message(subject, text, severity=Severity.P1), resources, now)


def _tell_held_back(monitor: Monitor, resources: Resources, now: datetime) -> None:
    """Say, the day after or as soon as maintenance is at work again, to whom messages of a day were not sent."""
    with resources.ledger.reading() as connection:
        days = held_back(connection, monitor.name, now - HELD_BACK_FOR, now)
    if not days:
        return
    standing = sorted(resources.ledger.incidents(monitor.name, open_only=True), key=lambda one: one.severity)
    with resources.ledger.locked(monitor.name) as tx:
        for (receiver, day), held in days.items():
            lasting = [one for one in standing if one.id in held.incidents]
            message = cap_mail.held_back(monitor, day, held.count, lasting)
            tx.queue([_of_day(monitor, receiver, day, message)], now)


def _of_day(monitor: Monitor, receiver: str, day: date, message: Message) -> Letter:
    """Address what is told of a day once, whatever else is known of that day later."""
    return Letter(monitor.name, f"held back {day:%Y-%m-%d}", receiver, message, about="held back")


def watch_over(part: str, monitors: Collection[Monitor], resources: Resources, *, now: datetime) -> list[str]:
    """Note that a part, the relay or the maintenance, is at work; tell once a day of another that is not.

    Everyone whom any active monitor mails is told, once. Returns the parts that rest for too long.
    """
    beat(resources.ledger, part, now)
    resting = {name: last for name, last in at_rest(resources.ledger, now).items() if name != part}
    for name, last in resting.items():
        _tell_rest(name, last, monitors, resources, now)
    return list(resting)


def is_due_again(part: str, resources: Resources, *, now: datetime, every: timedelta) -> bool:
    """Say whether something was not done for so long, and note that it is done now."""
    last = heartbeats(resources.ledger).get(part)
    is_due = last is None or now - last >= every
    if is_due:
        beat(resources.ledger, part, now)
    return is_due


def _tell_rest(part: str, last: datetime, monitors: Collection[Monitor], resources: Resources, now: datetime) -> None:
    subject = f"[P1] hindsight__{part} stands still since {last:%Y-%m-%d %H:%M} UTC"
    text = (
        f"{_DUTIES[part]}\n"
        f"Look at the DAG hindsight__{part} in Airflow: is it paused, failing, or is the scheduler down?\n"
        f"hindsight doctor says how every part does.\n"
    )
    message, told = Message(subject, text, severity=Severity.P1), set[str]()
    for monitor in sorted(monitors, key=lambda one: one.name):
        fresh = [
            address for address in monitor.receivers(Severity.P1) if address not in told and monitor.state == "active"
        ]
        told.update(fresh)
        if not fresh:
            continue
        with resources.ledger.locked(monitor.name) as tx:
            cause = f"{part} at rest {now:%Y-%m-%d}"
            tx.queue(letters(message, monitor=monitor.name, cause=cause, recipients=fresh), now)


_LOOK = "Look at the DAG monitor__{} in Airflow: is it paused, failing, or is the scheduler down?\n"
_PAUSED = (
    "Its DAG monitor__{} is paused in Airflow. Go on there, or write state: paused in its file, where it is meant: "
    "then nobody is told.\n"
)
_DUTIES = {
    "relay": "Mail that waits is not sent between windows, and no DAG that was asked for is started.",
    "maintenance": "Nobody is told of monitors that fall silent, nothing is folded, and what has expired stays.",
}
