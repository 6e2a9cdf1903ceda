"""Survey: what a table nobody described holds, from its schema, cheap aggregates and a sample spread over its time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from hindsight.vocabulary.facts import ColumnFacts, Kind, TableFacts
from hindsight.vocabulary.rows import Scalar
from hindsight.warehouse import stream
from hindsight.warehouse.columns import TIMESTAMP, read_as
from hindsight.warehouse.connect import reading
from hindsight.warehouse.relations import Relation, relation, type_name
from hindsight.warehouse.times import moment, span, utc_microseconds

SLICES, ROWS_A_SLICE, MOST_CELLS = 20, 1000, 1_000_000
EARLY = 0.3  # the share of the time in which a reference is looked for
COMMON = 60
QUANTILES = (0.0, 0.005, 0.25, 0.5, 0.75, 0.95, 0.99, 0.995, 1.0)
ENOUGH = 500
IDS_AT_ONCE, MOST_TABLES = 500, 300
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_OPAQUE = re.compile(r"JSON|\[\]|BYTEA|BLOB|INTERVAL|VECTOR|TSVECTOR|GEOM|HSTORE|XML|RANGE", re.IGNORECASE)
_DATED = re.compile(r"\s*\d{4}-\d\d-\d\d")


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
    with reading(engine, connection):
        inspector = sa.inspect(engine)
        names = sorted([*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)])
        found = inspector.get_multi_columns(
            schema=schema or None, filter_names=names[:MOST_TABLES], kind=ObjectKind.ANY
        )
    return {
        ".".join(filter(None, key)): tuple(column["name"] for column in columns)
        for key, columns in sorted(found.items(), key=lambda item: item[0][1])
    }


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
        read = moment(column, known.dialect)
        statement = sa.select(sa.func.count(), sa.func.min(read), sa.func.max(read)).select_from(known.table)
        with engine.connect() as asked:
            rows, first, last = asked.execute(statement).one()
    begin, end = _aware(first), _aware(last)
    bounds = [] if begin is None or end is None else _bounds(begin, end + timedelta(microseconds=1))
    wheres = [span(column, known.dialect, start=start, end=end) for start, end in pairwise(bounds)]
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
        came = sa.func.min(moment(known.table.c[arrived_at], known.dialect)) if arrived_at else sa.null()
        wanted = [int(i) if integers else str(i) for i in ids if not integers or str(i).lstrip("-").isdigit()]
        with engine.connect() as asked:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                some = wanted[start : start + IDS_AT_ONCE]
                answer = asked.execute(
                    sa.select(key, came).where(key.in_(some), known.table.c[label].is_not(None)).group_by(key)
                )
                found |= {str(one): _aware(when) for one, when in answer}
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
    kinds = {name: type_name(kind, engine) for name, kind in known.types.items() if _NAME.fullmatch(name)}
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
        unnameable=tuple(name for name in known.types if name not in kinds),
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


def _aware(value: object) -> datetime | None:
    if value is None:
        return None
    found: datetime = pa.scalar(value, TIMESTAMP).as_py()
    return found.astimezone(UTC)


def _facts(column: pa.ChunkedArray, name: str, type: str, early: pa.Array, dialect: str) -> ColumnFacts:
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


def _kind(values: pa.Array, dialect: str) -> Kind:
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return "time"
    if pa.types.is_binary(values.type):
        return "other"
    if pa.types.is_string(values.type):
        return "time" if dialect == "sqlite" and _holds_times(values) else "text"
    if pa.types.is_boolean(values.type):
        return "boolean"
    return "integer" if pa.types.is_integer(values.type) else "fraction"


def _holds_times(values: pa.Array) -> bool:
    """Whether all texts are ISO dates or times; SQLite has no other way to keep them."""
    texts = values.unique().drop_null().to_pylist()
    return bool(texts) and all(_DATED.match(text) and utc_microseconds(text) is not None for text in texts)


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
