"""Hooks of providers open what has no light path of our own; what is missing is named by the package to install."""

from __future__ import annotations

import types

import pytest
import sqlalchemy as sa

from hindsight.airflow.connections import open_warehouse, warehouse_source
from hindsight.airflow.hooks import PROVIDERS, Hooked, hook_of
from hindsight.errors import ConfigError
from hindsight.settings import read_settings
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.predictions import volumes
from tests.builders import a_monitor, a_window
from tests.warehouse.tables import a_prediction, fill

SETTINGS = read_settings({})


def named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", text)


def test_what_a_hook_opens_reads_a_window_in_sessions_that_can_only_read(
    postgres_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(postgres_url, [a_prediction()])
    named(f"postgres://{postgres_url.username}@/{postgres_url.database}?host={postgres_url.query['host']}", monkeypatch)
    source = Hooked("warehouse", "postgres", hook_of("postgres"), "{}")
    assert source.hook.endswith("PostgresHook")

    def opened(**options: object) -> sa.Engine:
        """The hook passes over a socket's folder, which only the embedded server has for a host."""
        monkeypatch.setattr("airflow.providers.postgres.hooks.postgres.PostgresHook.sqlalchemy_url", postgres_url)
        return source(**options)

    engine = open_engine(opened)  # type: ignore[arg-type]
    assert volumes(engine, a_monitor(), [a_window()]) == {a_window(): 1}
    log = sa.table("inference_log", sa.column("request_id"))
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="read-only"):
        connection.execute(log.insert().values(request_id="r2"))


def test_two_openers_are_one_until_the_connection_changes() -> None:
    one = Hooked("dwh", "trino", "x.Hook", '{"password": "canary"}')
    assert hash(one) == hash(Hooked("dwh", "trino", "x.Hook", '{"password": "canary"}'))
    assert one != Hooked("dwh", "trino", "x.Hook", '{"password": "another"}')
    assert "canary" not in f"{one!r} {one}"


@pytest.mark.parametrize("kind", ["mysql+pymysql", "snowflake", "nosuchtype"])
def test_no_hook_is_found_where_no_provider_is(kind: str) -> None:
    assert hook_of(kind) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("snowflake://ann@account/ml", r"apache-airflow-providers-snowflake"),
        ("snowflake://ann@account/ml", r"pip install snowflake-sqlalchemy, for URLs such as snowflake://"),
        ("gcpbigquery://", r"apache-airflow-providers-google"),
        ("hiveserver2://spark:10000/default", r"apache-airflow-providers-apache-hive"),
        ("nosuchdb://host/db", r"connection 'warehouse': no driver for 'nosuchdb' warehouses"),
    ],
)
def test_a_missing_provider_is_named_with_the_package(text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named(text, monkeypatch)
    with pytest.raises(ConfigError, match=said):
        warehouse_source("warehouse", SETTINGS)


def test_a_missing_driver_is_named_with_the_package_and_the_form_of_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    named("mssql+pymssql://ann:canary-s3cret@host/ml", monkeypatch)
    with pytest.raises(ConfigError, match=r"pip install pymssql, for URLs such as mssql\+pymssql://") as caught:
        open_warehouse("warehouse", SETTINGS)
    assert "canary" not in str(caught.value)


def test_a_driver_made_for_another_sqlalchemy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> types.ModuleType:
        raise AttributeError("module 'sqlalchemy.orm.context' has no attribute 'ORMSelectCompileState'")

    monkeypatch.setitem(sa.dialects.registry.impls, "olddb", broken)
    named("olddb://ann:canary-s3cret@host/ml", monkeypatch)
    with pytest.raises(ConfigError, match=r"olddb://ann:\*\*\*@host/ml: its driver does not work with SQLAlchemy"):
        warehouse_source("warehouse", SETTINGS)


def test_every_provider_is_a_distribution_of_airflow() -> None:
    assert all(name.startswith("apache-airflow-providers-") for name in PROVIDERS.values())
