"""Relations: the tables and views of the warehouse as declared there, looked at before any statement is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any
from warnings import catch_warnings, simplefilter

import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.dialects.generic import Dialect

_TRIED = 1000  # values among which one must be a time
# of numbers greater than this a second of our time has so many: nano-, micro-, milliseconds
_UNITS = ((1e17, " / 1000000000.0"), (1e14, " / 1000000.0"), (1e11, " / 1000.0"))


@dataclass(frozen=True)
class Relation:
    """A table or view: its name as the monitor writes it, where the monitor says so, and the declared types."""

    name: str
    dialect: Dialect
    types: Mapping[str, sa.types.TypeEngine[object]]
    alias: str = ""

    @cached_property
    def table(self) -> sa.FromClause:
        """The relation as SQLAlchemy sees it: typed columns, under the alias if there is one."""
        return self.declared.alias(self.alias) if self.alias else self.declared

    @cached_property
    def declared(self) -> sa.TableClause:
        """The same under its own name."""
        schema, _, name = self.name.rpartition(".")
        return sa.table(name, *(sa.column(c, t) for c, t in self.types.items()), schema=schema or None)

    def exact(self, column: str) -> sa.ColumnElement[Any]:
        """A column as its values are compared: texts by their code points."""
        return self.dialect.exact(self.table.c[column])

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
        if not self.dialect.holds_times(self.types[column]):
            found = self.dialect.type_name(self.types[column], engine)
            raise DataError(_not_a_time(self.name, column, found, field, self._cast(engine, column)))
        if self.dialect.times_are_text and not self._any_is_readable(engine, stored):
            raise DataError(_not_a_time(self.name, column, "filled with values that are no ISO times", field))

    def _cast(self, engine: sa.Engine, name: str) -> str:
        """What a view writes to make moments of a column of texts, or of numbers since 1970; "" of anything else."""
        column, written = self.table.c[name], engine.dialect.identifier_preparer.quote(name)
        if isinstance(column.type, sa.String):
            return self.dialect.of_text.format(column=written)
        if not isinstance(column.type, sa.Integer | sa.Numeric | sa.Float):
            return ""
        with engine.connect() as connection:
            greatest = connection.execute(sa.select(sa.func.max(column)).select_from(self.table)).scalar() or 0
        divisor = next((divisor for least, divisor in _UNITS if greatest > least), "")
        return self.dialect.of_epoch.format(seconds=f"{written}{divisor}")

    def _any_is_readable(self, engine: sa.Engine, column: sa.ColumnElement[object]) -> bool:
        """Whether a moment is among the first values, where there are any: a few spoilt ones are counted, no fault."""
        some = sa.select(column.label("stored")).where(column.is_not(None)).limit(_TRIED).subquery()
        with engine.connect() as connection:
            answer = connection.execute(sa.select(self.dialect.known(some.c.stored)).distinct()).scalars().all()
        return not answer or any(answer)


def relation(engine: sa.Engine, name: str, field: str) -> Relation:
    """Return the relation `table` or `schema.table` as it is now: the next window may find another column in it.

    Raises DataError with the tables there are where it does not exist; `field` is the monitor's key that names it.
    """
    schema, _, table = name.rpartition(".")
    dialect = dialect_of(engine)
    with engine.connect() as connection:
        try:
            with catch_warnings():
                simplefilter("ignore", sa.exc.SAWarning)  # types SQLAlchemy does not know are read as text
                return Relation(name, dialect, dialect.columns(connection, table, schema))
        except sa.exc.NoSuchTableError as exc:
            raise DataError(
                f"{name}: no such table or view; {f'schema {schema}' if schema else 'the warehouse'} has "
                f"{listing(table, dialect.tables(connection, schema))} "
                f"Correct {_place(field)} or grant access to the table"
            ) from exc


def listing(wanted: str, there: Iterable[str], limit: int = 20) -> str:
    """Return the names there are, as the middle of a sentence, with the one that was perhaps meant."""
    names = sorted(there)
    close = get_close_matches(wanted, names, n=1)
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{', '.join(names[:limit]) or 'none'}{rest}{f' - did you mean {close[0]!r}?' if close else '.'}"


def _place(field: str) -> str:
    """A key of the monitor file, or an option as it was typed."""
    return field if field.startswith("--") else f"{field} in the monitor file"


def _not_a_time(table: str, column: str, found: str, field: str, cast: str = "") -> str:
    return (
        f"{table}.{column}: expected a date or timestamp, found {found}. "
        f"Name a column of times in {field}, or convert this one in a view{f': {cast} AS {column}' if cast else ''}"
    )
