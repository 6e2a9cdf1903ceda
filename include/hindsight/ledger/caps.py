"""Caps: how many messages about a monitor each receiver was promised on a day (UTC), and how many were held back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.records import MailState

DAY = timedelta(days=1)
HELD_BACK = "beyond alerts.cap"  # how the reason begins for which a message was never sent
_OUTBOX, _TOLD = tables.outbox, tables.outbox_incidents


@dataclass(slots=True)
class HeldBack:
    """How many messages a receiver was not sent of a day, and the incidents they told."""

    count: int = 0
    incidents: set[str] = field(default_factory=set)


def promised(connection: sa.Connection, monitor: str, at: datetime) -> Mapping[str, int]:
    """Return by receiver the messages about incidents of a monitor promised since midnight, but what was never sent."""
    of_incidents = _OUTBOX.c.id.in_(sa.select(_TOLD.c.mail))
    query = sa.select(_OUTBOX.c.recipient, sa.func.count()).where(_OUTBOX.c.monitor == monitor, of_incidents)
    query = query.where(_OUTBOX.c.state != str(MailState.SUPPRESSED), _on(_midnight(at))).group_by(_OUTBOX.c.recipient)
    return {row[0]: row[1] for row in connection.execute(query)}


def held_back(
    connection: sa.Connection, monitor: str, since: datetime, until: datetime
) -> dict[tuple[str, date], HeldBack]:
    """Return by receiver and day what was beyond the cap from the day of `since` on, until that of `until`."""
    query = sa.select(_OUTBOX.c.id, _OUTBOX.c.recipient, _OUTBOX.c.created_at, _TOLD.c.incident)
    query = query.join(_TOLD, _TOLD.c.mail == _OUTBOX.c.id).where(_OUTBOX.c.monitor == monitor, _is_held())
    query = query.where(_OUTBOX.c.created_at >= _midnight(since), _OUTBOX.c.created_at < _midnight(until))
    found: dict[tuple[str, date], HeldBack] = defaultdict(HeldBack)
    mails = set()
    for row in connection.execute(query):
        one = found[row.recipient, row.created_at.date()]
        one.incidents.add(row.incident)
        one.count += row.id not in mails
        mails.add(row.id)
    return dict(found)


def give_place(connection: sa.Connection, row: sa.Row[Any]) -> None:
    """Let the first message held back of a day have the place of one that need not be sent any more."""
    start = _midnight(row.created_at)
    same = sa.and_(_OUTBOX.c.monitor == row.monitor, _OUTBOX.c.recipient == row.recipient, _is_held(), _on(start))
    first = connection.execute(sa.select(sa.func.min(_OUTBOX.c.id)).where(same)).scalar()
    if first is not None:
        again = {"state": str(MailState.PENDING), "last_error": ""}
        connection.execute(sa.update(_OUTBOX).where(_OUTBOX.c.id == first).values(**again))


def _is_held() -> sa.ColumnElement[bool]:
    return sa.and_(_OUTBOX.c.state == str(MailState.SUPPRESSED), _OUTBOX.c.last_error.startswith(HELD_BACK))


def _on(start: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_OUTBOX.c.created_at >= start, _OUTBOX.c.created_at < start + DAY)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
