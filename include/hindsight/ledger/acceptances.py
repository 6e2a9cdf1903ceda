"""Acceptances on record: dated facts that people gave, in the order they were given; none is ever changed."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import Row
from hindsight.verdicts.acceptance import Acceptance

_FIELDS = ("accepted_at", "rule", "segment", "feature", "until", "comment")


def add_acceptance(ledger: Ledger, monitor: str, one: Acceptance) -> None:
    """Put what a person said on record."""
    row = {name: getattr(one, name) for name in _FIELDS} | {"monitor": monitor, "accepted_by": one.by}
    with ledger.locked(monitor) as tx:
        tx.connection.execute(sa.insert(tables.acceptances), [row])


def acceptances(connection: sa.Connection, monitor: str) -> list[Acceptance]:
    """Return what people said of a monitor, oldest first."""
    table = tables.acceptances
    query = sa.select(table).where(table.c.monitor == monitor).order_by(table.c.accepted_at, table.c.id)
    return [_acceptance(row) for row in connection.execute(query)]


def all_acceptances(connection: sa.Connection) -> dict[str, list[Acceptance]]:
    """Return the same of every monitor, by its name."""
    found: dict[str, list[Acceptance]] = defaultdict(list)
    table = tables.acceptances
    for row in connection.execute(sa.select(table).order_by(table.c.accepted_at, table.c.id)):
        found[row.monitor].append(_acceptance(row))
    return found


def _acceptance(row: Row) -> Acceptance:
    return Acceptance(by=row.accepted_by, **{name: getattr(row, name) for name in _FIELDS})
