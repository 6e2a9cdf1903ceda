"""Connections on their own: read from the environment, no Airflow needed, no secret in any message."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.airflow.connections import find, ledger_url, pii_key, require, warehouse_source
from hindsight.errors import ConfigError
from hindsight.settings import Settings, read_settings

SECRET = "canary-s3cret"


@pytest.fixture(autouse=True)
def no_airflow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    monkeypatch.setattr("hindsight.airflow.connections._from_airflow", lambda id: None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"AIRFLOW_HOME": str(tmp_path)})


def url_of(text: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> sa.URL:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", text)
    return warehouse_source("warehouse", settings)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgres_in_any_spelling_goes_through_psycopg(
    scheme: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    url = url_of(f"{scheme}://ann:{SECRET}@db.example:5433/ml?sslmode=require", monkeypatch, settings)

    assert url.render_as_string(hide_password=False) == (
        f"postgresql+psycopg://ann:{SECRET}@db.example:5433/ml?sslmode=require"
    )


def test_json_says_the_same_as_a_uri(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    uri = url_of(f"postgres://ann:{SECRET}@db.example:5433/ml?sslmode=require", monkeypatch, settings)
    fields = {"conn_type": "postgres", "login": "ann", "password": SECRET, "host": "db.example", "port": 5433}
    text = json.dumps(fields | {"schema": "ml", "extra": {"sslmode": "require"}})

    assert url_of(text, monkeypatch, settings) == uri
    assert url_of(text.replace("5433", '"5433"'), monkeypatch, settings) == uri


def test_special_characters_of_a_password_survive(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    url = url_of("postgres://ann:p%40ss%2Fw%3Ard%25@db/ml", monkeypatch, settings)

    assert url.password == "p@ss/w:rd%"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ann@/ml?host=/run/postgres",
        "postgres://ann@%2Frun%2Fpostgres/ml",
        '{"conn_type": "postgres", "login": "ann", "host": "/run/postgres", "schema": "ml"}',
    ],
)
def test_a_host_that_is_a_path_is_a_socket(text: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    url = url_of(text, monkeypatch, settings)

    assert (url.host, url.query["host"], url.database) == (None, "/run/postgres", "ml")


def test_the_embedded_postgres_is_reached_through_its_own_uri(
    postgres_url: sa.URL, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    text = postgres_url.set(drivername="postgresql").render_as_string(hide_password=False)
    engine = sa.create_engine(url_of(text, monkeypatch, settings), poolclass=sa.NullPool)

    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.current_database())) == postgres_url.database


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:////srv/ml.db", "/srv/ml.db"),
        ("sqlite://%2Fsrv%2Fml.db", "/srv/ml.db"),
        ('{"conn_type": "sqlite", "host": "/srv/ml.db"}', "/srv/ml.db"),
        ("sqlite:///data/ml.db", "{root}/data/ml.db"),
        ("sqlite://data/ml.db", "{root}/data/ml.db"),
        ("duckdb:////srv/ml.db", "/srv/ml.db"),
        ('{"conn_type": "duckdb", "host": "data/ml.db"}', "{root}/data/ml.db"),
    ],
)
def test_a_sqlite_path_is_absolute_or_starts_at_the_root(
    text: str, path: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert url_of(text, monkeypatch, settings).database == path.format(root=settings.root)


def test_a_sqlite_connection_without_a_path_is_refused(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    with pytest.raises(ConfigError, match="'warehouse': a sqlite connection needs the path"):
        url_of("sqlite://", monkeypatch, settings)


def test_another_database_keeps_its_type(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    assert url_of("mysql+pymysql://ann@host/ml", monkeypatch, settings).drivername == "mysql+pymysql"


def test_options_only_airflow_understands_are_left_out(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    extra = json.dumps({"conn_type": "postgres", "host": "db", "extra": {"iam": "no", "sslmode": "require"}})

    assert dict(url_of(extra, monkeypatch, settings).query) == {"sslmode": "require"}


def test_a_missing_connection_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match=r"no connection 'lake'.*AIRFLOW_CONN_LAKE"):
        require("lake")


@pytest.mark.parametrize(
    "text", [f'{{"password": "{SECRET}"', f"//{SECRET}", f'{{"password": "{SECRET}"}}', f"p://a:{SECRET}@h:no/"]
)
def test_an_unreadable_value_names_the_variable_and_never_the_value(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", text)
    with pytest.raises(ConfigError, match="AIRFLOW_CONN_WAREHOUSE") as caught:
        find("warehouse")

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_connection_does_not_show_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"postgres://ann:{SECRET}@db/ml?token={SECRET}")

    assert SECRET not in repr(find("warehouse"))


def test_without_a_ledger_connection_it_lies_in_the_data_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ledger_url(settings).database == f"{settings.data}/ledger.db"

    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", "postgres://db/ledger")
    assert ledger_url(settings).drivername == "postgresql+psycopg"


def test_an_object_store_needs_a_ledger_connection() -> None:
    with pytest.raises(ConfigError, match="AIRFLOW_CONN_HINDSIGHT_LEDGER"):
        ledger_url(read_settings({"HINDSIGHT_DATA": "s3://bucket/ml", "AIRFLOW_HOME": "/opt/airflow"}))


def test_the_password_is_the_key_of_personal_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pii_key() is None

    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_PII", f"generic://:{SECRET}@")
    assert pii_key() == SECRET.encode()

    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_PII", "generic://host")
    with pytest.raises(ConfigError, match="hindsight_pii"):
        pii_key()


def test_connections_from_the_environment_need_no_airflow(tmp_path: Path) -> None:
    script = (
        "import sys; from hindsight.airflow.connections import require; print(require('warehouse').host); "
        "sys.exit(any(name.split('.')[0] == 'airflow' for name in sys.modules))"
    )
    include = str(Path(__file__).parents[2] / "include")
    env = {"PYTHONPATH": include, "AIRFLOW_CONN_WAREHOUSE": "postgres://db.example/ml", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.returncode) == ("db.example", 0)
