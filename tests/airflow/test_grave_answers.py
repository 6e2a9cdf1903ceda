"""Retraining and rollback from the page of a case: confirmed, with a reason, by those who may, and on record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from airflow.api_fastapi.app import create_app, get_auth_manager
from fastapi.testclient import TestClient

from hindsight.airflow import web
from tests.airflow.test_answers import done, page_of, read, send
from tests.builders import at
from tests.pipeline.act.test_rollback import promoted
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import REFERENCE, World, a_world

RETRAIN = {"train": "tests.pipeline.world:a_day", "require": ["accuracy_drop"]}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=REFERENCE, start="2026-09-01", retrain=RETRAIN) as made:
        made.resources.registry.create()
        measured(made, "2026-09-01", {"operations.latency_p95_ms": [""]})
        judged(made, "2026-09-01")
        yield made


@pytest.fixture
def browser(world: World, airflow_database: None) -> TestClient:
    create_app(apps="core")
    return TestClient(web.build_app(lambda: world.resources), raise_server_exceptions=False, follow_redirects=False)


def test_a_retraining_is_asked_for_once_it_is_confirmed_with_a_reason(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    assert "Start retraining" in read(browser, path)
    assert send(browser, path, "retrain", comment="worse").status_code == 400
    assert send(browser, path, "retrain", confirm="yes").status_code == 400
    assert done(world) == []
    assert send(browser, path, "retrain", comment="worse", confirm="yes").status_code == 303
    assert [deed[:2] for deed in done(world)] == [("admin", "asked for a retraining")]
    again = send(browser, path, "retrain", comment="worse", confirm="yes")
    assert (again.status_code, "under way" in again.text) == (400, True)


def test_a_rollback_goes_to_the_version_the_page_spoke_of_and_no_further(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    assert "Roll back" not in read(browser, path)
    for number in (1, 2, 3):
        promoted(world, f"v{number}", at(f"2026-09-0{number}"))
    assert "v2 becomes the champion again in the place of v3" in read(browser, path)
    fields = {"to": "v2", "instead_of": "v3", "confirm": "yes", "comment": "worse"}
    assert send(browser, path, "rollback", **fields).status_code == 303
    assert send(browser, path, "rollback", **fields).status_code == 303  # the same form again is done already
    assert [deed[1] for deed in done(world)] == ["put v2 back in the place of v3"]
    stale = send(browser, path, "rollback", **fields | {"to": "v1", "instead_of": "v3"})
    assert (stale.status_code, "is the champion now" in stale.text) == (400, True)


def test_who_may_edit_the_monitor_alone_is_neither_offered_nor_granted_it(
    world: World, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = {"monitor__credit"}
    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", lambda *, details, **rest: details.id in allowed)
    path = page_of(world, "latency_p95")
    page = read(browser, path)
    assert "I look after it" in page
    assert "Start retraining" not in page
    assert send(browser, path, "retrain", comment="worse", confirm="yes").status_code == 403
    assert done(world) == []
