"""Columns: which columns a monitor names, and how each is read so that it arrives as one of eight Arrow types.

The types are int64, double, bool, string, binary, timestamp[us, UTC], date32; whatever else a database has is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from hindsight.errors import ConfigError, Problem
from hindsight.monitors.kpis import logged_columns
from hindsight.monitors.model import Monitor
from hindsight.warehouse.relations import Relation


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
    dialect, times = relation.dialect, set(times)
    kinds = {column: relation.types[column] for column in columns if column in relation.types}
    with engine.connect() as connection:
        declared = {c: kind for c, kind in kinds.items() if c not in times}
        kinds |= dialect.stored(connection, relation.table, declared, where)
    typed = {c: sa.type_coerce(relation.table.c[c], kind) for c, kind in kinds.items()}
    shapes = {c: dialect.readable(column, is_moment=c in times) for c, column in typed.items()}
    return Reading(
        expressions=tuple(shapes[c][0].label(c) for c in kinds),
        schema=pa.schema([(c, shapes[c][1]) for c in kinds]),
        types={c: dialect.type_name(kind, engine) for c, kind in kinds.items()},
        missing=tuple(c for c in columns if c not in relation.types),
    )
