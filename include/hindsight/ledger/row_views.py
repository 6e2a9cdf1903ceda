"""Row views on record: who looked at rows of the warehouse on a page, of which window and segment; never the rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class RowView:
    """One look at `n` rows of a window, of all or of a segment; `shown` names the columns that were seen."""

    at: datetime
    looked_by: str
    case_id: str
    window_start: datetime
    segment: str
    n: int
    shown: str


def note_row_view(ledger: Ledger, monitor: str, one: RowView) -> None:
    """Put a look on record."""
    with ledger.locked(monitor) as tx:
        tx.connection.execute(sa.insert(tables.row_views), [asdict(one) | {"monitor": monitor}])


def row_views(connection: sa.Connection, monitor: str) -> list[RowView]:
    """Return who looked at rows of a monitor, oldest first."""
    table = tables.row_views
    query = sa.select(table).where(table.c.monitor == monitor).order_by(table.c.at, table.c.id)
    names = RowView.__slots__
    return [RowView(**{name: getattr(row, name) for name in names}) for row in connection.execute(query)]
