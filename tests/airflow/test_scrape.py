"""What Prometheus is told at /hindsight/metrics, and whom it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from hindsight.airflow.connections import open_resources
from hindsight.airflow.web import build_app
from tests.builders import at
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world

TOKEN = {"Authorization": "Bearer s3cret"}
RULES = [{"id": "news", "enabled": False}]
LABELS = ("state", "part", "monitor", "rule", "severity", "metric", "owner", "criticality", "task", "feature")
BAD = {"operations.latency_p95_ms": [""], "quality.null_rate": ["amount"]}
DAYS = ("2026-09-01", "2026-09-02")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two days, on the second of which the service is slow and one column drifts and has nulls."""
    folder = tmp_path_factory.mktemp("scraped")
    url = sa.URL.create("sqlite", database=str(folder / "test.db"))
    with a_world(url, folder, days=(), start=DAYS[0], rules=RULES, alerts={"max_age": "3000d"}) as made:
        for day, bad in zip(DAYS, ({}, BAD), strict=True):
            measured(made, day, bad)
            judged(made, day)
        yield made


@pytest.fixture(scope="module")
def server(airflow_database: None, world: World) -> Iterator[TestClient]:
    settings = world.resources.settings
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HINDSIGHT_MONITORS", str(settings.monitors))
        patch.setenv("HINDSIGHT_DATA", settings.data)
        patch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite://{quote(str(world.folder / 'ledger.db'), safe='')}")
        app = FastAPI()
        app.mount("/hindsight", build_app(cache(open_resources)))
        yield TestClient(app, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_METRICS", "generic://:s3cret@")


def scraped(server: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels that are not empty."""
    answer = server.get("/hindsight/metrics", headers=TOKEN)
    assert answer.status_code == 200, answer.text
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
    assert all(sample.timestamp is None for sample in samples)
    about = [tuple(s.labels[name] for name in LABELS if s.labels.get(name)) for s in samples]
    found = {(s.name.removeprefix("hindsight_"), *rest): s.value for s, rest in zip(samples, about, strict=True)}
    assert len(found) == len(samples)
    return found


def test_the_newest_number_of_each_rule_is_told_beside_when_its_window_ended(server: TestClient) -> None:
    found = scraped(server)

    assert found["operations_latency_p95_ms", "credit"] == 900
    assert found["quality_null_rate", "credit", "amount"] == 0.4
    assert found["quality_null_rate", "credit", "region"] == 0
    assert found["window_end_timestamp_seconds", "credit", "quality.null_rate"] == at("2026-09-03").timestamp()
    assert found["window_seconds", "credit"] == 86400


def test_open_incidents_are_counted_and_named_and_none_is_a_number_too(server: TestClient) -> None:
    found = scraped(server)

    assert found["incidents_open", "credit", "P1"] == 1
    assert found["incidents_open", "credit", "P0"] == 0
    assert found["incident_open", "credit", "latency_p95", "P1"] == 1


def test_a_monitor_with_too_many_numbers_tells_those_of_all_rows_and_says_how_many_are_left_out(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scraped(server)
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_METRICS", "generic://:s3cret@?most=5")
    found = scraped(server)
    numbers = [name for name in found if name[0].startswith(("operations_", "quality_", "drift_"))]

    assert (whole["series_left_out", "credit"], len(numbers)) == (0, 5)
    assert all(len(name) == 2 for name in numbers)
    every = [name for name in whole if name[0].startswith(("operations_", "quality_", "drift_"))]
    assert found["series_left_out", "credit"] == len(every) - 5


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic czNjcmV0"}])
def test_without_the_token_nothing_is_told(server: TestClient, given: dict[str, str]) -> None:
    answer = server.get("/hindsight/metrics", headers=given)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "credit" not in answer.text


def test_where_no_token_is_set_there_is_no_such_page(server: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_HINDSIGHT_METRICS")

    assert server.get("/hindsight/metrics", headers=TOKEN).status_code == 404
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_METRICS", "generic://")
    assert server.get("/hindsight/metrics", headers={"Authorization": "Bearer "}).status_code == 404
