"""Summaries of windows: a few numbers a column, kept beside the verdicts so that judging reads no profiles of the past.

They are made of the profiles in the snapshots and can be made again of them at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.transaction import Transaction, in_parts, insert_into

CONTENT = ("rows", "layout", "numbers")


@dataclass(frozen=True, slots=True)
class Summary:
    """What the newest profile of a window says, as whoever made it wrote it down.

    `rows` is how many rows each segment has, `layout` what the numbers are, `numbers` are they.
    """

    window_start: datetime
    as_of: datetime
    revision: int
    rows: str
    layout: bytes
    numbers: bytes
    followed: bool = False  # whether the windows that look back on it were judged since it became so

    @property
    def rank(self) -> tuple[datetime, int]:
        """What makes one snapshot of a window newer than another."""
        return self.as_of, self.revision


def note_summaries(tx: Transaction, found: Iterable[Summary]) -> None:
    """Keep summaries; of one window that of the newest as-of stays, and of that the last revision."""
    table = tables.summaries
    insert = insert_into(tx.connection, table)
    same = sa.and_(table.c.followed, *(table.c[column] == insert.excluded[column] for column in CONTENT))
    fresh = {column: insert.excluded[column] for column in ("as_of", "revision", *CONTENT)}
    upsert = insert.on_conflict_do_update(
        index_elements=["monitor", "window_start"],
        set_=fresh | {"followed": same},
        where=sa.tuple_(insert.excluded.as_of, insert.excluded.revision) >= sa.tuple_(table.c.as_of, table.c.revision),
    )
    rows = [
        {
            "monitor": tx.monitor,
            "window_start": one.window_start,
            "as_of": one.as_of,
            "revision": one.revision,
            **{column: getattr(one, column) for column in CONTENT},
            "followed": False,
        }
        for one in found
    ]
    if rows:
        tx.connection.execute(upsert, rows)


def summaries(tx: Transaction, starts: Collection[datetime]) -> dict[datetime, Summary]:
    """Return the summaries there are of windows that start at these moments."""
    table = tables.summaries
    query = sa.select(table).where(table.c.monitor == tx.monitor)
    parts = (tx.connection.execute(query.where(table.c.window_start.in_(some))) for some in in_parts(sorted(starts)))
    return {row.window_start: Summary(*row[1:]) for rows in parts for row in rows}


def note_followed(tx: Transaction, starts: Collection[datetime]) -> None:
    """Record that the windows which look back on these were judged since."""
    table = tables.summaries
    query = sa.update(table).where(table.c.monitor == tx.monitor, table.c.window_start.in_(list(starts)))
    tx.connection.execute(query.values(followed=True))


def summarised(tx: Transaction, since: datetime, until: datetime) -> list[datetime]:
    """Return the starts in [since, until) of the windows that have a summary, oldest first."""
    start = tables.summaries.c.window_start
    whose = (tables.summaries.c.monitor == tx.monitor, start >= since, start < until)
    return list(tx.connection.execute(sa.select(start).where(*whose).order_by(start)).scalars())


def forget_summaries(tx: Transaction, before: datetime) -> None:
    """Delete the summaries of the monitor's windows that start before a moment."""
    table = tables.summaries
    tx.connection.execute(sa.delete(table).where(table.c.monitor == tx.monitor, table.c.window_start < before))
