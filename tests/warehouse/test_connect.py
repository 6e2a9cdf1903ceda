"""Connections: nothing can be written, secrets stay secret, and every failure says whether a retry helps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from adbc_driver_manager import ProgrammingError
from adbc_driver_postgresql import dbapi

from hindsight.errors import ConfigError, DataError, HindsightError, WarehouseError
from hindsight.warehouse.connect import open_engine, reading
from hindsight.warehouse.dialects.postgresql import conninfo
from hindsight.warehouse.labels import labelled, touched
from hindsight.warehouse.predictions import collect, first_timestamp, volumes
from tests.builders import a_monitor, a_window, at
from tests.warehouse.tables import LOG, TRUTH, a_prediction, fill, writing

SECRET = "canary-s3cret"


def a_collect(engine: sa.Engine, folder: Path) -> int:
    with collect(engine, a_monitor(), a_window(), folder=folder, pii_key=None) as rows:
        return rows.n


def everything_said(error: BaseException | None) -> str:
    said = ""
    while error is not None:
        said, error = f"{said} {error} {error!r}", error.__cause__ or error.__context__
    return said


def test_nothing_can_be_written_through_a_warehouse_engine(database_url: sa.URL) -> None:
    fill(database_url)
    log = sa.table("inference_log", sa.column("request_id"))
    with open_engine(database_url).connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.?only"):
        connection.execute(log.insert().values(request_id="r1"))


def test_nothing_can_be_written_beside_the_engine_either(postgres_url: sa.URL) -> None:
    engine = open_engine(postgres_url)
    with dbapi.connect(conninfo(engine), autocommit=True) as connection, connection.cursor() as cursor:  # noqa: SIM117
        with pytest.raises(ProgrammingError, match="read-only transaction"):
            cursor.execute("CREATE TABLE t (x int)")


def test_sessions_keep_utc_a_time_limit_and_the_urls_own_options(postgres_url: sa.URL) -> None:
    url = postgres_url.update_query_dict({"options": "-c timezone=Asia/Tokyo -c work_mem=77MB"})
    settings = ("timezone", "statement_timeout", "work_mem", "default_transaction_read_only")
    engine = open_engine(url.set(drivername="postgres"), statement_timeout=timedelta(seconds=90))
    with engine.connect() as connection:
        row = connection.execute(sa.select(*(sa.func.current_setting(name) for name in settings))).one()
    assert tuple(row) == ("UTC", "90s", "77MB", "on") or tuple(row) == ("UTC", "1min 30s", "77MB", "on")


def test_a_refused_connection_is_transient_and_keeps_the_password(tmp_path: Path) -> None:
    url = sa.make_url(f"postgresql://bob:{SECRET}@127.0.0.1:1/prod")
    calls = [
        lambda engine: collect(engine, a_monitor(), a_window(), folder=tmp_path, pii_key=None),
        lambda engine: volumes(engine, a_monitor(), [a_window()]),
        lambda engine: first_timestamp(engine, a_monitor()),
        lambda engine: labelled(engine, a_monitor(), a_window(), at("2026-09-02"), pii_key=None),
        lambda engine: touched(engine, a_monitor(), since=at("2026-09-01"), until=at("2026-09-02")),
    ]
    for call in calls:
        with pytest.raises(
            WarehouseError, match=r"connection 'warehouse' \(postgresql.*bob:\*\*\*@127.0.0.1"
        ) as caught:
            call(open_engine(url))
        assert caught.value.transient
        assert SECRET not in everything_said(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def locked_url(postgres_url: sa.URL) -> Iterator[sa.URL]:
    """A URL with the wrong password of a role that needs one."""
    engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE locked LOGIN PASSWORD 'right'")
        rules = Path(connection.execute(sa.select(sa.func.current_setting("hba_file"))).scalar_one())
        before = rules.read_text()
        rules.write_text("local all locked scram-sha-256\n" + before)
        loaded = connection.execute(sa.select(sa.func.pg_conf_load_time())).scalar_one()
        connection.execute(sa.select(sa.func.pg_reload_conf()))
    while _conf_load_time(engine) == loaded:
        pass  # the server reads its rules a moment after it was told to; a new session has what it has read
    yield postgres_url.set(username="locked", password=SECRET)
    with engine.begin() as connection:
        rules.write_text(before)
        connection.execute(sa.select(sa.func.pg_reload_conf()))
        connection.exec_driver_sql("DROP ROLE locked")


def _conf_load_time(engine: sa.Engine) -> object:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.pg_conf_load_time())).scalar_one()


def test_a_wrong_password_is_permanent_and_not_repeated(locked_url: sa.URL, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"connection 'warehouse' .*password authentication failed") as caught:
        a_collect(open_engine(locked_url), tmp_path)
    assert not caught.value.transient
    assert SECRET not in everything_said(caught.value)


@pytest.mark.parametrize("change", [{"database": "nowhere"}, {"username": "nobody"}])
def test_an_unknown_database_or_role_is_permanent(postgres_url: sa.URL, tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(DataError, match="does not exist"):
        a_collect(open_engine(postgres_url.set(**change)), tmp_path)


def test_a_missing_sqlite_file_is_permanent_and_not_created(tmp_path: Path) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / "with space #1?.db"))
    with pytest.raises(DataError, match="unable to open database file"):
        a_collect(open_engine(url), tmp_path)
    assert not list(tmp_path.iterdir())
    fill(url, [a_prediction()])
    assert a_collect(open_engine(url), tmp_path) == 1


def test_an_unknown_kind_of_warehouse_is_named() -> None:
    with pytest.raises(ConfigError, match="no driver for 'nosuchdb' warehouses"):
        open_engine(sa.make_url("nosuchdb://host/db"))


def logged_through(url: sa.URL, amount: str, rows: int = 200_000) -> None:
    """An inference_log of many rows, amount being an SQL expression of the row number g."""
    values = {"request_id": "'r' || g", "predicted_at": "timestamptz '2026-09-01 12:00+00'", "amount": amount}
    values |= {"model_version": "'v1'", "region": "'EU'", "prediction": "1", "status_code": "200"}
    columns = ", ".join(f"{values.get(c, '0.5::float8')} AS {c}" for c in LOG)
    with writing(url) as connection:
        connection.exec_driver_sql("DROP VIEW IF EXISTS inference_log")
        connection.exec_driver_sql(f"CREATE VIEW inference_log AS SELECT {columns} FROM generate_series(1, {rows}) g")


def test_a_server_lost_in_the_middle_is_transient_and_leaves_nothing(postgres_url: sa.URL, tmp_path: Path) -> None:
    suicide = "CASE WHEN g = 190000 THEN pg_terminate_backend(pg_backend_pid())::int ELSE g END"
    logged_through(postgres_url, suicide)
    with pytest.raises(WarehouseError, match="the warehouse could not be reached or broke off") as caught:
        a_collect(open_engine(postgres_url), tmp_path)
    assert caught.value.transient
    assert not list(tmp_path.iterdir())
    logged_through(postgres_url, "g")
    assert a_collect(open_engine(postgres_url), tmp_path) == 200_000


def test_a_backend_killed_from_outside_while_rows_are_read_is_transient(postgres_url: sa.URL) -> None:
    import pyarrow as pa

    from hindsight.warehouse.stream import batches

    logged_through(postgres_url, "g", rows=3_000_000)
    log = sa.table("inference_log", sa.column("request_id", sa.Text()))
    answer = batches(
        open_engine(postgres_url), sa.select(log.c.request_id), pa.schema([("request_id", pa.string())]), "dwh"
    )
    assert next(answer).num_rows
    activity = sa.table("pg_stat_activity", *map(sa.column, ("pid", "query", "datname")))
    others = activity.c.query.like("COPY%"), activity.c.datname == postgres_url.database
    with writing(postgres_url) as connection:
        killed = (
            connection.execute(sa.select(sa.func.pg_terminate_backend(activity.c.pid)).where(*others)).scalars().all()
        )
    assert killed == [True]
    with pytest.raises(WarehouseError, match="connection 'dwh'"):
        list(answer)


def test_a_statement_over_its_limit_is_permanent_and_names_the_limit(postgres_url: sa.URL, tmp_path: Path) -> None:
    logged_through(postgres_url, "g + coalesce(length(pg_sleep(0.01)::text), 0)")
    engine = open_engine(postgres_url, statement_timeout=timedelta(seconds=0.5))
    with pytest.raises(DataError, match=r"ran longer than 0:00:00.500000 and was cancelled") as caught:
        a_collect(engine, tmp_path)
    assert not caught.value.transient
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="ran longer than"), reading(engine, "dwh"), engine.connect() as connection:
        connection.execute(sa.select(sa.func.pg_sleep(2)))


def test_values_the_database_cannot_convert_are_permanent(postgres_url: sa.URL, tmp_path: Path) -> None:
    logged_through(postgres_url, "CASE WHEN g = 150000 THEN 1e400::numeric ELSE 1 END")
    with pytest.raises(DataError, match=r"the warehouse refused: .*out of range"):
        a_collect(open_engine(postgres_url), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_table_dropped_after_it_was_looked_at_is_permanent(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url)
    engine = open_engine(database_url)
    assert a_collect(engine, tmp_path) == 0
    with writing(database_url) as connection:
        connection.exec_driver_sql("DROP TABLE inference_log")
    with pytest.raises(DataError, match="inference_log"):
        a_collect(engine, tmp_path)


def test_a_login_without_the_right_to_read_is_permanent(postgres_url: sa.URL, tmp_path: Path) -> None:
    fill(postgres_url, log=LOG, truth=TRUTH)
    with writing(postgres_url) as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS stranger")
        connection.exec_driver_sql("CREATE ROLE stranger LOGIN")
    with pytest.raises(HindsightError, match="permission denied for table inference_log - grant") as caught:
        a_collect(open_engine(postgres_url.set(username="stranger")), tmp_path)
    assert isinstance(caught.value, DataError)
