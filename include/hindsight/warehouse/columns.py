"""Columns: which columns a monitor names, and how each is read so that it arrives as one of eight Arrow types.

The types are int64, double, bool, string, binary, timestamp[us, UTC], date32; whatever else a database has is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from hindsight.errors import ConfigError, Problem
from hindsight.monitors.kpis import logged_columns
from hindsight.monitors.model import Monitor
from hindsight.warehouse.relations import Relation, type_name
from hindsight.warehouse.times import moment

TIMESTAMP = pa.timestamp("us", tz="UTC")
_PLAIN_TEXT = (sa.String, sa.Text, sa.VARCHAR, sa.CHAR, sa.TEXT, sa.NVARCHAR, sa.Unicode, sa.UnicodeText)
_STORED: Mapping[str, sa.types.TypeEngine[Any]] = {"integer": sa.BigInteger(), "real": sa.Double(), "text": sa.Text()}


@dataclass(frozen=True, slots=True)
class Reading:
    """The columns to read: an expression, an Arrow type and the database's type for each; `missing` are not there."""

    expressions: tuple[sa.ColumnElement[object], ...]
    schema: pa.Schema
    types: Mapping[str, str]
    missing: tuple[str, ...] = ()


def roles(monitor: Monitor) -> dict[str, str]:
    """Key of source.predictions -> column, for every column that has a role; scores of classes are score.<class>."""
    predictions = monitor.source.predictions
    named = {key: getattr(predictions, key) for key in ("id", "timestamp", "prediction")}
    scores = predictions.score if isinstance(predictions.score, dict) else {"": predictions.score}
    named |= {f"score.{name}".rstrip("."): column for name, column in scores.items()}
    named |= {key: getattr(predictions, key) for key in ("model_version", "status_code", "latency_ms", "cost")}
    named |= {f"resources.{name}": column for name, column in predictions.resources.items()}
    return {key: column for key, column in named.items() if column is not None}


def named(monitor: Monitor, also: Iterable[str] = ()) -> tuple[str, ...]:
    """Every column the monitor names, without the dropped ones, those of the output first.

    Ties between duplicates are broken in this order, so readers of a prefix of it choose the same row.
    """
    by_role = roles(monitor)
    dropped, hashed = set(monitor.pii.drop), set(monitor.pii.hash)
    for key in ("id", "timestamp", "prediction"):
        if by_role[key] in dropped or (key == "timestamp" and by_role[key] in hashed):
            raise ConfigError(Problem(f"{by_role[key]!r} is source.predictions.{key} and is needed", field="pii"))
    late = [by_role.pop(key) for key in list(by_role) if key in ("latency_ms", "cost") or key.startswith("resources.")]
    besides = (*monitor.features, *monitor.pii.hash, *logged_columns(monitor), *also)
    wanted = (*by_role.values(), *monitor.segments, *late, *besides)
    return tuple(column for column in dict.fromkeys(wanted) if column not in dropped)


def require_roles(relation: Relation, engine: sa.Engine, monitor: Monitor, *besides: str) -> None:
    """Raise DataError where the id or the timestamp is missing, the timestamp is no time, or a role of `besides` is.

    Whatever else the table lacks is a finding about the window, not the end of it.
    """
    by_role = roles(monitor)
    needed = ("id", "timestamp", *(["model_version"] if monitor.model.version != "all" else []), *besides)
    for key in needed:
        if by_role.get(key):
            relation.require(by_role[key], f"source.predictions.{key}")
    relation.require_time(engine, monitor.source.predictions.timestamp, "source.predictions.timestamp")


def read_as(
    engine: sa.Engine, relation: Relation, columns: Sequence[str], where: sa.ColumnElement[bool], times: Iterable[str]
) -> Reading:
    """Return how to read those of `columns` that exist; `times` are moments whatever their declared type."""
    there = [column for column in columns if column in relation.types]
    kinds = {column: relation.types[column] for column in there}
    if relation.dialect == "sqlite":
        kinds |= _stored_kinds(engine, relation, [c for c in there if c not in times], where)
    shapes = {c: _readable(sa.type_coerce(relation.table.c[c], kinds[c]), relation.dialect, c in times) for c in there}
    return Reading(
        expressions=tuple(shapes[c][0].label(c) for c in there),
        schema=pa.schema([(c, shapes[c][1]) for c in there]),
        types={c: type_name(kinds[c], engine) for c in there},
        missing=tuple(c for c in columns if c not in relation.types),
    )


def _readable(
    column: sa.ColumnElement[Any], dialect: str, is_moment: bool
) -> tuple[sa.ColumnElement[object], pa.DataType]:
    kind: sa.types.TypeEngine[Any] = column.type
    if isinstance(kind, postgresql.DOMAIN):
        kind = kind.data_type
        column = sa.cast(column, kind)
    if is_moment or isinstance(kind, sa.DateTime) or (dialect == "sqlite" and isinstance(kind, sa.Date)):
        return moment(column, dialect), TIMESTAMP
    if isinstance(kind, sa.Boolean):
        return sa.type_coerce(column, sa.Integer()) if dialect == "sqlite" else column, pa.bool_()
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
    plain = dialect != "sqlite" and type(kind) in _PLAIN_TEXT
    return column if plain else sa.cast(column, sa.Text()), pa.string()


def _stored_kinds(
    engine: sa.Engine, relation: Relation, columns: Sequence[str], where: sa.ColumnElement[bool]
) -> dict[str, sa.types.TypeEngine[Any]]:
    """What SQLite really holds in columns declared as numbers or not at all: any row may hold any type there."""
    loose = (sa.Numeric, sa.Float, sa.Integer, sa.Boolean, sa.types.NullType)
    doubtful = [c for c in columns if isinstance(relation.types[c], loose)]
    if not doubtful:
        return {}
    with engine.connect() as connection:
        widest = connection.execute(sa.select(*(_widest(relation.table.c[c]) for c in doubtful)).where(where)).one()
    found = {c: ("", "integer", "real", "text")[rank or 0] for c, rank in zip(doubtful, widest, strict=True)}
    return {c: _STORED[kind] for c, kind in found.items() if kind and not _fits(relation.types[c], kind)}


def _widest(column: sa.ColumnElement[object]) -> sa.ColumnElement[int]:
    kind = sa.func.typeof(sa.type_coerce(column, sa.Text()))
    rank = sa.case((kind == "null", None), (kind == "integer", 1), (kind == "real", 2), else_=3)
    return sa.func.max(rank)


def _fits(declared: sa.types.TypeEngine[object], stored: str) -> bool:
    if isinstance(declared, sa.types.NullType) or stored == "text":
        return False
    return stored == "integer" or isinstance(declared, (sa.Numeric, sa.Float))
