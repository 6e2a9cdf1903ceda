"""A fold lies beside what it was made of for a while: who lists meanwhile misses no row, ours read each once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hindsight.snapshots.compaction import GRACE, Folded, fold, heaps
from hindsight.snapshots.names import SPANS, FoldName
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_measurement, at
from tests.snapshots.facts import values

START, NOW = at("2026-09-01"), at("2026-12-01")
SECOND = timedelta(seconds=1)


def write(store: SnapshotStore, hour: float, value: float, *, late: timedelta = timedelta()) -> None:
    window = Window(START + hour * HOUR, START + (hour + 1) * HOUR)
    store.write("credit", Kind.DRIFT, window, window.end + late, [a_measurement(value=value)])


def maintain(store: SnapshotStore, now: datetime) -> list[Folded]:
    found = (heaps(store.names("credit", [Kind.DRIFT]), span, now=now) for span in SPANS)
    return [fold(store, heap, now=now) for some in found for heap in some]


def folders(root: Path) -> list[Path]:
    return sorted(root.rglob("date=*"))


def listed(some: list[Path]) -> set[Path]:
    return {path for folder in some for path in folder.glob("*.parquet")}


def told(files: set[Path]) -> set[float]:
    return set(pa.concat_tables(pq.ParquetFile(path).read(["value"]) for path in files)["value"].to_pylist())


@pytest.mark.parametrize("passed", [1, 2, 3])
def test_a_plain_listing_that_folds_run_through_misses_no_row(disk: SnapshotStore, tmp_path: Path, passed: int) -> None:
    for hour in range(72):
        write(disk, hour, float(hour))
    seen = listed(folders(tmp_path)[:passed])  # all but the folders that come late in its listing
    maintain(disk, NOW)
    maintain(disk, NOW + GRACE - SECOND)
    seen |= listed(folders(tmp_path)[passed:])
    assert told(seen) == set(range(72))


def test_sources_go_when_the_grace_is_over_and_not_before(disk: SnapshotStore, tmp_path: Path) -> None:
    for hour in range(72):
        write(disk, hour, float(hour))
    before, sources = disk.read("credit"), listed(folders(tmp_path))
    assert sum(one.taken for one in maintain(disk, NOW)) > len(sources)  # into days, and days into a month
    assert sources < listed(folders(tmp_path))
    assert disk.read("credit").equals(before)
    there = listed(folders(tmp_path))
    assert not any(one.removed or one.taken for one in maintain(disk, NOW + GRACE - SECOND))
    assert listed(folders(tmp_path)) == there
    assert sum(one.removed for one in maintain(disk, NOW + GRACE)) == len(there) - 1
    assert disk.read("credit").equals(before)


def test_the_folds_of_two_runs_are_a_grace_apart_so_that_no_listing_falls_between(disk: SnapshotStore) -> None:
    """A row moves on from fold to fold no faster than a listing ends."""
    for hour in range(5):
        write(disk, hour, float(hour))
    maintain(disk, START + 7 * HOUR)
    for hour in range(5, 10):
        write(disk, hour, float(hour))
    maintain(disk, START + 7 * HOUR + GRACE - SECOND)
    (folded,) = (name for name in disk.names("credit") if isinstance(name, FoldName))
    assert folded.generation == 1


def test_what_came_late_into_the_middle_of_a_fold_is_not_taken_for_its_source(disk: SnapshotStore) -> None:
    """Windows filled in later: by their names the fold could hold them."""
    early = [*range(12), *range(36, 48)]
    for hour in early:
        write(disk, hour, float(hour), late=DAY)
    for hours in range(3):
        maintain(disk, NOW + hours * HOUR)
    for hour in range(12, 36):
        write(disk, hour, float(hour), late=DAY)
    for hours in range(3, 9):
        maintain(disk, NOW + hours * HOUR)
        assert values(disk.read("credit")) == [float(hour) for hour in range(48)]
    assert len(list(disk.names("credit"))) == 1


def test_a_fold_dated_in_a_far_future_by_a_clock_gone_wrong_keeps_nothing_for_ever(disk: SnapshotStore) -> None:
    for hour in range(12):
        write(disk, hour, float(hour))
    maintain(disk, NOW + 9000 * DAY)
    maintain(disk, NOW)
    assert len(list(disk.names("credit"))) == 1
