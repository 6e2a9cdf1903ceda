"""Predictions of a window: which rows are in it, which duplicate counts, and how many there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hindsight.errors import ConfigError, DataError, StoreError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.predictions import first_timestamp, volumes
from hindsight.warehouse.rows import WindowRows
from hindsight.warehouse.stream import batches
from tests.builders import DAY, a_monitor, a_window, at, monitor_file
from tests.warehouse.tables import LOG, a_prediction, fill, writing
from tests.warehouse.windows import collected


def ids(rows: WindowRows) -> list[str]:
    return sorted(rows.column("request_id").to_pylist())


def test_a_window_is_half_open_to_the_microsecond(database_url: sa.URL, tmp_path: Path) -> None:
    moments = ["2026-08-31T23:59:59.999999", "2026-09-01", "2026-09-01T23:59:59.999999", "2026-09-02"]
    fill(database_url, [a_prediction(f"r{i}", moment) for i, moment in enumerate(moments)])
    with collected(database_url, tmp_path) as rows:
        assert ids(rows) == ["r1", "r2"]
        assert rows.newest == at("2026-09-01T23:59:59.999999")


def test_every_row_is_in_exactly_one_window_when_the_clocks_change(database_url: sa.URL, tmp_path: Path) -> None:
    summer, winter = timezone(timedelta(hours=2)), timezone(timedelta(hours=1))
    local = [datetime(2026, 10, 25, 2, 30, tzinfo=zone) for zone in (summer, winter)]
    fill(
        database_url,
        [a_prediction(f"r{i}") | {"predicted_at": moment.astimezone(UTC)} for i, moment in enumerate(local)],
    )
    hours = [Window(start, start + timedelta(hours=1)) for start in (at("2026-10-25T00:00"), at("2026-10-25T01:00"))]
    for number, window in enumerate(hours):
        with collected(database_url, tmp_path, window=window) as rows:
            assert ids(rows) == [f"r{number}"]


@pytest.mark.parametrize("kind", [sa.DateTime(), sa.Date()])
def test_times_without_a_zone_and_dates_are_utc(database_url: sa.URL, tmp_path: Path, kind: Any) -> None:
    moments = [datetime(2026, 8, 31, 23), datetime(2026, 9, 1), datetime(2026, 9, 2)]  # noqa: DTZ001
    values = [m.date() if isinstance(kind, sa.Date) else m for m in moments]
    rows = [a_prediction(f"r{i}") | {"predicted_at": value} for i, value in enumerate(values)]
    fill(database_url, rows, log=LOG | {"predicted_at": kind})
    with collected(database_url, tmp_path) as found:
        assert ids(found) == ["r1"]
        assert found.newest == at("2026-09-01")


@pytest.mark.parametrize(
    ("stored", "inside"),
    [
        ("2026-09-01 00:00:00", True),
        ("2026-09-01T00:00:00Z", True),
        ("2026-09-01", True),
        ("2026-09-02", False),
        ("2026-09-02 00:00:00.000000", False),
        ("2026-09-01 23:59:59.999999", True),
        ("2026-08-31T23:59:59.999999+00:00", False),
        ("2026-09-02T13:59:59.999999+14:00", True),
        ("2026-09-02T14:00:00+14:00", False),
        ("2026-08-31T12:00:00-12:00", True),
        ("2026-08-31T11:59:59.999999-12:00", False),
        (None, False),
    ],
)
@pytest.mark.parametrize("declared", ["TEXT", "DATETIME", "TIMESTAMP"])
def test_sqlite_times_are_read_in_every_iso_form(
    sqlite_url: sa.URL, tmp_path: Path, declared: str, stored: str | None, inside: bool
) -> None:
    fill(
        sqlite_url, [a_prediction(predicted_at="2026-09-01")], log={c: k for c, k in LOG.items() if c != "predicted_at"}
    )
    with writing(sqlite_url) as connection:
        connection.exec_driver_sql(f"ALTER TABLE inference_log ADD COLUMN predicted_at {declared}")
        connection.exec_driver_sql("UPDATE inference_log SET predicted_at = ?", (stored,))
    with collected(sqlite_url, tmp_path) as rows:
        assert rows.n == int(inside)
    assert volumes(open_engine(sqlite_url), a_monitor(), [a_window()]) == {a_window(): int(inside)}


def test_rows_without_a_time_are_in_no_window(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction() | {"predicted_at": None}])
    with collected(database_url, tmp_path) as rows:
        assert (rows.n, rows.newest) == (0, None)
        assert rows.column("amount").to_pylist() == []


def test_only_named_columns_are_read_in_types_of_their_own(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction(note="x")], log=LOG | {"note": sa.Text()})
    with collected(database_url, tmp_path) as rows:
        assert set(rows.columns) == set(LOG)
        assert rows.column("cost_usd").type == rows.column("amount").type == pa.float64()
        assert rows.column("prediction").type == pa.int64()
        assert rows.column("predicted_at").type == pa.timestamp("us", "UTC")
        assert rows.table(["region", "cost_usd"]).to_pylist() == [{"region": "EU", "cost_usd": 0.5}]
        assert "CHAR" in rows.types["region"]
        with pytest.raises(DataError, match="no column 'note' in the rows; there are request_id"):
            rows.column("note")


def test_one_model_version_is_collected_alone(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction("r1"), a_prediction("r2", model_version="v2' OR 1=1 -- 100%")])
    for version, expected in (("v2' OR 1=1 -- 100%", ["r2"]), ("v3", []), ("all", ["r1", "r2"])):
        monitor = a_monitor(model={"name": "credit", "task": "binary", "version": version})
        with collected(database_url, tmp_path, monitor) as rows:
            assert ids(rows) == expected
        assert volumes(open_engine(database_url), monitor, [a_window()]) == {a_window(): len(expected)}


def test_duplicates_count_once_and_the_latest_wins(database_url: sa.URL, tmp_path: Path) -> None:
    same, late = a_prediction("r1"), a_prediction("r2", "2026-09-01T13:00", amount=2.0)
    fill(database_url, [same, late, same, a_prediction("r2", amount=1.0), a_prediction(None), a_prediction(None)])
    with collected(database_url, tmp_path) as rows:
        assert (rows.n, rows.n_raw) == (4, 6)
        amounts = dict(zip(*(rows.column(c).to_pylist() for c in ("request_id", "amount")), strict=True))
        assert amounts["r2"] == 2.0
    assert volumes(open_engine(database_url), a_monitor(), [a_window()]) == {a_window(): 4}


def test_ids_and_versions_may_be_numbers(database_url: sa.URL, tmp_path: Path) -> None:
    rows = [a_prediction() | {"request_id": number, "model_version": number % 2} for number in (1, 2, 2, 3, -1)]
    fill(database_url, rows, log=LOG | {"request_id": sa.BigInteger(), "model_version": sa.Integer()})
    with collected(database_url, tmp_path) as found:
        assert sorted(found.column("request_id").to_pylist()) == [-1, 1, 2, 3]
    monitor = a_monitor(model={"name": "credit", "task": "binary", "version": "0"})
    assert volumes(open_engine(database_url), monitor, [a_window()]) == {a_window(): 1}


def test_values_of_another_type_than_told_are_refused_without_being_quoted(sqlite_url: sa.URL) -> None:
    fill(sqlite_url, [a_prediction("secret")])
    log = sa.table("inference_log", sa.column("request_id", sa.Text()))
    with pytest.raises(
        DataError, match=r"column 'request_id' holds values that are not of its type \(int64\)"
    ) as caught:
        list(
            batches(
                open_engine(sqlite_url), sa.select(log.c.request_id), pa.schema([("request_id", pa.int64())]), "dwh"
            )
        )
    assert caught.value.__cause__ is None


def _rows() -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.builds(
        a_prediction,
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["2026-09-01T12:00", "2026-09-01T13:00"]),
        prediction=st.sampled_from([0, 1, None]),
        amount=st.sampled_from([1.0, 2.0, None]),
        region=st.sampled_from(["EU", "US", None]),
    )
    return st.lists(row, max_size=12)


@given(rows=_rows(), random=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_rows_changes_nothing(tmp_path: Path, rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    tables = []
    for number, some in enumerate((rows, shuffled)):
        url = sa.URL.create("sqlite", database=str(tmp_path / f"order{number}.db"))
        Path(str(url.database)).unlink(missing_ok=True)
        fill(url, some)
        with collected(url, tmp_path) as found:
            tables.append(sorted(map(repr, found.table(found.columns).to_pylist())))
    assert tables[0] == tables[1]


def test_a_sample_is_the_same_rows_in_whatever_order_they_came(sqlite_url: sa.URL, tmp_path: Path) -> None:
    rows = [a_prediction(f"r{i}", amount=float(i)) for i in range(50)]
    fill(sqlite_url, rows)
    other = sa.URL.create("sqlite", database=str(tmp_path / "other.db"))
    fill(other, rows[::-1])
    with collected(sqlite_url, tmp_path) as one, collected(other, tmp_path) as two:
        assert one.sample(10, seed=1).equals(two.sample(10, seed=1))
        assert not one.sample(10, seed=1).equals(one.sample(10, seed=2))
        assert one.sample(100, seed=1).num_rows == 50


def test_more_rows_than_allowed_are_refused_and_nothing_stays(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction(f"r{i}") for i in range(5)])
    with pytest.raises(DataError, match=r"inference_log in 2026-09-01T00:00Z/.*: over 5 rows where at most 4 are read"):
        collected(database_url, tmp_path, max_rows=4)
    assert not list(tmp_path.glob("window-*"))
    with collected(database_url, tmp_path, max_rows=5) as rows:
        assert rows.n == 5
    assert not list(tmp_path.glob("window-*"))


def test_a_folder_that_cannot_be_written_is_named(sqlite_url: sa.URL, tmp_path: Path) -> None:
    fill(sqlite_url, [a_prediction()])
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file: no temporary file can be written there"):
        collected(sqlite_url, tmp_path / "file")


def test_a_version_needs_a_column_that_tells_it(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url)
    file = monitor_file(model={"name": "credit", "task": "binary", "version": "v2"})
    del file["source"]["predictions"]["model_version"]
    with pytest.raises(ConfigError, match="version 'v2' cannot be told apart"):
        collected(database_url, tmp_path, Monitor.model_validate(file))


def test_volumes_count_each_window_asked_for(database_url: sa.URL) -> None:
    days = [a_window(f"2026-09-{day:02d}") for day in range(1, 4)]
    fill(database_url, [a_prediction("a"), a_prediction("b"), a_prediction("a"), a_prediction("a", "2026-09-02")])
    whole = Window(days[0].start, days[0].start + 3 * DAY)
    assert volumes(open_engine(database_url), a_monitor(), [*days, whole]) == {
        days[0]: 2,
        days[1]: 1,
        days[2]: 0,
        whole: 2,
    }
    assert volumes(open_engine(database_url), a_monitor(), []) == {}


def test_many_windows_are_counted_in_several_statements(sqlite_url: sa.URL) -> None:
    fill(sqlite_url, [a_prediction()])
    hour, first = timedelta(hours=1), at("2026-08-25")
    hours = [Window(first + i * hour, first + (i + 1) * hour) for i in range(240)]
    assert sum(volumes(open_engine(sqlite_url), a_monitor(), hours).values()) == 1


def test_the_first_timestamp_is_that_of_the_oldest_row(database_url: sa.URL) -> None:
    fill(database_url)
    assert first_timestamp(open_engine(database_url), a_monitor()) is None
    with writing(database_url) as connection:
        connection.execute(sa.table("inference_log", sa.column("request_id")).insert().values(request_id="x"))
        told = "03:00:00" if connection.dialect.name == "mysql" else "05:00:00+02:00"  # which knows no offsets
        connection.exec_driver_sql(f"UPDATE inference_log SET predicted_at = '2026-08-30 {told}'")
    assert first_timestamp(open_engine(database_url), a_monitor()) == at("2026-08-30T03:00")
