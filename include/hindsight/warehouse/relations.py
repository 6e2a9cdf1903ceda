"""Relations: the tables and views of the warehouse as declared there, looked at before any statement is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from warnings import catch_warnings, simplefilter

import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.warehouse.times import is_time, moment


@dataclass(frozen=True)
class Relation:
    """A table or view: its name as the monitor writes it, where the monitor says so, and the declared types."""

    name: str
    dialect: str
    types: Mapping[str, sa.types.TypeEngine[object]]
    alias: str = ""

    @cached_property
    def table(self) -> sa.FromClause:
        """The relation as SQLAlchemy sees it: typed columns, under the alias if there is one."""
        schema, _, name = self.name.rpartition(".")
        table = sa.table(name, *(sa.column(c, t) for c, t in self.types.items()), schema=schema or None)
        return table.alias(self.alias) if self.alias else table

    def require(self, column: str, field: str) -> None:
        """Raise DataError where the relation has no such column; `field` is the monitor's key that names it."""
        if column not in self.types:
            raise DataError(
                f"{self.name}.{column}: no such column; {self.name} has {listing(column, self.types)} "
                f"Correct {_place(field)} or restore the column"
            )

    def require_time(self, engine: sa.Engine, column: str, field: str) -> None:
        """Raise DataError where the column is missing or holds no dates and times."""
        self.require(column, field)
        stored = self.table.c[column]
        if not is_time(stored, self.dialect):
            raise DataError(_not_a_time(self.name, column, type_name(self.types[column], engine), field))
        if self.dialect == "sqlite" and self._first_is_unreadable(engine, stored):
            raise DataError(_not_a_time(self.name, column, "filled with values that are no ISO times", field))

    def _first_is_unreadable(self, engine: sa.Engine, column: sa.ColumnElement[object]) -> bool:
        one = sa.select(column.label("stored")).where(column.is_not(None)).limit(1).subquery()
        with engine.connect() as connection:
            return connection.execute(sa.select(moment(one.c.stored, "sqlite"))).first() == (None,)


def relation(engine: sa.Engine, name: str, field: str) -> Relation:
    """Return the relation `table` or `schema.table` as it is now: the next window may find another column in it.

    Raises DataError with the tables there are where it does not exist; `field` is the monitor's key that names it.
    """
    schema, _, table = name.rpartition(".")
    inspector = sa.inspect(engine)
    try:
        with catch_warnings():
            simplefilter("ignore", sa.exc.SAWarning)  # types SQLAlchemy does not know are read as text
            columns = inspector.get_columns(table, schema=schema or None)
    except sa.exc.NoSuchTableError as exc:
        there = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
        raise DataError(
            f"{name}: no such table or view; {f'schema {schema}' if schema else 'the warehouse'} has "
            f"{listing(table, there)} Correct {_place(field)} or grant access to the table"
        ) from exc
    return Relation(name, engine.dialect.name, {column["name"]: column["type"] for column in columns})


def type_name(kind: sa.types.TypeEngine[object], engine: sa.Engine) -> str:
    """The database's own name of a type, such as DOUBLE PRECISION; `unknown` where it has none."""
    return "unknown" if isinstance(kind, sa.types.NullType) else kind.compile(dialect=engine.dialect)


def listing(wanted: str, there: Iterable[str], limit: int = 20) -> str:
    """Return the names there are, as the middle of a sentence, with the one that was perhaps meant."""
    names = sorted(there)
    close = get_close_matches(wanted, names, n=1)
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{', '.join(names[:limit]) or 'none'}{rest}{f' - did you mean {close[0]!r}?' if close else '.'}"


def _place(field: str) -> str:
    """A key of the monitor file, or an option as it was typed."""
    return field if field.startswith("--") else f"{field} in the monitor file"


def _not_a_time(table: str, column: str, found: str, field: str) -> str:
    return (
        f"{table}.{column}: expected a date or timestamp, found {found}. "
        f"Name a column of times in {field}, or convert this one in a view"
    )
