"""What happened to all monitors in a span of time: one statement a table, in which the database adds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.courses import MOST, Wanted
from hindsight.ledger.records import MailState
from hindsight.verdicts.error_budget import Spent
from hindsight.verdicts.model import Status
from hindsight.verdicts.reviews import Alert, Graded, Total

_UNSAID = (str(Status.IMMATURE), str(Status.TOO_FEW))
_VERDICTS, _COUNTS = tables.verdicts, tables.slo_counts


@dataclass(frozen=True, slots=True)
class Budget:
    """An SLO of a monitor as its file defines it now, and when the period began that its budget is for."""

    monitor: str
    slo: str
    definition: str
    since: datetime


def alerts(connection: sa.Connection, since: datetime, until: datetime) -> dict[str, list[Alert]]:
    """Return by monitor when people were told of incidents in [since, until), each occasion once, oldest first."""
    outbox, told = tables.outbox, tables.outbox_incidents
    query = sa.select(outbox.c.monitor, outbox.c.cause, outbox.c.sent_at, told.c.incident)
    query = query.join(told, told.c.mail == outbox.c.id).where(outbox.c.state == str(MailState.SENT))
    query = query.where(outbox.c.sent_at >= since, outbox.c.sent_at < until).order_by(outbox.c.sent_at)
    begun: dict[tuple[str, str], datetime] = {}
    of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in connection.execute(query):
        begun.setdefault((row.monitor, row.cause), row.sent_at)
        of[row.monitor, row.cause].add(row.incident)
    found: dict[str, list[Alert]] = defaultdict(list)
    for key, at in begun.items():
        found[key[0]].append(Alert(at, frozenset(of[key])))
    return found


def totals(
    connection: sa.Connection, wanted: Sequence[Wanted], since: datetime, until: datetime
) -> dict[str, dict[str, Total]]:
    """Return by monitor and rule what the rules wanted judged of all rows in the windows of a span, added up."""
    value, found = _VERDICTS.c.value, defaultdict[str, dict[str, Total]](dict)
    sums = (sa.func.count().label("windows"), sa.func.sum(value), sa.func.sum(value * _VERDICTS.c.n))
    for given in _given(wanted):
        query = sa.select(given.c.monitor, given.c.rule, *sums).join_from(given, _VERDICTS, _of(given))
        query = query.where(_VERDICTS.c.model_version == "", _VERDICTS.c.feature == "", _says())
        query = query.where(_VERDICTS.c.window_start >= since, _VERDICTS.c.window_start < until)
        for monitor, rule, windows, total, weighted in connection.execute(query.group_by(*given.c)):
            found[monitor][rule] = Total(windows, total, weighted)
    return found


def graded(
    connection: sa.Connection, wanted: Sequence[Wanted], since: datetime, until: datetime
) -> dict[str, list[Graded]]:
    """Return by monitor the grades that were due in a span, as the rules wanted judged them."""
    found: dict[str, list[Graded]] = defaultdict(list)
    columns = (_VERDICTS.c[name] for name in ("monitor", "model_version", "value", "note"))
    due = (_VERDICTS.c.due >= since, _VERDICTS.c.due < until)
    for given in _given(wanted):
        query = sa.select(*columns).join_from(given, _VERDICTS, _of(given)).where(*due)
        for row in connection.execute(query.order_by(_VERDICTS.c.due, _VERDICTS.c.model_version)):
            mark = None if row.value is None else round(row.value)
            found[row.monitor].append(Graded(row.model_version, mark, row.note))
    return found


def spent(
    connection: sa.Connection, budgets: Sequence[Budget], since: datetime, until: datetime
) -> dict[str, dict[str, tuple[Spent, Spent]]]:
    """Return by monitor and SLO what was counted in [since, until), and from the `since` of its own budget on."""
    found: dict[str, dict[str, tuple[Spent, Spent]]] = defaultdict(dict)
    for place in range(0, len(budgets), MOST):
        for row in connection.execute(_spent(budgets[place : place + MOST], since, until)):
            within, whole = Spent(row.bad or 0, row.total or 0), Spent(row.all_bad, row.all_total)
            found[row.monitor][row.slo] = within, whole
    return found


def _spent(budgets: Sequence[Budget], since: datetime, until: datetime) -> sa.Select[Any]:
    names = [sa.column(name, sa.Text) for name in ("monitor", "slo", "definition")]
    begun = sa.column("since", tables.Moment)
    rows = [(one.monitor, one.slo, one.definition, one.since) for one in budgets]
    given = sa.values(*names, begun, name="given").data(rows).cte("budgets")
    start, is_within = _COUNTS.c.window_start, _COUNTS.c.window_start >= since
    same = sa.and_(*(_COUNTS.c[name] == given.c[name] for name in ("monitor", "slo", "definition")))
    first = sa.case((given.c.since < since, given.c.since), else_=sa.literal(since, tables.Moment))
    in_period = start >= given.c.since
    sums = {
        "bad": sa.case((is_within, _COUNTS.c.bad), else_=0),
        "total": sa.case((is_within, _COUNTS.c.total), else_=0),
        "all_bad": sa.case((in_period, _COUNTS.c.bad), else_=0),
        "all_total": sa.case((in_period, _COUNTS.c.total), else_=0),
    }
    added = (sa.cast(sa.func.sum(each), sa.BigInteger).label(name) for name, each in sums.items())
    query = sa.select(given.c.monitor, given.c.slo, *added).join_from(given, _COUNTS, same)
    query = query.where(_COUNTS.c.total.is_not(None), start >= first, start < until)
    return query.group_by(given.c.monitor, given.c.slo)


def _given(wanted: Sequence[Wanted]) -> Iterator[sa.CTE]:
    names = [sa.column(name, sa.Text) for name in ("monitor", "rule")]
    for place in range(0, len(wanted), MOST):
        rows = [(one.monitor, one.rule) for one in wanted[place : place + MOST]]
        yield sa.values(*names, name="given").data(rows).cte("wanted")


def _of(given: sa.CTE) -> sa.ColumnElement[bool]:
    same = (_VERDICTS.c[name] == given.c[name] for name in ("monitor", "rule"))
    return sa.and_(*same, _VERDICTS.c.segment == "")


def _says() -> sa.ColumnElement[bool]:
    return sa.and_(_VERDICTS.c.value.is_not(None), _VERDICTS.c.status.not_in(_UNSAID))
