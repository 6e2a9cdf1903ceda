"""Given: rows that a statement brings along as one value, so that it is compiled once however many there are.

A VALUES clause is put together anew for every call, which for a thousand rows takes longer than their answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY


def given(connection: sa.Connection, names: Sequence[str], rows: Sequence[Sequence[str]]) -> sa.CTE:
    """Return the rows as a table of text columns with these names, to join or to read from."""
    if connection.dialect.name == "postgresql":
        return _arrays(names, rows).cte("given")
    value = sa.func.json_each(sa.bindparam(None, json.dumps(rows), sa.Text)).table_valued("value").c.value
    columns = (
        sa.func.json_extract(value, f"$[{place}]", type_=sa.Text).label(name) for place, name in enumerate(names)
    )
    return sa.select(*columns).cte("given")


def _arrays(names: Sequence[str], rows: Sequence[Sequence[str]]) -> sa.Select[Any]:
    columns: Iterable[Sequence[str]] = zip(*rows, strict=True) if rows else ((),) * len(names)
    texts = (sa.cast(sa.bindparam(None, list(column), ARRAY(sa.Text)), ARRAY(sa.Text)) for column in columns)
    table = sa.func.unnest(*texts).table_valued(*(sa.column(name, sa.Text) for name in names), name="rows")
    return sa.select(table.render_derived())
