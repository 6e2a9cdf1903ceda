"""Snapshots as tables: one tidy row per number, always in the same columns and the same order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from operator import attrgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.errors import DataError
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.windows import Window

_MOMENT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("model_version", pa.string()),
        ("segment", pa.string()),
        ("window_start", _MOMENT),
        ("window_end", _MOMENT),
        ("as_of", _MOMENT),
        ("metric", pa.string()),
        ("feature", pa.string()),
        ("bin", pa.string()),
        ("value", pa.float64()),
        ("lower", pa.float64()),
        ("upper", pa.float64()),
        ("n", pa.int64()),
        ("reference", pa.float64()),
        ("note", pa.string()),
        ("revision", pa.int64()),
    ]
)
UNREVISED = SCHEMA.remove(SCHEMA.get_field_index("revision"))  # as files of the first format are: the name says it
NOTHING = "nothing_measured"  # the metric of the one row of a window that was measured and had nothing to say
_TRACE = Measurement(NOTHING, None, note="the window was measured, and there was nothing to keep")
_KEY = attrgetter("model_version", "segment", "metric", "feature", "bin")


def to_table(window: Window, as_of: datetime, measurements: Iterable[Measurement], revision: int = 1) -> pa.Table:
    """Return measurements as the documented table, sorted, so that equal content is equal whatever its order was.

    No measurements leave a row too, so that whoever reads the files sees that they replace earlier ones.
    Raises DataError for NaN or infinity, for a number given twice, and for what is no text or number.
    """
    rows = sorted(measurements, key=_KEY) or [_TRACE]
    for one, other in pairwise(rows):
        if _KEY(one) == _KEY(other):
            raise DataError(f"{window}: {one.metric} is given twice for {_KEY(one)}")
    same = {"window_start": window.start, "window_end": window.end, "as_of": as_of, "revision": revision}
    try:
        columns = {
            field.name: pa.array(
                [same[field.name]] * len(rows) if field.name in same else [getattr(row, field.name) for row in rows],
                field.type,
            )
            for field in SCHEMA
        }
    except (pa.ArrowException, UnicodeError, OverflowError) as exc:
        raise DataError(f"{window}: a number or a text cannot be kept: {exc}") from exc
    table = pa.table(columns, schema=SCHEMA)
    _refuse_infinite(table, window)
    return table


def revised(table: pa.Table, revision: int) -> pa.Table:
    """Return a snapshot with a column that says its revision, whatever it said before."""
    bare = table.select(UNREVISED.names)
    return bare.append_column(SCHEMA.field("revision"), pa.repeat(pa.scalar(revision, pa.int64()), table.num_rows))


def stacked(tables: Iterable[pa.Table]) -> pa.Table:
    """Return the rows of snapshots one after the other; an empty table of none."""
    return pa.concat_tables([pa.Table.from_batches([], SCHEMA), *tables])


def taken(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Return these rows of a table, by their numbers.

    Here and above without `pa.array`, which imports pandas: half a second for a command that needs no more.
    """
    whole = np.ascontiguousarray(rows, np.int64)
    return table.take(pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)]))


def says_something(table: pa.Table) -> pa.Array:
    """Return of each row whether it is more than the trace of a window that had nothing to say."""
    return pc.not_equal(table["metric"], NOTHING)


def to_measurements(table: pa.Table) -> list[Measurement]:
    """Return the rows of one snapshot as measurements, in the order they are kept in."""
    rows = table.select(list(Measurement.__slots__)).to_pylist()
    return [Measurement(**row) for row in rows if row["metric"] != NOTHING]


def _refuse_infinite(table: pa.Table, window: Window) -> None:
    for field in table.schema:
        if not pa.types.is_floating(field.type):
            continue
        finite = pc.fill_null(pc.is_finite(table.column(field.name)), True)
        if not pc.all(finite, min_count=0).as_py():
            metric = table.column("metric").filter(pc.invert(finite))[0].as_py()
            raise DataError(f"{window}: {field.name} of {metric} is NaN or infinite; give None and say why in the note")
