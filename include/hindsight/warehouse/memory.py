"""Memory: what is remembered of labels without times of arrival, and what a night adds to it; pure, in Arrow.

Ids and labels are text here, so that a column of another type is no other label.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.monitors.model import Monitor
from hindsight.warehouse.outcome import ARRIVED, LABEL

_ID = " id"  # no column of a table can be called so


def changes(seen: pa.Table, now: pa.Table) -> pa.Table:
    """Return what a night adds to what was `seen`: all labels of each id whose labels are not those last seen.

    An id that had labels and has none any more gets one row with a null: its label was taken back.
    """
    last = _last(seen)
    pair = ["id", "label"]
    fresh, gone = (a.join(b, pair, join_type="left anti")["id"] for a, b in ((now, last), (last, now)))
    moved = pa.table({"id": pa.chunked_array([*fresh.chunks, *gone.chunks], pa.string()).unique()})
    given = now.join(moved, "id", join_type="left semi").select(pair)
    empty = moved.join(given, "id", join_type="left anti").select(["id"])
    taken_back = empty.append_column("label", pa.nulls(empty.num_rows, pa.string()))
    return pa.concat_tables([given, taken_back]).sort_by([("id", "ascending"), ("label", "ascending")])


def remembered(rows: pa.Table, monitor: Monitor, seen: pa.Table) -> pa.Table:
    """Return prediction rows joined with the labels that were seen of their ids, in the place of those there are now.

    Labels get the type the source has now, where all of them can; else they stay text.
    """
    kind = rows.schema.field(LABEL).type
    rows = rows.drop_columns([LABEL, ARRIVED])
    rows = rows.append_column(_ID, as_text(rows[monitor.source.predictions.id]))
    told = seen.rename_columns([_ID, LABEL, ARRIVED])
    joined = rows.join(told, _ID, join_type="left outer").drop_columns([_ID])
    try:
        typed = joined[LABEL].cast(kind)
    except pa.ArrowException:
        typed = joined[LABEL]
    return joined.set_column(joined.column_names.index(LABEL), LABEL, typed)


def _last(seen: pa.Table) -> pa.Table:
    """The labels each id had when it was seen to change last; ids whose label was taken back have none."""
    when = seen.group_by("id").aggregate([("arrived_at", "max")])
    rows = seen.join(when, "id")
    newest = pc.equal(rows["arrived_at"], rows["arrived_at_max"])
    return rows.filter(pc.and_(newest, pc.is_valid(rows["label"]))).select(["id", "label"])


def as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values as text, bytes as hexadecimal digits."""
    if pa.types.is_binary(values.type):
        return pa.chunked_array([[None if v is None else v.hex() for v in values.to_pylist()]], pa.string())
    return values.cast(pa.string())
