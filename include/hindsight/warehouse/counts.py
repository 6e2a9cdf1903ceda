"""Counts: the rows of a window counted in the warehouse; counts, sums and frequent values are all that comes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.counts import Branch
from hindsight.vocabulary.rows import Scalar
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.columns import named, read_as
from hindsight.warehouse.connect import reading
from hindsight.warehouse.counting import APART, Counting, Owed
from hindsight.warehouse.dialects.generic import Statement
from hindsight.warehouse.predictions import log_of, logged_in, logged_predictions
from hindsight.warehouse.times import aware

MOST_VALUES = 10_000  # of a column in one answer; of more only those that are asked for by name are told apart
_PLACE: dict[str, pa.DataType] = {"branch": pa.int64(), "arm": pa.int64()}
_SERVED: dict[str, pa.DataType] = _PLACE | {"served": pa.int64()}
_SUMS: dict[str, pa.DataType] = {
    **dict.fromkeys(("place", "n"), pa.int64()),
    **dict.fromkeys(("total", "variance", "low", "high"), pa.float64()),
    "whole": pa.int64(),
}


@dataclass(frozen=True)
class WindowCounts:
    """The distinct rows of a window in the warehouse; see `vocabulary.counts.CountedRows`."""

    connection: sa.Connection
    called: str
    counting: Counting
    n: int
    n_raw: int
    status: str | None
    prediction: str | None
    columns: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """As which types the columns arrive."""
        return self.counting.log.read.schema

    def keys(self, column: str) -> pa.Table:
        """Return how many rows have each value of a column."""
        kind = self.schema.field(column).type
        return self._table(self.counting.keys(column), {"value": kind, "n": pa.int64()})

    def statuses(self, branches: Sequence[Branch]) -> pa.Table:
        """Return how many rows have each status, with and without a prediction."""
        status, prediction = (name if name in self.columns else None for name in (self.status, self.prediction))
        kind = self.schema.field(status).type if status else pa.int64()
        shape = _PLACE | {"status": kind, "predicted": pa.int64(), "n": pa.int64()}
        asked = [self.counting.statuses(i, branch, status, prediction) for i, branch in enumerate(branches)]
        return pa.concat_tables([self._table(one, shape) for one in asked])

    def numbers(
        self, asked: Mapping[str, Sequence[Branch]], *, owed: Sequence[Scalar] | None = None
    ) -> Mapping[str, pa.Table]:
        """Return columns of numbers between their cuts, several in one statement where that is quicker."""
        found: dict[str, list[pa.Table]] = {name: [] for name in asked}
        for place, some in _together(asked, self.counting.log.dialect.at_once):
            statement = self.counting.numbers(place, some, self._owed(owed))
            table = self._table(statement, _SERVED | _SUMS)
            for name, part in zip(some, _apart(table, len(some)), strict=True):
                found[name].append(part)
        return {name: pa.concat_tables(tables) for name, tables in found.items()}

    def texts(
        self,
        name: str,
        branches: Sequence[Branch],
        *,
        owed: Sequence[Scalar] | None = None,
        only: Sequence[str] | None = None,
        rest: str = "",
    ) -> pa.Table | None:
        """Return the values of a column; None where there are over MOST_VALUES in a branch."""
        shape = _SERVED | {"value": self.schema.field(name).type if only is None else pa.string(), "n": pa.int64()}
        found = []
        for i, branch in enumerate(branches):
            asked = self.counting.texts(i, branch, name, self._owed(owed), only, rest)
            most = MOST_VALUES * (len(branch.arms) + 1)
            found.append(self._table(asked.limit(most + 1), shape))
            if found[-1].num_rows > most:
                return None
        return pa.concat_tables(found)

    def ranked(self, name: str, branches: Sequence[Branch], percents: Sequence[int]) -> pa.Table:
        """Return the finite numbers around each percentile."""
        shape = _PLACE | {"rank": pa.int64(), "value": pa.float64(), "of": pa.int64()}
        asked = [self.counting.ranked(i, branch, name, percents) for i, branch in enumerate(branches)]
        return pa.concat_tables([self._table(one, shape) for one in asked])

    def repeated(self, name: str, low: float, high: float, least: int) -> pa.Table:
        """Return the numbers outside a span that at least so many rows have."""
        return self._table(self.counting.repeated(name, low, high, least), {"value": pa.float64(), "n": pa.int64()})

    def arrivals(self) -> tuple[datetime, datetime, float] | None:
        """Return when the first and the last row was logged and the longest stretch between two, in seconds."""
        first, last, gap = self._rows(self.counting.arrivals())[0]
        oldest, newest = aware(first), aware(last)
        return None if oldest is None or newest is None else (oldest, newest, float(gap or 0) / 1e6)

    def complete(
        self, finite: Sequence[str], there: Sequence[str], if_owed: Sequence[str] | None, owed: Sequence[Scalar] | None
    ) -> int:
        """Count the rows that lack nothing."""
        status = None if owed is None else self.status
        return int(self._rows(self.counting.complete(finite, there, if_owed, status, owed or ()))[0][0])

    def _owed(self, owed: Sequence[Scalar] | None) -> Owed:
        return None if owed is None or self.status is None else (self.status, owed)

    def _rows(self, statement: Statement) -> Sequence[Any]:
        with reading(self.connection.engine, self.called):
            return self.connection.execute(statement).all()

    def _table(self, statement: Statement, shape: Mapping[str, pa.DataType]) -> pa.Table:
        rows = self._rows(statement)
        columns = zip(*rows, strict=True) if rows else ((),) * len(shape)
        arrays = [pa.array(map(_as(kind), values), kind) for values, kind in zip(columns, shape.values(), strict=True)]
        return pa.Table.from_arrays(arrays, list(shape))


def _apart(table: pa.Table, columns: int) -> Iterator[pa.Table]:
    """Yield what an answer says of each of so many columns, with its own places."""
    at = table.schema.get_field_index("place")
    which, places = np.divmod(table.column("place").to_numpy() + 1, APART)  # a column's first place is -1
    table = table.set_column(at, "place", pa.array(places - 1))
    for i in range(columns):
        yield table.filter(pa.array(which == i))


def _together(asked: Mapping[str, Sequence[Branch]], at_once: int) -> Iterator[tuple[int, dict[str, Branch]]]:
    """Yield the place of a branch with columns that are asked for by branches of one shape."""
    alike: dict[tuple[int, Hashable], dict[str, Branch]] = {}
    for name, branches in asked.items():
        for place, branch in enumerate(branches):
            alike.setdefault((place, branch.shape), {})[name] = branch
    for (place, _), columns in alike.items():
        names = [*columns]
        for i in range(0, len(names), at_once):
            yield place, {name: columns[name] for name in names[i : i + at_once]}


def _as(kind: pa.DataType) -> Any:
    """How a value of a driver becomes one of an Arrow type; sums of whole numbers come as decimals from some."""
    make: Any = {pa.int64(): int, pa.float64(): float, pa.bool_(): bool}.get(kind, lambda value: value)
    return lambda value: None if value is None else make(value)


@contextmanager
def counting(engine: sa.Engine, monitor: Monitor, window: Window) -> Iterator[WindowCounts]:
    """Count the rows of a window within the `with`, all statements of one connection.

    Columns that are hashed are not there: their values would travel in clear. Errors as for `predictions.collect`.
    """
    source, called = monitor.source.predictions, monitor.source.connection
    with ExitStack() as opened:
        with reading(engine, called):
            logged = logged_predictions(engine, monitor)
            where = logged_in(monitor, logged, window)
            read = read_as(engine, logged, named(monitor), where, [source.timestamp])
            connection = opened.enter_context(logged.dialect.snapshot(engine))
        log = log_of(monitor, logged, where, read)
        with reading(engine, called):
            raw, n = (int(size) for size in connection.execute(log.sizes()).one())
        shown = tuple(name for name in read.schema.names if name not in log.unordered)
        asking = Counting(replace(log, repeats=raw != n))
        yield WindowCounts(connection, called, asking, n, raw, source.status_code, source.prediction, shown)
