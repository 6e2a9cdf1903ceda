"""A real Alertmanager knows of what is open and was told, from when, and that it is over; silenced things it is not."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.airflow.connections import alertmanager
from hindsight.errors import DeliveryError
from hindsight.ledger.silences import add_silence
from hindsight.verdicts.silence import Silence
from tests.builders import HOUR
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world

SERVER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
SLOW = {"operations.latency_p95_ms": [""]}
NOW = datetime.now(UTC).replace(microsecond=0)
FILE: dict[str, Any] = {
    "start": "2026-07-01",
    "owner": "risk team",
    "rules": [{"id": "news", "enabled": False}],
    "alerts": {
        "email": ["risk-ml@example.com"],
        "max_age": "3000d",  # the windows are old, and judged as if now
        "runbook": "https://wiki.example.com/credit",
        "routes": [{"severity": ["P0", "P1"], "to": ["alertmanager:alerts"]}],
    },
}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    if SERVER is None:
        pytest.skip("no Alertmanager here: apt-get install prometheus-alertmanager")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    place = f"127.0.0.1:{port}"
    command = [SERVER, f"--config.file={config}", f"--web.listen-address={place}", "--cluster.listen-address="]
    server = subprocess.Popen([*command, f"--storage.path={tmp_path / 'am'}"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://{place}/-/ready")
        yield place
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail(f"{url} does not answer")


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", f"http://{address}")
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        made.resources = replace(made.resources, alertmanager=alertmanager)
        yield made


def lived(world: World, day: str, bad: dict[str, list[str]]) -> None:
    """Judge a day as if now: what an Alertmanager takes for over depends on its own clock."""
    measured(world, day, bad)
    judged(world, day, at=NOW)


def known(address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"http://{address}/api/v2/alerts", timeout=5).json()
    return found


def test_what_is_open_fires_and_what_is_over_is_resolved(world: World, address: str) -> None:
    lived(world, "2026-07-01", SLOW)
    assert pipeline.post_alerts([world.monitor], world.resources, now=NOW) == {"alerts": 1}
    (alert,) = known(address)
    (incident,) = world.incidents("latency_p95")
    assert alert["labels"] == {
        "alertname": "latency_p95", "monitor": "credit", "severity": "P1", "kind": "symptom",
        "criticality": "medium", "incident": incident.id,
    }  # fmt: skip
    assert alert["annotations"] == {
        "summary": "credit: latency p95 900 ms, over 300 ms",
        "runbook_url": "https://wiki.example.com/credit",
        "owner": "risk team",
        "case": incident.case,
    }
    assert alert["startsAt"].startswith("2026-07-01T00:00:00")
    assert datetime.fromisoformat(alert["endsAt"]) > NOW + timedelta(minutes=5)
    assert world.deliver(NOW) == []  # what no other route takes is told by the Alertmanager alone

    lived(world, "2026-07-02", {})
    pipeline.post_alerts([world.monitor], world.resources, now=NOW)
    assert known(address) == []


def test_what_is_silenced_is_not_posted(world: World, address: str) -> None:
    quiet = Silence(NOW - HOUR, NOW + HOUR, "ann", "x", asked_at=NOW)
    add_silence(world.resources.ledger, "credit", quiet)
    lived(world, "2026-07-01", SLOW)
    assert pipeline.post_alerts([world.monitor], world.resources, now=NOW) == {}
    assert known(address) == []


def test_one_that_is_away_is_said_and_told_with_the_next_tick(
    world: World, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(world, "2026-07-01", SLOW)
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", "http://127.0.0.1:9")
    with pytest.raises(DeliveryError, match="alerts is out of reach: ConnectionError"):
        pipeline.post_alerts([world.monitor], world.resources, now=NOW)
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", f"http://{address}/nothing-here")
    with pytest.raises(DeliveryError, match="alerts answered 404"):
        pipeline.post_alerts([world.monitor], world.resources, now=NOW)
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", f"http://{address}")
    assert pipeline.post_alerts([world.monitor], world.resources, now=NOW) == {"alerts": 1}


def test_a_rule_that_judges_segments_is_taken_too(world: World, address: str) -> None:
    world.declare(**FILE | {"segments": ["region"], "rules": [{"id": "latency_p95", "segments": True}]})
    lived(world, "2026-07-01", SLOW)
    pipeline.post_alerts([world.monitor], world.resources, now=NOW)
    assert len(known(address)) == 1
