"""Schemas: where a table lies whose schema nobody named."""

from __future__ import annotations

import sqlalchemy as sa

from hindsight.warehouse.connect import reading
from hindsight.warehouse.dialects import dialect_of

MOST = 200  # schemas looked into
_OF_THE_DATABASE = {
    "information_schema", "pg_catalog", "pg_toast", "pg_internal", "performance_schema", "mysql", "sys", "guest",
}  # fmt: skip


def places(engine: sa.Engine, connection: str, table: str) -> list[str]:
    """Return the names `schema.table` under which a bare name is found, in any schema.

    Upper and lower case are one. Raises DataError or WarehouseError as the warehouse answers.
    """
    dialect = dialect_of(engine)
    with reading(engine, connection), engine.connect() as asked:
        return [
            f"{schema}.{name}"
            for schema in _own(dialect.schemas(asked))
            for name in dialect.tables(asked, schema)
            if name.casefold() == table.casefold()
        ]


def _own(names: list[str]) -> list[str]:
    """The schemas of users, sorted."""
    own = {name for name in names if name.casefold() not in _OF_THE_DATABASE}
    return sorted(name for name in own if not name.casefold().startswith("pg_"))[:MOST]
