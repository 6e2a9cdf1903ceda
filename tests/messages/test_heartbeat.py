"""Signs of life reach a URL, a file or a channel; what fails is said without the address."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hindsight.airflow.heartbeat import heartbeat
from hindsight.errors import ConfigError, DeliveryError
from hindsight.messages.heartbeat import Heartbeat
from tests.builders import at
from tests.messages.webhook import Hook, hooked

TOKEN, NOW = "5f3c-s3cr3t", at("2026-09-01T12:00")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as made:
        yield made


def declared(monkeypatch: pytest.MonkeyPatch, **fields: object) -> Heartbeat | None:
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_HEARTBEAT", json.dumps({"conn_type": "generic"} | fields))
    return heartbeat()


def test_without_a_connection_none_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    assert heartbeat() is None


def test_an_address_is_got_or_posted_to(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{hook.port}/{TOKEN}"
    for extra in ({}, {"method": "post"}):
        one = declared(monkeypatch, password=address, extra=extra)
        assert one is not None
        one.beat(NOW)
    assert (hook.asked, hook.posts) == ([f"/{TOKEN}"], [{}])


@pytest.mark.parametrize(("status", "transient"), [(302, False), (404, False), (503, True)])
def test_what_is_not_taken_is_said_without_the_address(hook: Hook, status: int, transient: bool) -> None:
    hook.always = status
    with pytest.raises(DeliveryError, match=f"hindsight_heartbeat answered {status}$") as failed:
        Heartbeat("hindsight_heartbeat", f"http://127.0.0.1:{hook.port}/{TOKEN}").beat(NOW)
    assert failed.value.transient is transient


def test_nobody_there_is_said_without_the_address() -> None:
    one = Heartbeat("hindsight_heartbeat", f"http://127.0.0.1:1/{TOKEN}")
    with pytest.raises(DeliveryError, match="hindsight_heartbeat is out of reach: ConnectionError") as failed:
        one.beat(NOW)
    assert (TOKEN in str(failed.value), TOKEN in repr(one), failed.value.__cause__) == (False, False, None)


def test_a_file_has_the_moment_as_a_metric_and_a_new_time(tmp_path: Path) -> None:
    path = tmp_path / "hindsight.prom"
    one = Heartbeat("hindsight_heartbeat", f"file://{path}")
    one.beat(NOW)
    os.utime(path, (0, 0))
    one.beat(NOW)
    assert path.read_text().splitlines()[-1] == f"hindsight_heartbeat_timestamp_seconds {NOW.timestamp():.0f}"
    assert ([p.name for p in tmp_path.iterdir()], path.stat().st_mtime > 0) == (["hindsight.prom"], True)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="cannot be written: No such file or directory"):
        Heartbeat("hindsight_heartbeat", f"file://{tmp_path}/no/x.prom").beat(NOW)


def test_a_channel_of_apprise_is_told(hook: Hook) -> None:
    Heartbeat("hindsight_heartbeat", f"json://127.0.0.1:{hook.port}/{TOKEN}").beat(NOW)
    assert hook.posts[0]["title"] == "Hindsight is at work"
    with pytest.raises(ConfigError, match="no address that Apprise knows"):
        Heartbeat("hindsight_heartbeat", "nothing://x").beat(NOW)
    hook.always = 503
    with pytest.raises(DeliveryError, match="did not take it"):
        Heartbeat("hindsight_heartbeat", f"json://127.0.0.1:{hook.port}").beat(NOW)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": TOKEN}, "its password is where"),
        ({"password": "https://x", "extra": {"method": "PUT"}}, "GET or POST"),
    ],
)
def test_a_connection_that_cannot_be_meant_is_refused(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        declared(monkeypatch, **fields)
    assert TOKEN not in str(refused.value)
