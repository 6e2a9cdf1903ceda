"""The newest numbers that were judged, found by their keys: years of windows take no longer than a few days.

A rule that waits for labels has judged no window as new as the others have, so each has a newest one of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import records, tables
from hindsight.ledger.records import MailState
from hindsight.verdicts.model import Series, Status

_UNSAID = (str(Status.IMMATURE), str(Status.TOO_FEW))  # a number, but not one that can be relied on
_TABLE, _MONITOR = tables.verdicts, sa.bindparam("monitor", type_=sa.Text)


@dataclass(frozen=True, slots=True)
class Judged:
    """A number of the newest window in which a rule judged one, when that window ended, and whether it is a breach."""

    series: Series
    end: datetime
    value: float
    is_breach: bool


def newest(connection: sa.Connection, monitor: str, labelled: Collection[str]) -> Iterator[Judged]:
    """Yield what the rules of a monitor judged last: those `labelled` each in its own window, the others in one.

    What labels do not yet say, and what too few rows say, is left out.
    """
    rules = tuple(sorted(labelled))
    latest, *settled = connection.execute(_windows(rules), {"monitor": monitor}).one()
    starts = dict(zip(rules, settled, strict=True))
    wanted = sorted({latest, *settled} - {None})
    for row in connection.execute(_ROWS, {"monitor": monitor, "starts": wanted}):
        if row.window_start == starts.get(row.rule, latest):
            yield Judged(records.series_of(row), row.window_end, row.value, row.status == Status.BREACH)


def waiting(connection: sa.Connection) -> dict[str, int]:
    """Return how many mails wait to be sent, and how many were given up."""
    state = tables.outbox.c.state
    unsent = (MailState.PENDING, MailState.SENDING, MailState.DEAD)
    query = sa.select(state, sa.func.count()).where(state.in_([str(one) for one in unsent])).group_by(state)
    found = {row[0]: row[1] for row in connection.execute(query)}
    given_up = found.pop(str(MailState.DEAD), 0)
    return {"waiting": sum(found.values()), "given_up": given_up}


@cache  # putting it together takes longer than the answer, and monitors have the same rules
def _windows(rules: tuple[str, ...]) -> sa.Select[Any]:
    """Ask for the start of a monitor's newest window, and of the newest that each rule has judged."""
    newest = sa.func.max(_TABLE.c.window_start, type_=tables.Moment)
    latest = sa.select(newest).where(_TABLE.c.monitor == _MONITOR).scalar_subquery()
    return sa.select(latest.label("latest"), *map(_settled, rules))


def _settled(rule: str) -> sa.ScalarSelect[Any]:
    """The newest window of a rule's numbers about all rows: with every column of the key but the last given."""
    table, other = _TABLE.alias(), _TABLE.alias()
    feature = sa.select(sa.func.min(other.c.feature)).where(*_of_all_rows(other, rule)).scalar_subquery()
    newest = sa.func.max(table.c.window_start, type_=tables.Moment)
    query = sa.select(newest).where(*_of_all_rows(table, rule), table.c.feature == feature, *_says(table))
    return query.scalar_subquery()


def _of_all_rows(table: sa.FromClause, rule: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.monitor == _MONITOR, table.c.rule == rule, table.c.model_version == "", table.c.segment == ""


def _says(table: sa.FromClause) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.value.is_not(None), table.c.status.not_in(_UNSAID)


_ROWS = sa.select(
    *(_TABLE.c[name] for name in ("rule", "model_version", "segment", "feature")),
    *(_TABLE.c[name] for name in ("window_start", "window_end", "value", "status")),
).where(
    _TABLE.c.monitor == _MONITOR,
    _TABLE.c.window_start.in_(sa.bindparam("starts", expanding=True)),
    *_says(_TABLE),
)
