"""Snapshots that are damaged, foreign or torn by a crash: named, never read as other numbers, and mended."""

from __future__ import annotations

import errno
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec import AbstractFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots import local, parquet
from hindsight.snapshots.parquet import DamagedError, decode, encode
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, a_measurement, at
from tests.snapshots.facts import FACTS, WINDOW, values, write


def a_file(store: SnapshotStore) -> Path:
    return Path(write(store, *FACTS).uri)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_named_and_older_ones_stay_readable(
    disk: SnapshotStore, tmp_path: Path, share: float
) -> None:
    write(disk, a_measurement(value=1.0), as_of="2026-09-02")
    path = a_file(disk)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    for look in (disk.read, lambda: disk.measurements("credit", Kind.DRIFT, WINDOW)):
        with pytest.raises(StoreError, match=rf"{path.name}: not a whole Parquet file"):
            look()
    assert values(disk.read(as_of=at("2026-09-02"))) == [1.0]


def test_a_damaged_revision_is_followed_by_a_good_one(disk: SnapshotStore) -> None:
    path = a_file(disk)
    path.write_bytes(b"")
    written = write(disk, *FACTS)
    assert (written.revision, written.created) == (2, True)
    assert len(disk.read()) == 3


def test_a_flipped_bit_is_never_read_as_another_number(disk: SnapshotStore) -> None:
    path = a_file(disk)
    whole = path.read_bytes()
    table = disk.read()
    noticed = 0
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ (1 << position % 8)]) + whole[position + 1 :])
        try:
            assert disk.read().equals(table), position
        except StoreError as error:
            noticed += path.name in str(error)
    assert noticed > len(whole) / 10


def test_a_file_of_a_newer_version_is_refused_and_left_alone(
    disk: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(parquet, "VERSION", 3)
        path = a_file(disk)
    whole = path.read_bytes()
    for use in (disk.read, lambda: write(disk, *FACTS)):
        with pytest.raises(
            StoreError, match=rf"{path.name}: written by a newer Hindsight \(format 3, this one reads 2"
        ):
            use()
    assert [file.read_bytes() for file in path.parent.iterdir()] == [whole]


def test_a_foreign_parquet_file_is_refused(disk: SnapshotStore) -> None:
    path = a_file(disk)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(StoreError, match="not written by Hindsight"):
        disk.read()
    path.write_bytes(encode(pa.table({"x": [1]}), {}))
    with pytest.raises(StoreError, match="its columns are not those of a snapshot"):
        disk.read()


def a_bomb(rows: int, length: int) -> bytes:
    """A small file that stands for `rows` texts of `length` bytes."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * length]))
    table = pa.table({"note": text})
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({"hindsight.version": "1"})
        writer.write_table(table)
    return bytes(sink.getvalue())


def test_a_file_that_stands_for_far_more_than_it_holds_is_refused_before_it_swells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bomb = a_bomb(rows=200_000, length=100_000)
    assert len(bomb) < 100_000
    pool = pa.default_memory_pool()
    before = pool.max_memory()
    with pytest.raises(DamagedError, match=r"bomb: its texts take more than 1,073,741,824 bytes"):
        decode(bomb, "bomb")
    assert pool.max_memory() <= max(before, 500 * 2**20)
    monkeypatch.setattr(parquet, "MAX_CELLS", 1000)
    with pytest.raises(DamagedError, match="bomb: 200,000 values, more than 1,000"):
        decode(bomb, "bomb")


def test_many_rows_of_few_texts_are_read() -> None:
    table = decode(a_bomb(rows=200_000, length=400), "large")
    assert table.column("note").type == pa.string()
    assert (len(table), table.column("note")[199_999].as_py()) == (200_000, "x" * 400)


def test_whichever_step_of_a_write_fails_the_next_one_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(operation: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **rest: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == fail_at:
                raise OSError(errno.ENOSPC, "No space left on device")
            return operation(*args, **rest)

        return counted

    for name in ("fsync", "link", "mkdir", "open", "unlink", "scandir"):
        monkeypatch.setattr(local.os, name, failing(getattr(os, name)))
    for step in range(1, 100):
        store = SnapshotStore(str(tmp_path / str(step)))
        seen, fail_at = 0, 0
        write(store, a_measurement(value=1.0))
        seen, fail_at = 0, step
        try:
            write(store, a_measurement(value=2.0))
        except StoreError as error:
            assert "No space left" in str(error)  # noqa: PT017 - a step may also fail without harm
        hit, fail_at = seen >= step, 0
        assert values(store.read()) in ([1.0], [2.0])
        assert write(store, a_measurement(value=2.0)).revision == 2
        assert not write(store, a_measurement(value=2.0)).created
        assert values(store.read()) == [2.0]
        if not hit:
            break
    assert step > 6


def write_windows(root: str, own: float) -> list[int]:
    """Write forty windows: the even ones as everyone does, the odd ones with a number of one's own."""
    store = SnapshotStore(root)
    return [
        store.write(
            "credit",
            Kind.DRIFT,
            Window(at("2026-01-01") + number * DAY, at("2026-01-02") + number * DAY),
            at("2026-09-01"),
            [a_measurement(value=own if number % 2 else 0.0)],
        ).revision
        for number in range(40)
    ]


def test_two_processes_that_write_the_same_windows_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        one, other = pool.map(write_windows, [str(tmp_path)] * 2, [1.0, 2.0])
    assert one[::2] == other[::2] == [1] * 20
    assert [sorted(pair) for pair in zip(one[1::2], other[1::2], strict=True)] == [[1, 2]] * 20
    assert len(list(tmp_path.rglob("*.parquet"))) == 20 + 2 * 20
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 60


def test_a_writer_that_always_loses_the_race_says_so(disk: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.LocalFiles, "put_new", lambda *_: False)
    with pytest.raises(StoreError, match="20 other writers were faster") as caught:
        write(disk, *FACTS)
    assert caught.value.transient


def test_a_store_on_s3_keeps_the_same_promises(s3: AbstractFileSystem) -> None:
    store = SnapshotStore(f"s3://hindsight/{uuid4().hex}", s3)
    first = write(store, *FACTS)
    assert first.uri.startswith("s3://hindsight/")
    assert not write(store, *FACTS).created
    assert write(store, *FACTS[:2]).revision == 2
    assert len(store.read("credit")) == 2
    assert store.newest("credit", Kind.DRIFT) == WINDOW


def test_the_store_speaks_of_the_path_that_failed(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_bytes(b"")
    with pytest.raises(StoreError, match=r"-r1\.parquet: could not write"):
        write(SnapshotStore(str(tmp_path)), *FACTS)


def definitions(store: SnapshotStore, kind: Kind) -> dict[datetime, str]:
    """By start of window, what its newest snapshot was measured by."""
    return {start: one.definition for start, one in store.definitions("credit", kind).items()}


def test_a_snapshot_says_what_it_was_measured_by(disk: SnapshotStore) -> None:
    def again(definition: str, value: float = 1.0) -> tuple[int, bool]:
        facts = [a_measurement(value=value)]
        written = disk.write("credit", Kind.LABELS, WINDOW, at("2026-09-03"), facts, definition=definition)
        return written.revision, written.created

    write(disk, a_measurement(value=1.0), kind=Kind.LABELS)
    assert definitions(disk, Kind.LABELS) == {WINDOW.start: ""}
    assert again("one") == (1, False)  # what never said so is not written again
    assert again("one", 2.0) == (2, True)
    assert again("one", 2.0) == (2, False)
    assert again("two", 2.0) == (3, True)
    assert definitions(disk, Kind.LABELS) == {WINDOW.start: "two"}
    assert definitions(disk, Kind.DRIFT) == {}
