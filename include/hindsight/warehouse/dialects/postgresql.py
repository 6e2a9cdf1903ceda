"""PostgreSQL: rows by ADBC (binary COPY straight into Arrow); settings of the session, and again of each transaction.

A pooler such as PgBouncer may drop what a session was started with (ignore_startup_parameters) or lend another session
to every transaction: what must hold is therefore also said where a transaction begins.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from hindsight.warehouse.dialects.generic import Column, Dialect, Statement, Type
from hindsight.warehouse.pool import LendingPool

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcConnection, AdbcDatabase

CONNECT_TIMEOUT_S = 10
BYTES_AT_ONCE = 4 * 2**20  # a quarter of the default: as quick, and the heap stays smaller
_DATED = (sa.DateTime, sa.Date)  # both can be infinite


class Engine(Dialect):
    """PostgreSQL, and what speaks its protocol."""

    package = "psycopg"
    form = "postgresql://user:password@host:5432/database"
    was_run = reads_only = streams = True
    at_once = 7  # of more, the server thinks that other processes could not help
    of_epoch = "to_timestamp({seconds})"
    of_text = "CAST({column} AS TIMESTAMPTZ)"

    def address(self, url: sa.URL, timeout: timedelta) -> sa.URL:
        given = url.query.get("options", "")
        own = (f"-c {k}={v}" for k, v in {"default_transaction_read_only": "on", **_settings(timeout)}.items())
        options = " ".join([*([given] if isinstance(given, str) else given), *own]).strip()
        query = {"connect_timeout": str(CONNECT_TIMEOUT_S), **url.query, "options": options}
        return url.set(drivername="postgresql+psycopg", query=query)

    def prepare(self, engine: sa.Engine, timeout: timedelta) -> None:
        settings = sa.select(*(sa.func.set_config(name, value, True) for name, value in _settings(timeout).items()))
        sa.event.listen(engine, "connect", _read_only)
        sa.event.listen(engine, "begin", lambda connection: connection.execute(settings))

    def is_read_only(self, connection: sa.Connection) -> bool:
        setting: str = connection.execute(sa.select(sa.func.current_setting("transaction_read_only"))).scalar_one()
        return setting == "on"

    def zone(self, connection: sa.Connection) -> str:
        return str(connection.execute(sa.select(sa.func.current_setting("timezone"))).scalar_one())

    def granted(self, connection: sa.Connection, table: sa.TableClause, names: Sequence[str]) -> list[str]:
        if not names:
            return []
        called = connection.dialect.identifier_preparer.format_table(table)
        may = sa.select(*(sa.func.has_column_privilege(called, name, "SELECT") for name in names))
        return [name for name, allowed in zip(names, connection.execute(may).one(), strict=True) if allowed]

    def known(self, column: Column) -> sa.ColumnElement[bool]:
        """There, and not infinite."""
        return sa.and_(column.is_not(None), sa.func.isfinite(column, type_=sa.Boolean()))

    def moment_or_null(self, column: Column) -> Column:
        return sa.case((self.known(column), self.moment(column)))

    def microseconds(self, column: Column) -> Column:
        """Exact: seconds are decimals here."""
        return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger())

    def exact(self, column: Column) -> Column:
        """Only citext, CHAR(n) and columns with a collation of their own are compared otherwise."""
        column = _without_domain(column)
        kind = column.type
        if not isinstance(kind, sa.String):
            return column
        if isinstance(kind, sa.CHAR | postgresql.CITEXT | sa.Enum):
            column = sa.cast(column, sa.Text())
        return sa.collate(column, "C") if kind.collation else column

    def ordered(self, column: Column) -> Column:
        exact = self.exact(column)
        return sa.collate(exact, "C") if isinstance(exact.type, sa.String) else exact

    def is_nan(self, number: Column) -> sa.ColumnElement[bool]:
        """NaN equals NaN here."""
        return number == sa.cast(sa.literal("NaN", sa.Text()), sa.Double())

    def place(self, number: Column, cuts: Sequence[float], tree: Callable[[Column, Sequence[float]], Column]) -> Column:
        """By the server's own search, several times as quick."""
        bounds: Column = sa.literal([*cuts], postgresql.ARRAY(sa.Double()))
        return sa.func.width_bucket(number, bounds, type_=sa.Integer()) if cuts else tree(number, cuts)

    def stacked(self, shared: Sequence[Column], columns: Sequence[Mapping[str, Column]]) -> sa.Subquery:
        """In one scan."""
        if len(columns) == 1:
            return super().stacked(shared, columns)
        every = {label: [one[label] for one in columns] for label in columns[0]}
        unnested = (
            sa.func.unnest(postgresql.array(each), type_=each[0].type).label(label) for label, each in every.items()
        )
        return sa.select(*shared, *unnested).subquery("stacked")

    @contextmanager
    def snapshot(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        with super().snapshot(engine) as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")

    def readable(self, column: Column, *, is_moment: bool = False) -> tuple[Column, pa.DataType]:
        column = _without_domain(column)
        if isinstance(column.type, sa.CHAR):
            return sa.cast(column, sa.Text()), pa.string()  # without the blanks it is padded with
        if isinstance(column.type, sa.Date) and not is_moment:
            return sa.case((self.known(column), column)), pa.date32()
        return super().readable(column, is_moment=is_moment)

    def batches(
        self, engine: sa.Engine, statement: Statement, schema: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        """Yield the rows as COPY gives them, cast to `schema`."""
        from adbc_driver_manager import AdbcStatement
        from adbc_driver_postgresql import StatementOptions

        query = _literal(engine, statement)
        with _reading(engine) as connection, AdbcStatement(connection) as asked:
            asked.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BYTES_AT_ONCE)})
            asked.set_sql_query(query)
            answer, _ = asked.execute_query()
            for batch in _parts(pa.RecordBatchReader.from_stream(answer)):
                yield batch.cast(schema)


def conninfo(engine: sa.Engine) -> str:
    """Return libpq's connection string for an engine; it holds the password."""
    from psycopg.conninfo import make_conninfo

    _, arguments = engine.dialect.create_connect_args(engine.url)
    arguments.pop("context", None)  # psycopg's own adapters, unknown to libpq
    return make_conninfo(**arguments)


def _parts(answer: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The answer; what the server refuses under way comes as OSError or, for some SQLSTATEs, by another name."""
    try:
        yield from answer
    except pa.ArrowInvalid as exc:
        raise OSError(str(exc)) from exc


def _settings(timeout: timedelta) -> dict[str, str]:
    return {"statement_timeout": f"{timeout / timedelta(milliseconds=1):.0f}", "timezone": "UTC"}


def _without_domain(column: Column) -> Column:
    kind: Type = column.type
    return sa.cast(column, kind.data_type) if isinstance(kind, postgresql.DOMAIN) else column


def _read_only(connection: Any, _: object) -> None:
    """Let psycopg begin every transaction as one that can only read, whoever works with the connection."""
    connection.read_only = True


@contextmanager
def _reading(engine: sa.Engine) -> Iterator[AdbcConnection]:
    """A connection of ADBC in a transaction that can only read."""
    timeout: timedelta = engine.get_execution_options()["hindsight_timeout"]
    guard = "; SET LOCAL ".join(("BEGIN READ ONLY", *(f"{k} = '{v}'" for k, v in _settings(timeout).items())))
    pool = cast(LendingPool, engine.pool)
    with pool.other("adbc", partial(_connected, conninfo(engine)), _answers) as connection:
        _run(connection, guard)
        yield connection
        _run(connection, "ROLLBACK")


def _connected(conninfo: str) -> AdbcConnection:
    from adbc_driver_manager import AdbcConnection

    return AdbcConnection(_database(conninfo))


@lru_cache(maxsize=8)
def _database(conninfo: str) -> AdbcDatabase:
    """The driver's knowledge of a server's types: reading it takes ten times as long as connecting, so it is kept."""
    import adbc_driver_postgresql

    found: AdbcDatabase = adbc_driver_postgresql.connect(conninfo)
    return found


def _answers(connection: AdbcConnection) -> bool:
    from adbc_driver_manager import Error

    try:
        _run(connection, "ROLLBACK")
    except Error:
        connection.close()
        return False
    return True


def _run(connection: AdbcConnection, sql: str) -> None:
    from adbc_driver_manager import AdbcStatement

    with AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.execute_update()


def _literal(engine: sa.Engine, statement: Statement) -> str:
    """The statement with its values rendered by the dialect: ADBC streams by COPY, and COPY takes no parameters."""
    _introduce(engine)
    compiled: Any = statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
    return str(compiled) % ()  # the dialect doubles % for a driver that takes parameters


@lru_cache(maxsize=8)
def _introduce(engine: sa.Engine) -> None:
    """Let the dialect learn the server's rules for string literals, as it does on the first connection."""
    engine.connect().close()
