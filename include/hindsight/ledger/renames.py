"""Renames: the rows of a monitor get its new name, all in one transaction, and the old one is closed for writing.

Ids do not change: of incidents, cases, mails, requests and models each stays what it was, under another monitor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.errors import LedgerError
from hindsight.ledger import tables
from hindsight.ledger.connect import lock
from hindsight.ledger.records import RequestState

HISTORY = (tables.verdicts, tables.incidents, tables.nights, tables.definitions)  # what two names cannot both have
UNDER_WAY = (RequestState.STARTED, RequestState.CLAIMED)


@dataclass(frozen=True, slots=True)
class Rename:
    """A name whose history moved to another; `emptied` once its files are gone too."""

    old: str
    new: str
    at: datetime
    emptied: bool


def renames(connection: sa.Connection, names: Collection[str]) -> dict[str, Rename]:
    """Return which of these names moved where, by name."""
    table = tables.renames
    query = sa.select(table).where(table.c.old.in_(list(names)))
    return {row.old: Rename(row.old, row.new, row.at, row.emptied) for row in connection.execute(query)}


def moved_at(connection: sa.Connection, name: str) -> datetime | None:
    """Return when the history of an earlier name last moved to this one; None where none did."""
    table = tables.renames
    query = sa.select(sa.func.max(table.c.at, type_=tables.Moment)).where(table.c.new == name)
    return connection.execute(query).scalar()


def refuse_renamed(connection: sa.Connection, name: str) -> None:
    """Raise LedgerError, not transient, where the history of a name moved to another: nothing more is written to it."""
    if moved := renames(connection, [name]).get(name):
        raise LedgerError(
            f"{name} was renamed to {moved.new} on {moved.at:%Y-%m-%d %H:%M} UTC, and its history moved there"
            f" - give a new monitor another name; to take the name back, write renamed_from: {moved.new} in its file",
            transient=False,
        )


def has_history(connection: sa.Connection, name: str, more: Iterable[sa.Table] = ()) -> bool:
    """Say whether anything was measured, judged or trained under a name; `more` are tables beside the ledger's own."""
    asked = (sa.select(sa.literal(1)).where(table.c.monitor == name) for table in (*HISTORY, *more))
    return bool(connection.execute(sa.select(sa.or_(*(sa.exists(one) for one in asked)))).scalar())


@contextmanager
def both_locked(connection: sa.Connection, old: str, new: str) -> Iterator[None]:
    """Hold the locks of two names until the transaction ends, always in the same order."""
    for name in sorted((old, new)):
        lock(connection, f"monitor {name}")
    yield


def move_rows(
    connection: sa.Connection, old: str, new: str, at: datetime, *, more: Iterable[sa.Table] = (), by_dag: str = ""
) -> None:
    """Give the rows of one name another; the caller holds the locks of both.

    A retraining whose DAG, `by_dag`, has the old name in its id is asked of the DAG of the new one, from its start
    where it was under way: the run of a DAG that is gone ends nothing. A name that is taken back is free again.
    """
    for table in (*tables.metadata.sorted_tables, *more):
        if "monitor" in table.c:
            connection.execute(sa.update(table).where(table.c.monitor == old).values(monitor=new))
    if by_dag:
        _ask_again(connection, new, by_dag.format(old), by_dag.format(new))
    table = tables.renames
    connection.execute(sa.delete(table).where(table.c.old.in_([old, new])))
    connection.execute(sa.insert(table).values(old=old, new=new, at=at, emptied=False))


def note_emptied(connection: sa.Connection, old: str) -> None:
    """Note that no file is left of a name that moved."""
    connection.execute(sa.update(tables.renames).where(tables.renames.c.old == old).values(emptied=True))


def _ask_again(connection: sa.Connection, monitor: str, before: str, now: str) -> None:
    table = tables.retrain_requests
    mine = sa.update(table).where(table.c.monitor == monitor, table.c.dag == before)
    under_way = mine.where(table.c.state.in_([str(state) for state in UNDER_WAY]))
    connection.execute(under_way.values(state=str(RequestState.REQUESTED), claimed_by="", started_at=None))
    connection.execute(mine.values(dag=now))
