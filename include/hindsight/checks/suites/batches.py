"""Batches: the rows of a window as Great Expectations sees them, a frame in hand or a SELECT in the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from hindsight.checks.suites.suites import Suite
from hindsight.errors import DataError, WarehouseError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window

SAMPLE = 200_000
_SEED = 20260901


def is_whole_truth(rows: Rows, suite: Suite, private: set[str]) -> bool:
    """Say whether the rows in hand answer the suite as the warehouse would.

    They do when no row was left out (repeated ids, more than 200,000 rows), every column is there as it was logged, and
    nothing is asked of the table itself.
    """
    about_table = any(
        e.type.startswith("expect_table_column") or not e.type.startswith("expect_") for e in suite.expectations
    )
    there = set(rows.columns) - private
    return not about_table and rows.n == rows.n_raw and rows.n <= SAMPLE and there.issuperset(suite.columns)


def frame_batch(context: Any, rows: Rows, suite: Suite) -> Any:
    """Return a Great Expectations batch of the rows in hand, a seeded sample of 200,000 of them if there are more."""
    wanted = [name for name in rows.columns if name in suite.columns] or list(rows.columns)
    picked = None
    if rows.n > SAMPLE:
        picked = np.sort(np.random.default_rng(_SEED).choice(rows.n, SAMPLE, replace=False))
    columns = {
        name: rows.column(name) if picked is None else rows.column(name).take(pa.array(picked)) for name in wanted
    }
    asset = context.data_sources.add_pandas("window").add_dataframe_asset("rows")
    definition = asset.add_batch_definition_whole_dataframe("window")
    return definition.get_batch({"dataframe": pa.table(columns).to_pandas()})


@contextmanager
def sql_batch(context: Any, url: sa.URL, monitor: Monitor, window: Window) -> Iterator[Any]:
    """Yield a Great Expectations batch of the window's rows in the warehouse, as logged; close its connections after.

    The context is told a URL without host, user, password or options: connections are made outside it. Raises DataError
    where there is no such table and WarehouseError where the warehouse cannot be reached or breaks off.
    """
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    engine = sa.create_engine(url, poolclass=sa.NullPool)
    arguments, options = engine.dialect.create_connect_args(url)
    bare = sa.URL.create(url.drivername, database="warehouse").render_as_string()
    with ExitStack() as opened, ExitStack() as engines:

        def connect() -> Any:
            return opened.enter_context(closing(engine.dialect.connect(*arguments, **options)))

        try:
            query = window_query(engine, monitor, window)
            source = context.data_sources.add_sql("window", connection_string=bare, kwargs={"creator": connect})
            engines.callback(source.get_engine().dispose)
            engines.callback(source.get_execution_engine().close)
            asset = source.add_query_asset("rows", query=query)
            yield asset.add_batch_definition_whole_table("window").get_batch()
        except sa.exc.NoSuchTableError as exc:
            raise DataError(
                f"{monitor.source.predictions.table}: no such table; correct source.predictions.table"
            ) from exc
        except (sa.exc.SQLAlchemyError, TestConnectionError) as exc:
            raise WarehouseError(f"connection {monitor.source.connection!r} broke off while a suite was run") from exc


def window_query(engine: sa.Engine, monitor: Monitor, window: Window) -> str:
    """Return the SELECT of a window's rows as text, its two moments rendered by SQLAlchemy."""
    schema, _, name = monitor.source.predictions.table.rpartition(".")
    types = {c["name"]: c["type"] for c in sa.inspect(engine).get_columns(name, schema=schema or None)}
    table = sa.table(name, *(sa.column(c) for c in types), schema=schema or None)
    stamp = monitor.source.predictions.timestamp
    aware = bool(getattr(types.get(stamp), "timezone", False))
    moment = sa.func.datetime(table.c[stamp]) if engine.dialect.name == "sqlite" else table.c[stamp]
    start, end = (_literal(bound, aware=aware, dialect=engine.dialect.name) for bound in (window.start, window.end))
    query = sa.select(*table.c).where(moment >= start, moment < end)
    return str(query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))


def _literal(bound: datetime, *, aware: bool, dialect: str) -> sa.BindParameter[Any]:
    """SQLite's datetime() gives texts of whole seconds in UTC; a column without a zone is UTC."""
    if dialect == "sqlite":
        return sa.literal(f"{bound.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
    return sa.literal(bound if aware else bound.astimezone(UTC).replace(tzinfo=None), sa.DateTime(timezone=aware))
