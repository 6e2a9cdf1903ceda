"""Batches: the rows of a window as Great Expectations sees them, a frame in hand or a SELECT in the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from hindsight.checks.suites.conditions import compared
from hindsight.checks.suites.lent import lent
from hindsight.checks.suites.suites import Expectation
from hindsight.errors import WarehouseError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import Rows

Moment = Callable[[Any], Any]
_ORDERED = {"expect_column_values_to_be_increasing", "expect_column_values_to_be_decreasing"}
_BOUNDS = ("min_value", "max_value", "value_set")


@dataclass(frozen=True)
class Warehouse:
    """Where the rows of a window come from: the engine, and what makes the SELECT of them as they were logged.

    `times_are_text` where the database has no type for moments.
    """

    engine: sa.Engine
    rows: Callable[[], sa.Select[Any]]
    times_are_text: bool = False


class CannotAskError(Exception):
    """Great Expectations has no way to ask this database anything."""


@dataclass(frozen=True)
class Batch:
    """What Great Expectations validates, and for each column of times in it how a moment of the suite is written."""

    asked: Any
    moments: Mapping[str, Moment]

    def kwargs(self, expectation: Expectation) -> dict[str, Any]:
        """Return the arguments with every moment as this batch has its own: what is without a zone is UTC."""
        kwargs = dict(expectation.kwargs)
        for column, moment in self.moments.items():
            if column in expectation.columns:
                kwargs |= {key: moment(kwargs[key]) for key in _BOUNDS if key in kwargs}
            if "row_condition" in kwargs:
                kwargs["row_condition"] = compared(kwargs["row_condition"], column, _written(moment))
        return kwargs


def frame_batch(context: Any, rows: Rows, expectations: Collection[Expectation], timestamp: str) -> Batch:
    """Return the rows in hand with the columns that some expectations look at, times in UTC and without a zone.

    Where the order of rows is asked for it is that of their timestamps, rows of one moment as they were read.
    """
    wanted = frozenset().union(*(each.looks_at for each in expectations))
    columns = {name: _plain(rows.column(name)) for name in rows.columns if name in wanted}
    if timestamp in rows.columns and any(each.type in _ORDERED for each in expectations):
        order = pa.array(np.argsort(_plain(rows.column(timestamp)).to_numpy(zero_copy_only=False), kind="stable"))
        columns = {name: column.take(order) for name, column in columns.items()}
    source = context.data_sources.add_or_update_pandas("window")
    definition = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("window")
    times = {name: _naive for name, column in columns.items() if pa.types.is_timestamp(column.type)}
    return Batch(definition.get_batch({"dataframe": pa.table(columns).to_pandas()}), times)


def _plain(column: pa.Array) -> pa.Array:
    is_time = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    return column.cast(pa.timestamp("us")) if is_time else column


def _naive(value: Any) -> Any:
    """The moment that a text or a date stands for, in UTC without a zone; anything else as it is."""
    if isinstance(value, list):
        return [_naive(each) for each in value]
    moment = _aware(value)
    return moment.astimezone(UTC).replace(tzinfo=None) if isinstance(moment, datetime) else moment


def _aware(value: Any) -> Any:
    if isinstance(value, list):
        return [_aware(each) for each in value]
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) and moment.tzinfo is None else moment


def _written(moment: Moment) -> Moment:
    """In a condition a moment is a text."""

    def text(value: Any) -> Any:
        found = moment(value)
        return found.isoformat() if isinstance(found, datetime) else found

    return text


@contextmanager
def warehouse_batches(
    context: Any, warehouse: Warehouse, monitor: Monitor
) -> Iterator[tuple[Callable[[], Batch], Callable[[], Batch]]]:
    """Yield what makes a batch of the window's rows in the warehouse, as logged, and one of the table as declared.

    Raises DataError where there is no such table, WarehouseError where the warehouse cannot be reached or breaks off,
    and CannotAskError where the library cannot read this kind of database.
    """
    from great_expectations.datasource.fluent.interfaces import TestConnectionError
    from great_expectations.exceptions.exceptions import GreatExpectationsError

    schema, _, name = monitor.source.predictions.table.rpartition(".")
    engine, logged = warehouse.engine, warehouse.rows()
    try:
        with lent(context, engine) as source:

            def rows() -> Batch:
                asset = source.add_query_asset("rows", query=_written_out(logged, engine.dialect))
                return _whole(asset, {} if warehouse.times_are_text else _moments(logged))

            def table() -> Batch:
                return _whole(source.add_table_asset("table", table_name=name, schema_name=schema or None), {})

            yield rows, table
    except (sa.exc.OperationalError, sa.exc.InterfaceError, TestConnectionError) as exc:
        raise WarehouseError(f"connection {monitor.source.connection!r} broke off while a suite was run") from exc
    except (sa.exc.SQLAlchemyError, GreatExpectationsError) as exc:
        raise CannotAskError(f"cannot ask {engine.dialect.name}: raised {type(exc).__name__}") from exc


def _whole(asset: Any, moments: Mapping[str, Moment]) -> Batch:
    return Batch(asset.add_batch_definition_whole_table("window").get_batch(), moments)


def _moments(logged: sa.Select[Any]) -> dict[str, Moment]:
    """A moment is aware where the column's are; where times are texts they are compared as texts."""
    times = {column.name: column.type for column in logged.selected_columns if isinstance(column.type, sa.DateTime)}
    return {name: _aware if kind.timezone else _naive for name, kind in times.items()}


def _written_out(statement: sa.Select[Any], dialect: sa.Dialect) -> str:
    """The statement as text, its values rendered by the dialect; % as the text is written, not as drivers want it."""
    text = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return text % () if dialect.paramstyle in ("format", "pyformat") else text
