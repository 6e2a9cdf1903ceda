"""The snapshot store keeps what it was given, once, in order of what was knowable, and refuses what it cannot trust."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from math import inf, nan
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.errors import DataError, StoreError
from hindsight.snapshots.names import SnapshotName, parse_path
from hindsight.snapshots.store import SnapshotStore
from hindsight.snapshots.tables import SCHEMA
from hindsight.vocabulary.measurement import STORED, Kind, Measurement
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_measurement, a_window, at
from tests.snapshots.facts import FACTS, WINDOW, values, write

COLUMNS = [
    *("model_version", "segment", "window_start", "window_end", "as_of", "metric", "feature", "bin"),
    *("value", "lower", "upper", "n", "reference", "note", "revision"),
]


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(str(tmp_path) if request.param == "local" else f"memory://{uuid4().hex}")


def test_what_was_written_is_read_back(store: SnapshotStore) -> None:
    write(store, *FACTS)
    found = store.measurements("credit", Kind.DRIFT, WINDOW)
    assert sorted(found, key=repr) == sorted(FACTS, key=repr)


def test_a_snapshot_lies_where_the_design_says_in_the_columns_it_says(disk: SnapshotStore, tmp_path: Path) -> None:
    written = disk.write("credit", Kind.DRIFT, WINDOW, WINDOW.end + timedelta(minutes=10), FACTS)
    path = "snapshots/monitor=credit/kind=drift/date=2026-09-01/20260901T000000Z-20260902T001000Z-r1.parquet"
    assert (written.uri, written.revision, written.created) == (str(tmp_path / path), 1, True)
    schema = pq.read_schema(tmp_path / path)
    assert schema.names == COLUMNS
    assert schema.equals(SCHEMA)
    assert schema.field("as_of").type == pa.timestamp("us", "UTC")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [path.rpartition("/")[2]]


def test_pandas_reads_all_snapshots_as_they_lie(disk: SnapshotStore, tmp_path: Path) -> None:
    write(disk, *FACTS)
    write(disk, kind=Kind.KPI)
    write(disk, a_measurement("accuracy", 0.9, model_version="3"), kind=Kind.PERFORMANCE, day="2026-09-02")
    write(disk, a_measurement("total_requests", 12), kind=Kind.OPERATIONS, monitor="churn")
    frame = pd.read_parquet(tmp_path / "snapshots")
    assert list(frame.columns) == [*COLUMNS, "monitor", "kind", "date"]
    assert len(frame) == 6
    assert frame.loc[frame["kind"] == "kpi", ["metric", "n"]].to_numpy().tolist() == [["nothing_measured", 0]]
    assert set(zip(frame["monitor"], frame["kind"], frame["date"], strict=True)) == {
        ("credit", "drift", "2026-09-01"),
        ("credit", "kpi", "2026-09-01"),
        ("credit", "performance", "2026-09-02"),
        ("churn", "operations", "2026-09-01"),
    }
    assert frame["window_start"].dtype == "datetime64[us, UTC]"
    assert frame["value"].dtype == "float64"
    assert frame["value"].isna().sum() == 2
    assert frame["n"].dtype == "int64"


def test_our_own_reader_gives_the_columns_pandas_gives(disk: SnapshotStore, tmp_path: Path) -> None:
    write(disk, *FACTS)
    write(disk, a_measurement("accuracy", 0.9), kind=Kind.PERFORMANCE)
    ours = disk.read().to_pandas()
    theirs = pd.read_parquet(tmp_path / "snapshots").astype(dict.fromkeys(("monitor", "kind", "date"), "str"))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_equal_content_is_written_once_whatever_its_order(store: SnapshotStore) -> None:
    first = write(store, *FACTS)
    again = write(store, *FACTS[::-1])
    assert (again.uri, again.revision, again.created) == (first.uri, 1, False)


def test_different_content_is_the_next_revision_and_nothing_is_rewritten(disk: SnapshotStore, tmp_path: Path) -> None:
    write(disk, a_measurement(value=1.0))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert write(disk, a_measurement(value=2.0)).revision == 2
    assert write(disk, a_measurement(value=1.0)).revision == 3
    assert {path: path.read_bytes() for path in before} == before
    assert values(disk.read("credit")) == [1.0]


def test_the_tenth_revision_is_newer_than_the_ninth(store: SnapshotStore) -> None:
    for number in range(1, 12):
        assert write(store, a_measurement(value=float(number))).revision == number
    assert values(store.read("credit")) == [11.0]


def test_readers_see_what_was_known_then(store: SnapshotStore) -> None:
    for day, value in (("2026-09-03", 0.1), ("2026-09-05", 0.2), ("2026-09-04", 0.3)):
        write(store, a_measurement(value=value), as_of=day)
    write(store, a_measurement(value=0.4), as_of="2026-09-03")

    def known(moment: str | None) -> list[float | None]:
        by_table = values(store.read("credit", as_of=at(moment) if moment else None))
        rows = store.measurements("credit", Kind.DRIFT, WINDOW, at(moment) if moment else None)
        assert by_table == [row.value for row in rows]
        return by_table

    assert known("2026-09-02") == []
    assert known("2026-09-03") == [0.4]
    assert known("2026-09-04T23:59") == [0.3]
    assert known("2026-09-05") == known(None) == [0.2]


def test_a_later_as_of_beats_a_later_revision(store: SnapshotStore) -> None:
    write(store, a_measurement(value=1.0), as_of="2026-09-05")
    for value in (2.0, 3.0):
        write(store, a_measurement(value=value), as_of="2026-09-04")
    assert values(store.read("credit")) == [1.0]


def test_a_read_takes_the_windows_that_start_in_the_range(store: SnapshotStore) -> None:
    for day in range(1, 6):
        write(store, a_measurement(value=float(day)), day=f"2026-09-0{day}", as_of="2026-09-30")
    assert values(store.read("credit", start=at("2026-09-02"), end=at("2026-09-04"))) == [2.0, 3.0]
    assert values(store.read("credit", start=at("2026-09-05"))) == [5.0]
    assert values(store.read(end=at("2026-09-01"))) == []


def test_a_read_takes_the_monitors_and_kinds_asked_for(store: SnapshotStore) -> None:
    for number, (monitor, kind) in enumerate((m, k) for m in ("churn", "credit") for k in (Kind.DRIFT, Kind.QUALITY)):
        write(store, a_measurement(value=float(number)), monitor=monitor, kind=kind)
    assert values(store.read()) == [0, 1, 2, 3]
    assert values(store.read("credit")) == [2, 3]
    assert values(store.read("credit", kinds=[Kind.QUALITY])) == [3]
    assert values(store.read(kinds=[Kind.QUALITY])) == [1, 3]
    assert values(store.read("credit", kinds=[])) == []
    table = store.read("churn")
    assert table.column("monitor").to_pylist() == ["churn", "churn"]
    assert table.column("kind").to_pylist() == ["drift", "quality"]


def test_an_empty_store_gives_an_empty_table(store: SnapshotStore) -> None:
    assert store.read().column_names == [*COLUMNS, "monitor", "kind", "date"]
    assert store.measurements("credit", Kind.DRIFT, WINDOW) == []
    assert store.newest("credit", Kind.DRIFT) is None


def test_the_newest_window_is_known_even_when_nothing_was_measured(store: SnapshotStore) -> None:
    store.write("credit", Kind.DRIFT, a_window("2026-09-01", HOUR), at("2026-09-09"), FACTS)
    store.write("credit", Kind.DRIFT, a_window("2026-09-01T01:00", HOUR), at("2026-09-02"), [])
    assert store.newest("credit", Kind.DRIFT) == a_window("2026-09-01T01:00", HOUR)
    assert store.newest("credit", Kind.QUALITY) is None


def test_windows_of_one_day_are_kept_apart(store: SnapshotStore) -> None:
    for hour in range(3):
        window = a_window(f"2026-09-01T0{hour}:00", HOUR)
        store.write("credit", Kind.DRIFT, window, at("2026-09-02"), [a_measurement(value=float(hour))])
    assert values(store.read("credit")) == [0, 1, 2]
    assert [row.value for row in store.measurements("credit", Kind.DRIFT, a_window("2026-09-01T01:00", HOUR))] == [1]


def test_times_of_any_zone_are_kept_in_utc_to_the_microsecond(store: SnapshotStore) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    start = datetime(2026, 9, 1, 1, 0, tzinfo=east)
    as_of = datetime(2026, 9, 3, 0, 0, 0, 1, tzinfo=east)
    written = store.write("credit", Kind.DRIFT, Window(start, start + DAY), as_of, FACTS)
    assert written.uri.endswith("date=2026-08-31/20260831T193000Z-20260902T183000.000001Z-r1.parquet")
    table = store.read("credit", start=start, as_of=as_of)
    assert table.column("window_start").to_pylist() == [start] * 3
    assert table.column("as_of").to_pylist() == [as_of] * 3
    assert store.newest("credit", Kind.DRIFT) == Window(start, start + DAY)
    assert len(store.measurements("credit", Kind.DRIFT, Window(start, start + DAY))) == 3


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("field", ["value", "lower", "upper", "reference"])
def test_nan_and_infinity_are_refused_by_name(store: SnapshotStore, field: str, bad: float) -> None:
    with pytest.raises(DataError, match=f"{field} of psi is NaN or infinite; give None and say why"):
        write(store, *FACTS, replace(FACTS[0], feature="other", **{field: bad}))
    assert len(store.read()) == 0


def test_a_number_given_twice_is_refused(store: SnapshotStore) -> None:
    with pytest.raises(DataError, match=r"psi is given twice for \('', '', 'psi', 'amount', ''\)"):
        write(store, *FACTS, replace(FACTS[0], value=0.3))


@pytest.mark.parametrize("change", [{"n": 2**63}, {"note": "\ud800"}, {"value": "much"}])
def test_what_no_column_can_hold_is_refused(store: SnapshotStore, change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="a number or a text cannot be kept"):
        write(store, replace(FACTS[0], **change))


@pytest.mark.parametrize("monitor", ["", "../x", "a/b", "Credit", "a=b", "x" * 64])
def test_a_name_that_would_not_be_found_again_is_refused(store: SnapshotStore, monitor: str) -> None:
    with pytest.raises(StoreError, match="not the name of a monitor"):
        write(store, *FACTS, monitor=monitor)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
measurements = st.lists(
    st.builds(
        Measurement,
        metric=texts,
        value=numbers,
        n=st.integers(0, 2**40),
        model_version=texts,
        segment=texts,
        feature=texts,
        bin=texts,
        lower=numbers,
        upper=numbers,
        reference=numbers,
        note=texts,
    ),
    unique_by=lambda m: (m.model_version, m.segment, m.metric, m.feature, m.bin),
    max_size=8,
)


@given(measurements, st.randoms(use_true_random=False))
def test_anything_comes_back_as_it_was_and_its_order_leaves_no_trace(
    facts: list[Measurement], random: st.Random
) -> None:
    store = SnapshotStore(f"memory://{uuid4().hex}")
    assert write(store, *facts).created
    assert sorted(store.measurements("credit", Kind.DRIFT, WINDOW), key=repr) == sorted(facts, key=repr)
    random.shuffle(facts)
    assert not write(store, *facts).created


moments = st.integers(0, 4 * 10**15).map(lambda us: at("1970-01-01") + timedelta(microseconds=us))


@given(
    st.from_regex(r"[a-z][a-z0-9_]{0,62}", fullmatch=True), st.sampled_from(STORED), moments, moments, st.integers(1)
)
def test_a_path_says_what_its_name_says(
    monitor: str, kind: Kind, start: datetime, as_of: datetime, revision: int
) -> None:
    name = SnapshotName(monitor, kind, start, as_of, revision % 10**9)
    assert parse_path(name.path) == name


@pytest.mark.parametrize(
    "name",
    [
        "20260901T000000Z-20260902T000000Z-r1.csv",
        "20261301T000000Z-20260902T000000Z-r1.parquet",
        "20260901-20260902-r1.parquet",
        "part-0.parquet",
    ],
)
def test_files_of_others_are_no_snapshots(disk: SnapshotStore, tmp_path: Path, name: str) -> None:
    folder = Path(write(disk, *FACTS).uri).parent
    (folder / name).write_bytes(b"foreign")
    (folder / ".20260901T000000Z-20260902T000000Z-r1.parquet.0.tmp").write_bytes(b"part")
    assert len(disk.read()) == 3
