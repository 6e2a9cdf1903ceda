"""Rollbacks on record: who put which version back in production, in place of which, when and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables


@dataclass(frozen=True, slots=True)
class Rollback:
    """One return to an earlier version."""

    at: datetime
    by: str
    why: str
    left: str
    restored: str


def note_rollback(connection: sa.Connection, monitor: str, one: Rollback) -> None:
    """Put a rollback on record, in the transaction that makes it."""
    connection.execute(sa.insert(tables.rollbacks), [asdict(one) | {"monitor": monitor}])


def rollbacks(connection: sa.Connection, monitor: str) -> list[Rollback]:
    """Return the rollbacks of a monitor's model, oldest first."""
    table = tables.rollbacks
    query = sa.select(table).where(table.c.monitor == monitor).order_by(table.c.at, table.c.id)
    return [Rollback(row.at, row.by, row.why, row.left, row.restored) for row in connection.execute(query)]


def moments_of_rollbacks(connection: sa.Connection) -> dict[str, list[datetime]]:
    """Return by monitor when its model was put back, oldest first."""
    table = tables.rollbacks
    found: dict[str, list[datetime]] = defaultdict(list)
    for row in connection.execute(sa.select(table.c.monitor, table.c.at).order_by(table.c.at)):
        found[row.monitor].append(row.at)
    return found
