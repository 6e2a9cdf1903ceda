"""The data root by an Airflow connection: its extra are the options of the store's client, and nobody prints them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hindsight.airflow import connections
from hindsight.airflow.connections import data_filesystem, open_resources
from hindsight.errors import StoreError
from hindsight.settings import read_settings

SECRET = "canary-s3cret"
OPTIONS = {"endpoint_url": "http://127.0.0.1:9", "client_kwargs": {"region_name": "eu-west-1"}}


@pytest.fixture(autouse=True)
def no_airflow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    monkeypatch.setattr(connections, "_from_airflow", lambda id: None)


def declare(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_DATA", json.dumps({"conn_type": "generic"} | fields))


def test_without_a_connection_the_environment_says_it() -> None:
    assert data_filesystem("s3://bucket/data") is None


def test_a_folder_needs_no_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    declare(monkeypatch, extra=OPTIONS)
    assert data_filesystem(str(tmp_path)) is None


def test_login_and_password_are_key_and_secret_and_the_extra_are_options(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, login="me", password=SECRET, extra=OPTIONS)
    fs = data_filesystem("s3://bucket/data")
    assert fs is not None
    assert fs.storage_options == {"key": "me", "secret": SECRET} | OPTIONS


def test_the_extra_of_any_client_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, login="unused", extra={"global_store": "yes"})
    fs = data_filesystem("memory://data")
    assert fs is not None
    assert fs.storage_options == {"global_store": "yes"}


def test_all_that_is_kept_goes_through_the_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    declare(monkeypatch, login="me", password=SECRET, extra=OPTIONS)
    settings = read_settings({"HINDSIGHT_DATA": "s3://bucket/data"}, start=tmp_path)
    resources = open_resources(settings)
    assert resources.fs is not None
    assert resources.fs.storage_options["key"] == "me"
    assert resources.files is resources.store.files
    assert SECRET not in repr(resources)
    with pytest.raises(StoreError, match=r"s3://bucket/data/a: could not read") as caught:
        resources.files.get("a")
    assert SECRET not in str(caught.value)
    resources.ledger.engine.dispose()


def test_options_that_no_client_takes_are_told_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def picky(*_: Any, **options: Any) -> None:
        raise TypeError(f"unexpected options: {options}")

    declare(monkeypatch, password=SECRET, extra={"misspelt": 1, "sas_token": "canary-2"})
    monkeypatch.setattr("fsspec.core.url_to_fs", picky)
    with pytest.raises(StoreError, match=r"s3://b: cannot be opened: unexpected options.*misspelt") as caught:
        data_filesystem("s3://b")
    assert "canary" not in str(caught.value)
    assert "connection hindsight_data" in str(caught.value)


def test_secrets_are_masked_in_the_logs_of_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    import airflow.sdk.log

    masked: list[str] = []
    monkeypatch.setattr(airflow.sdk.log, "mask_secret", masked.append)
    declare(monkeypatch, login="me", password=SECRET, extra=OPTIONS | {"token": "canary-2"})
    data_filesystem("s3://bucket/data")
    assert {SECRET, "canary-2"} <= set(masked)
