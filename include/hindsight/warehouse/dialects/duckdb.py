"""DuckDB: a file opened for reading only, its catalogue asked directly, its answers taken as Arrow."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any, ClassVar, cast

import pyarrow as pa
import sqlalchemy as sa

from hindsight.warehouse.dialects.catalogue import Catalogued
from hindsight.warehouse.dialects.generic import ROWS_AT_ONCE, Column, Statement

MB_A_THREAD = 64  # while it counts
_REFLECTING = "duckdb.hindsight"
_WHOLE = ("tinyint", "smallint", "integer", "utinyint", "usmallint", "uinteger")
_NAIVE = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns")


class Engine(Catalogued):
    """DuckDB from 2.0 on."""

    package = "duckdb duckdb-engine"
    form = "duckdb:////folder/file.duckdb"
    was_run = reads_only = streams = True
    at_once = 4  # with twice as many a million rows take a hundred megabytes more
    of_epoch = "to_timestamp({seconds})"
    of_text = "CAST({column} AS TIMESTAMPTZ)"
    types: ClassVar = {
        **dict.fromkeys(_WHOLE, sa.Integer()),
        **dict.fromkeys(("bigint", "ubigint"), sa.BigInteger()),
        **dict.fromkeys(("hugeint", "uhugeint"), sa.Numeric(38, 0)),
        "boolean": sa.Boolean(),
        "decimal": sa.Numeric(),
        "float": sa.REAL(),
        "double": sa.Double(),
        "date": sa.Date(),
        "time": sa.Time(),
        **dict.fromkeys(_NAIVE, sa.DateTime()),
        "timestamp with time zone": sa.DateTime(timezone=True),
        "blob": sa.LargeBinary(),
        "json": sa.JSON(),
        "uuid": sa.Uuid(),
        **dict.fromkeys(("varchar", "enum"), sa.VARCHAR()),
    }
    default_schema = sa.func.current_schema()

    def address(self, url: sa.URL, timeout: timedelta) -> sa.URL:
        sa.dialects.registry.register(_REFLECTING, f"{__package__}.reflection", "Reflecting")
        url = url.set(drivername=_REFLECTING.replace(".", "+"))
        in_memory = url.database in (None, "", ":memory:")
        return url if in_memory else url.update_query_dict({"access_mode": "read_only"})

    def prepare(self, engine: sa.Engine, timeout: timedelta) -> None:
        pass  # the URL and the dialect it names have seen to it

    def is_read_only(self, connection: sa.Connection) -> bool:
        mode = connection.execute(sa.select(sa.func.current_setting("access_mode"))).scalar()
        return str(mode).lower() == "read_only"

    def zone(self, connection: sa.Connection) -> str:
        return str(connection.execute(sa.select(sa.func.current_setting("TimeZone"))).scalar_one())

    def schemas(self, connection: sa.Connection) -> list[str]:
        here = f"{connection.execute(sa.select(sa.func.current_database())).scalar_one()}."
        return [name.removeprefix(here) for name in super().schemas(connection) if name.startswith(here)]

    def found_by(self, connection: sa.Connection, table: sa.TableClause, column: str) -> str:
        return "DuckDB keeps the least and the greatest value of each row group"

    def known(self, column: Column) -> sa.ColumnElement[bool]:
        return sa.and_(column.is_not(None), sa.func.isfinite(column, type_=sa.Boolean()))

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def moment_or_null(self, column: Column) -> Column:
        return sa.case((self.known(column), self.microseconds(column)))

    def microseconds(self, column: Column) -> Column:
        return sa.func.epoch_us(column, type_=sa.BigInteger())

    def exact(self, column: Column) -> Column:
        return sa.collate(column, "binary") if isinstance(column.type, sa.String) else column

    @contextmanager
    def snapshot(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        """With a bounded memory, unless the URL has a `memory_limit`: what does not fit waits in temporary files."""
        with super().snapshot(engine) as connection:
            if "memory_limit" in engine.url.query:
                yield connection
                return
            threads = connection.execute(sa.select(sa.func.current_setting("threads"))).scalar_one()
            folder = Path(gettempdir()) / f"hindsight-duckdb-{os.getpid()}"  # DuckDB removes it when it ends
            connection.exec_driver_sql("SET temp_directory = '{}'".format(str(folder).replace("'", "''")))
            connection.exec_driver_sql(f"SET memory_limit = '{int(threads) * MB_A_THREAD}MB'")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("RESET memory_limit")

    def is_nan(self, number: Column) -> sa.ColumnElement[bool]:
        """NaN equals NaN here."""
        return sa.func.isnan(number, type_=sa.Boolean())

    def batches(
        self, engine: sa.Engine, statement: Statement, schema: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        """Yield the rows as DuckDB hands them out, cast to `schema`; a relation copies none, a cursor does."""
        query = str(statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
        with engine.connect() as connection:
            driver = cast(Any, connection.connection.driver_connection)
            driver.abort()  # of whatever was asked before and not read to its end
            for batch in driver.sql(query).to_arrow_reader(ROWS_AT_ONCE):
                yield batch.cast(schema)

    def _in(self, table: sa.TableClause, schema: str) -> list[sa.ColumnElement[bool]]:
        """`schema` may name an attached database before a dot."""
        catalog, _, name = schema.rpartition(".")
        return [
            table.c.table_schema == (name or self.default_schema),
            table.c.table_catalog == (catalog or sa.func.current_database()),
        ]
