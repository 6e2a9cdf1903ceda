"""Estimates of windows, made before their labels came, beside the verdicts: what judging weighs drift by."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.transaction import Transaction, insert_into
from hindsight.verdicts.harm import Estimate


def note_estimate(tx: Transaction, one: Estimate) -> bool:
    """Keep what was estimated of a window in place of what was before; return whether that is something else."""
    if one in estimates(tx, one.start, one.start):
        return False
    table = tables.estimates
    insert = insert_into(tx.connection, table)
    numbers = {"value": one.value, "lower": one.lower, "upper": one.upper, "reference": one.reference}
    upsert = insert.on_conflict_do_update(index_elements=["monitor", "window_start"], set_=numbers)
    tx.connection.execute(upsert, [{"monitor": tx.monitor, "window_start": one.start, **numbers}])
    return True


def estimates(tx: Transaction, since: datetime, until: datetime | None = None) -> list[Estimate]:
    """Return what was estimated of the windows that start in [since, until], oldest first."""
    table = tables.estimates
    query = sa.select(table).where(table.c.monitor == tx.monitor, table.c.window_start >= since)
    if until is not None:
        query = query.where(table.c.window_start <= until)
    rows = tx.connection.execute(query.order_by(table.c.window_start))
    return [Estimate(row.window_start, row.value, row.lower, row.upper, row.reference) for row in rows]


def forget_estimates(tx: Transaction, before: datetime) -> None:
    """Delete what was estimated of the monitor's windows that start before a moment."""
    table = tables.estimates
    tx.connection.execute(sa.delete(table).where(table.c.monitor == tx.monitor, table.c.window_start < before))
