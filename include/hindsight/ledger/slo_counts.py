"""What SLOs counted in each window, kept beside the verdicts so that judging reads no snapshots of the past.

The counts are made of the snapshots and can be made again of them at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.transaction import Transaction, insert_into

KEY = ("monitor", "slo", "window_start")


@dataclass(frozen=True, slots=True)
class SloCount:
    """What an SLO counted in a window by the numbers known at `as_of`; `total` is None while its labels still come.

    `definition` says by what it was counted, `judged` whether the window was judged with it.
    """

    slo: str
    window_start: datetime
    definition: str
    as_of: datetime
    bad: int
    total: int | None
    judged: bool = False


def slo_counts(tx: Transaction, since: datetime, until: datetime) -> list[SloCount]:
    """Return the counts of the monitor's windows that start in [since, until), oldest first."""
    table = tables.slo_counts
    query = sa.select(*(column for column in table.c if column.name != "monitor"))
    query = query.where(table.c.monitor == tx.monitor, table.c.window_start >= since, table.c.window_start < until)
    return [SloCount(*row) for row in tx.connection.execute(query.order_by(table.c.window_start, table.c.slo))]


def newest_slo_count(tx: Transaction) -> datetime | None:
    """Return the start of the newest window that has a count; None where there is none."""
    start = tables.slo_counts.c.window_start
    query = sa.select(sa.func.max(start, type_=tables.Moment)).where(tables.slo_counts.c.monitor == tx.monitor)
    return tx.connection.execute(query).scalar()


def note_slo_counts(tx: Transaction, found: Iterable[SloCount]) -> None:
    """Keep counts in place of those there were of the same SLO and window."""
    insert = insert_into(tx.connection, tables.slo_counts)
    rows = [{"monitor": tx.monitor, **{name: getattr(one, name) for name in SloCount.__slots__}} for one in found]
    if rows:
        fresh = {column: insert.excluded[column] for column in rows[0] if column not in KEY}
        tx.connection.execute(insert.on_conflict_do_update(index_elements=list(KEY), set_=fresh), rows)


def forget_slo_counts(tx: Transaction, before: datetime) -> None:
    """Delete the counts of the monitor's windows that start before a moment."""
    table = tables.slo_counts
    tx.connection.execute(sa.delete(table).where(table.c.monitor == tx.monitor, table.c.window_start < before))
