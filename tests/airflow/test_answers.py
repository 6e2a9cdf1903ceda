"""Answers given on the page of a case: by people who may, from our own page, and what is on record of them then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi.testclient import TestClient

from hindsight.airflow import web
from hindsight.pipeline.show.audit import deeds
from tests.builders import at
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world

HERE = {"Origin": "http://testserver"}
BAD = {"drift.drifted": ["amount"], "drift.drift_share": [""], "operations.latency_p95_ms": [""]}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """A day on which a column drifted, and one on which answers were slow."""
    with a_world(sqlite_url, tmp_path, days=(), start="2026-09-01") as made:
        measured(made, "2026-09-01", {})
        judged(made, "2026-09-01")
        measured(made, "2026-09-02", BAD)
        judged(made, "2026-09-02")
        yield made


@pytest.fixture
def browser(world: World, airflow_database: None) -> TestClient:
    create_app(apps="core")  # makes the auth manager
    return TestClient(web.build_app(lambda: world.resources), raise_server_exceptions=False, follow_redirects=False)


def session(role: str = "ADMIN") -> dict[str, str]:
    """What a browser sends of somebody signed in."""
    return {"Cookie": f"_token={jwt(role)}"}


def jwt(role: str) -> str:
    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role.lower(), role=role))


def page_of(world: World, rule: str) -> str:
    [incident] = [one for one in world.incidents() if one.series.rule == rule]
    return f"/monitors/credit/cases/{incident.case}"


def read(browser: TestClient, path: str, role: str = "ADMIN") -> str:
    page = browser.get(path, headers=session(role))
    assert page.status_code == 200, page.text
    return page.text


def token_in(page: str) -> str:
    return re.findall(r'name="token" value="([^"]+)"', page)[0]


def send(browser: TestClient, path: str, act: str, more: dict[str, str] | None = None, **fields: str) -> Any:
    """Send an answer as the page's own form does, unless headers say otherwise."""
    given = {"act": act, "token": token_in(read(browser, path))} | fields
    return browser.post(path, data=given, headers=session() | HERE | (more or {}))


def done(world: World) -> list[tuple[str, str, str]]:
    return [(deed.who, deed.what, deed.why) for deed in deeds([world.monitor], world.resources)]


def test_who_looks_after_a_case_is_on_record_and_seen_on_its_page(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    answer = send(browser, path, "ack", comment="ann restarts it")

    assert (answer.status_code, answer.headers["location"]) == (303, path.rpartition("/")[2])
    assert [who for who, *_ in done(world)] == ["admin"]
    assert "acknowledged by admin" in read(browser, path)
    assert "ann restarts it" in read(browser, path)


def test_a_case_is_muted_for_as_long_as_was_chosen(world: World, browser: TestClient) -> None:
    assert send(browser, page_of(world, "latency_p95"), "mute", comment="deploy", lasting="8h").status_code == 303
    [(who, what, why)] = done(world)
    assert (who, why) == ("admin", "deploy")
    assert "latency_p95" in what


def test_what_was_meant_is_usual_from_then_on(world: World, browser: TestClient) -> None:
    assert send(browser, page_of(world, "drift"), "expected", comment="campaign", lasting="28d").status_code == 303
    assert {what.split(" of ")[0] for _, what, _ in done(world)} >= {"drift"}
    assert all("expected until" in what for _, what, _ in done(world))


def test_no_time_at_all_is_not_taken_for_good(world: World, browser: TestClient) -> None:
    assert send(browser, page_of(world, "drift"), "expected", comment="campaign", lasting="0d").status_code == 400
    assert done(world) == []


def test_a_case_is_found_by_the_id_of_any_of_its_incidents(world: World, browser: TestClient) -> None:
    for incident in world.incidents():
        path = f"/monitors/credit/cases/{incident.id}"
        assert incident.case in read(browser, path)
        assert send(browser, path, "ack").status_code == 303
    assert len(done(world)) == len(world.incidents())


def test_service_is_never_usual_and_the_page_does_not_offer_it(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    assert 'value="expected"' not in read(browser, path)
    answer = send(browser, path, "expected", comment="it is always slow")
    assert answer.status_code == 400
    assert "may be accepted" in answer.text
    assert done(world) == []


def test_reading_the_page_does_nothing_and_a_viewer_is_offered_nothing(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    assert "<form" in read(browser, path)
    assert "<form" not in read(browser, path, "VIEWER")
    token = token_in(read(browser, path))
    answer = browser.post(path, data={"act": "ack", "token": token}, headers=session("VIEWER") | HERE)
    assert answer.status_code == 403
    assert done(world) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_another_site_cannot_answer_even_with_the_token(
    world: World, browser: TestClient, headers: dict[str, str]
) -> None:
    assert send(browser, page_of(world, "latency_p95"), "ack", headers).status_code == 403
    assert done(world) == []


def test_a_token_is_one_person_s_for_one_case_for_half_a_day(
    world: World, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = page_of(world, "latency_p95"), page_of(world, "drift")
    foreign = token_in(read(browser, path, "OP"))
    elsewhere = token_in(read(browser, other))
    assert send(browser, path, "ack", token=foreign).status_code == 403
    assert send(browser, path, "ack", token=elsewhere).status_code == 403
    assert send(browser, path, "ack", token="").status_code == 403
    assert send(browser, path, "ack", token=token_in(read(browser, path))[:-2]).status_code == 403
    monkeypatch.setattr("hindsight.airflow.answers.LASTS_S", -1)
    assert send(browser, path, "ack").status_code == 403
    assert done(world) == []


def test_a_program_with_a_bearer_token_answers_in_json(world: World, browser: TestClient) -> None:
    path, bearer = page_of(world, "latency_p95"), {"Authorization": f"Bearer {jwt('ADMIN')}"}
    answer = browser.post(path, json={"act": "mute", "lasting": "2h", "comment": "load test"}, headers=bearer)
    assert answer.status_code == 200
    assert answer.json()["done"].startswith("latency_p95 silenced until")
    wrong = browser.post(path, json={"act": "mute", "lasting": "2h"}, headers=bearer)
    assert (wrong.status_code, "say it" in wrong.json()["error"]) == (400, True)
    assert len(done(world)) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"act": "mute", "comment": "x"}, "say how long it lasts"),
        ({"act": "mute", "comment": "x", "lasting": "soon"}, "lasting:"),
        ({"act": "mute", "comment": "x", "lasting": "9999d"}, "366d at most"),
        ({"act": "mute", "comment": "x", "lasting": "0d"}, "is over before"),
        ({"act": "mute", "comment": "x", "lasting": "99999999999999d"}, "lasting:"),
        ({"act": "mute", "comment": "  ", "lasting": "1h"}, "others will wonder"),
        ({"act": "delete"}, "expected act to be ack, mute, expected, retrain or rollback"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_in_words(
    world: World, browser: TestClient, fields: dict[str, str], said: str
) -> None:
    answer = send(browser, page_of(world, "latency_p95"), **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert done(world) == []


def test_a_case_that_is_over_is_shown_and_can_no_longer_be_answered(world: World, browser: TestClient) -> None:
    path = page_of(world, "latency_p95")
    token = token_in(read(browser, path))
    measured(world, "2026-09-03", {})
    judged(world, "2026-09-03")
    assert "<form" not in read(browser, path)
    answer = browser.post(path, data={"act": "ack", "token": token}, headers=session() | HERE)
    assert (answer.status_code, "is over" in answer.text) == (400, True)


@pytest.mark.parametrize("id", ["0000000000000000", "..%2f..%2fcredit", "x" * 10, "%27--"])
def test_what_is_no_case_is_not_found(browser: TestClient, id: str) -> None:
    assert browser.get(f"/monitors/credit/cases/{id}", headers=session()).status_code == 404


def test_too_much_and_what_is_no_form_are_refused(world: World, browser: TestClient) -> None:
    path, bearer = page_of(world, "latency_p95"), {"Authorization": f"Bearer {jwt('ADMIN')}"}
    assert browser.post(path, content=b"a" * 20_000, headers=bearer).status_code == 413
    as_json = bearer | {"Content-Type": "application/json"}
    assert browser.post(path, content=b"[1", headers=as_json).status_code == 400
    assert at("2026-09-02") in [one.started for one in world.incidents()]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"act": "mute", "lasting": "2h", "comment": null}', 400),
        ('{"act": "mute", "lasting": null, "comment": "x"}', 400),
        ('{"act": "mute", "lasting": "2h", "comment": ["a"]}', 400),
        ('{"act": "mute", "lasting": "2h", "comment": "a\\u0000b"}', 400),
        ('{"act": "mute", "lasting": "2h", "comment": "a\\ud800"}', 400),
        ('{"act": ' + "[" * 5000, 400),
        ('{"act": "mute", "lasting": "2h", "comment": "Zo\u00eb: \u2764\ufe0f"}', 200),
    ],
)
def test_what_is_no_text_is_refused(world: World, browser: TestClient, body: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {jwt('ADMIN')}", "Content-Type": "application/json"}
    answer = browser.post(page_of(world, "latency_p95"), content=body.encode("utf-8"), headers=headers)
    assert answer.status_code == status
    assert len(done(world)) == (status == 200)


def test_a_form_that_is_sent_twice_is_one_answer(world: World, browser: TestClient) -> None:
    for _ in range(2):
        assert send(browser, page_of(world, "latency_p95"), "mute", comment="deploy", lasting="8h").status_code == 303
    assert len(done(world)) == 1
