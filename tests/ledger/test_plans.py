"""What is asked about all monitors is found by keys: no statement goes through every verdict there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.ledger import spans
from hindsight.ledger.courses import Wanted, courses, rows_hit
from hindsight.ledger.fleet import Asked, stands
from hindsight.ledger.newest import newest
from tests.builders import at
from tests.ledgers import a_ledger

WEEK = at("2026-09-07"), at("2026-09-14")
WANTED = [Wanted("credit", "accuracy_drop"), Wanted("fraud", "accuracy_drop")]
BUDGETS = [spans.Budget("credit", "availability", "x", timedelta(days=30))]
ASKED: dict[str, Callable[[sa.Connection], object]] = {
    "courses": lambda connection: courses(connection, WANTED, 12),
    "rows hit": lambda connection: rows_hit(connection, {"slo_budget"}),
    "newest": lambda connection: newest(connection, {"credit": ["accuracy_drop"], "fraud": []}),
    "stands": lambda connection: stands(connection, [Asked("credit", "health", "accuracy_drop")], WEEK[1]),
    "totals": lambda connection: spans.totals(connection, WANTED, *WEEK),
    "graded": lambda connection: spans.graded(connection, WANTED, *WEEK),
    "spent": lambda connection: spans.spent(connection, BUDGETS, *WEEK),
}


@pytest.mark.parametrize("name", ASKED)
def test_no_statement_reads_what_is_not_asked_for(name: str, sqlite_url: sa.URL) -> None:
    ledger = a_ledger(sqlite_url)
    plans: list[str] = []

    def explain(_: object, cursor: Any, statement: str, parameters: object, *rest: object) -> None:
        if "verdicts" in statement or "slo_counts" in statement:
            told = cursor.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in told.fetchall())

    sa.event.listen(ledger.engine, "after_cursor_execute", explain)
    with ledger.reading() as connection:
        ASKED[name](connection)
    ledger.engine.dispose()
    searched = [one for one in plans if "verdicts" in one or "slo_counts" in one]
    assert searched
    assert [one for one in searched if not one.startswith("SEARCH") or "monitor=?" not in one] == []
