"""What `doctor --connection` says of a database is what is so: its clock, its sessions, what finds a window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.warehouse import examination
from hindsight.warehouse.connect import open_engine
from tests.builders import a_monitor, monitor_file
from tests.warehouse.tables import LOG, a_prediction, fill, writing


def test_a_session_is_read_only_in_utc_and_its_clock_is_looked_at(database_url: sa.URL) -> None:
    fill(database_url)
    now = datetime.now(UTC)
    well, said = examination.session(open_engine(database_url), "dwh", now)
    assert well
    assert "sessions read only" in said
    assert "zone is" not in said or "zone is UTC" in said or "zone is +00:00" in said
    assert "never run" not in said
    if database_url.get_backend_name() != "sqlite":  # whose clock is this machine's
        well, said = examination.session(open_engine(database_url), "dwh", now - timedelta(hours=2))
        assert not well
        assert "its clock is 2h away from this machine's" in said


def test_a_log_is_read_and_what_finds_a_window_is_named(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction()])
    engine = open_engine(database_url)
    well, said = examination.log(engine, a_monitor())
    assert well
    assert "1 rows of 10 columns in" in said
    if database_url.get_backend_name() == "duckdb":
        assert "row group" in said
        return
    assert "inference_log.predicted_at: no index or partition is known" in said
    with writing(database_url) as connection:
        connection.exec_driver_sql("CREATE INDEX by_time ON inference_log (predicted_at, request_id)")
    assert "inference_log.predicted_at: index by_time" in examination.log(engine, a_monitor())[1]


def test_a_view_without_a_column_is_not_well_and_without_its_time_refused(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction()])
    kept = ", ".join(column for column in LOG if column != "region")
    with writing(database_url) as connection:
        connection.exec_driver_sql(f"CREATE VIEW seen AS SELECT {kept} FROM inference_log")
        connection.exec_driver_sql("CREATE VIEW untimed AS SELECT request_id, prediction FROM inference_log")
    file = monitor_file()["source"]
    seen, untimed = (
        a_monitor(source=file | {"predictions": file["predictions"] | {"table": name}}) for name in ("seen", "untimed")
    )
    engine = open_engine(database_url)
    well, said = examination.log(engine, seen)
    assert not well
    assert "no column region" in said
    with pytest.raises(DataError, match=r"untimed.predicted_at: no such column"):
        examination.log(engine, untimed)


@pytest.mark.parametrize(
    ("kind", "value", "cast"),
    [
        (sa.BigInteger(), 1_788_264_000, ""),
        (sa.BigInteger(), 1_788_264_000_000, " / 1000.0"),
        (sa.BigInteger(), 1_788_264_000_000_000, " / 1000000.0"),
        (sa.String(40), "1 September 2026", ""),
    ],
)
def test_a_time_that_is_none_is_refused_with_the_cast_to_write(
    database_url: sa.URL, kind: sa.types.TypeEngine[object], value: object, cast: str
) -> None:
    row = a_prediction() | {"predicted_at": value}
    fill(database_url, [row], log=LOG | {"predicted_at": kind})
    engine = open_engine(database_url)
    with pytest.raises(DataError, match="predicted_at: expected a date or timestamp") as caught:
        examination.log(engine, a_monitor())
    if isinstance(kind, sa.String):
        return
    assert f"predicted_at{cast}" in str(caught.value)
    expression = str(caught.value).partition("in a view: ")[2].removesuffix(" AS predicted_at")
    with writing(database_url) as connection:  # the cast is one the database understands, and right
        utc = {"mysql": "SET time_zone = '+00:00'"}.get(connection.dialect.name)
        if utc:
            connection.exec_driver_sql(utc)
        found = connection.exec_driver_sql(f"SELECT {expression} FROM inference_log").scalar_one()
    assert str(found).startswith("2026-09-01"), found
