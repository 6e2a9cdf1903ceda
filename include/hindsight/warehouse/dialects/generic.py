"""Generic: how a database is spoken to of which no more is known than that SQLAlchemy has a dialect for it.

The files beside this one say what their engine does otherwise. Expressions are SQLAlchemy's, so that identifiers are
quoted and values bound.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.reflection import ObjectKind

from hindsight.errors import DataError
from hindsight.warehouse.times import TIMESTAMP

logger = logging.getLogger(__name__)
Column = sa.ColumnElement[Any]
Type = sa.types.TypeEngine[Any]
Statement = sa.Select[*tuple[Any, ...]]
ROWS_AT_ONCE, MOST_AT_ONCE = 20_000, 1_000_000
PLAIN_TEXT = (sa.String, sa.Text, sa.VARCHAR, sa.CHAR, sa.TEXT, sa.NVARCHAR, sa.Unicode, sa.UnicodeText)


class Dialect:
    """One kind of database: its sessions, its catalogue, its times, its texts and the way its rows are fetched.

    `package` is what pip installs for its driver, `form` a URL of it. `was_run` says whether the tests run on such a
    database, `reads_only` whether its sessions can be told to, `streams` whether its driver hands rows out before it
    has them all; of an unknown one nobody knows. `times_are_text` says that texts may be moments, for want of a type
    for them. `at_once` columns of numbers are counted in one statement. `of_epoch` and `of_text` are what a view writes
    to make moments of a column of seconds or of texts.
    """

    package = ""
    form = ""
    was_run = False
    streams = False
    reads_only = False
    times_are_text = False
    of_epoch = "TIMESTAMP '1970-01-01 00:00:00' + {seconds} * INTERVAL '1' SECOND"
    of_text = "CAST({column} AS TIMESTAMP)"
    at_once = 1
    means: ClassVar[Mapping[str, Type]] = {}

    # sessions

    @property
    def cure(self) -> str:
        """What to do where its driver is missing."""
        return f"pip install {self.package}, for URLs such as {self.form}" if self.package else ""

    def address(self, url: sa.URL, timeout: timedelta) -> sa.URL:
        """The URL with which sessions can only read, keep UTC and stop a statement at the limit, as far as it can."""
        return url

    def prepare(self, engine: sa.Engine, timeout: timedelta) -> None:
        """Do what the URL cannot say, for every connection or transaction of the engine; warn of what stays undone."""
        commands = self.session(timeout)
        if commands:
            sa.event.listen(engine, "connect", partial(_say, commands))
        if not self.was_run:
            logger.warning(
                "Hindsight was never run on a %s warehouse: look at what `hindsight doctor --connection` says of it",
                engine.dialect.name,
            )
        if not self.reads_only:
            logger.warning(
                "sessions of %s warehouses cannot be made read only from here: give the connection a login that only "
                "reads",
                engine.dialect.name,
            )

    def session(self, timeout: timedelta) -> list[str]:
        """The first commands of every session: UTC, read only and the limit, where the database knows such."""
        return []

    def is_read_only(self, connection: sa.Connection) -> bool | None:
        """Whether this session cannot write; None where the database does not tell."""
        return None

    def zone(self, connection: sa.Connection) -> str:
        """The zone of this session, "" where the database does not tell."""
        return ""

    def now(self) -> Column:
        """The database's clock, as a time with a zone or of UTC."""
        return sa.func.current_timestamp(type_=sa.DateTime(timezone=True))

    def clock(self) -> Column:
        """The same, in microseconds since 1970 where the database can tell."""
        ticks = self.microseconds(self.now())
        return self.now() if ticks is None else ticks

    def state(self, cause: BaseException) -> str:
        """The SQLSTATE of a failure, "" where the driver tells none; "57014" is a statement over its limit."""
        return getattr(cause, "sqlstate", None) or ""

    # catalogue

    def columns(self, connection: sa.Connection, table: str, schema: str) -> dict[str, Type]:
        """The columns of a table or view and their types; raise NoSuchTableError where it does not exist."""
        found = sa.inspect(connection).get_columns(table, schema=schema or None)
        if not found:  # which is how some dialects say so
            raise sa.exc.NoSuchTableError(table)
        return {column["name"]: self.meant(column["type"]) for column in found}

    def meant(self, kind: Type) -> Type:
        """A type of SQLAlchemy's own for one that only its dialect knows."""
        if isinstance(kind, sa.types.TypeDecorator):
            return self.meant(kind.impl_instance)
        return self.means.get(type(kind).__name__, kind)

    def tables(self, connection: sa.Connection, schema: str) -> list[str]:
        """The tables and views of a schema (the default one for "")."""
        inspector = sa.inspect(connection)
        return sorted([*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)])

    def schemas(self, connection: sa.Connection) -> list[str]:
        """The schemas the login sees, as a monitor file writes them before a table."""
        return sa.inspect(connection).get_schema_names()

    def columns_of_all(self, connection: sa.Connection, schema: str, names: Sequence[str]) -> dict[str, list[str]]:
        """The names of the columns of some tables and views of a schema."""
        inspector = sa.inspect(connection)
        found = inspector.get_multi_columns(schema=schema or None, filter_names=names, kind=ObjectKind.ANY)
        return {name: [column["name"] for column in columns] for (_, name), columns in found.items()}

    def type_name(self, kind: Type, engine: sa.Engine) -> str:
        """The database's own name of a type, such as DOUBLE PRECISION; `unknown` where it has none."""
        return "unknown" if isinstance(kind, sa.types.NullType) else kind.compile(dialect=engine.dialect)

    def granted(self, connection: sa.Connection, table: sa.TableClause, names: Sequence[str]) -> list[str]:
        """Those columns of a table that the login may read."""
        return list(names)

    def found_by(self, connection: sa.Connection, table: sa.TableClause, column: str) -> str:
        """What leads to the rows of a span of time in this column: an index or a partition; "" where none is known."""
        try:
            indexes = sa.inspect(connection).get_indexes(table.name, schema=table.schema)
        except (NotImplementedError, sa.exc.NoSuchTableError):  # of a view, in some dialects
            return ""
        return next((f"index {one['name']}" for one in indexes if one["column_names"][:1] == [column]), "")

    def stored(
        self, connection: sa.Connection, table: sa.FromClause, kinds: Mapping[str, Type], where: sa.ColumnElement[bool]
    ) -> dict[str, Type]:
        """The types of columns that hold something else than was declared."""
        return {}

    # times

    def holds_times(self, kind: Type) -> bool:
        """Whether a column of this declared type can hold moments."""
        return isinstance(kind, sa.DateTime | sa.Date)

    def known(self, column: Column) -> sa.ColumnElement[bool]:
        """Whether a row holds a moment there; never null."""
        return column.is_not(None)

    def moment(self, column: Column) -> Column:
        """The moment of a row that holds one (`known`), as something that becomes an Arrow timestamp[us, UTC]."""
        return sa.cast(column, sa.DateTime()) if isinstance(column.type, sa.Date) else column

    def moment_or_null(self, column: Column) -> Column:
        """The moment of any row, null where it holds none."""
        return self.moment(column)

    def microseconds(self, column: Column) -> Column | None:
        """The moment of a row that holds one in microseconds since 1970; None where the database cannot tell."""
        return None

    def remainder(self, number: Column, divisor: int) -> Column:
        """What is left of a whole number, with the number's sign."""
        return number % divisor

    def span(self, column: Column, *, start: datetime | None = None, end: datetime | None = None) -> Column:
        """start <= column < end; None leaves that side open. What is no moment is in no span.

        A time without a zone is UTC. An index on the column serves it.
        """
        return sa.and_(
            self.known(column) if start is None or end is None else sa.true(),
            *([column >= self.bound(column, start)] if start else []),
            *([column < self.bound(column, end)] if end else []),
        )

    def bound(self, column: Column, at: datetime) -> Column:
        """A moment as the column is compared with it."""
        if getattr(column.type, "timezone", False):
            return sa.literal(at, sa.DateTime(timezone=True))
        naive = sa.literal(at.astimezone(UTC).replace(tzinfo=None), sa.DateTime())
        return sa.cast(naive, sa.DateTime()) if isinstance(column.type, sa.Date) else naive

    # values

    def exact(self, column: Column) -> Column:
        """The column as it is compared: texts by their code points, without the padding of CHAR(n)."""
        return column

    def text(self, column: Column) -> Column:
        """The column as text that is compared by code points."""
        return self.exact(column if isinstance(column.type, sa.String) else sa.cast(column, sa.Text()))

    def ordered(self, column: Column) -> Column:
        """The column as rows are put in order by it: texts by their code points."""
        return self.exact(column)

    def is_nan(self, number: Column) -> sa.ColumnElement[bool]:
        """Whether a double is NaN."""
        return number != number

    def is_whole(self, number: Column) -> sa.ColumnElement[bool]:
        """Whether a double has no fraction."""
        return number == sa.func.floor(number)

    def variance(self, number: Column) -> Column:
        """The population variance of a group's doubles, in a way that keeps its digits however large they are."""
        return sa.func.var_pop(number, type_=sa.Double())

    def place(self, number: Column, cuts: Sequence[float], tree: Callable[[Column, Sequence[float]], Column]) -> Column:
        """How many of the ascending `cuts` are not above a double; `tree` is how it is found everywhere."""
        return tree(number, cuts)

    def stacked(self, shared: Sequence[Column], columns: Sequence[Mapping[str, Column]]) -> sa.Subquery:
        """Each row once for every one of `columns`, whose expressions have the same labels, with what is shared."""
        each = (sa.select(*shared, *(e.label(label) for label, e in one.items())) for one in columns)
        return sa.union_all(*each).subquery("stacked")

    @contextmanager
    def snapshot(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        """A connection whose statements all see the table as it is at the first of them, where that can be said."""
        with engine.connect() as connection:
            yield connection

    def readable(self, column: Column, *, is_moment: bool = False) -> tuple[Column, pa.DataType]:
        """How a column is read so that it arrives as one of eight Arrow types, and as which."""
        kind = column.type
        if is_moment or isinstance(kind, sa.DateTime):
            return self.moment_or_null(column), TIMESTAMP
        if isinstance(kind, sa.Boolean):
            return column, pa.bool_()
        if isinstance(kind, sa.Integer):
            return column, pa.int64()
        if isinstance(kind, sa.Float):
            return column, pa.float64()
        if isinstance(kind, sa.Numeric):
            return sa.cast(column, sa.Double()), pa.float64()
        if isinstance(kind, sa.Date):
            return column, pa.date32()
        if isinstance(kind, sa.LargeBinary):
            return column, pa.binary()
        return column if type(kind) in PLAIN_TEXT else sa.cast(column, sa.Text()), pa.string()

    # rows

    def batches(
        self, engine: sa.Engine, statement: Statement, schema: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        """Yield the rows of a statement, cast to `schema`; here row by row.

        Raises DataError above a million rows where nobody knows that the driver does not hold them all at once.
        """
        with engine.connect() as connection:
            if not self.streams:
                _refuse_much(connection, statement)
            result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement)
            for rows in result.partitions():
                arrays = [_array(values, field) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def size(statement: Statement) -> sa.Select[int]:
    """How many rows a statement has."""
    return sa.select(sa.func.count()).select_from(statement.subquery())


def _refuse_much(connection: sa.Connection, statement: Statement) -> None:
    rows = connection.execute(size(statement)).scalar_one()
    if rows > MOST_AT_ONCE:
        raise DataError(
            f"{rows:,} rows, where at most {MOST_AT_ONCE:,} are read of a {connection.dialect.name} warehouse: its "
            "driver may hold all of them in memory - choose a shorter window"
        )


def _array(values: tuple[object, ...], field: pa.Field) -> pa.Array:
    try:
        if pa.types.is_boolean(field.type):
            return pa.array([None if value is None else bool(value) for value in values], field.type)
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        message = f"column {field.name!r} holds values that are not of its type ({field.type}): cast it in a view"
        raise DataError(message) from None  # Arrow's own message quotes the value, which may be personal


def _say(commands: Sequence[str], connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    for command in commands:
        cursor.execute(command)
    cursor.close()
