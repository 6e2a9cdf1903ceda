"""Reflection: duckdb-engine with what does not work in it, for everyone who connects by the URL of an engine of ours.

Under SQLAlchemy 2.1 its own reflection asks for pg_collation, a table that DuckDB lacks, and before that it showed
TIMESTAMPTZ without the zone. Great Expectations reflects tables too, through an engine of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from duckdb_engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection, ReflectedColumn

from hindsight.warehouse.dialects.duckdb import Engine


class Reflecting(Dialect):
    """DuckDB, its sessions in UTC, its columns out of information_schema."""

    supports_statement_cache = False
    _backslash_escapes = False  # PostgreSQL is asked for this when it is first connected; here a backslash is one

    def on_connect(self) -> Callable[[DBAPIConnection], None]:  # type: ignore[override, unused-ignore]
        """Return what is done with each new connection."""
        return _keep_utc

    def get_columns(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[ReflectedColumn]:
        """The columns of a table or view; raise NoSuchTableError where it does not exist."""
        found = Engine().columns(connection, table_name, schema or "")
        return [ReflectedColumn(name=n, type=kind, nullable=True, default=None) for n, kind in found.items()]

    def get_multi_columns(
        self,
        connection: Any,
        schema: str | None = None,
        filter_names: Any = None,
        scope: Any = None,
        kind: Any = None,
        **kw: Any,
    ) -> list[Any]:
        """The columns of many."""
        names = filter_names or Engine().tables(connection, schema or "")
        return [((schema, name), self.get_columns(connection, name, schema)) for name in names]


def _keep_utc(connection: DBAPIConnection) -> None:
    connection.cursor().execute("SET TimeZone = 'UTC'")
