"""Deploys on record: of each model version the first window in which it was seen; the earliest that is known counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.transaction import Transaction
from hindsight.verdicts.deploys import Deploy


def note_versions(tx: Transaction, start: datetime, versions: Iterable[str]) -> None:
    """Note which versions made a noticeable share of the window that begins at `start`."""
    table, first = tables.deploys, {one.version: one.start for one in versions_seen(tx.connection, tx.monitor)}
    for version in versions:
        if version not in first:
            row = {"monitor": tx.monitor, "version": version, "window_start": start}
            tx.connection.execute(sa.insert(table).values(row))
        elif start < first[version]:
            same = sa.and_(table.c.monitor == tx.monitor, table.c.version == version)
            tx.connection.execute(sa.update(table).where(same).values(window_start=start))


def deploys(connection: sa.Connection, monitor: str) -> list[Deploy]:
    """Return the deploys of a monitor's model, oldest first; the version that was there from the start is none."""
    found = versions_seen(connection, monitor)
    return [one for one in found if one.start > found[0].start]


def versions_seen(connection: sa.Connection, monitor: str) -> list[Deploy]:
    """Return every version seen in the log, with the first window in which it was; oldest first."""
    table = tables.deploys
    query = sa.select(table).where(table.c.monitor == monitor).order_by(table.c.window_start, table.c.version)
    return [Deploy(row.version, row.window_start) for row in connection.execute(query)]
