"""Samples: a few logged rows of a window for people to look at: named columns only, personal ones hashed or dropped."""

from __future__ import annotations

from contextlib import closing

import pyarrow as pa
import sqlalchemy as sa

from hindsight.errors import ConfigError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.columns import named, read_as
from hindsight.warehouse.connect import reading
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.predictions import logged_in, logged_predictions
from hindsight.warehouse.relations import Relation
from hindsight.warehouse.stream import batches


def why_no_sample(monitor: Monitor) -> str:
    """Say why rows of a monitor are not shown to people, "" where they may be."""
    if "pii" in monitor.model_fields_set:
        return ""
    return (
        "Rows are not shown: the monitor file does not say which columns are personal. Declare them under pii "
        "(drop, hash), or declare that there are none with pii: {}"
    )


def sample(
    engine: sa.Engine, monitor: Monitor, window: Window, segment: str, *, pii_key: bytes | None, most: int
) -> pa.Table:
    """Return at most so many rows of a window, in no order; `segment` is "" or as 'region=EU'.

    The columns are those the monitor names, without those of pii.drop; those of pii.hash are hashed before anything
    else sees them. Raises ConfigError for a segment that is none, or whose column is hashed; else errors as `collect`.
    """
    hasher = Hasher(monitor.pii.hash, pii_key)
    with reading(engine, monitor.source.connection):
        logged = logged_predictions(engine, monitor)
        where = sa.and_(logged_in(monitor, logged, window), _of_segment(monitor, logged, segment))
        read = read_as(engine, logged, named(monitor), where, [monitor.source.predictions.timestamp])
    statement = sa.select(*read.expressions).select_from(logged.table).where(where).limit(most)
    with closing(batches(engine, statement, read.schema, monitor.source.connection)) as answer:
        return pa.Table.from_batches(map(hasher, answer), hasher.schema(read.schema))


def _of_segment(monitor: Monitor, logged: Relation, segment: str) -> sa.ColumnElement[bool]:
    if not segment:
        return sa.true()
    column, _, value = segment.partition("=")
    if column not in monitor.segments or column not in logged.types:
        raise ConfigError(f"{segment!r} is no segment of {monitor.name}: expected column=value of a column in segments")
    if column in monitor.pii.hash:
        raise ConfigError(f"{column} is hashed (pii.hash): which rows a hash stands for is not asked of the warehouse")
    return logged.dialect.text(logged.table.c[column]) == logged.dialect.text(sa.literal(value, sa.String()))
