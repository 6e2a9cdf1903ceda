"""Reference rows: a period, a trailing period or a Parquet file, and the part of them the output is compared with."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from hindsight.errors import ConfigError, DataError
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.parquet import Limits
from hindsight.warehouse.reference import ReferenceRows, collect_reference
from tests.builders import a_monitor, at
from tests.warehouse.tables import LOG, a_label, a_prediction, fill

UNUSED = sa.make_url("sqlite://")


def a_reference(folder: Path, reference: dict[str, Any], url: sa.URL = UNUSED, **rest: Any) -> ReferenceRows:
    changes = rest.pop("monitor", {})
    as_of, key = at(rest.pop("as_of", "2026-09-01")), rest.pop("key", None)
    monitor = a_monitor(reference=reference, **changes)
    return collect_reference(open_engine(url), monitor, folder=folder, pii_key=key, as_of=as_of, **rest)


def ids(found: ReferenceRows) -> list[str]:
    return sorted(found.rows.column("request_id").to_pylist())


def test_a_period_holds_its_rows_and_the_labels_known_by_then(database_url: sa.URL, tmp_path: Path) -> None:
    days = ["2026-07-31T23:59:59", "2026-08-01", "2026-08-31T23:59:59", "2026-09-01"]
    rows = [a_prediction(f"r{i}", day) for i, day in enumerate(days)]
    labels = [a_label("r1", 1, "2026-08-05"), a_label("r2", 0, "2026-09-05"), a_label("r1", 0, "2026-09-05")]
    fill(database_url, rows, labels)
    found = a_reference(tmp_path, {"start": "2026-08-01", "end": "2026-09-01"}, database_url)
    assert ids(found) == ["r1", "r2"]
    assert found.output.n == 2
    assert found.labels is not None
    assert found.labels.column("label").to_pylist() == [1]
    found.close()
    assert not list(tmp_path.glob("window-*"))


def test_a_trailing_period_ends_the_lag_before_the_window(database_url: sa.URL, tmp_path: Path) -> None:
    days = ["2026-08-17", "2026-08-18", "2026-08-24T23:59:59", "2026-08-25"]
    fill(database_url, [a_prediction(f"r{i}", day) for i, day in enumerate(days)])
    assert ids(a_reference(tmp_path, {"trailing": "7d", "lag": "7d"}, database_url)) == ["r1", "r2"]


def test_a_trailing_period_can_keep_to_the_weekday_of_the_window(database_url: sa.URL, tmp_path: Path) -> None:
    days = ["2026-08-17", "2026-08-18", "2026-08-24", "2026-08-25", "2026-08-25T23:59:59", "2026-08-26"]
    rows = [a_prediction(f"r{i}", day) for i, day in enumerate(days)]
    fill(database_url, rows, [a_label(f"r{i}", labeled_at="2026-08-27") for i in range(4)])
    found = a_reference(tmp_path, {"trailing": "14d", "same_weekday": True}, database_url)
    assert ids(found) == ["r1", "r3", "r4"]
    assert found.labels is not None
    assert found.labels.num_rows == 2


def test_a_trailing_period_can_keep_to_the_weekday_and_the_hour_of_the_window(
    database_url: sa.URL, tmp_path: Path
) -> None:
    """An hour of Tuesday, 1 September, from five: Tuesdays a week and two before, and the day before at that hour."""
    moments = {
        "tuesday": "2026-08-25T05:30",
        "before": "2026-08-25T04:59:59",
        "after": "2026-08-25T06:00",
        "earlier": "2026-08-18T05:00",
        "monday": "2026-08-31T05:59:59",
        "today": "2026-09-01T04:00",
        "itself": "2026-09-01T05:00",
    }
    rows = [a_prediction(name, moment) for name, moment in moments.items()]
    fill(database_url, rows, [a_label(name, labeled_at="2026-08-26") for name in moments])

    def kept(**reference: Any) -> tuple[list[str], int]:
        monitor = {"window": "1h"}
        declared = {"trailing": "14d"} | reference
        found = a_reference(tmp_path, declared, database_url, as_of="2026-09-01T05:00", monitor=monitor)
        return ids(found), found.labels.num_rows if found.labels else 0

    assert kept(same_weekday=True, same_hour=True) == (["earlier", "tuesday"], 2)
    assert kept(same_hour=True) == (["earlier", "monday", "tuesday"], 3)
    assert kept(same_weekday=True) == (["after", "before", "earlier", "today", "tuesday"], 5)
    assert kept() == (["after", "before", "earlier", "monday", "today", "tuesday"], 6)


@pytest.mark.parametrize(
    "reference",
    [
        {"start": "2026-08-01", "end": "2026-09-01", "same_weekday": True},
        {"parquet": "r.parquet", "lag": "7d"},
        {"trailing": "6d", "same_weekday": True},
        {"trailing": "12h", "same_hour": True},
    ],
)
def test_a_reference_that_cannot_be_meant_is_refused(reference: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="trailing"):
        a_monitor(reference=reference)


def test_the_output_of_a_period_comes_from_matching_rows(database_url: sa.URL, tmp_path: Path) -> None:
    rows = [a_prediction(f"r{i}", "2026-08-05", split=split) for i, split in enumerate(["train", "holdout", "holdout"])]
    labels = [a_label(f"r{i}", labeled_at="2026-08-06") for i in (0, 1)]
    fill(database_url, rows, labels, log=LOG | {"split": sa.Text()})
    period = {"start": "2026-08-01", "end": "2026-09-01"}
    found = a_reference(tmp_path, period | {"output": {"split": "holdout"}}, database_url)
    assert (found.rows.n, found.output.n) == (3, 2)
    assert "split" not in found.rows.columns
    assert found.labels is not None
    assert (found.labels.num_rows, "split" in found.labels.column_names) == (1, False)
    with pytest.raises(DataError, match=r"reference.output: no row has split = 'test'"):
        a_reference(tmp_path, period | {"output": {"split": "test"}}, database_url)
    with pytest.raises(
        DataError, match=r"inference_log.splits: no such column.*did you mean 'split'.*reference.output"
    ):
        a_reference(tmp_path, period | {"output": {"splits": "test"}}, database_url)


def a_file(folder: Path, **changes: Any) -> str:
    table = pa.table(
        {
            "amount": pa.array([1.0, None, 3.0]),
            "region": pa.array(["EU", "US", None], pa.large_string()),
            "prediction": pa.array([1, 0, None], pa.int32()),
            "score": pa.array([0.9, 0.1, None], pa.float32()),
            "label": [1, None, 1],
            "split": ["holdout", "holdout", "train"],
        }
    )
    for name, values in changes.items():
        table = table.drop_columns([name]) if values is None else table.append_column(name, pa.array(values))
    pq.write_table(table, folder / "reference.parquet")
    return (folder / "reference.parquet").as_uri()


def test_a_file_gives_rows_output_and_labels(tmp_path: Path) -> None:
    found = a_reference(tmp_path / "spool", {"parquet": a_file(tmp_path), "output": {"split": "holdout"}})
    assert found.rows.columns == ("prediction", "score", "region", "amount")
    assert (found.rows.n, found.output.n, found.rows.newest) == (3, 2, None)
    assert found.rows.column("region").to_pylist() == ["EU", "US", None]
    assert found.rows.sample(2, seed=1).num_rows == 2
    assert found.labels is not None
    (row,) = found.labels.to_pylist()
    assert (row["prediction"], row["label"], row["region"], row["arrived_at"]) == (1, 1, "EU", None)


def test_a_file_may_lack_labels_and_output(tmp_path: Path) -> None:
    uri = a_file(tmp_path, label=None)
    assert a_reference(tmp_path, {"parquet": uri}).labels is None
    found = a_reference(tmp_path, {"parquet": a_file(tmp_path, prediction=None, score=None)})
    assert found.labels is None
    assert found.rows.missing == ("prediction", "score")


def test_duplicated_ids_of_a_file_count_once(tmp_path: Path) -> None:
    found = a_reference(tmp_path, {"parquet": a_file(tmp_path, request_id=["a", "b", "a"])})
    assert (found.rows.n, found.rows.n_raw) == (2, 3)


def test_types_of_a_file_become_those_of_a_window(tmp_path: Path) -> None:
    columns = {"customer": pa.array(["x", "y", "x"]).dictionary_encode(), "fee": [Decimal("1.5"), None, Decimal("2.5")]}
    monitor = {"features": {"customer": "categorical", "fee": "numeric"}, "segments": []}
    found = a_reference(tmp_path, {"parquet": a_file(tmp_path, **columns)}, monitor=monitor)
    assert found.rows.column("customer").type == pa.string()
    assert found.rows.column("fee").to_pylist() == [1.5, None, 2.5]
    with pytest.raises(DataError, match=r"reference.parquet.fee: a reference column cannot be of type list"):
        a_reference(tmp_path, {"parquet": a_file(tmp_path, fee=[[1], [2], [3]])}, monitor=monitor)


def test_personal_columns_of_a_file_are_hashed(tmp_path: Path) -> None:
    monitor = {"pii": {"hash": ["region"], "drop": ["amount"]}}
    with pytest.raises(ConfigError, match="hindsight_pii"):
        a_reference(tmp_path, {"parquet": a_file(tmp_path)}, monitor=monitor)
    found = a_reference(tmp_path, {"parquet": a_file(tmp_path)}, monitor=monitor, key=b"key")
    assert "amount" not in found.rows.columns
    assert {len(value) for value in found.rows.column("region").to_pylist() if value} == {64}


def test_a_file_that_unpacks_to_too_much_is_refused_by_its_footer(tmp_path: Path) -> None:
    uri, spool = a_file(tmp_path), tmp_path / "spool"
    for limits in (Limits(rows=2), Limits(values=17)):
        with pytest.raises(DataError, match=r"reference.parquet: 3 rows of 6 columns, over the limit of"):
            a_reference(spool, {"parquet": uri}, limits=limits)
    assert not spool.exists()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_file_whose_texts_unpack_to_too_much_is_refused_before_they_do(tmp_path: Path, kind: pa.DataType) -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 2**20], kind))
    pq.write_table(pa.table({"amount": [1.0] * 50_000, "region": names}), tmp_path / "bomb")
    assert (tmp_path / "bomb").stat().st_size < 3 * 2**20
    with pytest.raises(DataError, match=r"bomb: its texts unpack to more than 52,428,800,000 bytes"):
        a_reference(tmp_path / "spool", {"parquet": str(tmp_path / "bomb")})
    assert not list((tmp_path / "spool").iterdir())


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_texts_of_any_encoding_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"amount": [1.0, 2.0, 3.0], "region": pa.array(["EU", None, "US"], pa.string()).cast(kind)})
    pq.write_table(table, tmp_path / "r.parquet", use_dictionary=kind != pa.string())
    found = a_reference(tmp_path / "spool", {"parquet": str(tmp_path / "r.parquet")})
    assert found.rows.column("region").to_pylist() == ["EU", None, "US"]
    with pytest.raises(DataError, match="unpack to more than"):
        a_reference(tmp_path / "spool", {"parquet": str(tmp_path / "r.parquet")}, limits=Limits(text_bytes=3))


def test_a_file_that_is_not_there_or_not_parquet_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"reference.parquet: no file at .*nothing.parquet"):
        a_reference(tmp_path, {"parquet": str(tmp_path / "nothing.parquet")})
    with pytest.raises(ConfigError, match=r"reference.parquet: nosuch://x cannot be opened"):
        a_reference(tmp_path, {"parquet": "nosuch://x"})
    (tmp_path / "some.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"some.csv: not a Parquet file"):
        a_reference(tmp_path, {"parquet": str(tmp_path / "some.csv")})


def test_a_damaged_file_is_named_and_nothing_stays(tmp_path: Path) -> None:
    a_file(tmp_path)
    path = tmp_path / "reference.parquet"
    data = bytearray(path.read_bytes())
    data[4:200] = bytes(196)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"reference.parquet: cannot be read to its end"):
        a_reference(tmp_path / "spool", {"parquet": str(path)})
    assert not list((tmp_path / "spool").iterdir())


def test_a_column_named_in_output_must_be_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"reference.parquet.part: no such column, named in reference.output"):
        a_reference(tmp_path / "spool", {"parquet": a_file(tmp_path), "output": {"part": "x"}})
    assert not list((tmp_path / "spool").iterdir())


def test_a_monitor_without_a_reference_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reference: monitor 'credit' declares no reference"):
        collect_reference(open_engine(UNUSED), a_monitor(), folder=tmp_path, pii_key=None, as_of=at("2026-09-01"))
