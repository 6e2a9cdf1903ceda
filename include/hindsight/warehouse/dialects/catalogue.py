"""Catalogue: tables, columns and types out of information_schema, which tells more than some drivers do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Dialect, Type

_COLUMNS = ("table_name", "column_name", "data_type", "character_maximum_length", "collation_name")
_columns = sa.table(
    "columns",
    *(sa.column(name) for name in (*_COLUMNS, "table_schema", "table_catalog", "ordinal_position")),
    schema="information_schema",
)
_tables = sa.table(
    "tables",
    *(sa.column(name) for name in ("table_name", "table_schema", "table_catalog")),
    schema="information_schema",
)


class Catalogued(Dialect):
    """A database whose catalogue is asked directly; `types` says what its names of types are, texts apart.

    A name that is neither there nor in `texts`, which have a length and a collation, is read as text.
    """

    types: ClassVar[Mapping[str, Type]]
    texts: frozenset[str] = frozenset()
    default_schema: sa.ColumnElement[Any]

    def columns(self, connection: sa.Connection, table: str, schema: str) -> dict[str, Type]:
        rows = connection.execute(
            sa.select(*(_columns.c[name] for name in _COLUMNS))
            .where(sa.func.lower(_columns.c.table_name) == table.lower(), *self._in(_columns, schema))
            .order_by(_columns.c.ordinal_position)
        ).all()
        if not rows:
            raise sa.exc.NoSuchTableError(table)
        found = table if any(row[0] == table for row in rows) else rows[0][0]
        return {name: self._type(*about) for owner, name, *about in rows if owner == found}

    def tables(self, connection: sa.Connection, schema: str) -> list[str]:
        query = sa.select(_tables.c.table_name).where(*self._in(_tables, schema))
        return sorted(connection.execute(query).scalars())

    def columns_of_all(self, connection: sa.Connection, schema: str, names: Sequence[str]) -> dict[str, list[str]]:
        query = sa.select(_columns.c.table_name, _columns.c.column_name).where(
            _columns.c.table_name.in_(names), *self._in(_columns, schema)
        )
        found: dict[str, list[str]] = {}
        for table, column in connection.execute(query.order_by(_columns.c.ordinal_position)):
            found.setdefault(table, []).append(column)
        return found

    def _in(self, table: sa.TableClause, schema: str) -> list[sa.ColumnElement[bool]]:
        return [table.c.table_schema == (schema or self.default_schema)]

    def _type(self, name: str, length: int | None, collation: str | None) -> Type:
        base = re.sub(r"\(.*\)", "", name).strip().lower()
        if base in self.texts:
            return sa.String(length, collation=collation) if length and length < 2**15 else sa.Text(collation=collation)
        return self.types.get(base, sa.types.NullType())
