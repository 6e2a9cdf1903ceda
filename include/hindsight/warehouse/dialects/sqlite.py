"""SQLite: no type for times, so that ISO texts are read by a function every connection is taught; any row, any type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Column, Dialect, Type
from hindsight.warehouse.times import TIMESTAMP, microseconds, utc_microseconds

_DAY = timedelta(days=1)
# words SQLite keeps for itself that SQLAlchemy does not quote
_WORDS = {"nothing", "returning"}
_LOOSE = (sa.Numeric, sa.Float, sa.Integer, sa.Boolean, sa.types.NullType)
_STORED: Mapping[str, Type] = {"integer": sa.BigInteger(), "real": sa.Double(), "text": sa.Text()}


class Engine(Dialect):
    """SQLite."""

    was_run = reads_only = streams = times_are_text = True
    of_text = "strftime('%Y-%m-%dT%H:%M:%fZ', {column})"
    of_epoch = "strftime('%Y-%m-%dT%H:%M:%fZ', {seconds}, 'unixepoch')"

    def address(self, url: sa.URL, timeout: timedelta) -> sa.URL:
        if url.database in (None, "", ":memory:"):
            return url
        database = str(url.database)
        if not database.startswith("file:"):
            database = Path(database).absolute().as_uri()
        return url.set(database=database, query={**url.query, "mode": "ro", "uri": "true"})

    def prepare(self, engine: sa.Engine, timeout: timedelta) -> None:
        sa.event.listen(engine, "connect", _teach_time)
        preparer = engine.dialect.identifier_preparer
        preparer.reserved_words = preparer.reserved_words | _WORDS

    def is_read_only(self, connection: sa.Connection) -> bool:
        return connection.engine.url.query.get("mode") == "ro"

    def stored(
        self, connection: sa.Connection, table: sa.FromClause, kinds: Mapping[str, Type], where: sa.ColumnElement[bool]
    ) -> dict[str, Type]:
        """What SQLite really holds in columns declared as numbers or not at all: any row may hold any type there."""
        doubtful = [c for c, kind in kinds.items() if isinstance(kind, _LOOSE)]
        if not doubtful:
            return {}
        widest = connection.execute(sa.select(*(_widest(table.c[c]) for c in doubtful)).where(where)).one()
        found = {c: ("", "integer", "real", "text")[rank or 0] for c, rank in zip(doubtful, widest, strict=True)}
        return {c: _STORED[kind] for c, kind in found.items() if kind and not _fits(kinds[c], kind)}

    def holds_times(self, kind: Type) -> bool:
        return isinstance(kind, sa.DateTime | sa.Date | sa.String | sa.types.NullType)

    def known(self, column: Column) -> sa.ColumnElement[bool]:
        return self.microseconds(column).is_not(None)

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def microseconds(self, column: Column) -> Column:
        return sa.func.utc_microseconds(sa.type_coerce(column, sa.Text()), type_=sa.BigInteger())

    def span(self, column: Column, *, start: datetime | None = None, end: datetime | None = None) -> Column:
        """Exact bounds, and bounds on the text itself that an index can serve: an offset moves it a day at most."""
        text, exact = sa.type_coerce(column, sa.Text()), self.microseconds(column)
        bounds: list[sa.ColumnElement[bool]] = [exact.is_not(None)] if start is end is None else []
        if start is not None:
            bounds.append(text >= _day(start - _DAY).isoformat())
        if end is not None:
            bounds.append(text < _day(end + 2 * _DAY).isoformat())
        if start is not None and end is not None:
            bounds.append(exact.between(microseconds(start), microseconds(end) - 1))  # one call of it, not two
        elif start is not None:
            bounds.append(exact >= microseconds(start))
        elif end is not None:
            bounds.append(exact < microseconds(end))
        return sa.and_(*bounds)

    def exact(self, column: Column) -> Column:
        return sa.collate(column, "BINARY") if isinstance(column.type, sa.String) else column

    def is_nan(self, number: Column) -> sa.ColumnElement[bool]:
        """SQLite keeps NaN as null."""
        return sa.false()

    def is_whole(self, number: Column) -> sa.ColumnElement[bool]:
        """It may have been built without floor()."""
        return number == sa.func.round(number)

    def readable(self, column: Column, *, is_moment: bool = False) -> tuple[Column, pa.DataType]:
        if isinstance(column.type, sa.Date):
            return self.moment(column), TIMESTAMP
        if isinstance(column.type, sa.Boolean) and not is_moment:
            return sa.type_coerce(column, sa.Integer()), pa.bool_()
        expression, kind = super().readable(column, is_moment=is_moment)
        return (sa.cast(column, sa.Text()) if kind == pa.string() else expression), kind


def _teach_time(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    connection.create_function("utc_microseconds", 1, utc_microseconds, deterministic=True)
    connection.create_aggregate("var_pop", 1, _Variance)


class _Variance:
    """Variance of a population in one pass that keeps its digits (Welford 1962)."""

    def __init__(self) -> None:
        self.n, self.mean, self.squares = 0, 0.0, 0.0

    def step(self, value: float | None) -> None:
        if value is not None:
            self.n += 1
            gap = value - self.mean
            self.mean += gap / self.n
            self.squares += gap * (value - self.mean)

    def finalize(self) -> float | None:
        return self.squares / self.n if self.n else None


def _widest(column: Column) -> sa.ColumnElement[int]:
    kind = sa.func.typeof(sa.type_coerce(column, sa.Text()))
    rank = sa.case((kind == "null", None), (kind == "integer", 1), (kind == "real", 2), else_=3)
    return sa.func.max(rank)


def _fits(declared: Type, stored: str) -> bool:
    if isinstance(declared, sa.types.NullType) or stored == "text":
        return False
    return stored == "integer" or isinstance(declared, (sa.Numeric, sa.Float))


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
