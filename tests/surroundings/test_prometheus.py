"""A real Prometheus scrapes Airflow's real API server: our rules fire, and every panel has something to show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
import yaml

from demo.processes import Children
from hindsight.ledger.heartbeats import beat
from tests.builders import at
from tests.pipeline.judge.facts import digest, judged, measured
from tests.pipeline.world import World, a_world
from tests.surroundings.servers import UNPACKED, skip_unless_fetched
from tests.surroundings.test_two_schedulers import a_free_port, settings, wait_for

skip_unless_fetched()
BIN = UNPACKED / "prometheus/usr/bin"
if not BIN.is_dir():
    pytest.skip("prometheus could not be fetched: make surroundings says why", allow_module_level=True)

DOCKER = Path(__file__).parents[2] / "docker"
RULES = DOCKER / "prometheus/hindsight.rules.yml"
DASHBOARD = json.loads((DOCKER / "grafana/dashboards/hindsight.json").read_text())
TOKEN = "only-for-tests"
HOSTILE = 'a"b\\c\r\nd{e="f"} 1 €'
BAD = {"operations.latency_p95_ms": [""], "operations.health": [""], "drift.drifted": ["amount"]}


@pytest.fixture
def world(tmp_path: Path, sqlite_url: sa.URL) -> Iterator[World]:
    """Four days, the last of them bad, and an owner who likes quotes."""
    with a_world(sqlite_url, tmp_path, owner=HOSTILE, alerts={"max_age": "3000d"}) as made:
        for day in ("2026-09-01", "2026-09-02"):
            made.log(day, right=0.9 if day < "2026-09-02" else 0.3)
            made.run(day)
        for night in ("2026-09-03", "2026-09-06"):
            made.night(night)
        measured(made, "2026-09-07", BAD)
        judged(made, "2026-09-07")
        digest(made, "2026-09-08")
        beat(made.resources.ledger, "relay", at("2026-09-08"))
        yield made


@contextmanager
def an_api_server(world: World, folder: Path) -> Iterator[str]:
    """Airflow's API server alone, on an empty database of its own; its place on loopback."""
    port = a_free_port()
    metadata = sa.URL.create("sqlite", database=str(folder / "airflow.db"))
    environment = os.environ | settings(world, metadata, folder)
    environment |= {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW_CONN_HINDSIGHT_METRICS": json.dumps({"conn_type": "generic", "password": TOKEN}),
    }
    children = Children(folder / "logs", folder / "pids")
    try:
        done = children.start("migrate", [sys.executable, "-m", "airflow", "db", "migrate"], environment)
        assert done.wait(timeout=600) == 0, children.tail("migrate")
        children.forget("migrate")
        children.start("api-server", [sys.executable, "-m", "airflow", "api-server"], environment)
        yield f"127.0.0.1:{port}"
    finally:
        children.stop()


@contextmanager
def a_prometheus(scraped: str, folder: Path) -> Iterator[str]:
    """Prometheus with the configuration of our docker-compose, but for the address, the token's place and its haste."""
    config = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text())
    (folder / "token").write_text(TOKEN)
    config["global"] = {"scrape_interval": "5s", "scrape_timeout": "5s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES)]
    (job,) = config["scrape_configs"]
    job["authorization"] = {"credentials_file": str(folder / "token")}
    job["static_configs"] = [{"targets": [scraped]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    place = f"127.0.0.1:{a_free_port()}"
    children = Children(folder / "logs", folder / "pids-of-prometheus")
    options = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    try:
        children.start("prometheus", [str(BIN / "prometheus"), *options, f"--web.listen-address={place}"], os.environ)
        yield f"http://{place}/api/v1"
    finally:
        children.stop()


def asked(api: str, what: str, **given: str) -> Any:
    try:
        answer = requests.get(f"{api}/{what}", params=given, timeout=10)
    except requests.ConnectionError:
        return None
    assert answer.status_code in (200, 503), answer.text
    return answer.json()["data"] if answer.ok else None


def up(api: str) -> bool:
    found = asked(api, "query", query='up{job="hindsight"}')
    return bool(found and found["result"] and found["result"][0]["value"][1] == "1")


def alerts(api: str) -> set[tuple[str, str]]:
    return {(one["labels"]["alertname"], one["state"]) for one in asked(api, "alerts")["alerts"]}


def expressions() -> dict[str, list[str]]:
    """What each panel of the dashboard asks, its variables as they are at first."""
    initial = {"$monitor": ".*", "$segment": "", "$model_version": ""}
    pattern = re.compile("|".join(map(re.escape, initial)))
    panels = DASHBOARD["panels"]
    return {p["title"]: [pattern.sub(lambda m: initial[m[0]], t["expr"]) for t in p["targets"]] for p in panels}


def test_our_rules_are_rules() -> None:
    done = subprocess.run([str(BIN / "promtool"), "check", "rules", str(RULES)], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "8 rules found" in done.stdout


def test_a_real_prometheus_scrapes_airflow_and_our_rules_fire(world: World, tmp_path: Path) -> None:
    with an_api_server(world, tmp_path) as scraped, a_prometheus(scraped, tmp_path) as api:
        wait_for(lambda: up(api), "a scrape")
        wait_for(lambda: ("HindsightIncidentP0", "firing") in alerts(api), "the alert")
        firing = alerts(api)
        (info,) = asked(api, "query", query="hindsight_monitor_info")["result"]
        shown = {title: [asked(api, "query", query=q)["result"] for q in some] for title, some in expressions().items()}
        (age,) = asked(api, "query", query="time() - max(hindsight_window_end_timestamp_seconds)")["result"]
        refused = requests.get(f"http://{scraped}/hindsight/metrics", timeout=10).status_code

    assert {("HindsightMonitorSilent", "pending"), ("HindsightPartAtRest", "pending")} <= firing
    assert info["metric"]["owner"] == 'a"b\\c d{e="f"} 1 €'
    assert float(age["value"][1]) > 0
    assert {title for title, found in shown.items() if not any(found)} == set()
    assert refused == 401
