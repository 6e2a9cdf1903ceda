"""Doctor: the state of every part Hindsight needs, each looked at for real; one that is ill hides no other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hindsight.errors import HindsightError
from hindsight.ledger import holds, tables
from hindsight.ledger.heartbeats import RESTS, heartbeats
from hindsight.ledger.records import Mail, MailState
from hindsight.monitors.due import is_behind, missed_night
from hindsight.monitors.loader import Loaded
from hindsight.monitors.model import Monitor
from hindsight.monitors.routes import ALERTMANAGER, EMAIL
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import format_duration
from hindsight.warehouse.examination import log, session

WAITED, GIVEN_UP = timedelta(hours=1), timedelta(days=7)  # how long mail may wait; how far back a lost one counts
ROOM, SHARE = 2**30, 0.05  # what a disk should have left: a gibibyte, and this share of it
SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Part:
    """A part, whether it is well, and what was seen."""

    name: str
    well: bool
    said: str

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self)


def examine(loaded: Loaded, resources: Resources, *, now: datetime, only: str = "") -> list[Part]:
    """Return the state of every part, or of the one warehouse connection that is named and the logs read by it."""
    active = [monitor for monitor in loaded.monitors.values() if monitor.state == "active"]
    connections = sorted({monitor.source.connection for monitor in active} if not only else {only})
    warehouses = [_looked_at(f"warehouse {name}", partial(_warehouse, name, resources, now)) for name in connections]
    if only:
        through = [monitor for monitor in active if monitor.source.connection == only and warehouses[0].well]
        return [*warehouses, *(_looked_at(f"log of {one.name}", partial(_log, one, resources)) for one in through)]
    return [
        _files(loaded),
        _looked_at("ledger", partial(_ledger, resources, now)),
        _looked_at("store", partial(_store, resources)),
        *warehouses,
        _looked_at("mail", partial(_mail, resources, now)),
        *(_looked_at(f"channel {to}", partial(_channel, to, resources, now)) for to in _channels(active)),
        *(_looked_at(name, partial(_beat, name, resources, now)) for name in RESTS),
        *(_looked_at(f"monitor {one.name}", partial(_monitor, one, resources, now)) for one in active),
    ]


def _looked_at(name: str, look: Callable[[], tuple[bool, str]]) -> Part:
    """Named boundary: what one part raises is what is said of it."""
    try:
        return Part(name, *look())
    except (HindsightError, sa.exc.SQLAlchemyError, OSError) as exc:
        return Part(name, well=False, said=str(exc).partition("\n")[0])


def _files(loaded: Loaded) -> Part:
    count = len(loaded.monitors)
    said = f"{count} monitor{'s' * (count != 1)}"
    wrong = len(loaded.problems)
    return Part("monitor files", not wrong, f"{said}, {wrong} errors: hindsight lint" if wrong else said)


def _ledger(resources: Resources, now: datetime) -> tuple[bool, str]:
    with resources.ledger.reading() as connection:
        backend = connection.dialect.name
        there = connection.execute(sa.select(sa.func.now())).scalar_one() if backend == "postgresql" else now
    skew = abs(there.astimezone(UTC) - now)
    if skew > SKEW:
        return False, f"its clock is {format_duration(_minutes(skew))} away from this machine's"
    return True, f"{backend}, tables of version {tables.HEAD}"


def _store(resources: Resources) -> tuple[bool, str]:
    root = resources.settings.data
    resources.files.listing("baselines")  # few files: it is asked whether the store answers, not what it holds
    if "://" in root:
        return True, f"{root}, answers"
    place = Path(root)
    if not place.is_dir():
        return False, f"no folder {root}: nothing was written yet, or the disk is not mounted"
    disk = shutil.disk_usage(place)
    said = f"{root}, {disk.free / 2**30:,.1f} GiB free"
    return disk.free > ROOM and disk.free > SHARE * disk.total, said


def _warehouse(name: str, resources: Resources, now: datetime) -> tuple[bool, str]:
    return session(resources.warehouse(name), name, now)


def _log(monitor: Monitor, resources: Resources) -> tuple[bool, str]:
    return log(resources.warehouse(monitor.source.connection), monitor)


def _channels(monitors: Iterable[Monitor]) -> list[str]:
    """The connections, other than of mail, that any route names."""
    named = {to for monitor in monitors for route in monitor.alerts.routes for to in route.to}
    return sorted(to for to in named if to != EMAIL and "@" not in to)


def _channel(to: str, resources: Resources, now: datetime) -> tuple[bool, str]:
    if to.startswith(ALERTMANAGER):
        return True, f"posted to at {resources.alertmanager(to.removeprefix(ALERTMANAGER)).url}"
    resources.channel(to)
    hold = holds.find(resources.ledger, to)
    if hold and now < hold.until:
        return False, f"not tried before {hold.until:%Y-%m-%d %H:%M} UTC: {hold.why}"
    return True, "has an address"


def _mail(resources: Resources, now: datetime) -> tuple[bool, str]:
    mails = resources.ledger.outbox()
    waiting = [mail for mail in mails if mail.state in (MailState.PENDING, MailState.SENDING)]
    lost = [mail for mail in mails if mail.state is MailState.DEAD and now - mail.created_at <= GIVEN_UP]
    said = [f"{len(waiting)} waiting", *_complaints(waiting, lost, now)]
    if resources.mailer is None:
        said.append("no connection hindsight_smtp: nothing is sent")
    elif (hold := holds.find(resources.ledger, resources.mailer.connection)) and now < hold.until:
        said.append(f"{hold.connection} is not tried before {hold.until:%Y-%m-%d %H:%M} UTC: {hold.why}")
    return len(said) == 1, "; ".join(said)


def _complaints(waiting: Iterable[Mail], lost: list[Mail], now: datetime) -> Iterator[str]:
    late = [mail for mail in waiting if mail.next_at <= now and now - mail.created_at > WAITED]
    if late:
        yield f"the oldest since {min(mail.created_at for mail in late):%Y-%m-%d %H:%M} UTC: hindsight outbox"
    if lost:
        yield f"{len(lost)} given up in the last {GIVEN_UP.days} days: hindsight outbox"


def _beat(part: str, resources: Resources, now: datetime) -> tuple[bool, str]:
    last = heartbeats(resources.ledger).get(part)
    if last is None:
        return False, f"hindsight__{part} has never run: is the DAG there and not paused?"
    said = f"last at work {last:%Y-%m-%d %H:%M} UTC"
    return now - last <= RESTS[part], said if now - last <= RESTS[part] else f"{said}: is hindsight__{part} paused?"


def _monitor(monitor: Monitor, resources: Resources, now: datetime) -> tuple[bool, str]:
    newest = resources.store.newest(monitor.name, Kind.OPERATIONS)
    late = is_behind(monitor, newest.end if newest else None, now)
    said = [f"last window ended {newest.end:%Y-%m-%d %H:%M} UTC" if newest else "no window yet"]
    if late:
        said[0] += f": is monitor__{monitor.name} paused or failing?"
    night = resources.ledger.last_night(monitor.name, before=now)
    has_missed = missed_night(monitor, night, now) if newest else None
    if has_missed:
        last = f"{night:%Y-%m-%d %H:%M} UTC" if night else "never"
        said.append(f"last night of labels {last}: is labels__{monitor.name} paused or failing?")
    return not late and not has_missed, "; ".join(said)


def _minutes(span: timedelta) -> timedelta:
    return timedelta(minutes=max(1, round(span / timedelta(minutes=1))))
