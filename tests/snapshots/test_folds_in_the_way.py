"""Folding over what is damaged, newer than this Hindsight or cannot be deleted: named in words, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hindsight.errors import StoreError
from hindsight.snapshots import parquet
from hindsight.snapshots.compaction import GRACE, Folded, fold, heaps
from hindsight.snapshots.names import SPANS
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_measurement, at

START, NOW = at("2026-09-01"), at("2026-12-01")


def write(store: SnapshotStore, number: int, *, value: float = 1.0, late: int = 0) -> str:
    window = Window(START + number * HOUR, START + (number + 1) * HOUR)
    facts = [a_measurement("psi", value + number, feature=str(k)) for k in range(50)]
    return store.write("credit", Kind.DRIFT, window, window.end + late * DAY, facts).uri


def fold_once(store: SnapshotStore, now: datetime) -> list[Folded]:
    found = (heaps(store.names("credit", [Kind.DRIFT]), span, now=now) for span in SPANS)
    return [fold(store, heap, now=now) for some in found for heap in some]


def fold_all(store: SnapshotStore) -> list[Folded]:
    return [*fold_once(store, NOW), *fold_once(store, NOW + GRACE)]


def faults(store: SnapshotStore) -> set[str]:
    return {fault for one in fold_all(store) for fault in one.faults}


def held(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("*.parquet")}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def rot(path: Path) -> None:
    """Damage a page, while the footer stays whole."""
    data = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(8)
    data[(chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size - 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [cut, rot])
def test_nothing_takes_the_place_of_a_fold_that_is_damaged(
    disk: SnapshotStore, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    for number in range(12):
        write(disk, number)
    fold_all(disk)
    (folded,) = tmp_path.rglob("*.parquet")
    whole = folded.read_bytes()
    damage(folded)
    for number in range(6):
        write(disk, number + 12)
    for _ in range(2):
        (fault,) = faults(disk)
        assert folded.name in fault
        assert folded.exists()
    with pytest.raises(StoreError, match=folded.name):
        SnapshotStore(str(tmp_path)).read("credit")
    folded.write_bytes(whole)
    assert faults(disk) == set()
    assert len(set(disk.read("credit").column("window_start").to_pylist())) == 18


@pytest.mark.parametrize("what", ["one window", "a fold"])
def test_a_file_of_a_newer_hindsight_is_named_and_stays_and_the_others_are_folded(
    disk: SnapshotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(parquet, "VERSION", 3)
        uris = [write(disk, number) for number in range(1 if what == "one window" else 12)]
        if what == "a fold":
            fold_all(disk)
    there = held(tmp_path)
    for number in range(24, 36):
        write(disk, number)
    (fault,) = faults(disk)
    assert "written by a newer Hindsight (format 3, this one reads 2); upgrade" in fault
    assert held(tmp_path).items() >= there.items()
    assert len(held(tmp_path)) == 2, uris
    monkeypatch.setattr(parquet, "VERSION", 3)
    assert faults(disk) == set()
    assert len(set(disk.read("credit").column("window_start").to_pylist())) == (13 if what == "one window" else 24)


class Undeletable:
    """The files of a store on which nobody may delete."""

    def __init__(self, files: object) -> None:
        self._files = files

    def __getattr__(self, name: str) -> object:
        return getattr(self._files, name)

    def remove(self, path: str) -> None:
        raise StoreError(f"{path}: could not delete: not allowed")


def test_what_a_fold_was_made_of_stays_where_the_fold_was_damaged_since(disk: SnapshotStore, tmp_path: Path) -> None:
    for number in range(12):
        write(disk, number)
    sources = held(tmp_path)
    fold_once(disk, NOW)
    (folded,) = (path for path in tmp_path.rglob("*.parquet") if path.name not in sources)
    rot(folded)
    assert all(folded.name in fault for one in fold_once(disk, NOW + GRACE) for fault in one.faults)
    assert held(tmp_path).items() >= sources.items()
    folded.unlink()
    assert len(set(SnapshotStore(str(tmp_path)).read("credit").column("window_start").to_pylist())) == 12


def test_where_nothing_may_be_deleted_late_revisions_make_no_fold_after_the_other(
    disk: SnapshotStore, tmp_path: Path
) -> None:
    for number in range(12):
        write(disk, number)
    files, disk.files = disk.files, Undeletable(disk.files)  # type: ignore[assignment]
    assert all("not allowed" in fault for fault in faults(disk))
    for night in range(1, 5):
        for number in range(8):
            write(disk, number, value=10.0 + night, late=night)
        there, read = held(tmp_path), disk.read("credit")
        assert any("not allowed" in fault for fault in faults(disk))
        assert night <= 2 or held(tmp_path) == there  # by then there is one of the day and one of the month
        assert disk.read("credit").equals(read)
    disk.files = files
    assert [faults(disk) for _ in range(3)] == [set()] * 3
    assert len(held(tmp_path)) == 1
    assert disk.read("credit").equals(read)
