"""Heartbeats: when each part that runs by itself was last at work, so that what still runs notices what does not."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.transaction import insert_into

RESTS = {"relay": timedelta(minutes=10), "maintenance": timedelta(hours=3)}  # how long a part may be at rest


def beat(ledger: Ledger, part: str, at: datetime) -> None:
    """Note that a part is at work."""
    table = tables.heartbeats
    with ledger.writing() as connection:
        insert = insert_into(connection, table).values(part=part, at=at)
        connection.execute(insert.on_conflict_do_update(index_elements=["part"], set_={"at": at}))


def heartbeats(ledger: Ledger) -> dict[str, datetime]:
    """Return by part when it was last at work."""
    table = tables.heartbeats
    with ledger.reading() as connection:
        return {row.part: row.at for row in connection.execute(sa.select(table))}


def at_rest(ledger: Ledger, now: datetime) -> dict[str, datetime]:
    """Return the parts that were at work once and have rested for longer than they may, and since when."""
    return {part: last for part, last in heartbeats(ledger).items() if now - last > RESTS.get(part, timedelta.max)}
