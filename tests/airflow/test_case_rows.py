"""Rows of a case: only for who may edit, only named columns, hashed or left out as declared, on record, never kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import sqlalchemy as sa
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient

from hindsight.airflow import web
from hindsight.pipeline.show.audit import deeds
from tests.airflow.test_answers import HERE, page_of, read, session, token_in
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_day, a_world
from tests.reports.pages import EVIL, Page

DAY = "2026-09-01"
WINDOW = "2026-09-01T00:00:00+00:00"


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), start=DAY, segments=["region"], pii={}) as made:
        made.resources.registry.create()
        measured(made, DAY, {"operations.latency_p95_ms": [""]})
        judged(made, DAY)
        made.log(DAY)
        yield made


@pytest.fixture
def browser(world: World, airflow_database: None) -> TestClient:
    create_app(apps="core")
    return TestClient(web.build_app(lambda: world.resources), raise_server_exceptions=False, follow_redirects=False)


def ask(world: World, browser: TestClient, role: str = "ADMIN", token: str = "", **fields: str) -> Any:
    path = page_of(world, "latency_p95")
    given = {"window": WINDOW, "token": token or token_in(read(browser, path))} | fields
    return browser.post(f"{path}/rows", data=given, headers=session(role) | HERE)


def looks(world: World) -> list[tuple[str, str]]:
    return [(one.who, one.what) for one in deeds([world.monitor], world.resources) if "looked at" in one.what]


def test_fifty_rows_of_the_segment_are_shown_and_who_looked_is_on_record(world: World, browser: TestClient) -> None:
    page = ask(world, browser, segment="region=US")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    found = Page(page.text)
    assert found.tags.count("tr") == 51
    assert (found.text.count("US"), found.text.count("APAC")) == (51, 0)  # the heading, and each row
    [(who, what)] = looks(world)
    assert (who, what.split(" (case")[0]) == ("admin", "looked at 50 rows of region=US in the window 2026-09-01")
    [why] = [one.why for one in deeds([world.monitor], world.resources) if "looked at" in one.what]
    assert why.startswith("columns request_id, predicted_at, ")


def test_a_segment_of_two_lines_is_found_as_a_form_sends_it(world: World, browser: TestClient) -> None:
    world.log("2026-09-01", n=7, region="two\nlines")
    page = ask(world, browser, segment="region=two\r\nlines")
    assert (page.status_code, Page(page.text).tags.count("tr")) == (200, 8)


def test_no_value_of_a_row_is_kept(world: World, browser: TestClient) -> None:
    assert "2026-09-01-1<" in ask(world, browser, segment="region=US").text  # the id of a row
    assert "2026-09-01-1'" not in str(world.ledger())


def test_who_may_only_look_is_refused_and_offered_nothing(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    token = token_in(read(browser, path))
    assert ask(world, browser, "VIEWER", token).status_code == 403
    assert "may edit the monitor" in read(browser, path, "VIEWER")
    assert looks(world) == []


def test_another_site_and_a_link_get_nothing(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    assert browser.post(f"{path}/rows", data={"window": WINDOW}, headers=session() | HERE).status_code == 403
    assert browser.get(f"{path}/rows", headers=session()).status_code == 307
    assert looks(world) == []


def test_personal_columns_are_left_out_or_hashed(world: World, browser: TestClient) -> None:
    world.declare(start=DAY, segments=["region"], pii={"drop": ["email"], "hash": ["request_id"]})
    world.resources = replace(world.resources, pii_key=b"k" * 32)
    page = ask(world, browser).text
    assert "2026-09-01-1<" not in page
    assert "Hashed: request_id" in page
    assert "Left out: email" in page


def test_where_nothing_is_said_of_personal_columns_there_are_no_rows_and_why(world: World, browser: TestClient) -> None:
    world.declare(start=DAY, segments=["region"])
    assert "pii: {}" in read(browser, page_of(world, "latency_p95"))
    refused = ask(world, browser)
    assert (refused.status_code, "pii: {}" in refused.text) == (400, True)
    assert looks(world) == []


def test_a_warehouse_that_is_down_is_said_in_words_and_the_case_stands(
    world: World, browser: TestClient, tmp_path: Path
) -> None:
    away = sa.URL.create("sqlite", database=str(tmp_path / "no" / "such.db"))
    world.resources = replace(world.resources, warehouse_source=lambda _: away)
    page = ask(world, browser)
    assert page.status_code == 503
    assert "The warehouse (connection warehouse)" in page.text
    assert str(tmp_path) not in page.text
    assert "Which segments" in read(browser, page_of(world, "latency_p95"))
    assert looks(world) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"window": "2026-09-02T00:00:00+00:00"}, "no bad window"),
        ({"window": "2026-09-01"}, "with a zone"),
        ({"window": "soon"}, "expected its start"),
        ({"segment": "amount=1"}, "no segment"),
        ({"segment": "region"}, "no such rows"),
        ({"segment": "region=' OR 1=1 --"}, "no such rows"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    world: World, browser: TestClient, fields: dict[str, str], said: str
) -> None:
    assert said in ask(world, browser, **fields).text


def test_hostile_values_stay_text(world: World, browser: TestClient) -> None:
    predictions, _ = a_day(DAY, n=3, seed=1)
    hostile = [row | {"request_id": f"{EVIL}{n}", "region": EVIL} for n, row in enumerate(predictions)]
    world.insert("inference_log", hostile)
    page = Page(ask(world, browser, segment="region=<script>").text)
    assert (page.tags.count("script"), page.tags.count("img")) == (1, 0)  # that of light and dark
    page = Page(ask(world, browser).text)
    assert (page.tags.count("script"), page.tags.count("img")) == (1, 0)  # that of light and dark


def test_rows_are_asked_for_on_a_page_found_by_the_id_of_any_of_its_incidents(
    world: World, browser: TestClient
) -> None:
    later = "2026-09-02"
    measured(world, later, {"drift.drifted": ["amount"], "drift.drift_share": [""]})
    judged(world, later)
    [second] = [one for one in world.incidents() if one.id != one.case]
    page = f"/monitors/credit/cases/{second.id}"
    [action] = set(re.findall(r'action="([^"]+)"', read(browser, page)))
    given = {"window": f"{later}T00:00+00:00", "token": token_in(read(browser, page))}
    rows = browser.post(urljoin(page, action), data=given, headers=session() | HERE)
    assert rows.status_code == 200
    assert browser.get(urljoin(f"{page}/rows", f"../{second.id}"), headers=session()).status_code == 200


@pytest.mark.parametrize("window", ["0001-01-01T00:00+23:00", "9999-12-31T23:59-23:00"])
def test_a_moment_of_another_age_is_no_bad_window(world: World, browser: TestClient, window: str) -> None:
    page = ask(world, browser, window=window)
    assert (page.status_code, "is no bad window" in page.text) == (400, True)
