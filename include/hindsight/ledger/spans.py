"""What happened to all monitors in a span of time: one statement a table, in which the database adds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.courses import Wanted
from hindsight.ledger.given import given
from hindsight.ledger.records import MailState
from hindsight.verdicts.error_budget import Spent
from hindsight.verdicts.model import Status
from hindsight.verdicts.reviews import Alert, Graded, Total

_UNSAID = (str(Status.IMMATURE), str(Status.TOO_FEW))
_VERDICTS, _COUNTS = tables.verdicts, tables.slo_counts


@dataclass(frozen=True, slots=True)
class Budget:
    """An SLO of a monitor as its file defines it now, and the period that its budget is for."""

    monitor: str
    slo: str
    definition: str
    period: timedelta


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
    rules = _rules(connection, wanted)
    query = sa.select(rules.c.monitor, rules.c.rule, *sums).join_from(rules, _VERDICTS, _of(rules))
    query = query.where(_VERDICTS.c.model_version == "", _VERDICTS.c.feature == "", _says())
    query = query.where(_VERDICTS.c.window_start >= since, _VERDICTS.c.window_start < until)
    for monitor, rule, windows, total, weighted in connection.execute(query.group_by(rules.c.monitor, rules.c.rule)):
        found[monitor][rule] = Total(windows, total, weighted)
    return found


def graded(
    connection: sa.Connection, wanted: Sequence[Wanted], since: datetime, until: datetime
) -> dict[str, list[Graded]]:
    """Return by monitor the grades that were due in a span, as the rules wanted judged them."""
    found: dict[str, list[Graded]] = defaultdict(list)
    columns = (_VERDICTS.c[name] for name in ("monitor", "model_version", "value", "note"))
    rules = _rules(connection, wanted)
    query = sa.select(*columns).join_from(rules, _VERDICTS, _of(rules))
    query = query.where(_VERDICTS.c.due >= since, _VERDICTS.c.due < until)
    for row in connection.execute(query.order_by(_VERDICTS.c.due, _VERDICTS.c.model_version)):
        mark = None if row.value is None else round(row.value)
        found[row.monitor].append(Graded(row.model_version, mark, row.note))
    return found


def spent(
    connection: sa.Connection, budgets: Sequence[Budget], since: datetime, until: datetime
) -> dict[str, dict[str, tuple[Spent, Spent]]]:
    """Return by monitor and SLO what was counted in [since, until), and in the whole period of its budget until then.

    SLOs of the same period are one statement.
    """
    found: dict[str, dict[str, tuple[Spent, Spent]]] = defaultdict(dict)
    for period in {one.period for one in budgets}:
        rows = [(one.monitor, one.slo, one.definition) for one in budgets if one.period == period]
        slos = given(connection, ("monitor", "slo", "definition"), rows)
        for row in connection.execute(_spent(slos, until - period, since, until)):
            within, whole = Spent(row.bad, row.total), Spent(row.all_bad, row.all_total)
            found[row.monitor][row.slo] = within, whole
    return found


def _spent(slos: sa.CTE, first: datetime, since: datetime, until: datetime) -> sa.Select[Any]:
    start = _COUNTS.c.window_start
    same = sa.and_(*(_COUNTS.c[name] == slos.c[name] for name in ("monitor", "slo", "definition")))
    added = (
        sa.cast(sa.func.sum(sa.case((start >= begun, _COUNTS.c[name]), else_=0)), sa.BigInteger).label(label)
        for begun, all_ in ((since, ""), (first, "all_"))
        for name, label in (("bad", f"{all_}bad"), ("total", f"{all_}total"))
    )
    query = sa.select(slos.c.monitor, slos.c.slo, *added).join_from(slos, _COUNTS, same)
    query = query.where(_COUNTS.c.total.is_not(None), start >= min(first, since), start < until)
    return query.group_by(slos.c.monitor, slos.c.slo)


def _rules(connection: sa.Connection, wanted: Sequence[Wanted]) -> sa.CTE:
    return given(connection, ("monitor", "rule"), [(one.monitor, one.rule) for one in wanted])


def _of(rules: sa.CTE) -> sa.ColumnElement[bool]:
    same = (_VERDICTS.c[name] == rules.c[name] for name in ("monitor", "rule"))
    return sa.and_(*same, _VERDICTS.c.segment == "")


def _says() -> sa.ColumnElement[bool]:
    return sa.and_(_VERDICTS.c.value.is_not(None), _VERDICTS.c.status.not_in(_UNSAID))
