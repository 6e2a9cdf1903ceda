"""The fleet: how all monitors stand, in one statement whose parts are each found by their key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.given import given
from hindsight.verdicts.model import Status

_UNSAID = (str(Status.IMMATURE), str(Status.TOO_FEW))
_TABLE = tables.verdicts


@dataclass(frozen=True, slots=True)
class Asked:
    """A monitor, and the rules its health and its quality are judged by, "" for none."""

    monitor: str
    health: str = ""
    quality: str = ""


@dataclass(frozen=True, slots=True)
class Stand:
    """The newest window of a monitor that was judged, its health in it, and the newest whose labels were judged."""

    window: datetime | None
    health: float | None
    labelled: datetime | None


def stands(connection: sa.Connection, asked: Sequence[Asked], before: datetime | None = None) -> dict[str, Stand]:
    """Return how each monitor stands, by its name; with `before` by the windows that start before it."""
    rows = [(one.monitor, one.health, one.quality) for one in asked]
    found = connection.execute(_statement(given(connection, ("monitor", "health", "quality"), rows), before))
    return {row.monitor: Stand(row.window, row.health, row.labelled) for row in found}


def _statement(one: sa.CTE, before: datetime | None) -> sa.Select[str, datetime, float, datetime]:
    start = _TABLE.c.window_start
    window = sa.select(sa.func.max(start, type_=tables.Moment)).where(_TABLE.c.monitor == one.c.monitor)
    if before is not None:
        window = window.where(start < before)
    newest = sa.select(one, window.scalar_subquery().label("window")).cte("newest")
    return sa.select(
        newest.c.monitor,
        newest.c.window,
        _health(newest).label("health"),
        _labelled(newest, before).label("labelled"),
    )


def _health(newest: sa.CTE) -> sa.ScalarSelect[float]:
    table = _TABLE.alias()
    said = (*_of_all_rows(table, newest, newest.c.health), table.c.window_start == newest.c.window)
    return sa.select(sa.func.max(table.c.value, type_=sa.Double)).where(*said).scalar_subquery()


def _labelled(newest: sa.CTE, before: datetime | None) -> sa.ScalarSelect[datetime]:
    table = _TABLE.alias()
    said: list[sa.ColumnElement[bool]] = [table.c.value.is_not(None), table.c.status.not_in(_UNSAID)]
    said += [table.c.window_start < before] if before is not None else []
    found = sa.select(sa.func.max(table.c.window_start, type_=tables.Moment))
    return found.where(*_of_all_rows(table, newest, newest.c.quality), *said).scalar_subquery()


def _of_all_rows(table: sa.FromClause, newest: sa.CTE, rule: sa.ColumnElement[str]) -> list[sa.ColumnElement[bool]]:
    bare = (table.c[name] == "" for name in ("model_version", "segment", "feature"))
    return [table.c.monitor == newest.c.monitor, table.c.rule == rule, *bare]
