"""Caps: how many messages about a monitor each receiver was promised on a day (UTC), and how many were held back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.records import MailState

DAY = timedelta(days=1)
HELD_BACK = "beyond alerts.cap"  # how the reason begins for which a message was never sent


def promised(connection: sa.Connection, monitor: str, at: datetime) -> Mapping[str, int]:
    """Return by receiver the messages about a monitor promised since midnight, those held back left out."""
    table = tables.outbox
    return _counted(connection, monitor, _midnight(at), _midnight(at) + DAY, table.c.state != str(MailState.SUPPRESSED))


def held_back(connection: sa.Connection, monitor: str, day: datetime) -> Mapping[str, int]:
    """Return by receiver how many messages of the day that `day` lies in were beyond the cap."""
    start, table = _midnight(day), tables.outbox
    return _counted(connection, monitor, start, start + DAY, table.c.last_error.startswith(HELD_BACK))


def _counted(
    connection: sa.Connection, monitor: str, since: datetime, until: datetime, which: sa.ColumnElement[bool]
) -> Mapping[str, int]:
    table = tables.outbox
    query = sa.select(table.c.recipient, sa.func.count()).where(table.c.monitor == monitor, which)
    query = query.where(table.c.created_at >= since, table.c.created_at < until).group_by(table.c.recipient)
    return {row[0]: row[1] for row in connection.execute(query)}


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
