"""Dialects: the same answer from every database, whatever its zone, its collation, its types and its login."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from hindsight.errors import DataError, WarehouseError
from hindsight.warehouse import examination, survey
from hindsight.warehouse.connect import connected, open_engine, reading
from hindsight.warehouse.dialects import dialect_called
from hindsight.warehouse.dialects.generic import Dialect
from hindsight.warehouse.labels import labelled, labels_now, touched
from hindsight.warehouse.predictions import collect, first_timestamp, logged_between, misdated, strangers, volumes
from hindsight.warehouse.stream import batches
from tests.builders import DAY, a_monitor, a_window, at
from tests.warehouse.tables import LOG, TRUTH, a_label, a_prediction, fill, writing

FAR = ("Asia/Kolkata", "America/New_York")
WINDOW = a_window()


@pytest.fixture(params=FAR)
def process_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A process far from UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def n_rows(engine: sa.Engine, folder: Path, **monitor: object) -> int:
    with collect(engine, a_monitor(**monitor), WINDOW, folder=folder, pii_key=None) as rows:
        return rows.n


def executed(url: sa.URL, *statements: str) -> None:
    with writing(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_process_in_another_zone_reads_the_same_window(
    database_url: sa.URL, process_zone: str, tmp_path: Path
) -> None:
    moments = ("2026-08-31T23:59:59.999999", "2026-09-01", "2026-09-01T23:59:59.999999", "2026-09-02")
    fill(database_url, [a_prediction(f"r{i}", moment) for i, moment in enumerate(moments)], [a_label("r1")])
    engine, monitor = open_engine(database_url), a_monitor()
    with collect(engine, monitor, WINDOW, folder=tmp_path, pii_key=None) as rows:
        assert rows.column("predicted_at").to_pylist() == [at(moments[1]), at(moments[2])]
    assert logged_between(engine, monitor, until=at("2026-10-01")) == (at(moments[0]), at(moments[3]))
    assert touched(engine, monitor, since=at("2026-09-02"), until=at("2026-09-03")) == [WINDOW]
    assert labelled(engine, monitor, WINDOW, at("2026-09-02"), pii_key=None).n_labeled == 0


@pytest.mark.parametrize("kind", [sa.TIMESTAMP(), mysql.TIMESTAMP(fsp=6)])
def test_a_timestamp_of_mariadb_is_utc_whatever_the_zone_of_the_server(
    mariadb_url: sa.URL, tmp_path: Path, kind: sa.types.TypeEngine[object]
) -> None:
    fill(mariadb_url, log=LOG | {"predicted_at": kind})
    values = ", ".join(f"('{id}', '{moment}')" for id, moment in (("a", "2026-09-01"), ("b", "2026-09-01 23:00:00")))
    executed(
        mariadb_url,
        "SET time_zone = '+00:00'",
        f"INSERT INTO inference_log (request_id, predicted_at) VALUES {values}",
    )
    engine = open_engine(mariadb_url)
    assert n_rows(engine, tmp_path) == 2
    assert first_timestamp(engine, a_monitor()) == at("2026-09-01")


def test_times_of_a_parquet_file_behind_a_view_of_duckdb_keep_their_zone(
    duckdb_url: sa.URL, process_zone: str, tmp_path: Path
) -> None:
    moments = [at("2026-09-01"), at("2026-09-01T22:00"), at("2026-08-31T22:00")]
    for unit, zone in (("us", "UTC"), ("ns", None), ("ms", "Asia/Tokyo")):
        stamps = pa.array([moment.replace(tzinfo=None) for moment in moments], pa.timestamp("us")).cast(
            pa.timestamp(unit)
        )
        stamps = stamps.cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone)) if zone else stamps
        file = tmp_path / f"log-{unit}.parquet"
        pq.write_table(pa.table({"request_id": ["a", "b", "c"], "predicted_at": stamps, "prediction": [1, 1, 1]}), file)
        executed(duckdb_url, f"CREATE OR REPLACE VIEW inference_log AS FROM read_parquet('{file}')")
        assert n_rows(open_engine(duckdb_url), tmp_path, features={}, segments=[]) == 2


def test_a_double_and_a_float_of_mariadb_arrive_as_they_are(mariadb_url: sa.URL, tmp_path: Path) -> None:
    fill(mariadb_url, [a_prediction(amount=1234567.0, score=0.1)], log=LOG | {"amount": mysql.FLOAT()})
    with collect(open_engine(mariadb_url), a_monitor(), WINDOW, folder=tmp_path, pii_key=None) as rows:
        assert rows.table(["amount", "score"]).to_pylist() == [{"amount": 1234567.0, "score": 0.1}]


def test_texts_are_equal_by_their_code_points(database_url: sa.URL, tmp_path: Path) -> None:
    ids = ["eu", "EU", "eu ", "eü"]
    fill(database_url, [a_prediction(id) for id in ids], [a_label("EU", 1), a_label("eu", 0), a_label("x", 1)])
    engine, monitor = open_engine(database_url), a_monitor()
    assert n_rows(engine, tmp_path) == volumes(engine, monitor, [WINDOW])[WINDOW] == 4
    found = labelled(engine, monitor, WINDOW, at("2026-09-20"), pii_key=None)
    assert (found.n_rows, found.n_labeled, found.conflicts, found.duplicates) == (4, 2, 0, 0)
    now = labels_now(engine, monitor, WINDOW, pii_key=None)
    assert sorted(zip(now["id"].to_pylist(), now["label"].to_pylist(), strict=True)) == [("EU", "1"), ("eu", "0")]
    late = a_window("2026-09-02")
    assert labelled(engine, monitor, late, at("2026-09-20"), pii_key=None).orphans == 1


def test_one_version_is_told_from_another_by_code_points(database_url: sa.URL, tmp_path: Path) -> None:
    versions = ("v1", "V1", "v1 ")
    fill(database_url, [a_prediction(f"r{i}", model_version=version) for i, version in enumerate(versions)])
    model = {"name": "credit", "task": "binary", "positive_label": 1, "version": "v1"}
    assert n_rows(open_engine(database_url), tmp_path, model=model) == 1


def test_the_padding_of_a_char_column_is_cut_in_values_and_ids(postgres_url: sa.URL, tmp_path: Path) -> None:
    fill(postgres_url, [a_prediction("a"), a_prediction("A")], [a_label("a", 1), a_label("A", 0)])
    executed(
        postgres_url,
        "ALTER TABLE inference_log ALTER request_id TYPE char(9), ALTER region TYPE char(9)",
        "ALTER TABLE ground_truth ALTER request_id TYPE varchar(9)",
    )
    engine, monitor = open_engine(postgres_url), a_monitor()
    found = labelled(engine, monitor, WINDOW, at("2026-09-20"), pii_key=None)
    assert (found.n_rows, found.n_labeled, found.conflicts) == (2, 2, 0)
    assert volumes(engine, monitor, [WINDOW]) == {WINDOW: 2}
    with collect(engine, monitor, WINDOW, folder=tmp_path, pii_key=None) as rows:
        assert sorted(rows.column("request_id").to_pylist()) == ["A", "a"]
        assert set(rows.column("region").to_pylist()) == {"EU"}


@pytest.mark.parametrize("column", ["timestamptz", "timestamp", "date"])
@pytest.mark.parametrize("database", ["postgres_url", "duckdb_url"])
def test_a_time_without_end_is_counted_and_stops_nothing(
    request: pytest.FixtureRequest, database: str, column: str, tmp_path: Path
) -> None:
    url = request.getfixturevalue(database)
    rows = [a_prediction("a"), a_prediction("b", "2026-09-02"), a_prediction("c")]
    fill(url, rows, [a_label(id, 1, "2026-09-03") for id in "abc"])
    for table, stamp in (("inference_log", "predicted_at"), ("ground_truth", "labeled_at")):
        executed(url, f"ALTER TABLE {table} ALTER COLUMN {stamp} TYPE {column}")
    executed(
        url,
        "UPDATE inference_log SET predicted_at = 'infinity' WHERE request_id = 'b'",
        "UPDATE inference_log SET predicted_at = '-infinity' WHERE request_id = 'c'",
        "UPDATE ground_truth SET labeled_at = 'infinity' WHERE request_id = 'a'",
    )
    engine, monitor = open_engine(url), a_monitor()
    found = misdated(engine, monitor, at("2026-09-10"))
    assert (found.future, found.latest, found.undated) == (0, None, 2)
    assert n_rows(engine, tmp_path) == 1
    assert first_timestamp(engine, monitor).date() == WINDOW.start.date()  # type: ignore[union-attr]
    assert touched(engine, monitor, since=None, until=at("2026-09-20")) == []
    known = labelled(engine, monitor, WINDOW, at("2026-09-20"), pii_key=None)
    assert (known.n_labeled, known.undated) == (0, 1)
    facts = survey.survey(engine, "warehouse", "inference_log", "predicted_at").facts
    assert facts.first is not None
    assert facts.last is not None
    assert facts.first.date() == facts.last.date() == WINDOW.start.date()


def test_texts_of_sqlite_that_are_no_times_are_counted(sqlite_url: sa.URL, tmp_path: Path) -> None:
    fill(sqlite_url, log=LOG | {"predicted_at": sa.Text()})
    texts = ["25/10/2026 12:00", "1793000000", "20260901T120000", "2026-W36-2", "", "2026-09-01T12:00:00+02:00"]
    values = ", ".join(f"('r{i}', '{text}')" for i, text in enumerate(texts))
    executed(sqlite_url, f"INSERT INTO inference_log (request_id, predicted_at) VALUES {values}, ('n', 5), ('o', NULL)")
    engine = open_engine(sqlite_url)
    assert n_rows(engine, tmp_path) == 1
    assert misdated(engine, a_monitor(), at("2026-12-01")).undated == 7
    assert first_timestamp(engine, a_monitor()) == at("2026-09-01T10:00")


def test_a_login_with_rights_on_the_named_columns_suffices(postgres_url: sa.URL, tmp_path: Path) -> None:
    log = LOG | {"secret": sa.Text()}
    fill(postgres_url, [a_prediction() | {"secret": "x"}], [a_label()], log=log, truth=TRUTH)
    named = ", ".join(LOG)
    executed(
        postgres_url,
        "DROP ROLE IF EXISTS somecols",
        "CREATE ROLE somecols LOGIN",
        f"GRANT SELECT ({named}) ON inference_log TO somecols",
        f"GRANT SELECT ({', '.join(TRUTH)}) ON ground_truth TO somecols",
    )
    engine, monitor = open_engine(postgres_url.set(username="somecols")), a_monitor()
    assert n_rows(engine, tmp_path) == 1
    assert labelled(engine, monitor, WINDOW, at("2026-09-20"), pii_key=None).n_labeled == 1
    assert strangers(engine, monitor, WINDOW) == {}
    assert "secret" not in survey.look(engine, "warehouse", "inference_log").facts.columns
    assert "secret" not in survey.survey(engine, "warehouse", "inference_log", "predicted_at").facts.columns
    assert examination.log(engine, monitor)[1]
    assert examination.session(engine, "warehouse", at("2026-09-20"))[1]
    executed(postgres_url, "GRANT SELECT (secret) ON inference_log TO somecols")
    assert list(strangers(engine, monitor, WINDOW)) == ["secret"]
    executed(postgres_url, "DROP OWNED BY somecols", "DROP ROLE somecols")


def test_transactions_are_guarded_where_a_pooler_drops_what_a_session_was_started_with(postgres_url: sa.URL) -> None:
    fill(postgres_url, [a_prediction()])
    with writing(postgres_url) as connection:
        connection.execute(sa.schema.CreateSequence(sa.Sequence("counter")))
        started = {"default_transaction_read_only": "off", "statement_timeout": "0", "timezone": "Asia/Tokyo"}
        connection.execute(
            sa.DDL(
                f'ALTER DATABASE "{postgres_url.database}" SET '
                + f'; ALTER DATABASE "{postgres_url.database}" SET '.join(f"{k} = '{v}'" for k, v in started.items())
            )
        )
    engine = open_engine(postgres_url)
    bare = sa.create_engine(postgres_url, poolclass=type(engine.pool))
    dialect = dialect_called("postgresql")
    timeout = engine.get_execution_options()["hindsight_timeout"]
    dialect.prepare(bare, timeout)
    bare = bare.execution_options(hindsight_timeout=timeout)
    settings = ("transaction_read_only", "statement_timeout", "timezone")
    query = sa.select(*(sa.func.current_setting(name).label(name) for name in settings))
    schema = pa.schema([(name, pa.string()) for name in settings])
    with bare.connect() as connection:
        assert tuple(connection.execute(query).one()) == ("on", "30min", "UTC")
    answer = pa.Table.from_batches(batches(bare, query, schema, "dwh"))
    assert answer.to_pylist() == [dict(zip(settings, ("on", "30min", "UTC"), strict=True))]
    write = sa.select(sa.func.nextval("counter").label("n"))
    with pytest.raises(DataError, match="read-only transaction"):
        list(batches(bare, write, pa.schema([("n", pa.int64())]), "dwh"))


def test_a_missing_file_of_duckdb_is_refused_and_not_made(tmp_path: Path) -> None:
    engine = open_engine(sa.URL.create("duckdb", database=str(tmp_path / "none.duckdb")))
    with pytest.raises(DataError, match="does not exist"):
        n_rows(engine, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_statement_of_mariadb_over_its_limit_is_permanent_and_names_the_limit(mariadb_url: sa.URL) -> None:
    engine = open_engine(mariadb_url, statement_timeout=timedelta(seconds=0.3))
    with pytest.raises(DataError, match="ran longer than"), reading(engine, "dwh"), engine.connect() as connection:
        connection.execute(sa.select(sa.func.sleep(5)))


def test_an_engine_without_a_file_is_spoken_to_in_plain_sql() -> None:
    unknown = dialect_called("oracle")
    assert type(unknown) is not type(dialect_called("sqlite"))
    window = unknown.span(sa.column("t", sa.DateTime(timezone=True)), start=at("2026-09-01"), end=at("2026-09-02"))
    assert str(window) == "t >= :param_1 AND t < :param_2"


def test_one_connection_serves_all_that_is_asked_within_and_is_closed_after(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction()])
    engine = open_engine(database_url)
    opened: list[object] = []
    closed: list[object] = []
    sa.event.listen(engine, "connect", lambda connection, _: opened.append(connection))
    sa.event.listen(engine, "close", lambda connection, _: closed.append(connection))
    with connected(engine):
        for day in range(3):
            volumes(engine, a_monitor(), [a_window("2026-09-01", size=(day + 1) * DAY)])
        with connected(engine):
            misdated(engine, a_monitor(), at("2026-09-10"))
        assert (len(opened), len(closed)) == (1, 0)
    assert (len(opened), len(closed)) == (1, 1)


def test_a_dialect_nobody_tested_is_allowed_and_warned_of_once(
    sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill(sqlite_url, [a_prediction()])
    monkeypatch.setattr("hindsight.warehouse.connect.dialect_of", lambda _: Dialect())
    engine = open_engine(sqlite_url)
    assert engine.connect().execute(sa.select(1)).scalar() == 1
    assert "never run on a sqlite warehouse: look at what `hindsight doctor --connection` says" in caplog.text
    assert caplog.text.count("cannot be made read only") == 1


def test_an_engine_that_may_not_stream_is_refused_above_a_size(
    sqlite_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_url, [a_prediction(f"r{i}") for i in range(3)])
    log = sa.table("inference_log", sa.column("request_id", sa.Text()))
    query, schema = sa.select(log.c.request_id), pa.schema([("request_id", pa.string())])
    engine = open_engine(sqlite_url)
    monkeypatch.setattr("hindsight.warehouse.dialects.generic.MOST_AT_ONCE", 3)
    assert sum(batch.num_rows for batch in Dialect().batches(engine, query, schema)) == 3
    monkeypatch.setattr("hindsight.warehouse.dialects.generic.MOST_AT_ONCE", 2)
    with pytest.raises(DataError, match="3 rows, where at most 2 are read of a sqlite warehouse"):
        list(Dialect().batches(engine, query, schema))


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_mariadb_lost_while_rows_are_read_is_transient(mariadb_url: sa.URL) -> None:
    log = sa.table("inference_log", sa.column("request_id", sa.Text()))
    with writing(mariadb_url) as connection:
        connection.exec_driver_sql(
            "CREATE VIEW inference_log AS SELECT concat(repeat('x', 500), seq) AS request_id FROM seq_1_to_300000"
        )
    engine = open_engine(mariadb_url)
    answer = batches(engine, sa.select(log.c.request_id), pa.schema([("request_id", pa.string())]), "dwh")
    assert next(answer).num_rows
    with writing(mariadb_url) as connection:
        others = connection.exec_driver_sql(
            "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> connection_id()",
            (mariadb_url.database,),
        ).scalars()
        for one in others.all():
            connection.exec_driver_sql(f"KILL {one}")
    with pytest.raises(WarehouseError, match="connection 'dwh'"):
        list(answer)
    del answer
    gc.collect()  # PyMySQL's cursor reads on from the lost connection when it is forgotten, and is only heard of here
