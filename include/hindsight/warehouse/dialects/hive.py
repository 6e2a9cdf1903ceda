"""Hive: Spark SQL behind its Thrift server, under the name of the protocol and of the dialect that speaks it.

The dialect of PyHive was made for Hive: of Spark it lists schemas for tables and does not know TIMESTAMP_NTZ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Type
from hindsight.warehouse.dialects.spark import Spark

_NOT_THERE = "TABLE_OR_VIEW_NOT_FOUND"


class Engine(Spark):
    """A Spark Thrift server by PyHive; Hive itself lacks unix_micros."""

    package = "pyhive thrift thrift-sasl pure-sasl"
    form = "hive://user@host:10000/database"
    was_run = True
    types: ClassVar[Mapping[str, Type]] = {
        **dict.fromkeys(("tinyint", "smallint", "int"), sa.Integer()),
        "bigint": sa.BigInteger(),
        "boolean": sa.Boolean(),
        "float": sa.Float(),
        "double": sa.Double(),
        "decimal": sa.Numeric(),
        "date": sa.Date(),
        "timestamp": sa.TIMESTAMP(),
        "timestamp_ntz": sa.TIMESTAMP(),
        "binary": sa.LargeBinary(),
        "char": sa.CHAR(),
        **dict.fromkeys(("string", "varchar"), sa.String()),
    }

    def columns(self, connection: sa.Connection, table: str, schema: str) -> dict[str, Type]:
        try:
            rows = _asked(connection, f"DESCRIBE TABLE {_quoted(connection, table, schema)}")
        except sa.exc.OperationalError as exc:
            if _NOT_THERE in str(exc.orig):
                raise sa.exc.NoSuchTableError(table) from exc
            raise
        found: dict[str, Type] = {}
        for name, kind, *_ in rows:
            if not name or name.startswith("#"):
                break  # what follows repeats the columns of partitions
            found[name] = self.types.get(kind.partition("(")[0], sa.types.NullType())
        return found

    def tables(self, connection: sa.Connection, schema: str) -> list[str]:
        """Views among them."""
        within = f" IN {connection.dialect.identifier_preparer.quote(schema)}" if schema else ""
        return sorted(row[1] for row in _asked(connection, f"SHOW TABLES{within}"))

    def columns_of_all(self, connection: sa.Connection, schema: str, names: Sequence[str]) -> dict[str, list[str]]:
        return {name: list(self.columns(connection, name, schema)) for name in names}


def _quoted(connection: sa.Connection, table: str, schema: str) -> str:
    return connection.dialect.identifier_preparer.format_table(sa.table(table, schema=schema or None))


def _asked(connection: sa.Connection, command: str) -> Sequence[Any]:
    """SQLAlchemy has no construct for commands about the catalogue; every name in them is quoted."""
    return connection.exec_driver_sql(command).all()
