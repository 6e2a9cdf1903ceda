"""Forget: what the ledger deletes once it has expired, and the horizon that says so; for one monitor or its mail."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import records, tables
from hindsight.ledger.records import MailState
from hindsight.ledger.transaction import Transaction
from hindsight.verdicts.model import Series
from hindsight.verdicts.retention import Span

_SETTLED = [str(state) for state in (MailState.SENT, MailState.DEAD, MailState.DROPPED, MailState.SUPPRESSED)]


def move_horizon(tx: Transaction, to: datetime, at: datetime) -> None:
    """Record that what lies before a moment has expired; a horizon never goes back."""
    table, known = tables.horizons, tx.horizon()
    same = table.c.monitor == tx.monitor
    if known is None:
        tx.connection.execute(sa.insert(table).values(monitor=tx.monitor, before=to, moved_at=at))
    elif known < to:
        tx.connection.execute(sa.update(table).where(same).values(before=to, moved_at=at))


def judged_before(tx: Transaction, moment: datetime) -> list[Series]:
    """Return the series of the monitor that have verdicts of windows which start before a moment."""
    table = tables.verdicts
    columns = [table.c[name] for name in ("rule", "model_version", "segment", "feature")]
    query = sa.select(*columns).distinct()
    rows = tx.connection.execute(query.where(table.c.monitor == tx.monitor, table.c.window_start < moment))
    return sorted(records.series_of(row) for row in rows)


def count_verdicts(tx: Transaction, expired: Collection[tuple[Series, Span]]) -> int:
    """Return how many verdicts there are of these spans of windows."""
    counts = (sa.select(sa.func.count()).select_from(tables.verdicts).where(one) for one in _verdicts(tx, expired))
    return sum(int(tx.connection.execute(query).scalar_one()) for query in counts)


def forget_verdicts(tx: Transaction, expired: Collection[tuple[Series, Span]]) -> int:
    """Delete the verdicts of these spans of windows, with those they replaced; return how many stood."""
    for one in _verdicts(tx, expired, tables.revised_verdicts):
        tx.connection.execute(sa.delete(tables.revised_verdicts).where(one))
    return sum(tx.connection.execute(sa.delete(tables.verdicts).where(one)).rowcount for one in _verdicts(tx, expired))


def forget_report(tx: Transaction, id: str) -> None:
    """Delete what the ledger says of a report."""
    tx.connection.execute(sa.delete(tables.reports).where(tables.reports.c.id == id))


def settled(before: datetime, monitor: str | None, but: Collection[str]) -> sa.ColumnElement[bool]:
    """Tell mails settled and made before a moment that still have their text; of one monitor, or of all `but` some."""
    table = tables.outbox
    whose = table.c.monitor == monitor if monitor is not None else table.c.monitor.not_in(list(but))
    return sa.and_(whose, table.c.created_at < before, table.c.state.in_(_SETTLED), table.c.text != "")


def _verdicts(
    tx: Transaction, expired: Collection[tuple[Series, Span]], table: sa.Table = tables.verdicts
) -> Iterator[sa.ColumnElement[bool]]:
    for series, (start, end) in expired:
        same = [table.c[name] == value for name, value in records.series_fields(series).items()]
        whose = (table.c.monitor == tx.monitor, *same)
        yield sa.and_(*whose, table.c.window_start >= start, table.c.window_start < end)
