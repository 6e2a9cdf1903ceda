"""MySQL and MariaDB: times in UTC whatever the server's zone, texts by code point whatever their collation.

Their TIMESTAMP is shown in the zone of the session; their default collations take 'EU', 'eu' and 'eu ' for one; FLOAT
is sent with six digits; nothing is read only and nothing has a limit until it is asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from hindsight.warehouse.dialects.catalogue import Catalogued
from hindsight.warehouse.dialects.generic import Column, Type

CONNECT_TIMEOUT_S = 10
# what a retry may cure: too many connections, shutting down, lock waits, deadlocks, killed
_TRANSIENT = {1040: "53300", 1053: "57P01", 1205: "40001", 1213: "40001", 1927: "08006"}
_OVER_LIMIT = {1969, 3024}
_WHOLE = dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "year"), sa.Integer())

_indexes = sa.table(
    "statistics",
    *(sa.column(name) for name in ("table_schema", "table_name", "column_name", "index_name", "seq_in_index")),
    schema="information_schema",
)


class Engine(Catalogued):
    """MySQL from 8.0 on, and MariaDB."""

    package = "pymysql"
    form = "mysql+pymysql://user:password@host:3306/database"
    was_run = reads_only = streams = True
    of_epoch = "FROM_UNIXTIME({seconds})"
    of_text = "CAST({column} AS DATETIME(6))"
    types: ClassVar = {
        **_WHOLE,
        "bigint": sa.BigInteger(),
        "bit": mysql.BIT(),
        "decimal": sa.Numeric(),
        "float": sa.Float(),
        "double": sa.Double(),
        "date": sa.Date(),
        "time": sa.Time(),
        "datetime": sa.DateTime(),
        "timestamp": sa.TIMESTAMP(),
        "json": sa.JSON(),
        **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), sa.LargeBinary()),
    }
    texts = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
    default_schema = sa.func.database()

    def address(self, url: sa.URL, timeout: timedelta) -> sa.URL:
        name = url.drivername if "+" in url.drivername else f"{url.drivername}+pymysql"
        own = {"connect_timeout": str(CONNECT_TIMEOUT_S), "charset": "utf8mb4"}
        return url.set(drivername=name, query={**own, **url.query})

    def session(self, timeout: timedelta) -> list[str]:
        return [_session(timeout)]

    def is_read_only(self, connection: sa.Connection) -> bool:
        return "ON" in (_variable(connection, "tx_read_only"), _variable(connection, "transaction_read_only"))

    def zone(self, connection: sa.Connection) -> str:
        return _variable(connection, "time_zone")

    def found_by(self, connection: sa.Connection, table: sa.TableClause, column: str) -> str:
        name = sa.select(_indexes.c.index_name).where(
            _indexes.c.table_schema == (table.schema or self.default_schema),
            _indexes.c.table_name == table.name,
            _indexes.c.column_name == column,
            _indexes.c.seq_in_index == 1,
        )
        found = connection.execute(name).scalars().first()
        return f"index {found}" if found else ""

    def state(self, cause: BaseException) -> str:
        code = cause.args[0] if cause.args and isinstance(cause.args[0], int) else 0
        if not code:
            return super().state(cause)
        return "57014" if code in _OVER_LIMIT else _TRANSIENT.get(code, "08000" if 2000 <= code < 3000 else "HY000")

    def type_name(self, kind: Type, engine: sa.Engine) -> str:
        return super().type_name(kind, engine).partition(" COLLATE ")[0]

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def microseconds(self, column: Column) -> Column:
        """Null for the zero date 0000-00-00."""
        unit: Column = sa.column(sa.sql.quoted_name("MICROSECOND", False))
        return sa.func.timestampdiff(unit, "1970-01-01", column, type_=sa.BigInteger())

    def known(self, column: Column) -> sa.ColumnElement[bool]:
        return self.microseconds(column).is_not(None)

    def bound(self, column: Column, at: datetime) -> Column:
        return sa.literal(at.astimezone(UTC).replace(tzinfo=None), sa.DateTime())

    def exact(self, column: Column) -> Column:
        if not isinstance(column.type, sa.String):
            return column
        return sa.cast(sa.cast(column, mysql.CHAR(charset="utf8mb4")), sa.LargeBinary())

    def readable(self, column: Column, *, is_moment: bool = False) -> tuple[Column, pa.DataType]:
        if isinstance(column.type, sa.Float):
            return sa.cast(column, sa.Double()), pa.float64()
        if isinstance(column.type, sa.Date) and not is_moment:
            return sa.case((self.known(column), column)), pa.date32()
        if isinstance(column.type, mysql.BIT):
            return sa.cast(column, sa.BigInteger()), pa.int64()
        return super().readable(column, is_moment=is_moment)


def _variable(connection: sa.Connection, name: str) -> str:
    found = connection.exec_driver_sql("SHOW SESSION VARIABLES LIKE %s", (name,)).first()
    return str(found[1]) if found else ""


def _session(timeout: timedelta) -> str:
    """The first command of a session; each of the two servers passes over what is marked for the other.

    Whatever sql_mode the server starts sessions in (CHAR(n) with its padding, "" as null): here it is none.
    """
    seconds = timeout.total_seconds()
    return (
        "SET time_zone = '+00:00', sql_mode = ''"
        f" /*M!100000 , max_statement_time = {seconds:f}, tx_read_only = 1 */"
        f" /*!80000 , max_execution_time = {seconds * 1000:.0f}, transaction_read_only = 1 */"
    )
