"""The address of two windows side by side: signed in, of whoever may read the DAG, and refused in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import sqlalchemy as sa
from airflow.api_fastapi.app import create_app, get_auth_manager
from fastapi.testclient import TestClient

from hindsight.airflow import web
from tests.airflow.test_answers import session
from tests.pipeline.judge.facts import measured
from tests.pipeline.world import World, a_world


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), start="2026-09-01") as made:
        for day in ("2026-09-01", "2026-09-02"):
            measured(made, day, {})
        yield made


@pytest.fixture
def browser(world: World, airflow_database: None) -> TestClient:
    create_app(apps="core")
    return TestClient(web.build_app(lambda: world.resources), raise_server_exceptions=False, follow_redirects=False)


def test_without_moments_it_is_the_newest_window_beside_the_one_before(browser: TestClient) -> None:
    page = browser.get("/monitors/credit/compare", headers=session("VIEWER"))
    assert page.status_code == 200
    assert "window 2026-09-01 beside window 2026-09-02" in page.text


def test_a_moment_within_a_window_is_that_window(browser: TestClient) -> None:
    page = browser.get("/monitors/credit/compare?then=2026-09-01T13:00Z&now=2026-09-02", headers=session())
    assert "window 2026-09-01 beside window 2026-09-02" in page.text


@pytest.mark.parametrize("asked", ["now=soon", "then=0001-01-01T00:00%2B23:00", "now=9999-12-31", "then=%00"])
def test_what_is_no_moment_is_refused_in_words(browser: TestClient, asked: str) -> None:
    page = browser.get(f"/monitors/credit/compare?{asked}", headers=session())
    assert (page.status_code, "expected a moment" in page.text) == (400, True)


def test_who_may_not_read_the_dag_sees_nothing(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser.get("/monitors/nobody/compare", headers=session()).status_code == 404
    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", lambda **rest: False)
    assert browser.get("/monitors/credit/compare", headers=session()).status_code == 403


@pytest.mark.parametrize("asked", ["", "?now=soon"])
def test_the_way_back_leads_to_the_monitor(browser: TestClient, asked: str) -> None:
    page = browser.get(f"/monitors/credit/compare{asked}", headers=session())
    [back] = re.findall(r'<a href="([^"?]+)">(?:←|Back)', page.text)
    assert urljoin("/monitors/credit/compare", back) == "/monitors/credit"
