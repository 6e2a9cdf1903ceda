"""Labels: the truth of a window's predictions as it was known at a moment, however late and often it was corrected.

The label of an id known at t is its newest row with arrived_at < t. A newest row without a value takes the label back;
newest rows that contradict each other are none either, and are counted; a row without a time of arrival is never used.
Without an arrival column those count that were seen by then, where that is remembered, else all there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from hindsight.errors import ConfigError, Problem
from hindsight.monitors.model import Labels, Monitor
from hindsight.vocabulary.windows import Grid, Window
from hindsight.warehouse import stream
from hindsight.warehouse.columns import named, read_as, roles
from hindsight.warehouse.connect import reading
from hindsight.warehouse.dialects.generic import Dialect
from hindsight.warehouse.memory import as_text, remembered
from hindsight.warehouse.outcome import ARRIVED, LABEL, Outcomes, outcomes, without_nan
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.predictions import logged_in, logged_predictions
from hindsight.warehouse.relations import Relation, relation
from hindsight.warehouse.times import TIMESTAMP, microseconds

_NUMBERS = (sa.Integer, sa.Numeric, sa.Float)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One row of `table` per scored prediction: status 200 where a status is logged, and a prediction.

    Columns: prediction, score (multiclass: score__<class> each), label (null when none is known), arrived_at,
    model_version (text, null when none is logged), then the segments. `n_rows` counts distinct ids, scored or not,
    `n_labeled` the scored ones with a label, `conflicts` ids whose newest labels contradict each other, `corrections`
    labels that came after another of their id and differ, `orphans` ids of labels that arrived in the window and belong
    to no prediction at all, `undated` ids with a label that has no time of arrival, `duplicates` label rows that give
    an id a value it was given before.
    """

    table: pa.Table
    n_rows: int
    n_scored: int
    n_labeled: int
    conflicts: int
    orphans: int
    undated: int = 0
    duplicates: int = 0
    corrections: int = 0


def labelled(
    engine: sa.Engine,
    monitor: Monitor,
    window: Window,
    as_of: datetime,
    *,
    pii_key: bytes | None,
    also: Sequence[str] = (),
    seen: pa.Table | None = None,
) -> Labelled:
    """Return the scored predictions of `window` with the labels known at `as_of`; rows come in no particular order.

    Once the window has matured, rows without a label get `labels.absent_means` where the monitor sets one. `also`
    names columns of the predictions that `table` has besides. `seen` are the labels remembered of a source that keeps
    no times of arrival (`id`, `label`, `arrived_at`), which count instead of those there are now. Errors as for
    `predictions.collect`.
    """
    hasher = Hasher(monitor.pii.hash, pii_key)
    with reading(engine, monitor.source.connection):
        pair = label_tables(engine, monitor)
        statement, schema = _known(engine, monitor, pair, window, as_of, also)
        orphans = _orphans(engine, monitor, pair, window, as_of)
    answer = stream.batches(engine, statement, schema, monitor.source.connection)
    rows = pa.Table.from_batches(map(hasher, answer), hasher.schema(schema))
    if seen is not None:
        rows = remembered(rows, monitor, seen)
    matured = window.end + monitor.labels.matures_after <= as_of
    absent = monitor.labels.absent_means if matured else None
    found = outcomes(rows, monitor, absent=absent, also=also)
    with reading(engine, monitor.source.connection):
        asked = found.repeats and seen is None  # what is remembered holds each value once
        duplicates = _duplicates(engine, monitor, pair, window, as_of) if asked else 0
    return _labelled(found, orphans, duplicates)


def touched(
    engine: sa.Engine, monitor: Monitor, *, since: datetime | None, until: datetime, among: Window | None = None
) -> list[Window]:
    """Return, oldest first, the windows of the monitor's grid with predictions whose labels arrived in [since, until).

    Predictions count that were made in `among`, by default at any time at all. Without an arrival column nothing tells
    when a label came: every labelled prediction counts.
    """
    with reading(engine, monitor.source.connection):
        logged, truth = label_tables(engine, monitor)
        timestamp = logged.table.c[monitor.source.predictions.timestamp]
        where = sa.and_(logged_in(monitor, logged, among), arrived_in(monitor, truth, since, until))
        joined = logged.table.join(truth.table, same_id(monitor, logged, truth))
        made = logged.dialect.microseconds(timestamp)
        found = logged.dialect.moment(timestamp) if made is None else _window_start(logged.dialect, made, monitor.grid)
        with engine.connect() as connection:
            query = sa.select(found).select_from(joined).where(where).distinct()
            answer: Sequence[Any] = connection.execute(query).scalars().all()
    return sorted({monitor.grid.window_at(moment) for moment in pa.array(answer, TIMESTAMP).to_pylist()})


def labels_now(engine: sa.Engine, monitor: Monitor, window: Window, *, pii_key: bytes | None) -> pa.Table:
    """Return `id` and `label`, both text, of every labelled prediction of a window, each different pair once.

    The id is hashed where the monitor hashes it. Errors as for `labels.labelled`.
    """
    hasher = Hasher(monitor.pii.hash, pii_key)
    with reading(engine, monitor.source.connection):
        logged, truth = label_tables(engine, monitor)
        where, everywhere = logged_in(monitor, logged, window), sa.true()
        ids = read_as(engine, logged, [monitor.source.predictions.id], where, [])
        labels = read_as(engine, truth, [declared_labels(monitor).label], everywhere, [])
    joined = logged.table.join(truth.table, same_id(monitor, logged, truth))
    label = labels.expressions[0].label(LABEL)
    statement = sa.select(*ids.expressions, label).select_from(joined).where(where)
    schema = ids.schema.append(pa.field(LABEL, labels.schema.types[0]))
    answer = map(hasher, stream.batches(engine, statement, schema, monitor.source.connection))
    rows = without_nan(pa.Table.from_batches(answer, hasher.schema(schema)), LABEL)
    found = pa.table({"id": as_text(rows.column(0)), "label": as_text(rows.column(1))})
    known = found.filter(pc.and_(pc.is_valid(found["id"]), pc.is_valid(found["label"])))
    return known.group_by(known.column_names).aggregate([])


def label_tables(engine: sa.Engine, monitor: Monitor) -> tuple[Relation, Relation]:
    """Return the tables of predictions and of labels, every column they need checked; raise DataError."""
    labels = declared_labels(monitor)
    truth = replace(relation(engine, labels.table, "source.labels.table"), alias="truth")
    truth.require(labels.id, "source.labels.id")
    truth.require(labels.label, "source.labels.label")
    if labels.arrived_at is not None:
        truth.require_time(engine, labels.arrived_at, "source.labels.arrived_at")
    return logged_predictions(engine, monitor, "prediction"), truth


def declared_labels(monitor: Monitor) -> Labels:
    """Return where the monitor's labels are; raise ConfigError where it declares none."""
    if monitor.source.labels is None:
        raise ConfigError(Problem(f"monitor {monitor.name!r} declares no labels", field="source.labels"))
    return monitor.source.labels


def output_columns(monitor: Monitor) -> tuple[str, ...]:
    """The columns a labelled row is made of: the start of `named`, so that ties between duplicates end alike."""
    needed = {*roles(monitor).values(), *monitor.segments}
    source = monitor.source.predictions
    needed -= {source.latency_ms, source.cost, *source.resources.values()} - set(monitor.segments)
    return tuple(column for column in named(monitor) if column in needed)


def beside_labels(
    engine: sa.Engine, monitor: Monitor, pair: tuple[Relation, Relation], as_of: datetime, columns: Sequence[str]
) -> tuple[sa.FromClause, tuple[sa.ColumnElement[Any], ...], pa.Schema]:
    """Return the predictions joined with each label row known of their ids, and how `columns` of that row are read.

    `pair` is what `label_tables` returns. When the label arrived comes last, under the name ARRIVED.
    """
    logged, truth = pair
    known, arrived_at = arrived_in(monitor, truth, None, as_of), declared_labels(monitor).arrived_at
    read = read_as(engine, truth, columns, known, [])
    arrived: sa.ColumnElement[Any] = sa.null()
    if arrived_at is not None:
        arrived = truth.dialect.moment_or_null(truth.table.c[arrived_at])
    joined = logged.table.outerjoin(truth.table, sa.and_(same_id(monitor, logged, truth), known))
    return joined, (*read.expressions, arrived), read.schema.append(pa.field(ARRIVED, TIMESTAMP))


def _known(
    engine: sa.Engine,
    monitor: Monitor,
    pair: tuple[Relation, Relation],
    window: Window,
    as_of: datetime,
    also: Sequence[str],
) -> tuple[stream.Statement, pa.Schema]:
    """One row per prediction row and label row known of its id: the join is the database's, the choice is ours."""
    logged, truth = pair
    labels, where = declared_labels(monitor), logged_in(monitor, logged, window)
    known = _arrived_or_undated(monitor, truth, as_of)
    columns = list(dict.fromkeys((*output_columns(monitor), *also)))
    read = read_as(engine, logged, columns, where, [monitor.source.predictions.timestamp])
    label = read_as(engine, truth, [labels.label], known, [])
    arrived = truth.dialect.moment_or_null(truth.table.c[labels.arrived_at]) if labels.arrived_at else sa.null()
    joined = logged.table.outerjoin(truth.table, sa.and_(same_id(monitor, logged, truth), known))
    statement = sa.select(*read.expressions, label.expressions[0].label(LABEL), arrived.label(ARRIVED))
    schema = read.schema.append(pa.field(LABEL, label.schema.types[0])).append(pa.field(ARRIVED, TIMESTAMP))
    return statement.select_from(joined).where(where), schema


def _orphans(
    engine: sa.Engine, monitor: Monitor, pair: tuple[Relation, Relation], window: Window, as_of: datetime
) -> int:
    logged, truth = pair
    labels, end = declared_labels(monitor), min(window.end, as_of)
    if labels.arrived_at is None or end <= window.start:
        return 0
    predicted = there_is(logged, same_id(monitor, logged, truth))
    arrived = arrived_in(monitor, truth, window.start, end)
    count = sa.select(sa.func.count(truth.exact(labels.id).distinct())).where(arrived, ~predicted)
    with engine.connect() as connection:
        return connection.execute(count).scalar_one()


def _duplicates(
    engine: sa.Engine, monitor: Monitor, pair: tuple[Relation, Relation], window: Window, as_of: datetime
) -> int:
    """Count label rows of the window's predictions that say what another of their id said.

    Asked only where an id was seen twice, for it is the join once more: joined with a prediction that was logged twice
    every label looks repeated.
    """
    logged, truth = pair
    value = truth.exact(declared_labels(monitor).label)
    predicted = there_is(logged, same_id(monitor, logged, truth), logged_in(monitor, logged, window))
    known = sa.and_(arrived_in(monitor, truth, None, as_of), predicted)
    again = (sa.func.count(value) - sa.func.count(value.distinct())).label("again")
    ids = sa.select(again).where(known).group_by(truth.exact(declared_labels(monitor).id)).subquery()
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.sum(ids.c.again))).scalar() or 0)


def arrived_in(
    monitor: Monitor, truth: Relation, start: datetime | None, end: datetime | None
) -> sa.ColumnElement[bool]:
    """Whether a label came in [start, end), None leaving that side open; always where no column says when."""
    column = declared_labels(monitor).arrived_at
    return sa.true() if column is None else truth.dialect.span(truth.table.c[column], start=start, end=end)


def _arrived_or_undated(monitor: Monitor, truth: Relation, as_of: datetime) -> sa.ColumnElement[bool]:
    column = declared_labels(monitor).arrived_at
    if column is None:
        return sa.true()
    return sa.or_(arrived_in(monitor, truth, None, as_of), ~truth.dialect.known(truth.table.c[column]))


def there_is(relation: Relation, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether the relation has such a row, asked without naming its columns: a login may be granted some of them."""
    return sa.select(sa.literal(1)).select_from(relation.table).where(*where).exists()


def same_id(monitor: Monitor, logged: Relation, truth: Relation) -> sa.ColumnElement[bool]:
    """Whether a label is that of a prediction."""
    ours, theirs = logged.table.c[monitor.source.predictions.id], truth.table.c[declared_labels(monitor).id]
    return alike(logged.dialect, ours, theirs)


def alike(dialect: Dialect, ours: sa.ColumnElement[Any], theirs: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Ids are compared as they are where their types allow it, else as text (an integer here, a varchar there).

    Texts are equal by their code points; the database's own equality, where it is a coarser one, stands beside it for
    the sake of its indexes.
    """
    numbers = isinstance(ours.type, _NUMBERS) and isinstance(theirs.type, _NUMBERS)
    same = numbers or type(ours.type) is type(theirs.type)
    if same and not isinstance(ours.type, sa.String):
        return ours == theirs
    mine, other = dialect.text(ours), dialect.text(theirs)
    coarser = (mine is not ours or other is not theirs) and same and _collation(ours) == _collation(theirs)
    return sa.and_(ours == theirs, mine == other) if coarser else mine == other


def _collation(column: sa.ColumnElement[Any]) -> str | None:
    return getattr(column.type, "collation", None)


def _window_start(dialect: Dialect, moment: sa.ColumnElement[Any], grid: Grid) -> sa.ColumnElement[Any]:
    """When the window of a moment starts, both in microseconds; whole numbers, and none divided."""
    size = grid.size // timedelta(microseconds=1)
    since = moment - microseconds(grid.origin)
    return moment - dialect.remainder(dialect.remainder(since, size) + size, size)


def _labelled(found: Outcomes, orphans: int, duplicates: int) -> Labelled:
    return Labelled(
        table=found.table,
        n_rows=found.n_rows,
        n_scored=found.table.num_rows,
        n_labeled=found.table.num_rows - found.table.column("label").null_count,
        conflicts=found.conflicts,
        orphans=orphans,
        corrections=found.corrections,
        undated=found.undated,
        duplicates=duplicates,
    )
