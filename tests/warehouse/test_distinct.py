"""One row for each id: hashes that agree with equality, a choice that does not depend on order or batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.warehouse import distinct
from hindsight.warehouse.distinct import Mask, first_of_each, hashes, kept
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.spool import Layout, spool

ORDER = [("id", "ascending"), ("at", "descending"), ("value", "ascending")]


@given(st.lists(st.text(max_size=30)))
def test_texts_are_equal_exactly_when_their_hashes_are(texts: list[str]) -> None:
    array = pa.array(["before", *texts], pa.string()).slice(1)
    assert len(set(hashes(array).tolist())) == len(set(texts))
    assert hashes(array).tolist() == [hashes(pa.array([text], pa.string()))[0] for text in texts]


@pytest.mark.parametrize(
    "values", [[1, -1, 2**62, None], [0.5, 1.5], [b"", b"\0", b"\0\0"], ["a\0", "a", "aaaaaaaa", "aaaaaaaa\0"], []]
)
def test_ids_of_any_type_are_hashed(values: list[Any]) -> None:
    array = pa.array(values, pa.string() if not values else None)
    assert len(set(hashes(array).tolist())) == len(values)


def test_hashes_spread_over_all_bits() -> None:
    found = hashes(pa.array([f"request-{i:012d}" for i in range(50_000)]))
    assert len(np.unique(found)) == 50_000
    ones = np.unpackbits(found.view(np.uint8)).reshape(-1, 64).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 0.02


rows_of_ids = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.integers(0, 2)), max_size=20)


@given(rows_of_ids)
def test_the_first_of_each_is_the_latest_and_then_the_smallest(rows: list[tuple[str, int, int]]) -> None:
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    kinds = (pa.string(), pa.int64(), pa.int64())
    arrays = [pa.array(c, k) for c, k in zip(columns, kinds, strict=True)]
    table = pa.table(dict(zip(("id", "at", "value"), arrays, strict=True)))
    chosen = {rows[place] for place in first_of_each(table, ORDER)}
    assert chosen == {
        min((r for r in rows if r[0] == name), key=lambda r: (-r[1], r[2])) for name in {r[0] for r in rows}
    }


def test_ids_whose_hashes_collide_are_still_two(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"id": ["a", "b", "a", "c"], "at": [1, 1, 2, 1], "value": [0, 0, 0, 0]})
    assert _kept(table, np.array([7, 7, 7, 1], np.uint64)).tolist() == [False, True, True, True]
    assert kept(np.array([3, 2, 1], np.uint64), lambda _: iter(()), ORDER) is None
    collision = table.slice(0, 2)
    assert kept(np.array([7, 7], np.uint64), lambda mask: iter([collision.filter(pa.array(mask))]), ORDER) is None


def _kept(table: pa.Table, seen: distinct.Hashes) -> Mask:
    def read(mask: Mask) -> Iterator[pa.Table]:
        for start in range(0, table.num_rows, 3):
            yield table.slice(start, 3).filter(pa.array(mask[start : start + 3]))

    mask = kept(seen, read, ORDER)
    assert mask is not None
    return mask


@pytest.mark.parametrize("ids", [["same"] * 100, [f"id{i % 40}" for i in range(100)]])
def test_endless_repetition_is_reduced_on_the_way(monkeypatch: pytest.MonkeyPatch, ids: list[str]) -> None:
    monkeypatch.setattr(distinct, "_IDS_AT_ONCE", 7)
    monkeypatch.setattr(distinct, "_SLICE", 11)
    moments = np.random.default_rng(1).permutation(100)
    table = pa.table({"id": ids, "at": moments, "value": [0] * 100})
    stay = _kept(table, hashes(table.column("id").combine_chunks()))
    newest = {name: max(m for i, m in zip(ids, moments, strict=True) if i == name) for name in set(ids)}
    assert dict(zip(np.array(ids)[stay], moments[stay], strict=True)) == newest


@given(rows_of_ids, st.integers(1, 5))
def test_the_size_of_batches_changes_nothing(rows: list[tuple[str, int, int]], size: int) -> None:
    import tempfile

    schema = pa.schema([("id", pa.string()), ("at", pa.int64()), ("value", pa.int64())])
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    layout = Layout(schema, tuple(schema.names), {}, id_column="id", timestamp_column="at")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for batches in (table.to_batches(), table.to_batches(max_chunksize=size)):
            with spool(batches, layout, Hasher([], None), Path(folder)) as found:
                results.append(found.table(schema.names))
    assert results[0].equals(results[1])
