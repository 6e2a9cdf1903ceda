"""The pages inside Airflow's own web server, asked by nobody, by strangers and by people with few permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import pytest
from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi.testclient import TestClient

from hindsight import pipeline
from hindsight.airflow import web
from hindsight.errors import LedgerError
from hindsight.pipeline.show.executive import Executive
from hindsight.pipeline.show.on_call import OnCall
from hindsight.reports.assets import NAMES
from hindsight.reports.charts import Chart, Point
from hindsight.reports.compare import CompareView
from hindsight.reports.debug import DebugView
from hindsight.reports.distribution import Bin, DistributionView
from hindsight.reports.executive import Model
from hindsight.reports.pages import CaseView, Link, MonitorCard, MonitorView
from hindsight.reports.review import ReviewAsked, ReviewView
from hindsight.verdicts.review_words import said
from hindsight.verdicts.reviews import Known, review, together
from hindsight.vocabulary.periods import parse_period
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window
from tests.builders import a_monitor, at, monitor_file

REVIEW = review(a_monitor(), Known(asked=1), parse_period("2026-W39"))
HOSTILE = "</script><script>alert(1)</script>"
CANARY = "postgresql://ann:canary-s3cret@db/ledger"


@pytest.fixture(scope="module")
def server(airflow_database: None) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "open_resources", lambda: None)
        yield TestClient(create_app(apps="core"), raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two monitors and one report, without a ledger."""
    cards = [MonitorCard(name, f"monitors/{name}", "active", description=HOSTILE) for name in ("credit", "fraud")]
    chart = Chart(HOSTILE, "count", (Point(at("2026-09-30"), 7.0, note=f"={HOSTILE}"),), key="kpi.orders")
    window = Window(at("2026-09-30"), at("2026-10-01"))
    views = {
        card.name: MonitorView(replace(card, last_window=window), at("2026-10-01"), charts=(chart,)) for card in cards
    }
    reports = {
        id: (SimpleNamespace(monitor="credit", kind=kind), f"<html>{HOSTILE}</html>")
        for id, kind in (("ab12", "evidently"), ("cd34", "accuracy"))
    }
    monkeypatch.setattr(pipeline, "overview_cards", lambda resources, *, now: cards, raising=False)
    monkeypatch.setattr(
        pipeline, "monitor_view", lambda name, resources, *, now, selection: views.get(name), raising=False
    )
    bins = (Bin(HOSTILE, 1.0, 2.0),)
    seen = DistributionView("credit", HOSTILE, at("2026-09-30"), at("2026-10-01"), bins)
    monkeypatch.setattr(pipeline, "distribution_view", lambda name, asked, resources, *, now: seen, raising=False)
    fault = DebugView("credit", at("2026-10-01"), expectations=(HOSTILE,))
    monkeypatch.setattr(pipeline, "debug_view", lambda name, resources, *, now: fault, raising=False)
    case = CaseView("credit", "ab12", HOSTILE, Severity.P0, at("2026-10-01"), (), ((at("2026-10-01"), HOSTILE),))
    monkeypatch.setattr(pipeline, "case_view", lambda name, id, resources, **rest: case, raising=False)
    beside = CompareView("credit", at("2026-10-01"), at("2026-10-02"), "", HOSTILE)
    monkeypatch.setattr(pipeline, "compare_view", lambda name, asked, resources: beside, raising=False)
    monkeypatch.setattr(pipeline, "on_call", lambda may_read, resources, *, now: OnCall((), ()), raising=False)
    owned = Executive((Model(Link("credit", "monitors/credit"), "active", HOSTILE),), 0)
    monkeypatch.setattr(pipeline, "executive", lambda may_read, resources, *, page: owned, raising=False)
    monkeypatch.setattr(pipeline, "review_view", reviewed, raising=False)
    monkeypatch.setattr(pipeline, "read_report", lambda id, resources: reports.get(id))


def reviewed(asked: ReviewAsked, may_read: Any, resources: Any, *, now: datetime) -> ReviewView:
    names = [asked.name] if asked.name else sorted(may_read(["credit", "fraud"]))
    found = [(one, said(one)) for one in (replace(REVIEW, monitor=name) for name in names)]
    whole = together([one for one, _ in found])
    return ReviewView(asked.period, now, found, whole, HOSTILE, asked.name, HOSTILE, [HOSTILE, "x"], asked.unread)


def token(role: str = "VIEWER", **options: Any) -> dict[str, str]:
    user = SimpleAuthManagerUser(username=role.lower(), role=role)
    return {"Authorization": f"Bearer {get_auth_manager().generate_jwt(user, **options)}"}


def routes() -> list[str]:
    """Every route of the mounted application that people open, with a value for each part."""
    values = {"name": "credit", "dag_id": "monitor__credit", "id": "ab12", "asset": NAMES["plots.js"]}
    paths = [route.path for route in web.build_app().routes if route.path != "/metrics"]  # see test_scrape.py
    assert len(paths) >= 4
    asked = {"/monitors/{name}/numbers.csv": "?chart=kpi.orders", "/monitors/{name}/feature": "?feature=amount"}
    return ["/hindsight" + path.format(**values) + asked.get(path, "") for path in dict.fromkeys(paths)]


def test_nobody_sees_anything(server: TestClient) -> None:
    assert {path: server.get(path).status_code for path in routes()} == dict.fromkeys(routes(), 401)


def test_a_garbage_or_foreign_token_opens_nothing(server: TestClient) -> None:
    import jwt

    forged = jwt.encode({"sub": "admin", "role": "ADMIN", "aud": "apache-airflow"}, "x" * 64, algorithm="HS512")
    for text in ("garbage", forged):
        headers = {"Authorization": f"Bearer {text}"}
        assert {server.get(path, headers=headers).status_code for path in routes()} == {403}


def test_an_expired_token_opens_nothing(server: TestClient) -> None:
    headers = token(expiration_time_in_seconds=-3600)

    assert {server.get(path, headers=headers).status_code for path in routes()} == {401}


def test_a_viewer_sees_every_page(server: TestClient) -> None:
    assert {server.get(path, headers=token()).status_code for path in routes()} <= {200, 307}


def test_a_cookie_counts_as_in_the_rest_of_airflow(server: TestClient) -> None:
    cookie = token()["Authorization"].removeprefix("Bearer ")

    assert server.get("/hindsight/", headers={"Cookie": f"_token={cookie}"}).status_code == 200


def test_without_permission_for_its_dag_a_monitor_is_hidden_everywhere(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = get_auth_manager()
    monkeypatch.setattr(manager, "is_authorized_dag", lambda *, details, **rest: details.id == "monitor__fraud")
    page = server.get("/hindsight/", headers=token()).text

    assert "fraud" in page
    assert "credit" not in page
    assert server.get("/hindsight/monitors/credit", headers=token()).status_code == 403
    assert server.get("/hindsight/monitors/fraud", headers=token()).status_code == 200
    assert server.get("/hindsight/reports/ab12", headers=token()).status_code == 403


def test_a_dag_that_somebody_paused_in_airflow_is_shown_as_paused(
    server: TestClient, write_monitor: Any, parse: Any
) -> None:
    import sqlalchemy as sa
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    def badges() -> list[int]:
        pages = ("/hindsight/", "/hindsight/monitors/credit")
        return [server.get(page, headers=token()).text.count('"badge paused"') for page in pages]

    write_monitor(monitor_file())
    parse()
    before = badges()
    paused = sa.update(DagModel).where(DagModel.dag_id == "monitor__credit")
    try:
        with create_session() as session:
            session.execute(paused.values(is_paused=True))
        assert (before, badges()) == ([0, 0], [1, 1])
    finally:
        with create_session() as session:
            session.execute(paused.values(is_paused=False))


def test_runs_whose_file_is_gone_are_said_to_hang_with_the_command_that_ends_them(
    server: TestClient, write_monitor: Any, parse: Any
) -> None:
    import sqlalchemy as sa
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    write_monitor(monitor_file(name="vanished"))
    parse()
    stale = sa.update(DagModel).where(DagModel.dag_id == "monitor__vanished")
    run = DagRun(
        dag_id="monitor__vanished", run_id="waits", run_type="manual", state="queued", run_after=at("2026-09-02")
    )
    try:
        with create_session() as session:
            session.add(run)
            session.execute(stale.values(is_stale=True))
        page = server.get("/hindsight/", headers=token()).text
        assert "1 of monitor__vanished: airflow dags delete --yes monitor__vanished" in page
    finally:
        with create_session() as session:
            session.execute(stale.values(is_stale=False))
        there = server.get("/hindsight/", headers=token()).text
        with create_session() as session:
            session.execute(sa.delete(DagRun).where(DagRun.run_id == "waits"))
    assert "monitor__vanished" not in there


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_but_an_answer_can_be_changed(server: TestClient, method: str) -> None:
    for path in routes():
        expected = 400 if method == "POST" and "/cases/" in path else 405
        assert server.request(method, path, headers=token("ADMIN")).status_code == expected, path


def test_a_browser_without_a_session_is_led_to_the_sign_in(server: TestClient) -> None:
    page = server.get("/hindsight/monitors/credit", headers={"Accept": "text/html"})

    assert page.status_code == 401
    assert 'href="/api/v2/auth/login?next=%2Fhindsight%2Fmonitors%2Fcredit"' in page.text


def test_reports_run_in_a_sandbox_without_an_origin(server: TestClient) -> None:
    page = server.get("/hindsight/reports/ab12", headers=token())
    policy = page.headers["content-security-policy"]

    assert HOSTILE in page.text
    assert policy.split(";")[0] == "sandbox allow-scripts"
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'self'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_in_a_report_of_ours_nothing_runs_or_loads_whatever_the_file_says(server: TestClient) -> None:
    page = server.get("/hindsight/reports/cd34", headers=token())
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))

    assert (policy["default-src"], policy["form-action"]) == ("'none'", "'none'")
    assert set(policy) == {"default-src", "style-src", "base-uri", "form-action", "frame-ancestors"}
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert server.get("/hindsight/reports/cd34").status_code == 401


@pytest.mark.parametrize(
    "room", ["", "on-call", "executive", "review", "monitors/credit/cases/ab12", "monitors/credit/compare"]
)
def test_our_own_pages_run_the_script_of_light_and_dark_alone(server: TestClient, room: str) -> None:
    path = f"/hindsight/{room}"
    page = server.get(path, headers=token())
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    ((source, content),) = re.findall(r'<script src="([^"]*)">(.*?)</script>', page.text, re.DOTALL)

    assert page.text.count("<script") == 1
    assert (content, urljoin(path, source)) == ("", f"/hindsight/assets/{NAMES['theme.js']}")
    assert server.get(urljoin(path, source), headers=token()).headers["content-type"].startswith("text/javascript")
    assert room == "on-call" or "&lt;script&gt;" in page.text
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert policy["style-src"].startswith("'sha256-")
    assert policy["form-action"] == ("'none'" if room in ("on-call", "executive", "review") else "'self'")
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"


def test_a_monitors_page_runs_scripts_of_this_server_alone(server: TestClient) -> None:
    page = server.get("/hindsight/monitors/credit", headers=token())
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL)

    assert policy["script-src"] == "'self'"
    assert (policy["default-src"], policy["form-action"]) == ("'none'", "'self'")
    assert "unsafe" not in page.headers["content-security-policy"]
    assert len(scripts) == 4
    for attributes, content in scripts:
        if content:
            assert 'type="application/json"' in attributes
            assert "\\u003c/script\\u003e" in content
        else:
            (source,) = re.findall(r'src="(\.\./assets/[\w.]+)"', attributes)
            found = server.get(f"/hindsight/monitors/{source}", headers=token())
            assert found.headers["content-type"].startswith("text/javascript")
            assert "immutable" in found.headers["cache-control"]


def test_a_chart_gives_its_numbers_as_csv_that_no_spreadsheet_runs(server: TestClient) -> None:
    found = server.get("/hindsight/monitors/credit/numbers.csv?chart=kpi.orders", headers=token())
    head, row = found.text.splitlines()

    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert found.headers["content-disposition"] == 'attachment; filename="credit-kpi.orders.csv"'
    assert head == "window_start,line,value,lower,upper,n,labels_coming,note"
    assert row == f"2026-09-30T00:00:00Z,{HOSTILE},7.0,,,,0,'={HOSTILE}"
    assert server.get("/hindsight/monitors/credit/numbers.csv?chart=no", headers=token()).status_code == 404
    assert server.get("/hindsight/monitors/credit/numbers.csv?chart=kpi.orders").status_code == 401


def test_a_features_distribution_is_a_page_of_its_own(server: TestClient) -> None:
    page = server.get("/hindsight/monitors/credit/feature?feature=amount", headers=token())

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert server.get("/hindsight/monitors/credit/feature", headers=token()).status_code == 404


@pytest.mark.parametrize("name", ["plots.js", "uplot.LICENSE", "..%2fpages.py", "..%2f..%2fcli.py"])
def test_no_other_file_is_served(server: TestClient, name: str) -> None:
    assert server.get(f"/hindsight/assets/{name}", headers=token()).status_code == 404


PATHS = [
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%252e%252e%252fetc",
    "..%5c..%5cetc",
    "%2fetc%2fpasswd",
    "ab12%00",
    "ab12%23",
    "AB12",
    "ab12.html",
    "%27%20OR%201%3D1",
    "a" * 300,
    "no_such",
]


@pytest.mark.parametrize("room", ["reports", "monitors"])
@pytest.mark.parametrize("path", PATHS)
def test_whatever_is_no_id_is_not_found(server: TestClient, room: str, path: str) -> None:
    page = server.get(f"/hindsight/{room}/{path}", headers=token())

    assert page.status_code == 404
    assert "passwd" not in page.text


def test_a_dag_leads_to_its_monitor_and_another_to_none(server: TestClient) -> None:
    found = server.get("/hindsight/dags/labels__credit", headers=token())

    assert (found.status_code, found.headers["location"]) == (307, "../monitors/credit")
    assert "does not belong" in server.get("/hindsight/dags/etl_daily", headers=token()).text
    assert "location" not in server.get("/hindsight/dags/monitor__..%2Fx", headers=token()).headers


@pytest.mark.parametrize(
    ("error", "status"), [(LedgerError(f"ledger {CANARY}: connection refused"), 503), (RuntimeError(CANARY), 500)]
)
def test_an_error_says_nothing_about_the_inside(
    server: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*args: Any, **rest: Any) -> None:
        raise error

    for name in ("overview_cards", "monitor_view", "read_report"):
        monkeypatch.setattr(pipeline, name, fail, raising=False)
    for path in ("/hindsight/", "/hindsight/monitors/credit", "/hindsight/reports/ab12"):
        page = server.get(path, headers=token())
        assert page.status_code == status
        assert not re.search(r"Traceback|canary|postgresql|\.py|SELECT", page.text)


def test_there_are_no_docs_of_the_interface(server: TestClient) -> None:
    for path in ("docs", "redoc", "openapi.json"):
        assert server.get(f"/hindsight/{path}", headers=token()).status_code == 404


def test_where_access_checks_are_missing_everything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "airflow.api_fastapi.core_api.security", None)
    closed = TestClient(web.build_app())

    assert {closed.get(path).status_code for path in ("/", "/monitors/credit", "/reports/ab12", "/x")} == {403}


def test_the_plugin_shows_in_the_navigation_on_dags_and_on_tasks(server: TestClient) -> None:
    plugins = server.get("/api/v2/plugins", headers=token("ADMIN")).json()["plugins"]
    views = next(plugin for plugin in plugins if plugin["name"] == "hindsight")["external_views"]

    assert {view["destination"] for view in views} == {"nav", "dag", "task_instance"}
    assert len({view["url_route"] for view in views}) == len(views)


def test_plugins_holds_one_file_that_shadows_no_module() -> None:
    (file,) = (Path(__file__).parents[2] / "plugins").rglob("*.py")

    assert file.stem not in __import__("sys").stdlib_module_names
    assert file.stem == "hindsight_plugin"
