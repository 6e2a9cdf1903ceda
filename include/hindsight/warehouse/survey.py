"""Survey: what a table nobody described holds, from its schema, cheap aggregates and a sample spread over its time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from hindsight.vocabulary.facts import ColumnFacts, Kind, TableFacts
from hindsight.vocabulary.rows import Scalar
from hindsight.warehouse import stream
from hindsight.warehouse.columns import read_as
from hindsight.warehouse.connect import reading
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.dialects.generic import Dialect
from hindsight.warehouse.relations import Relation, relation
from hindsight.warehouse.times import TIMESTAMP, aware, utc_microseconds

SLICES, ROWS_A_SLICE, MOST_CELLS = 20, 1000, 1_000_000
EARLY = 0.3  # the share of the time in which a reference is looked for
COMMON = 60
QUANTILES = (0.0, 0.005, 0.25, 0.5, 0.75, 0.95, 0.99, 0.995, 1.0)
ENOUGH = 500
IDS_AT_ONCE, MOST_TABLES = 500, 300
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_OPAQUE = re.compile(r"JSON|\[\]|BYTEA|BLOB|INTERVAL|VECTOR|TSVECTOR|GEOM|HSTORE|XML|RANGE", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a table in the order of time, where a timestamp is known; `early` marks those of the first third."""

    rows: pa.Table
    early: pa.Array
    facts: TableFacts

    def older(self, id: str, timestamp: str, most: int) -> list[tuple[Scalar, datetime]]:
        """Return id and time of at most `most` predictions of the older half of the time, spread evenly."""
        first, last = self.facts.first, self.facts.last
        if first is None or last is None:
            return []
        times = self.rows.column(timestamp).cast(TIMESTAMP, safe=False)
        half = self.rows.select([id]).append_column(" made", times)
        half = half.filter(pc.and_(pc.less_equal(times, first + (last - first) / 2), pc.is_valid(half.column(id))))
        places = np.unique(np.linspace(0, half.num_rows - 1, min(most, half.num_rows)).astype(np.int64))
        chosen = half.take(pa.array(places))
        return list(zip(chosen.column(id).to_pylist(), chosen.column(" made").to_pylist(), strict=True))


def tables(engine: sa.Engine, connection: str, schema: str = "") -> Mapping[str, tuple[str, ...]]:
    """Return the tables and views of a schema (the default one for ""), with the columns of each."""
    dialect = dialect_of(engine)
    with reading(engine, connection), engine.connect() as asked:
        names = dialect.tables(asked, schema)[:MOST_TABLES]
        found = dialect.columns_of_all(asked, schema, names)
    return {".".join(filter(None, (schema, name))): tuple(found[name]) for name in names if name in found}


def look(engine: sa.Engine, connection: str, table: str) -> Sample:
    """Return what the first rows of a table show, in whatever order the database gives them.

    Raises DataError where there is no such table, and DataError or WarehouseError as the warehouse answers.
    """
    with reading(engine, connection):
        known = relation(engine, table, "--table")
    return _sampled(engine, connection, known, [], [])


def survey(engine: sa.Engine, connection: str, table: str, timestamp: str) -> Sample:
    """Return what a table shows over all of its time: 1,000 rows of each twentieth of it; errors as for `look`."""
    with reading(engine, connection):
        known = relation(engine, table, "--table")
        known.require_time(engine, timestamp, "--timestamp")
        column = known.table.c[timestamp]
        read = known.dialect.moment_or_null(column)
        statement = sa.select(sa.func.count(), sa.func.min(read), sa.func.max(read)).select_from(known.table)
        with engine.connect() as asked:
            rows, first, last = asked.execute(statement).one()
    begin, end = aware(first), aware(last)
    bounds = [] if begin is None or end is None else _bounds(begin, end + timedelta(microseconds=1))
    wheres = [known.dialect.span(column, start=start, end=end) for start, end in pairwise(bounds)]
    sample = _sampled(engine, connection, known, wheres, [timestamp])
    return replace(sample, facts=replace(sample.facts, rows=rows, first=begin, last=end))


def first_labels(
    engine: sa.Engine,
    connection: str,
    table: str,
    *,
    id: str,
    label: str,
    arrived_at: str | None,
    ids: Sequence[Scalar],
) -> dict[str, datetime | None]:
    """Return for those of `ids` that have a label when the first one came, by id as text; errors as for `look`."""
    found: dict[str, datetime | None] = {}
    with reading(engine, connection):
        known = relation(engine, table, "--labels-table")
        column = known.table.c[id]
        asked_as_text = not isinstance(column.type, (sa.Integer, sa.String))
        key = sa.cast(column, sa.Text()) if asked_as_text else column
        integers = isinstance(column.type, sa.Integer)
        came = known.dialect.moment_or_null(known.table.c[arrived_at]) if arrived_at else sa.null()
        wanted = [int(i) if integers else str(i) for i in ids if not integers or str(i).lstrip("-").isdigit()]
        query = sa.select(known.dialect.readable(key)[0], came).where(known.table.c[label].is_not(None))
        with engine.connect() as asked:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                some = wanted[start : start + IDS_AT_ONCE]
                answer = asked.execute(query.where(key.in_(some)))
                found = _earlier(found, ((str(one), aware(when)) for one, when in answer if one in set(some)))
    return found


def _earlier(
    known: dict[str, datetime | None], others: Iterable[tuple[str, datetime | None]]
) -> dict[str, datetime | None]:
    """The earlier time of each id, None where there is none at all."""
    found = dict(known)
    for one, when in others:
        before = found.get(one)
        found[one] = when if before is None else min(before, when or before)
    return found


def mean_by(sample: Sample, group: str, number: str) -> dict[Scalar, float]:
    """Return the mean of a column of numbers for each value of another, at most 60 of these."""
    rows = sample.rows.select([group, number]).filter(pc.is_valid(sample.rows.column(group)))
    means = rows.group_by(group).aggregate([(number, "mean")]).to_pylist()
    return {row[group]: float(row[f"{number}_mean"]) for row in means[:COMMON] if row[f"{number}_mean"] is not None}


def _sampled(
    engine: sa.Engine,
    connection: str,
    known: Relation,
    wheres: Sequence[sa.ColumnElement[bool]],
    times: Sequence[str],
) -> Sample:
    with reading(engine, connection), engine.connect() as asked:
        granted = known.dialect.granted(asked, known.declared, list(known.types))
    kinds = {name: known.dialect.type_name(known.types[name], engine) for name in granted if _NAME.fullmatch(name)}
    opaque = [name for name, kind in kinds.items() if _OPAQUE.search(kind)]
    wanted = [name for name in kinds if name not in opaque]
    parts = _read(engine, connection, known, wanted, wheres, times) if wanted else []
    rows = pa.concat_tables(parts) if parts else pa.table({})
    first = sum(part.num_rows for part in parts[: max(round(EARLY * len(parts)), 1)])
    early = pa.array(np.arange(rows.num_rows) < first)
    seen = {name: _facts(rows.column(name), name, kinds[name], early, known.dialect) for name in wanted}
    seen |= {name: ColumnFacts(name=name, type=kinds[name], kind="other", rows=rows.num_rows) for name in opaque}
    facts = TableFacts(
        name=known.name,
        columns={name: seen[name] for name in kinds},
        unnameable=tuple(name for name in granted if name not in kinds),
        looked_at=rows.num_rows,
    )
    return Sample(rows, early, facts)


def _read(
    engine: sa.Engine,
    connection: str,
    known: Relation,
    wanted: Sequence[str],
    wheres: Sequence[sa.ColumnElement[bool]],
    times: Sequence[str],
) -> list[pa.Table]:
    """The first rows of each part of the table, or of the whole of it where there are none."""
    each = max(50, min(ROWS_A_SLICE, MOST_CELLS // (SLICES * len(wanted))))
    with reading(engine, connection):
        read = read_as(engine, known, wanted, sa.true(), times)
    chosen = sa.select(*read.expressions).select_from(known.table)
    statements = [chosen.where(where).limit(each) for where in wheres] or [chosen.limit(each * SLICES // 4)]
    return [
        pa.Table.from_batches(stream.batches(engine, statement, read.schema, connection), read.schema)
        for statement in statements
    ]


def _bounds(first: datetime, end: datetime) -> list[datetime]:
    """The borders of twenty equal parts of [first, end), fewer where it is too short."""
    parts = [first + (end - first) * k / SLICES for k in range(SLICES)]
    return [*dict.fromkeys(parts), end]


def _facts(column: pa.ChunkedArray, name: str, type: str, early: pa.Array, dialect: Dialect) -> ColumnFacts:
    values = column.combine_chunks()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    kind = _kind(values, dialect)
    if kind in ("time", "other"):
        distinct = len(values.unique().drop_null())
        return ColumnFacts(
            name=name, type=type, kind=kind, rows=len(values), nulls=values.null_count, distinct=distinct
        )
    at_first = values.filter(early)
    numbers = kind in ("integer", "fraction")
    counted = _counted(values)
    return ColumnFacts(
        name=name,
        type=type,
        kind=kind,
        rows=len(values),
        nulls=values.null_count,
        distinct=len(counted),
        common=tuple(counted[:COMMON]),
        is_whole=numbers and all(float(value).is_integer() for value, _ in counted),
        quantiles=_quantiles(values) if numbers else {},
        early=_quantiles(at_first) if numbers and len(at_first) - at_first.null_count >= ENOUGH else {},
        early_distinct=len(at_first.unique().drop_null()),
    )


def _kind(values: pa.Array, dialect: Dialect) -> Kind:
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return "time"
    if pa.types.is_binary(values.type):
        return "other"
    if pa.types.is_string(values.type):
        return "time" if dialect.times_are_text and _holds_times(values) else "text"
    if pa.types.is_boolean(values.type):
        return "boolean"
    return "integer" if pa.types.is_integer(values.type) else "fraction"


def _holds_times(values: pa.Array) -> bool:
    """Whether all texts are ISO dates or times, for a database that has no other way to keep them."""
    texts = values.unique().drop_null().to_pylist()
    return bool(texts) and all(utc_microseconds(text) is not None for text in texts)


def _counted(values: pa.Array) -> list[tuple[Scalar, int]]:
    """Distinct values and how often they occur, the most frequent first; infinite numbers left out."""
    counts: Iterator[tuple[Scalar, int]] = (
        (one["values"], one["counts"]) for one in values.drop_null().value_counts().to_pylist()
    )
    finite = [(v, n) for v, n in counts if not isinstance(v, float) or np.isfinite(v)]
    return sorted(finite, key=lambda one: (-one[1], str(one[0])))


def _quantiles(values: pa.Array) -> dict[float, float]:
    numbers = np.asarray(values.drop_null().to_numpy(zero_copy_only=False), dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return {}
    return dict(zip(QUANTILES, np.quantile(numbers, QUANTILES, method="inverted_cdf").tolist(), strict=True))
