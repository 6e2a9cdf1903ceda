"""Hooks of real providers: what an Airflow connection of each type opens, read for real where its engine runs."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from hindsight.airflow.connections import open_warehouse, warehouse_source
from hindsight.airflow.hooks import Hooked
from hindsight.settings import read_settings
from hindsight.warehouse import examination
from hindsight.warehouse.predictions import volumes
from tests.builders import a_monitor, a_window
from tests.engines.conftest import needs
from tests.engines.test_same_numbers import SNOWFLAKE, filled
from tests.warehouse.tables import a_prediction, fill

pytestmark = pytest.mark.filterwarnings("ignore")  # of the providers' own
SETTINGS, WINDOW = read_settings({}), a_window()


def connected(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(fields))


def test_mariadb_through_the_hook_of_its_provider(mariadb_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("airflow.providers.mysql", "MySQLdb")
    fill(mariadb_url, [a_prediction("eu"), a_prediction("EU")])
    socket = str(mariadb_url.query["unix_socket"])
    extra = {"unix_socket": socket}
    connected(monkeypatch, conn_type="mysql", login="root", host="localhost", schema=mariadb_url.database, extra=extra)
    assert isinstance(warehouse_source("warehouse", SETTINGS), Hooked)
    engine = open_warehouse("warehouse", SETTINGS)
    assert engine.dialect.driver == "mysqldb"
    assert volumes(engine, a_monitor(), [WINDOW]) == {WINDOW: 2}
    said = examination.session(engine, "warehouse", WINDOW.end)[1]
    assert "sessions read only" in said
    assert "zone is +00:00" in said


def test_snowflake_through_the_hook_of_its_provider(snowflake_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("airflow.providers.snowflake")
    filled(snowflake_url, SNOWFLAKE)
    extra = {"account": "account", "database": "ml"}
    connected(monkeypatch, conn_type="snowflake", login="a", password="s3cret", schema="PUBLIC", extra=extra)
    engine = open_warehouse("warehouse", SETTINGS)
    assert volumes(engine, a_monitor(), [WINDOW]) == {WINDOW: 7}
    well, said = examination.log(engine, a_monitor())
    assert well, said


@pytest.mark.parametrize(
    ("provider", "fields", "url"),
    [
        (
            "trino",
            {"conn_type": "trino", "login": "u", "host": "h", "port": 8080, "schema": "hive"},
            "trino://u@h:8080/hive",
        ),
        (
            "microsoft.mssql",
            {"conn_type": "mssql", "login": "u", "password": "s3cret", "host": "h", "schema": "ml"},
            "mssql+pymssql://u:***@h/ml",
        ),
        (
            "databricks",
            {"conn_type": "databricks", "host": "h", "password": "s3cret", "extra": {"http_path": "/sql/1"}},
            "databricks://token:***@h?http_path=%2Fsql%2F1",
        ),
    ],
)
def test_the_engine_of_a_provider_is_made_and_not_yet_connected(
    provider: str, fields: dict[str, object], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(f"airflow.providers.{provider}")
    connected(monkeypatch, **fields)
    assert str(open_warehouse("warehouse", SETTINGS).url) == url
