"""Acknowledgements on record: who looks after which case, since when; dated facts, none is ever changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who said when that a case is looked after: its reminders stop until it is told as worse."""

    case: str
    at: datetime
    by: str
    comment: str = ""

    def __str__(self) -> str:
        said = f": {self.comment}" if self.comment else ""
        return f"acknowledged by {self.by} on {self.at:%Y-%m-%d %H:%M} UTC{said}"


def acknowledge(ledger: Ledger, monitor: str, one: Acknowledgement) -> None:
    """Put it on record that somebody looks after a case."""
    row = {"monitor": monitor, "case_id": one.case, "at": one.at, "acknowledged_by": one.by, "comment": one.comment}
    with ledger.locked(monitor) as tx:
        tx.connection.execute(sa.insert(tables.acknowledgements), [row])


def acknowledgements(connection: sa.Connection, monitor: str) -> list[Acknowledgement]:
    """Return what people acknowledged of a monitor, oldest first; a case is named as it is now, merged or not."""
    rows = connection.execute(_query().where(tables.acknowledgements.c.monitor == monitor))
    return [Acknowledgement(row.now or row.case_id, row.at, row.acknowledged_by, row.comment) for row in rows]


def looked_after(connection: sa.Connection) -> dict[str, set[str]]:
    """Return by monitor the cases that people acknowledged, named as they are now."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(_query()):
        found[row.monitor].add(row.now or row.case_id)
    return found


def _query() -> sa.Select[Any]:
    table, incidents = tables.acknowledgements, tables.incidents
    query = sa.select(table, incidents.c.case_id.label("now"))
    return query.outerjoin(incidents, incidents.c.id == table.c.case_id).order_by(table.c.at, table.c.id)
