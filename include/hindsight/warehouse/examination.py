"""Examination: what a connection and the tables behind it are like, asked for real, in sentences for people."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import format_duration
from hindsight.warehouse.columns import named, read_as
from hindsight.warehouse.connect import reading
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.predictions import logged_predictions
from hindsight.warehouse.stream import batches
from hindsight.warehouse.times import aware

TRIED = 10_000  # rows by which it is measured how fast they come
SKEW = timedelta(minutes=1)  # by which a clock may be off


def session(engine: sa.Engine, connection: str, now: datetime) -> tuple[bool, str]:
    """Return whether a connection is well, its clock above all, and what its sessions are like.

    Raises WarehouseError or DataError where it cannot be reached.
    """
    dialect = dialect_of(engine)
    started = time.perf_counter()
    with reading(engine, connection), engine.connect() as asked:
        asked.execute(sa.select(1))
        took = time.perf_counter() - started
        there = aware(asked.execute(sa.select(dialect.clock())).scalar()) if not dialect.times_are_text else now
        is_read_only, zone = dialect.is_read_only(asked), dialect.zone(asked)
    off = abs((there or now).astimezone(UTC) - now)
    said = [f"{engine.dialect.name}, answers in {took * 1000:.0f} ms"]
    said.append("sessions read only" if is_read_only else "sessions can write: give it a login that only reads")
    said += [f"their zone is {zone}"] * bool(zone)
    said += [f"its clock is {format_duration(_minutes(off))} away from this machine's"] * (off > SKEW)
    said += ["Hindsight was never run on such a database (docs/warehouses.md)"] * (not dialect.was_run)
    return off <= SKEW, "; ".join(said)


def log(engine: sa.Engine, monitor: Monitor) -> tuple[bool, str]:
    """Return whether the log of a monitor can be read, what finds a window in it and how fast its rows come.

    Raises DataError where a column is missing or a time is none, as a window would; WarehouseError out of reach.
    """
    source = monitor.source
    with reading(engine, source.connection):
        logged = logged_predictions(engine, monitor)
        read = read_as(engine, logged, named(monitor), sa.true(), [source.predictions.timestamp])
        with engine.connect() as asked:
            help_ = logged.dialect.found_by(asked, logged.declared, source.predictions.timestamp)
    place = f"{logged.name}.{source.predictions.timestamp}"
    said = [f"{place}: {help_ or 'no index or partition is known, a window may read the whole table'}"]
    said += [f"no column {', '.join(read.missing)}"] * bool(read.missing)
    statement = sa.select(*read.expressions).select_from(logged.table).limit(TRIED)
    started = time.perf_counter()
    with closing(batches(engine, statement, read.schema, source.connection)) as answer:
        rows = sum(batch.num_rows for batch in answer)
    took = time.perf_counter() - started
    said.append(f"{rows:,} rows of {len(read.schema)} columns in {took:.2g} s" if rows else "no rows")
    return not read.missing, "; ".join(said)


def _minutes(span: timedelta) -> timedelta:
    return timedelta(minutes=max(1, round(span / timedelta(minutes=1))))
