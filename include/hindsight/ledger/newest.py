"""The newest numbers that were judged, found by their keys: years of windows take no longer than a few days.

A rule that waits for labels has judged no window as new as the others have, so each has a newest one of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import records, tables
from hindsight.ledger.given import given
from hindsight.ledger.records import MailState
from hindsight.verdicts.model import Series, Status

_UNSAID = (str(Status.IMMATURE), str(Status.TOO_FEW))  # a number, but not one that can be relied on
_TABLE = tables.verdicts


@dataclass(frozen=True, slots=True)
class Judged:
    """A number of the newest window in which a rule judged one, when that window ended, and whether it is a breach."""

    series: Series
    end: datetime
    value: float
    is_breach: bool


def newest(connection: sa.Connection, labelled: Mapping[str, Collection[str]]) -> dict[str, list[Judged]]:
    """Return by monitor what its rules judged last: those `labelled` each in its own window, the others in one.

    What labels do not yet say, and what too few rows say, is left out. Two statements for all monitors.
    """
    monitors = given(connection, ("monitor",), [(name,) for name in labelled])
    rules = given(connection, ("monitor", "rule"), [(name, rule) for name, some in labelled.items() for rule in some])
    found: dict[str, list[Judged]] = {name: [] for name in labelled}
    for row in connection.execute(_rows(_latest(monitors))):
        if row.rule not in labelled[row.monitor]:
            found[row.monitor].append(_judged(row))
    settled = _settled(rules)
    for row in connection.execute(_rows(settled).where(_TABLE.c.rule == settled.c.rule)):
        found[row.monitor].append(_judged(row))
    return found


def waiting(connection: sa.Connection) -> dict[str, int]:
    """Return how many mails wait to be sent, and how many were given up."""
    state = tables.outbox.c.state
    unsent = (MailState.PENDING, MailState.SENDING, MailState.DEAD)
    query = sa.select(state, sa.func.count()).where(state.in_([str(one) for one in unsent])).group_by(state)
    found = {row[0]: row[1] for row in connection.execute(query)}
    given_up = found.pop(str(MailState.DEAD), 0)
    return {"waiting": sum(found.values()), "given_up": given_up}


def _latest(monitors: sa.CTE) -> sa.CTE:
    """Of each monitor the start of its newest window."""
    table = _TABLE.alias()
    start = sa.select(_newest(table)).where(table.c.monitor == monitors.c.monitor).scalar_subquery()
    return sa.select(monitors.c.monitor, start.label("start")).cte("latest")


def _settled(rules: sa.CTE) -> sa.CTE:
    """Of each rule the newest window of its numbers about all rows: with every column of the key but the last given."""
    table, other = _TABLE.alias(), _TABLE.alias()
    feature = sa.select(sa.func.min(other.c.feature)).where(*_of_all_rows(other, rules)).correlate(rules)
    query = sa.select(_newest(table)).where(
        *_of_all_rows(table, rules), table.c.feature == feature.scalar_subquery(), *_says(table)
    )
    start = query.correlate(rules).scalar_subquery()
    return sa.select(rules.c.monitor, rules.c.rule, start.label("start")).cte("settled")


def _newest(table: sa.FromClause) -> sa.Function[datetime]:
    return sa.func.max(table.c.window_start, type_=tables.Moment)


def _of_all_rows(table: sa.FromClause, rules: sa.CTE) -> tuple[sa.ColumnElement[bool], ...]:
    same = (table.c[name] == rules.c[name] for name in ("monitor", "rule"))
    return *same, table.c.model_version == "", table.c.segment == ""


def _says(table: sa.FromClause) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.value.is_not(None), table.c.status.not_in(_UNSAID)


def _rows(windows: sa.CTE) -> sa.Select[Any]:
    columns = ("monitor", "rule", "model_version", "segment", "feature", "window_end", "value", "status")
    same = sa.and_(_TABLE.c.monitor == windows.c.monitor, _TABLE.c.window_start == windows.c.start)
    return sa.select(*(_TABLE.c[name] for name in columns)).join_from(windows, _TABLE, same).where(*_says(_TABLE))


def _judged(row: records.Row) -> Judged:
    return Judged(records.series_of(row), row.window_end, row.value, row.status == Status.BREACH)
