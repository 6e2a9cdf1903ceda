"""Spool: what is read back from the file of a window is what was written, in whatever parts it came."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.warehouse import spool as module
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.spool import Layout, spool

SCHEMA = pa.schema([("id", pa.int64()), ("number", pa.float64()), ("whole", pa.int64()), ("text", pa.string())])
LAYOUT = Layout(SCHEMA, tuple(SCHEMA.names), {field.name: str(field.type) for field in SCHEMA})
values = st.tuples(
    st.integers(0, 2**62),
    st.none() | st.floats(),
    st.none() | st.integers(-(2**62), 2**62),
    st.none() | st.text(max_size=3),
)


def batches(parts: list[list[tuple[object, ...]]]) -> list[pa.RecordBatch]:
    columns = [[[row[i] for row in part] for part in parts] for i in range(4)]
    arrays = [[pa.array(c[k], f.type) for c, f in zip(columns, SCHEMA, strict=True)] for k in range(len(parts))]
    return [pa.RecordBatch.from_arrays(part, schema=SCHEMA) for part in arrays]


@settings(deadline=None)
@given(st.lists(st.lists(values, max_size=5), max_size=5), st.integers(1, 400), st.data())
def test_columns_are_those_written_nulls_and_not_a_number_included(
    parts: list[list[tuple[object, ...]]], group_bytes: int, data: st.DataObject
) -> None:
    written = pa.Table.from_batches(batches(parts), SCHEMA)
    mask = data.draw(st.lists(st.booleans(), min_size=len(written), max_size=len(written)))
    with pytest.MonkeyPatch.context() as changed, tempfile.TemporaryDirectory() as folder:
        changed.setattr(module, "GROUP_BYTES", group_bytes)
        with spool(batches(parts), LAYOUT, Hasher((), None), Path(folder)) as rows:
            some = rows.narrowed(pa.array(mask, pa.bool_()).to_numpy(zero_copy_only=False))
            for name in SCHEMA.names:
                assert repr(rows.column(name).to_pylist()) == repr(written.column(name).to_pylist())
                kept = [value for value, keep in zip(written.column(name).to_pylist(), mask, strict=True) if keep]
                assert repr(some.column(name).to_pylist()) == repr(kept)


def test_small_batches_share_a_row_group(tmp_path: Path) -> None:
    parts = [[(k, 1.0, k, "x")] * 100 for k in range(50)]
    with spool(batches(parts), LAYOUT, Hasher((), None), tmp_path) as rows:
        assert pq.read_metadata(rows.path).num_row_groups == 1
