"""Silences on record: what people asked for, in the order they did; one may be ended early, and none is deleted."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.claims import release
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import Row
from hindsight.verdicts.silence import Silence

_FIELDS = ("since", "until", "rule", "segment", "feature", "comment", "starts", "asked_at")


def add_silence(ledger: Ledger, monitor: str, one: Silence) -> int:
    """Put what a person asked for on record; return its number."""
    row = {name: getattr(one, name) for name in _FIELDS} | {"monitor": monitor, "asked_by": one.by, "ended_by": ""}
    with ledger.locked(monitor) as tx:
        insert = sa.insert(tables.silences).values(row)
        return int(tx.connection.execute(insert.returning(tables.silences.c.id)).scalar_one())


def end_silence(ledger: Ledger, monitor: str, id: int, *, by: str, at: datetime) -> bool:
    """Let a silence end at a moment, and what it holds go; False where none of this number lasts longer."""
    table = tables.silences
    lasts = sa.and_(table.c.id == id, table.c.monitor == monitor, table.c.until > at)
    with ledger.locked(monitor) as tx:
        is_over = tx.connection.execute(sa.update(table).where(lasts).values(until=at, ended_by=by)).rowcount == 1
        if is_over:
            release(tx.connection, monitor, at)
    return is_over


def silences(connection: sa.Connection, monitor: str, since: datetime | None = None) -> list[Silence]:
    """Return what people asked for of a monitor, oldest first; with `since` only what ended after that moment."""
    table = tables.silences
    query = sa.select(table).where(table.c.monitor == monitor).order_by(table.c.since, table.c.id)
    if since is not None:
        query = query.where(table.c.until > since)
    return [_silence(row) for row in connection.execute(query)]


def silences_in(connection: sa.Connection, since: datetime, until: datetime) -> dict[str, list[Silence]]:
    """Return by monitor what people asked for that held at any moment of [since, until), oldest first."""
    table = tables.silences
    query = sa.select(table).where(table.c.until > since, table.c.since < until)
    found: dict[str, list[Silence]] = defaultdict(list)
    for row in connection.execute(query.order_by(table.c.since, table.c.id)):
        found[row.monitor].append(_silence(row))
    return found


def _silence(row: Row) -> Silence:
    fields = {name: getattr(row, name) for name in _FIELDS}
    return Silence(by=row.asked_by, id=row.id, ended_by=row.ended_by, **fields)
