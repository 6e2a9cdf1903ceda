"""The courses of numbers: what rules judged last of many monitors, and how many rows open breaches lie on.

Each is one statement for all monitors, whose parts are found by their key: years of windows take no longer than a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.given import given
from hindsight.verdicts.model import STANDING, Status

_UNSAID = (str(Status.IMMATURE), str(Status.TOO_FEW))
_EVER = datetime(1, 1, 1, tzinfo=UTC)
_SERIES = ("rule", "model_version", "segment", "feature")
_TABLE = tables.verdicts


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule of a monitor whose numbers of all rows are wanted; `feature` is the column, or the SLO, they are about."""

    monitor: str
    rule: str
    feature: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What a rule judged in one window, and the line it judged it by; None where it had none."""

    start: datetime
    value: float
    threshold: float | None


def courses(connection: sa.Connection, wanted: Sequence[Wanted], windows: int) -> dict[Wanted, tuple[Step, ...]]:
    """Return of each series the newest windows that have a number to rely on, at most so many, oldest first.

    What labels do not yet say, and what too few rows say, is left out; a series without any window is not there.
    """
    found: dict[Wanted, list[Step]] = defaultdict(list)
    rows = [(one.monitor, one.rule, one.feature) for one in wanted]
    for row in connection.execute(_newest(given(connection, ("monitor", "rule", "feature"), rows), windows)):
        found[Wanted(row.monitor, row.rule, row.feature)].append(Step(row.window_start, row.value, row.threshold))
    return {key: tuple(sorted(steps, key=lambda step: step.start)) for key, steps in found.items()}


def rows_hit(connection: sa.Connection, but: Collection[str]) -> dict[str, int]:
    """Return by monitor how many rows at least lie in windows in which what is open breached, each window counted once.

    Of the breaches of one window the one with most rows behind it counts; rules named in `but` count other things.
    """
    incidents = tables.incidents
    same = (_TABLE.c[name] == incidents.c[name] for name in ("monitor", *_SERIES))
    of_window = (
        sa.select(incidents.c.monitor, sa.func.max(_TABLE.c.n).label("n"))
        .join_from(incidents, _TABLE, sa.and_(*same, _TABLE.c.window_start >= incidents.c.started))
        .where(incidents.c.state.in_([str(one) for one in STANDING]), incidents.c.rule.not_in(sorted(but)))
        .where(_TABLE.c.status == str(Status.BREACH))
        .group_by(incidents.c.monitor, _TABLE.c.window_start)  # by the verdicts' own SQLite reads all of them in order
        .subquery()
    )
    total = sa.cast(sa.func.sum(of_window.c.n), sa.BigInteger)
    query = sa.select(of_window.c.monitor, total.label("n")).group_by(of_window.c.monitor)
    return {row.monitor: row.n for row in connection.execute(query)}


def _newest(given: sa.CTE, windows: int) -> sa.Select[Any]:
    table = _TABLE.alias()
    first = sa.select(table.c.window_start).where(*_of(table, given)).order_by(table.c.window_start.desc())
    since = first.limit(1).offset(windows - 1).correlate(given).scalar_subquery()
    begun = sa.select(given, sa.func.coalesce(since, sa.literal(_EVER, tables.Moment)).label("since")).cte("begun")
    numbers = (_TABLE.c.window_start, _TABLE.c.value, _TABLE.c.threshold)
    joined = sa.and_(*_of(_TABLE, begun), _TABLE.c.window_start >= begun.c.since)
    return sa.select(begun.c.monitor, begun.c.rule, begun.c.feature, *numbers).join_from(begun, _TABLE, joined)


def _of(table: sa.FromClause, given: sa.CTE) -> Iterator[sa.ColumnElement[bool]]:
    yield from (table.c[name] == given.c[name] for name in ("monitor", "rule", "feature"))
    yield from (table.c[name] == "" for name in ("model_version", "segment"))
    yield table.c.value.is_not(None)
    yield table.c.status.not_in(_UNSAID)
