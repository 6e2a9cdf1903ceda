"""Holds: a mail connection that failed for all mail alike is left alone for a while, however many mails wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.connect import lock
from hindsight.ledger.ledger import Ledger

_HOLDS = tables.mail_holds


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when a connection is not tried, after how many failures in a row, and what it said last."""

    connection: str
    failures: int
    until: datetime
    why: str


def find(ledger: Ledger, connection: str) -> Hold | None:
    """Return the hold of a connection, over or not; None where its last conversation went well."""
    with ledger.reading() as reading:
        row = reading.execute(sa.select(_HOLDS).where(_HOLDS.c.connection == connection)).first()
    return Hold(row.connection, row.failures, row.until, row.why) if row else None


def every(ledger: Ledger) -> list[Hold]:
    """Return the holds of all connections."""
    with ledger.reading() as reading:
        return [Hold(row.connection, row.failures, row.until, row.why) for row in reading.execute(sa.select(_HOLDS))]


def put(ledger: Ledger, hold: Hold) -> None:
    """Keep a hold in the place of an earlier one of the same connection."""
    row = {"failures": hold.failures, "until": hold.until, "why": hold.why}
    with ledger.writing() as writing:
        lock(writing, f"mail connection {hold.connection}")
        if not writing.execute(sa.update(_HOLDS).where(_HOLDS.c.connection == hold.connection).values(row)).rowcount:
            writing.execute(sa.insert(_HOLDS).values(row | {"connection": hold.connection}))


def release(ledger: Ledger, connection: str | None = None) -> None:
    """Forget the hold of a connection, or of all."""
    query = sa.delete(_HOLDS)
    with ledger.writing() as writing:
        writing.execute(query if connection is None else query.where(_HOLDS.c.connection == connection))
