"""Folding: fewer files, the same numbers to the last bit at every moment, whatever breaks it off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.errors import StoreError
from hindsight.snapshots.compaction import GRACE, Folded, fold, heaps, outdated
from hindsight.snapshots.local import LocalFiles
from hindsight.snapshots.names import SPANS, FoldName, parse_path
from hindsight.snapshots.parquet import encode
from hindsight.snapshots.store import SnapshotStore
from hindsight.snapshots.tables import UNREVISED
from hindsight.vocabulary.measurement import STORED, Kind
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_measurement, a_window, at
from tests.snapshots.facts import values, write

NOW = at("2026-12-01")
FIVE = timedelta(minutes=5)


def fold_once(store: SnapshotStore, now: datetime = NOW, monitor: str = "credit") -> list[Folded]:
    return [
        fold(store, heap, now=now)
        for kind in STORED
        for span in SPANS
        for heap in heaps(store.names(monitor, [kind]), span, now=now)
    ]


def fold_all(store: SnapshotStore, now: datetime = NOW) -> list[Folded]:
    """Fold, and delete what is folded when nobody can still be listing as it was before."""
    return [*fold_once(store, now), *fold_once(store, now + GRACE)]


def a_history(store: SnapshotStore, *, windows: int = 30, size: timedelta = HOUR, start: str = "2026-09-01") -> None:
    """Windows each known twice, the second time differently; every third is measured again as of the same moment."""
    for number in range(windows):
        window = Window(at(start) + number * size, at(start) + (number + 1) * size)
        for days in (0, 3):
            facts = [a_measurement("psi", number + days / 10, feature=f) for f in ("amount", "income")]
            store.write("credit", Kind.DRIFT, window, window.end + days * DAY, facts, definition=f"v{number // 10}")
        if number % 3 == 0:
            store.write("credit", Kind.DRIFT, window, window.end, [a_measurement("psi", -1.0)], definition="v9")


def everything(store: SnapshotStore) -> list[Any]:
    """All a store can be asked for."""
    moments = (None, *(at("2026-09-01") + hours * HOUR for hours in (0, 9, 30, 75, 150)))
    return [
        *(store.read("credit", as_of=moment) for moment in moments),
        *(store.newest("credit", Kind.DRIFT, moment) for moment in moments),
        *(store.measurements("credit", Kind.DRIFT, a_window("2026-09-01T03:00", HOUR), moment) for moment in moments),
        *(store.revised("credit", Kind.DRIFT, after=at("2026-09-02"), until=moment) for moment in moments[1:]),
        store.definitions("credit", Kind.DRIFT),
    ]


def files(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*.parquet"))


def test_a_folded_month_is_one_file_and_every_answer_is_the_same(disk: SnapshotStore, tmp_path: Path) -> None:
    a_history(disk, windows=100)
    before, plain = everything(disk), sorted(pd.read_parquet(tmp_path / "snapshots")["value"])
    assert len(files(tmp_path)) == 234
    assert not [fault for folded in fold_all(disk) for fault in folded.faults]
    (name,) = files(tmp_path)
    assert name == "202609_20260901T000000Z-20260905T030000Z_20260901T010000Z-20260908T040000Z_n434-g1.parquet"
    assert everything(disk) == before
    assert everything(SnapshotStore(str(tmp_path))) == before
    frame = pd.read_parquet(tmp_path / "snapshots")
    assert sorted(frame["value"]) == plain
    assert set(frame["date"]) == {"2026-09-01"}


facts = st.lists(
    st.builds(
        a_measurement,
        st.sampled_from(["psi", "ks"]),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        n=st.integers(0, 9),
        feature=st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
        note=st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    ),
    unique_by=lambda m: (m.metric, m.feature),
    max_size=3,
)
steps = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 6), facts) | st.integers(1, 90), max_size=25)


@settings(max_examples=30, deadline=None)
@given(steps)
def test_writing_and_folding_in_any_order_reads_as_if_nothing_had_been_folded(found: list[Any]) -> None:
    plain, folding = (SnapshotStore(f"memory://{uuid4().hex}") for _ in range(2))
    for step in found:
        if isinstance(step, int):
            fold_once(folding, at("2026-09-01") + step * DAY)
            continue
        hour, days, some = step
        window = Window(at("2026-09-01") + hour * HOUR, at("2026-09-01") + (hour + 1) * HOUR)
        kept = [s.write("credit", Kind.DRIFT, window, window.end + days * DAY, some) for s in (plain, folding)]
        assert kept[0].revision == kept[1].revision
        assert kept[0].created == kept[1].created
    fold_all(folding)
    assert everything(folding) == everything(plain)


class Cut(BaseException):
    """The process ended here."""


@dataclass
class Fragile:
    """The files of a disk on which everything ends after so many changes."""

    files: Any
    left: int
    watch: Any = field(default=lambda: None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.files, name)

    def put_new(self, path: str, data: bytes) -> bool:
        self._spend()
        return bool(self.files.put_new(path, data))

    def remove(self, path: str) -> None:
        self._spend()
        self.files.remove(path)

    def _spend(self) -> None:
        self.watch()
        if self.left == 0:
            raise Cut
        self.left -= 1


def test_a_fold_cut_off_at_any_step_loses_nothing_and_the_next_one_ends_it(tmp_path: Path) -> None:
    for left in range(0, 20, 2):
        store = SnapshotStore(str(tmp_path / str(left)))
        a_history(store, windows=5)
        before, rows = everything(store), set(pd.read_parquet(tmp_path / str(left))["value"])
        whole = store.files

        def watch(store: SnapshotStore = store, before: list[Any] = before, rows: set[float] = rows) -> None:
            assert SnapshotStore(store.files.uri("")).read("credit") == before[0]
            assert set(pd.read_parquet(store.files.uri("snapshots"))["value"]) == rows

        store.files = Fragile(whole, left, watch)  # type: ignore[assignment]
        try:
            fold_all(store)
            done = True
        except Cut:
            done = False
        store.files = whole
        assert everything(SnapshotStore(str(tmp_path / str(left)))) == before
        fold_all(store)
        assert len(files(tmp_path / str(left))) == 1
        assert everything(store) == before
    assert done


def test_a_listing_that_a_fold_runs_through_hides_nothing(disk: SnapshotStore) -> None:
    class Torn(LocalFiles):
        """Sees neither the sources, which are gone when it comes to them, nor the fold, made after it passed there."""

        runs_through = 1

        def _list(self, under: str) -> list[str]:
            found = super()._list(under)
            if self.runs_through:
                self.runs_through -= 1
                fold_all(whole)
                found = [path for path in found if path in whole.files.listing(under)]
            return found

    a_history(disk, windows=12)
    before, whole = disk.read("credit"), SnapshotStore(disk.files.uri(""))
    disk.files = Torn(disk.files.uri(""))
    assert disk.read("credit") == before
    assert len(list(whole.names("credit"))) == 1


def test_what_comes_after_a_fold_is_the_next_revision(disk: SnapshotStore) -> None:
    write(disk, a_measurement(value=1.0))
    write(disk, a_measurement(value=1.0), day="2026-09-02")
    fold_all(disk)
    assert write(disk, a_measurement(value=1.0)).created is False
    again = write(disk, a_measurement(value=2.0))
    assert (again.revision, again.created) == (2, True)
    assert values(disk.read("credit")) == [2.0, 1.0]
    fold_all(disk)
    assert write(disk, a_measurement(value=3.0)).revision == 3
    assert values(disk.read("credit", as_of=at("2026-09-03"))) == [3.0, 1.0]


def test_a_damaged_file_is_named_stays_and_holds_up_nothing(disk: SnapshotStore, tmp_path: Path) -> None:
    a_history(disk, windows=20)
    torn = next(tmp_path.rglob("20260901T050000Z-*.parquet"))
    torn.write_bytes(torn.read_bytes()[:100])
    faults = {fault for folded in fold_all(disk) for fault in folded.faults}
    assert len(faults) == 1
    assert torn.name in faults.pop()
    generation = [path.name for path in tmp_path.rglob("*.parquet") if path != torn]
    assert len(generation) == 1
    fold_all(disk)
    assert [path.name for path in tmp_path.rglob("*.parquet") if path != torn] == generation
    assert torn.exists()


def test_a_store_that_lets_nothing_be_deleted_is_read_once_and_folded_once(disk: SnapshotStore, tmp_path: Path) -> None:
    @dataclass
    class Kept(Fragile):
        def remove(self, path: str) -> None:
            raise StoreError(f"{path}: could not delete: not allowed")

    a_history(disk, windows=30)
    before = everything(disk)
    disk.files = Kept(disk.files, -1)  # type: ignore[assignment]
    found = fold_all(disk)
    assert any("not allowed" in fault for folded in found for fault in folded.faults)
    there = files(tmp_path)
    assert everything(disk) == before
    fold_all(disk)
    assert files(tmp_path) == there


def test_two_folds_at_once_leave_the_same_numbers(disk: SnapshotStore) -> None:
    a_history(disk, windows=30)
    before = everything(disk)
    found = heaps(disk.names("credit", [Kind.DRIFT]), "day", now=NOW)
    fold(disk, found[0], now=NOW)
    with pytest.raises(StoreError, match="another fold lies here"):
        fold(disk, found[0], now=NOW + HOUR)
    assert everything(disk) == before


def test_a_clock_that_jumped_back_folds_nothing_and_changes_nothing(disk: SnapshotStore) -> None:
    a_history(disk, windows=30)
    fold_all(disk)
    before = everything(disk)
    assert fold_all(disk, at("2026-08-01")) == []
    assert everything(disk) == before


def test_only_closed_hours_and_days_are_folded(disk: SnapshotStore, tmp_path: Path) -> None:
    a_history(disk, windows=24, size=FIVE)
    assert fold_once(disk, at("2026-09-01T01:59")) == []
    fold_once(disk, at("2026-09-01T02:30"))
    spans = {name.split("_")[0] for name in files(tmp_path) if name.count("_") > 1}
    assert spans == {"20260901T00"}


def test_a_generation_that_a_cut_off_fold_left_behind_goes_with_the_next_one(disk: SnapshotStore) -> None:
    a_history(disk, windows=12)
    fold_all(disk, at("2026-09-02T03:00"))
    (first,) = disk.names("credit", [Kind.DRIFT])
    data = disk.files.get(first.path)
    write(disk, a_measurement(value=7.0), day="2026-09-01", as_of="2026-09-09")
    fold_all(disk)
    disk.files.put_new(first.path, data)
    before = everything(disk)
    assert len(list(disk.names("credit", [Kind.DRIFT]))) == 2
    fold_all(disk)
    (second,) = disk.names("credit", [Kind.DRIFT])
    assert isinstance(second, FoldName)
    assert second != first
    assert everything(disk) == before


def test_a_day_is_folded_as_it_grows_so_that_few_files_are_ever_left(disk: SnapshotStore, tmp_path: Path) -> None:
    most = 0
    for hour in range(48):
        window = Window(at("2026-09-01") + hour * HOUR, at("2026-09-01") + (hour + 1) * HOUR)
        disk.write("credit", Kind.DRIFT, window, window.end, [a_measurement(value=float(hour))])
        fold_all(disk, window.end + HOUR / 4)
        most = max(most, len(files(tmp_path)))
    assert most <= 6
    assert values(disk.read("credit")) == [float(hour) for hour in range(48)]


def test_files_of_the_first_format_are_read_and_made_new(disk: SnapshotStore, tmp_path: Path) -> None:
    a_history(disk, windows=3)
    before = everything(disk)
    for path in tmp_path.rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        said = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        path.write_bytes(
            encode(table.select(UNREVISED.names).replace_schema_metadata(), said | {"hindsight.version": "1"})
        )
    assert everything(disk) == before
    (day,) = outdated(disk, disk.names("credit", [Kind.DRIFT]))
    fold(disk, day, now=NOW, grace=timedelta())
    assert everything(disk) == before
    assert outdated(disk, disk.names("credit", [Kind.DRIFT])) == []
    assert sorted(pd.read_parquet(tmp_path / "snapshots")["revision"].unique()) == [1, 2]


moments = st.integers(0, 4 * 10**15).map(lambda us: at("1970-01-01") + timedelta(microseconds=us))


@given(
    st.sampled_from(STORED), st.sampled_from(SPANS), st.lists(moments, min_size=5, max_size=5), st.integers(1, 10**8)
)
def test_a_path_says_what_the_name_of_a_fold_says(kind: Kind, span: Any, some: list[datetime], number: int) -> None:
    formats = {"hour": "%Y-%m-%dT%H:00", "day": "%Y-%m-%d", "month": "%Y-%m-01"}
    begin = at(some[0].strftime(formats[span]))
    name = FoldName("credit", kind, span, begin, *some[1:], number, number)
    assert parse_path(name.path) == name


def test_the_rows_of_a_fold_are_in_groups_that_readers_can_skip(disk: SnapshotStore, tmp_path: Path) -> None:
    many = [a_measurement("psi", float(k), feature=f"f{k}") for k in range(3000)]
    for number in range(48):
        window = Window(at("2026-09-01") + number * HOUR, at("2026-09-01") + (number + 1) * HOUR)
        disk.write("credit", Kind.DRIFT, window, window.end, many)
    fold_all(disk)
    (path,) = tmp_path.rglob("*.parquet")
    file = pq.ParquetFile(path)
    ends = [file.metadata.row_group(k).column(2).statistics for k in range(file.num_row_groups)]
    assert len(ends) > 1
    assert all(one.max < other.min for one, other in pairwise(ends))
