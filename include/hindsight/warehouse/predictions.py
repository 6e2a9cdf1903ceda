"""Predictions: the logged rows of a window, spooled to a file so that memory does not grow with the window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from hindsight.errors import ConfigError, DataError, Problem
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.columns import Reading, named, read_as, require_roles
from hindsight.warehouse.connect import reading
from hindsight.warehouse.counting import Log
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.relations import Relation, relation
from hindsight.warehouse.rows import WindowRows
from hindsight.warehouse.spool import Layout, spool
from hindsight.warehouse.stream import batches
from hindsight.warehouse.times import EPOCH, aware

_WINDOWS_AT_ONCE = 100
_LOOKED_BACK, _NEW = 28, 0.01  # windows; how much fuller than in them a column must be to be new
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Misdated:
    """Rows of the table whose timestamp lies in the future, the latest of these, and rows dated 1970-01-01 or never."""

    future: int
    latest: datetime | None
    undated: int


def collect(
    engine: sa.Engine,
    monitor: Monitor,
    window: Window,
    *,
    folder: Path,
    pii_key: bytes | None,
    max_rows: int | None = None,
    also: Sequence[str] = (),
    sample: int | None = None,
) -> WindowRows:
    """Read the columns the monitor names of one window into a Parquet file in `folder`; the caller closes the rows.

    Columns in pii.drop are never asked for, those in pii.hash are hashed before they are written. `also` names columns
    that are read besides but not shown in `columns`. Columns that the table lacks are listed in `missing`, but id and
    timestamp. Of more than `sample` rows, if that is said, one in so many is read, evenly in time.

    Raises DataError (a missing table, id or timestamp, a timestamp that is none, over `max_rows`, a refused login, a
    statement over its limit), WarehouseError (unreachable or broken off), ConfigError (no key).
    """
    hasher = Hasher(monitor.pii.hash, pii_key)
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
        where = logged_in(monitor, logged, window)
        columns = named(monitor, also)
        read = read_as(engine, logged, columns, where, [monitor.source.predictions.timestamp])
    shown = set(named(monitor))
    layout = Layout(
        schema=read.schema,
        columns=tuple(name for name in read.schema.names if name in shown),
        types={name: kind for name, kind in read.types.items() if name in shown},
        missing=read.missing,
        id_column=monitor.source.predictions.id,
        timestamp_column=monitor.source.predictions.timestamp,
    )
    statement, every = sa.select(*read.expressions).select_from(logged.table).where(where), 1
    if sample is not None:
        log = log_of(monitor, logged, where, read)
        with reading(engine, monitor.source.connection):
            every = max(1, -(-log.count(engine) // sample))
        statement = log.sample(every) if every > 1 else statement
    with closing(batches(engine, statement, read.schema, monitor.source.connection)) as answer:
        rows = spool(_capped(answer, max_rows, f"{logged.name} in {window}"), layout, hasher, folder)
        return replace(rows, every=every)


def log_of(monitor: Monitor, logged: Relation, where: sa.ColumnElement[bool], read: Reading) -> Log:
    """Return some rows of the log as they are counted."""
    source, hashed = monitor.source.predictions, frozenset(monitor.pii.hash)
    return Log(logged.dialect, logged.table, where, read, source.id, source.timestamp, hashed)


def as_logged(engine: sa.Engine, monitor: Monitor, window: Window) -> sa.Select[*tuple[Any, ...]]:
    """Return the SELECT of the rows of a window, all of them and with every column; errors as for `collect`."""
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
    return sa.select(*logged.table.c).where(logged_in(monitor, logged, window))


def volumes(engine: sa.Engine, monitor: Monitor, windows: Sequence[Window]) -> dict[Window, int]:
    """Count the distinct ids of each window as `collect` would, rows without an id one each; errors as there."""
    counts: dict[Window, int] = {}
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
        with engine.connect() as connection:
            for start in range(0, len(windows), _WINDOWS_AT_ONCE):
                some = windows[start : start + _WINDOWS_AT_ONCE]
                selects = [_volume(monitor, logged, window, place) for place, window in enumerate(some)]
                answer = connection.execute(sa.union_all(*selects))
                counts |= {some[place]: count for place, count in answer}
    return {window: counts[window] for window in windows}


def strangers(engine: sa.Engine, monitor: Monitor, window: Window) -> dict[str, bool | None]:
    """Return the columns with values in the window that the monitor does not name, and whether each is new.

    New is a column that holds more in this window than over the 28 windows before it, as one does that was renamed or
    added meanwhile; None where these have no rows. Values are counted, never read. Errors as for `collect`.
    """
    before = Window(window.start - _LOOKED_BACK * (window.end - window.start), window.start)
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
        unnamed = sorted(logged.types.keys() - {*named(monitor), *monitor.pii.drop})
        with engine.connect() as connection:
            names = logged.dialect.granted(connection, logged.declared, unnamed)
            counts = [sa.func.count(), *(sa.func.count(logged.table.c[name]) for name in names)]
            now, then = (
                connection.execute(
                    sa.select(*counts).select_from(logged.table).where(logged_in(monitor, logged, some))
                ).one()
                for some in (window, before)
            )
    shares = {name: (now[i] / max(now[0], 1), then[i] / max(then[0], 1)) for i, name in enumerate(names, start=1)}
    return {name: was < is_ - _NEW if then[0] else None for name, (is_, was) in shares.items() if is_}


def misdated(engine: sa.Engine, monitor: Monitor, at: datetime) -> Misdated:
    """Count the rows of the table that are in no window: stamped `at` or later, or with no real moment at all."""
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
        column = logged.table.c[monitor.source.predictions.timestamp]
        latest = sa.func.max(logged.dialect.moment_or_null(column))
        select = partial(sa.select, sa.func.count(), latest)
        future, past = logged.dialect.span(column, start=at), logged.dialect.span(column, end=EPOCH + _DAY)
        with engine.connect() as connection:
            late, last = connection.execute(select().where(future, _of_version(monitor, logged))).one()
            zero, _ = connection.execute(
                select().where(sa.or_(~logged.dialect.known(column), past), _of_version(monitor, logged))
            ).one()
    return Misdated(late, aware(last), zero)


def first_timestamp(engine: sa.Engine, monitor: Monitor) -> datetime | None:
    """Return when the oldest prediction was made, None in an empty table; errors as for `collect`."""
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
        column = logged.table.c[monitor.source.predictions.timestamp]
        oldest = sa.select(sa.func.min(logged.dialect.moment(column)))
        with engine.connect() as connection:
            return aware(connection.execute(oldest.where(logged_in(monitor, logged, None))).scalar())


def logged_between(engine: sa.Engine, monitor: Monitor, *, until: datetime) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the last prediction before a moment were made; errors as for `collect`."""
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
        column = logged.table.c[monitor.source.predictions.timestamp]
        stamp = logged.dialect.moment(column)
        where = sa.and_(logged.dialect.span(column, start=EPOCH + _DAY, end=until), _of_version(monitor, logged))
        with engine.connect() as connection:
            ends = connection.execute(sa.select(sa.func.min(stamp), sa.func.max(stamp)).where(where)).one()
    return aware(ends[0]), aware(ends[1])


def logged_predictions(engine: sa.Engine, monitor: Monitor, *needed: str) -> Relation:
    """Return the predictions table; raise DataError where it lacks id, timestamp or a column of the roles `needed`."""
    logged = relation(engine, monitor.source.predictions.table, "source.predictions.table")
    require_roles(logged, engine, monitor, *needed)
    return logged


def logged_in(monitor: Monitor, logged: Relation, window: Window | None) -> sa.ColumnElement[bool]:
    """Whether a row is of the monitor's version and of the window, or of any time there is."""
    timestamp = logged.table.c[monitor.source.predictions.timestamp]
    start, end = (window.start, window.end) if window else (None, None)
    return sa.and_(logged.dialect.span(timestamp, start=start, end=end), _of_version(monitor, logged))


def _of_version(monitor: Monitor, logged: Relation) -> sa.ColumnElement[bool]:
    version, column = monitor.model.version, monitor.source.predictions.model_version
    if version == "all":
        return sa.true()
    if column is None:
        raise ConfigError(
            Problem(f"version {version!r} cannot be told apart without source.predictions.model_version", field="model")
        )
    dialect = logged.dialect
    return dialect.text(logged.table.c[column]) == dialect.text(sa.literal(version, sa.String()))


def _volume(monitor: Monitor, logged: Relation, window: Window, place: int) -> sa.Select[int, int]:
    ids = logged.exact(monitor.source.predictions.id)
    count = sa.func.count(ids.distinct()) + sa.func.count() - sa.func.count(ids)
    where = logged_in(monitor, logged, window)
    return sa.select(sa.literal(place), count).select_from(logged.table).where(where)


def _capped(answer: Iterator[pa.RecordBatch], most: int | None, what: str) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in answer:
        rows += batch.num_rows
        if most is not None and rows > most:
            raise DataError(f"{what}: over {rows:,} rows where at most {most:,} are read - choose a shorter window")
        yield batch
