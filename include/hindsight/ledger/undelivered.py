"""Runs that judged their window and have not told it yet: what tries them again only tells, and measures nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from hindsight.ledger.ledger import Ledger
from hindsight.ledger.tables import undelivered
from hindsight.ledger.transaction import insert_into

KEPT = timedelta(days=90)  # a run that nobody tried again by then is not remembered


def note(ledger: Ledger, monitor: str, run: str, at: datetime) -> None:
    """Note that a run has judged its window and is to tell it; what is older than KEPT is forgotten."""
    table = undelivered
    with ledger.writing() as connection:
        old = sa.delete(table).where(table.c.monitor == monitor, table.c.judged_at < at - KEPT)
        connection.execute(old)
        insert = insert_into(connection, table).values(monitor=monitor, run=run, judged_at=at)
        connection.execute(insert.on_conflict_do_nothing())


def is_noted(ledger: Ledger, monitor: str, run: str) -> bool:
    """Whether a run has judged its window and not told it."""
    with ledger.reading() as connection:
        return connection.execute(sa.select(undelivered.c.run).where(*_of(monitor, run))).first() is not None


def forget(ledger: Ledger, monitor: str, run: str) -> None:
    """Note that a run has told what it judged."""
    with ledger.writing() as connection:
        connection.execute(sa.delete(undelivered).where(*_of(monitor, run)))


def _of(monitor: str, run: str) -> tuple[sa.ColumnElement[bool], ...]:
    return undelivered.c.monitor == monitor, undelivered.c.run == run
