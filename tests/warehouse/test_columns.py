"""Columns of the predictions: any name and type the table has, and what is said when one is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.monitors.model import Monitor
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.predictions import strangers
from tests.builders import a_monitor, a_window, at, monitor_file
from tests.warehouse.tables import LOG, a_prediction, fill, writing
from tests.warehouse.windows import collected


def test_reserved_words_and_mixed_case_are_names_like_others(database_url: sa.URL, tmp_path: Path) -> None:
    log = {{"amount": "order", "region": "Select"}.get(name, name): kind for name, kind in LOG.items()}
    fill(database_url, [a_prediction(order=1.0, Select="EU")], log=log)
    monitor = a_monitor(features={"order": "numeric", "Select": "categorical"}, segments=["Select"])
    with collected(database_url, tmp_path, monitor) as rows:
        assert rows.table(["order", "Select"]).to_pylist() == [{"order": 1.0, "Select": "EU"}]


def test_a_word_that_only_the_database_knows_is_a_name_like_others(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction(amount=1.0)])
    with writing(database_url) as connection:
        nothing = connection.dialect.identifier_preparer.quote_identifier("nothing")
        connection.exec_driver_sql(f"ALTER TABLE inference_log RENAME COLUMN amount TO {nothing}")
    monitor = a_monitor(features={"nothing": "numeric", "region": "categorical"})
    with collected(database_url, tmp_path, monitor) as rows:
        assert rows.column("nothing").to_pylist() == [1.0]


def test_tables_of_a_schema_are_found(postgres_url: sa.URL, tmp_path: Path) -> None:
    with writing(postgres_url) as connection:
        connection.execute(sa.schema.CreateSchema("ml"))
    fill(postgres_url, [a_prediction()], schema="ml")
    file = monitor_file()
    file["source"]["predictions"]["table"] = "ml.inference_log"
    with collected(postgres_url, tmp_path, Monitor.model_validate(file)) as rows:
        assert rows.n == 1


def test_a_view_is_read_like_a_table(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction(amount=3.0)])
    with writing(database_url) as connection:
        connection.exec_driver_sql("ALTER TABLE inference_log RENAME TO raw_log")
        columns = ", ".join("amount * 2 AS amount" if c == "amount" else c for c in LOG)
        connection.exec_driver_sql(f"CREATE VIEW inference_log AS SELECT {columns} FROM raw_log")
    with collected(database_url, tmp_path) as rows:
        assert rows.column("amount").to_pylist() == [6.0]


def test_missing_columns_are_left_out_and_listed(database_url: sa.URL, tmp_path: Path) -> None:
    gone = {"amount", "region", "prediction", "score", "status_code", "latency_ms", "cost_usd", "model_version"}
    fill(database_url, [a_prediction()], log={c: k for c, k in LOG.items() if c not in gone})
    with collected(database_url, tmp_path) as rows:
        assert set(rows.missing) == gone
        assert rows.columns == ("request_id", "predicted_at")


def test_a_version_cannot_be_watched_without_its_column(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction()], log={c: k for c, k in LOG.items() if c != "model_version"})
    with pytest.raises(DataError, match=r"inference_log.model_version: no such column"):
        collected(database_url, tmp_path, a_monitor(model={"name": "m", "task": "binary", "version": "v1"}))


def test_columns_nobody_named_are_told_and_whether_they_are_new(database_url: sa.URL) -> None:
    columns = {**LOG, "amount_eur": sa.Double(), "always": sa.Integer(), "never": sa.Integer(), "secret": sa.Integer()}
    some = {"always": 1, "never": None, "secret": 1}
    before = [a_prediction("a", "2026-08-20T12:00", amount_eur=None, **some)]
    rows = [a_prediction("b", amount_eur=1.0, **some), a_prediction("c", amount_eur=None, **some)]
    fill(database_url, [*before, *rows], log=columns)
    engine, monitor = open_engine(database_url), a_monitor(pii={"drop": ["secret"]})
    assert strangers(engine, monitor, a_window()) == {"amount_eur": True, "always": False}
    assert strangers(engine, monitor, a_window("2026-08-20")) == {"always": None}
    assert strangers(engine, monitor, a_window("2026-12-01")) == {}


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("request_id", "id"),
        ("predicted_at", "timestamp"),
    ],
)
def test_a_missing_column_with_a_role_is_named_with_what_exists(
    database_url: sa.URL, tmp_path: Path, column: str, key: str
) -> None:
    log = {name if name != column else f"{column}s": kind for name, kind in LOG.items()}
    fill(database_url, log=log)
    with pytest.raises(DataError) as caught:
        collected(database_url, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"inference_log.{column}: no such column; inference_log has amount, cost_usd, latency_ms")
    assert f"did you mean '{column}s'?" in message
    assert f"source.predictions.{key}" in message
    assert not list(tmp_path.glob("window-*"))


def test_a_missing_table_is_named_with_what_exists(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url)
    file = monitor_file()
    file["source"]["predictions"]["table"] = "inference_logs"
    with pytest.raises(DataError, match=r"inference_logs: no such table.*did you mean 'inference_log'?"):
        collected(database_url, tmp_path, Monitor.model_validate(file))


@pytest.mark.parametrize("kind", [sa.Integer(), sa.Double()])
def test_a_timestamp_that_is_no_time_is_refused(database_url: sa.URL, tmp_path: Path, kind: Any) -> None:
    fill(database_url, log=LOG | {"predicted_at": kind})
    with pytest.raises(
        DataError, match=r"inference_log.predicted_at: expected a date or timestamp, found (INT|DOUBLE)"
    ):
        collected(database_url, tmp_path)


def test_a_text_that_holds_no_times_is_refused_as_timestamp(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction() | {"predicted_at": "yesterday"}], log=LOG | {"predicted_at": sa.Text()})
    with pytest.raises(DataError, match=r"inference_log.predicted_at: expected a date or timestamp") as caught:
        collected(database_url, tmp_path)
    assert "yesterday" not in str(caught.value)


def test_a_feature_that_turned_text_is_returned_as_it_is(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction(amount="1,5")], log=LOG | {"amount": sa.Text()})
    with collected(database_url, tmp_path) as rows:
        assert rows.column("amount").to_pylist() == ["1,5"]
        own = "VARCHAR" if database_url.get_backend_name() == "duckdb" else "TEXT"  # which has no other
        assert rows.types["amount"] == own


def test_sqlite_columns_are_of_the_type_they_hold(sqlite_url: sa.URL, tmp_path: Path) -> None:
    fill(sqlite_url, [a_prediction("r1"), a_prediction("r2"), a_prediction("old", "2026-08-01")])
    with writing(sqlite_url) as connection:
        connection.exec_driver_sql("UPDATE inference_log SET amount = 'n/a' WHERE request_id = 'r2'")
        connection.exec_driver_sql("UPDATE inference_log SET prediction = 0.5 WHERE request_id = 'r2'")
        connection.exec_driver_sql("UPDATE inference_log SET score = 'old' WHERE request_id = 'old'")
    with collected(sqlite_url, tmp_path) as rows:
        assert sorted(rows.column("amount").to_pylist()) == ["100.0", "n/a"]
        assert sorted(rows.column("prediction").to_pylist()) == [0.5, 1.0]
        assert rows.column("score").to_pylist() == [0.75, 0.75]
        assert (rows.types["amount"], rows.types["prediction"]) == ("TEXT", "DOUBLE")


def test_exotic_types_arrive_as_numbers_or_text(postgres_url: sa.URL, tmp_path: Path) -> None:
    with writing(postgres_url) as connection:
        connection.exec_driver_sql("CREATE DOMAIN cents AS bigint")
        connection.exec_driver_sql("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        connection.exec_driver_sql(
            "CREATE TABLE inference_log (request_id uuid, predicted_at timestamptz, prediction boolean, score real, "
            "exact numeric, tags text[], facts jsonb, fee cents, feeling mood, place point, day date, raw bytea)"
        )
        connection.exec_driver_sql(
            "INSERT INTO inference_log VALUES ('00000000-0000-0000-0000-000000000001', '2026-09-01 02:00+02', true, "
            "0.5, 12.25, '{a,b}', '{\"k\": 1}', 7, 'glad', '(1,2)', '2026-09-01', 'xyz')"
        )
    features = dict.fromkeys(["exact", "tags", "facts", "fee", "feeling", "place", "day", "raw"], "numeric")
    columns = {"table": "inference_log", "id": "request_id", "timestamp": "predicted_at", "prediction": "prediction"}
    monitor = a_monitor(source={"predictions": columns | {"score": "score"}}, features=features, segments=[])
    with collected(postgres_url, tmp_path, monitor) as rows:
        (row,) = rows.table(rows.columns).to_pylist()
    assert row["predicted_at"] == at("2026-09-01T00:00")
    assert (row["prediction"], row["score"], row["exact"], row["fee"]) == (True, 0.5, 12.25, 7)
    assert (row["tags"], row["facts"], row["feeling"], row["place"]) == ("{a,b}", '{"k": 1}', "glad", "(1,2)")
    assert row["request_id"] == "00000000-0000-0000-0000-000000000001"
