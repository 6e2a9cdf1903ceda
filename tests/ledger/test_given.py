"""Rows that a statement brings along come back as they are, on both databases, whatever is in them."""

from __future__ import annotations

import sqlalchemy as sa

from hindsight.ledger.given import given
from tests.ledgers import a_ledger

ROWS = [("credit", "drift"), ("it's", 'a "b" \\ {c}, %s'), ("", "größe\u202e"), ("credit", "drift")]


def test_rows_come_back_as_they_were_given(database_url: sa.URL, tmp_path: object) -> None:
    ledger = a_ledger(database_url)
    with ledger.reading() as connection:
        table = given(connection, ("monitor", "rule"), ROWS)
        found = connection.execute(sa.select(table.c.monitor, table.c.rule)).all()
        none = connection.execute(sa.select(given(connection, ("monitor", "rule"), []))).all()
    ledger.engine.dispose()
    assert sorted(map(tuple, found)) == sorted(ROWS)
    assert none == []
