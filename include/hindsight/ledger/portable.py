"""Rows of the ledger as Arrow and back, the same from PostgreSQL and SQLite: what a backup of it is made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

ROWS, HEAVY_ROWS = 100_000, 500  # of one part; of a table with charts
_TYPES: tuple[tuple[type[sa.types.TypeEngine[Any]], pa.DataType], ...] = (
    (sa.Boolean, pa.bool_()),
    (sa.Integer, pa.int64()),
    (sa.Float, pa.float64()),
    (sa.String, pa.string()),
    (sa.LargeBinary, pa.binary()),
    (sa.JSON, pa.string()),  # as its text
    (sa.DateTime, pa.timestamp("us", "UTC")),
)


def schema_of(table: sa.Table) -> pa.Schema:
    """Return the columns of a table as Arrow has them: moments in UTC, JSON as text."""
    return pa.schema([pa.field(column.name, _arrow(column)) for column in table.columns])


def read_parts(connection: sa.Connection, table: sa.Table) -> Iterator[pa.Table]:
    """Yield the rows of a table in the order of its key, few enough at once for memory; nothing for an empty one."""
    size = HEAVY_ROWS if any(_is(column, sa.LargeBinary) for column in table.columns) else ROWS
    query = sa.select(table).order_by(*table.primary_key.columns)
    for rows in connection.execution_options(yield_per=size).execute(query).partitions():
        yield _to_arrow(table, rows)


def insert_part(connection: sa.Connection, table: sa.Table, part: pa.Table) -> int:
    """Insert rows that `read_parts` gave; return how many. Raises ValueError where the columns are not the table's."""
    if _types(part.schema) != _types(schema_of(table)):
        raise ValueError(f"the columns of table {table.name} are not those of its version")
    columns = [map(_reader(column), part.column(column.name).to_pylist()) for column in table.columns]
    rows = [dict(zip(table.columns.keys(), values, strict=True)) for values in zip(*columns, strict=True)]
    if rows:
        connection.execute(sa.insert(table), rows)
    return len(rows)


def count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Make PostgreSQL number the next row after those that were inserted with their numbers; SQLite does by itself."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    highest = connection.execute(sa.select(sa.func.max(column))).scalar()
    if highest is not None:
        counter = sa.func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(sa.select(sa.func.setval(counter, highest)))


def holding_rows(connection: sa.Connection, tables: Iterable[sa.Table]) -> list[str]:
    """Return the names of the tables that are not empty."""
    return [
        table.name
        for table in tables
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first()
    ]


def _types(schema: pa.Schema) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in schema}


def _to_arrow(table: sa.Table, rows: Sequence[sa.Row[Any]]) -> pa.Table:
    schema = schema_of(table)
    columns = [
        pa.array(map(_writer(column), values), field.type)
        for column, field, values in zip(table.columns, schema, zip(*rows, strict=True), strict=True)
    ]
    return pa.table(columns, schema=schema)


def _is(column: sa.Column[Any], kind: type[sa.types.TypeEngine[Any]]) -> bool:
    return isinstance(getattr(column.type, "impl_instance", column.type), kind)


def _arrow(column: sa.Column[Any]) -> pa.DataType:
    return next(arrow for kind, arrow in _TYPES if _is(column, kind))


def _writer(column: sa.Column[Any]) -> Callable[[Any], Any]:
    return json.dumps if _is(column, sa.JSON) else _same


def _reader(column: sa.Column[Any]) -> Callable[[Any], Any]:
    return json.loads if _is(column, sa.JSON) else _same


def _same(value: Any) -> Any:
    return value
