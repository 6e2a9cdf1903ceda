"""Revisions on record: what was said of a window before it was judged otherwise, where a breach came or went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import records, tables
from hindsight.verdicts.model import Status, Verdict

_SAID = (Status.OK, Status.BREACH, Status.MUTED)  # not what was still to be judged


@dataclass(frozen=True, slots=True)
class Revision:
    """A verdict that stands no more: what it said, what is said since `at`, by numbers that came later."""

    said: Verdict
    became: Status
    at: datetime


def note_revisions(
    connection: sa.Connection, monitor: str, replaced: Iterable[tuple[Verdict, Verdict]], at: datetime
) -> None:
    """Put on record what stands no more, each old verdict with the new one, where either of them is a breach."""
    rows = [
        records.verdict_row(monitor, old, at) | {"became": str(new.status), "revised_at": at}
        for old, new in replaced
        if old.status in _SAID and old.status is not new.status and Status.BREACH in (old.status, new.status)
    ]
    for row in rows:
        del row["judged_at"]
    if rows:
        connection.execute(sa.insert(tables.revised_verdicts), rows)


def revisions(connection: sa.Connection, monitor: str) -> list[Revision]:
    """Return the revisions of a monitor's verdicts in the order in which they were made."""
    table = tables.revised_verdicts
    query = sa.select(table).where(table.c.monitor == monitor).order_by(table.c.revised_at, table.c.id)
    return [Revision(records.verdict(row), Status(row.became), row.revised_at) for row in connection.execute(query)]
