"""The pages under /hindsight in Airflow's web server: nobody sees more of a monitor than of its DAG.

A report is found by its id in the ledger. Evidently's is third-party HTML that runs what the data says, and is served
into a sandbox without origin, cookies or network; in our own, kept from an earlier night, nothing runs or loads at all.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from hindsight import pipeline
from hindsight.airflow.answers import answer, fields_of, is_json, refuse_forged, token_of
from hindsight.airflow.case_rows import rows_of_case
from hindsight.airflow.comparing import compared
from hindsight.airflow.connections import open_resources
from hindsight.airflow.records import as_paused, hanging, runs_of
from hindsight.airflow.scrape import scrape
from hindsight.errors import ConfigError, HindsightError, TrainingError
from hindsight.monitors.loader import load_monitor
from hindsight.reports import pages
from hindsight.reports.assets import asset as asset_of
from hindsight.reports.compare import compare_page
from hindsight.reports.debug import debug_page
from hindsight.reports.distribution import distribution_page
from hindsight.reports.executive import executive_page
from hindsight.reports.on_call import on_call_page
from hindsight.reports.overview import Wanted
from hindsight.reports.overview import overview as listed
from hindsight.reports.plots import as_csv
from hindsight.reports.review import ReviewAsked, review_page
from hindsight.reports.rows import rows_page
from hindsight.reports.selection import selected

if TYPE_CHECKING:
    from hindsight.pipeline import Resources

logger = logging.getLogger(__name__)

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
PAGE = PRIVATE | {"Content-Security-Policy": pages.CONTENT_SECURITY_POLICY}
READ = PRIVATE | {"Content-Security-Policy": pages.FOLLOWING}
CHARTS = PRIVATE | {"Content-Security-Policy": pages.CHARTING}
ASSET = PRIVATE | {"Cache-Control": "private, max-age=31536000, immutable"}  # its name changes with its content
REPORT = PRIVATE | {
    "Content-Security-Policy": "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:; frame-ancestors 'self'"
}
CASE = PRIVATE | {  # with no-referrer browsers call the origin of a form null
    "Content-Security-Policy": pages.ANSWERING,
    "Referrer-Policy": "same-origin",
}
OURS = PRIVATE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
}
KINDS = ("monitor", "labels", "retrain", "rollback")
GRAVE = ("retrain", "rollback")  # what asks for the right to edit the DAG of that name too
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CASE = re.compile(r"[0-9a-f]{1,64}")
_REPORT_ID = re.compile(r"[0-9a-z]{1,64}")
_SAID = {
    400: "This is no answer that can be read.",
    401: "You are not signed in.",
    403: "You may not see or do this. A page that was open for long, or that another site opened, is read again first.",
    404: "There is no such page.",
    500: "Something went wrong. The log of Airflow's API server says what.",
    503: "The ledger or a snapshot could not be read. The log of Airflow's API server says which.",
}


def build_app(resources: Callable[[], Resources] = open_resources) -> FastAPI:
    """Return the application to mount at /hindsight; one that refuses everything where Airflow's checks are missing."""
    try:
        from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
    except ImportError:
        logger.exception("access checks are missing, so every page is refused")
        return _closed()
    app = _bare(dependencies=[Depends(get_user)])
    opened = cache(resources)
    app.add_route("/metrics", lambda request: scrape(request, opened))  # no page: a token opens it, nobody signs in
    _add_pages(app, opened, get_user, requires_access_dag)
    return app


def _add_pages(app: FastAPI, resources: Callable[[], Resources], get_user: Any, requires_access_dag: Any) -> None:
    signed_in = Depends(get_user)

    def check(request: Request, user: Any, name: str, method: str = "GET", kind: str = "monitor") -> None:
        requires_access_dag(method, param_dag_id=f"{kind}__{name}")(request, user)

    def may(request: Request, user: Any, name: str, method: str = "GET", kind: str = "monitor") -> bool:
        try:
            check(request, user, name, method, kind)
        except HTTPException:
            return False
        return True

    def seen(request: Request, name: str) -> pages.MonitorView:
        asked = selected(request.query_params)
        view = pipeline.monitor_view(name, resources(), now=datetime.now(UTC), selection=asked)
        if view is None:
            raise HTTPException(404)
        return view

    @app.get("/")
    def overview(request: Request, user: Any = signed_in) -> Response:
        cards = pipeline.overview_cards(resources(), now=datetime.now(UTC))
        names = _readable(user, [card.name for card in cards])
        seen = as_paused([card for card in cards if card.name in names])
        left = [one for one in hanging() if may(request, user, one.dag.partition("__")[2])]
        return HTMLResponse(listed(seen, Wanted.of(request.query_params), left), headers=CASE)

    @app.get("/on-call")
    def now_open(user: Any = signed_in) -> Response:
        now = datetime.now(UTC)
        found = pipeline.on_call(lambda names: _readable(user, names), resources(), now=now)
        return HTMLResponse(on_call_page(found.cases, found.watches, now), headers=READ)

    @app.get("/executive")
    def models(request: Request, user: Any = signed_in) -> Response:
        page = request.query_params.get("page", "")
        number = int(page) if re.fullmatch(r"[1-9]\d{0,3}", page) else 1
        found = pipeline.executive(lambda names: _readable(user, names), resources(), page=number)
        return HTMLResponse(executive_page(found.models, found.archived, datetime.now(UTC), number), headers=READ)

    @app.get("/review")
    def review(request: Request, user: Any = signed_in) -> Response:
        return _reviewed(request, resources(), lambda names: _readable(user, names))

    @app.get("/monitors/{name}/review")
    def review_of_one(request: Request, name: str, user: Any = signed_in) -> Response:
        _require_names(name)
        check(request, user, name)
        return _reviewed(request, resources(), set, name)

    @app.get("/monitors/{name}")
    def monitor(request: Request, name: str, user: Any = signed_in) -> Response:
        _require_names(name)
        check(request, user, name)
        view = seen(request, name)
        [card] = as_paused([view.card])
        return HTMLResponse(pages.monitor_page(replace(view, card=card)), headers=CHARTS)

    @app.get("/monitors/{name}/numbers.csv")
    def numbers(request: Request, name: str, user: Any = signed_in) -> Response:
        _require_names(name)
        check(request, user, name)
        return _csv(seen(request, name), request.query_params.get("chart", ""))

    @app.get("/monitors/{name}/feature")
    def feature(request: Request, name: str, user: Any = signed_in) -> Response:
        _require_names(name)
        check(request, user, name)
        asked = selected(request.query_params)
        view = pipeline.distribution_view(name, asked, resources(), now=datetime.now(UTC))
        if view is None or not asked.feature:
            raise HTTPException(404)
        return HTMLResponse(distribution_page(view), headers=CHARTS)

    @app.get("/monitors/{name}/debug")
    def debug(request: Request, name: str, user: Any = signed_in) -> Response:
        _require_names(name)
        check(request, user, name)
        view = pipeline.debug_view(name, resources(), now=datetime.now(UTC))
        if view is None:
            raise HTTPException(404)
        dags = [f"{kind}__{name}" for kind in KINDS if may(request, user, name, kind=kind)]
        return HTMLResponse(debug_page(replace(view, runs=runs_of(dags))), headers=CHARTS)

    @app.get("/assets/{asset}")
    def assets(asset: str) -> Response:
        found = asset_of(asset)
        if found is None:
            raise HTTPException(404)
        return Response(found[0], media_type=found[1], headers=ASSET)

    @app.get("/monitors/{name}/compare")
    def compare(request: Request, name: str, user: Any = signed_in) -> Response:
        _require_names(name)
        check(request, user, name)
        return _compared(name, request.query_params, resources())

    @app.get("/monitors/{name}/cases/{id}")
    def case(request: Request, name: str, id: str, user: Any = signed_in) -> Response:
        _require_names(name, id)
        check(request, user, name)
        token = token_of(user, name, id) if may(request, user, name, "PUT") else ""
        acts = [kind for kind in GRAVE if token and may(request, user, name, "PUT", kind)]
        view = pipeline.case_view(name, id, resources(), now=datetime.now(UTC), token=token, may=acts)
        if view is None:
            raise HTTPException(404)
        return HTMLResponse(pages.case_page(view), headers=CASE)

    @app.post("/monitors/{name}/cases/{id}")
    async def answer_case(request: Request, name: str, id: str, user: Any = signed_in) -> Response:
        _require_names(name, id)
        check(request, user, name, "PUT")
        fields = await fields_of(request)
        refuse_forged(request, fields, user, name, id)
        if fields.get("act") in GRAVE:
            check(request, user, name, "PUT", fields["act"])
        return await run_in_threadpool(_answered, request, name, id, fields, resources(), str(user.get_name()))

    @app.get("/monitors/{name}/cases/{id}/rows")
    def case_of_rows(name: str, id: str) -> Response:
        _require_names(name, id)
        return RedirectResponse(f"../{id}", headers=PRIVATE)  # rows are asked for on the page of the case

    @app.post("/monitors/{name}/cases/{id}/rows")
    async def case_rows(request: Request, name: str, id: str, user: Any = signed_in) -> Response:
        _require_names(name, id)
        check(request, user, name, "PUT")
        fields = await fields_of(request)
        refuse_forged(request, fields, user, name, id)
        return await run_in_threadpool(_rows, name, id, fields, resources(), str(user.get_name()))

    @app.get("/dags/{dag_id}")
    def dag(dag_id: str) -> Response:
        kind, _, name = dag_id.partition("__")
        if kind in KINDS and _NAME.fullmatch(name):
            return RedirectResponse(f"../monitors/{name}", headers=PRIVATE)
        return _page(200, "No monitor", "This DAG does not belong to a monitor of Hindsight.")

    @app.get("/reports/{id}")
    def report(request: Request, id: str, user: Any = signed_in) -> Response:
        found = pipeline.read_report(id, resources()) if _REPORT_ID.fullmatch(id) else None
        if found is None:
            raise HTTPException(404)
        record, html = found
        check(request, user, record.monitor)
        return HTMLResponse(html, headers=OURS if record.kind == "accuracy" else REPORT)


def _readable(user: Any, names: Sequence[str]) -> set[str]:
    """Return the monitors whose DAGs somebody may read: asked at once for all, as Airflow's own list of DAGs does."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.models.dag import DagModel

    ids = {f"monitor__{name}": name for name in names}
    teams: dict[str | None, set[str]] = defaultdict(set)
    of_dag = DagModel.get_dag_id_to_team_name_mapping(list(ids)) if ids else {}
    for id in ids:
        teams[of_dag.get(id)].add(id)
    allowed = get_auth_manager().filter_authorized_dag_ids
    found = (id for team, some in teams.items() for id in allowed(dag_ids=some, user=user, team_name=team))
    return {ids[id] for id in found}


def _reviewed(
    request: Request, resources: Resources, may_read: Callable[[Sequence[str]], set[str]], name: str = ""
) -> Response:
    """The page of a week or a month, of one monitor where it is named."""
    now = datetime.now(UTC)
    view = pipeline.review_view(ReviewAsked.of(request.query_params, now, name), may_read, resources, now=now)
    if view is None:
        raise HTTPException(404)
    return HTMLResponse(review_page(view), headers=READ)


def _csv(view: pages.MonitorView, key: str) -> Response:
    """Return the numbers of one chart; there is no such page where nothing of that key is charted."""
    chart = next((chart for chart in view.charts if chart.key == key), None)
    if chart is None:
        raise HTTPException(404)
    name = re.sub(r"[^\w.-]+", "_", f"{view.card.name}-{chart.key}.csv")
    headers = PRIVATE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(as_csv(chart), media_type="text/csv; charset=utf-8", headers=headers)


def _require_names(name: str, case: str = "0") -> None:
    if not (_NAME.fullmatch(name) and _CASE.fullmatch(case)):
        raise HTTPException(404)


def _answered(
    request: Request, name: str, case: str, fields: Mapping[str, str], resources: Resources, by: str
) -> Response:
    """Do what a person asked; a form goes back to the page, which shows it, a program is told in JSON."""
    try:
        monitor = load_monitor(name, resources.settings.monitors)
        done = answer(monitor, case, fields, resources, by=by, at=datetime.now(UTC))
    except (ConfigError, TrainingError) as exc:
        if is_json(request):
            return JSONResponse({"error": str(exc)}, 400, headers=PRIVATE)
        return _page(400, "Not done", str(exc), f'<p><a href="{escape(case)}">Back to the case</a></p>')
    if is_json(request):
        return JSONResponse({"done": done}, headers=PRIVATE)
    return RedirectResponse(case, 303, headers=PRIVATE)


def _compared(name: str, asked: Mapping[str, str], resources: Resources) -> Response:
    """The page of two windows side by side; without moments the newest window of all beside the one before it."""
    try:
        view = compared(name, asked, resources)
    except ConfigError as exc:
        return _page(400, "Not compared", str(exc), f'<p><a href="../{escape(name)}">Back to the monitor</a></p>')
    if view is None:
        raise HTTPException(404)
    return HTMLResponse(compare_page(view), headers=CASE)


def _rows(name: str, case: str, fields: Mapping[str, str], resources: Resources, by: str) -> Response:
    try:
        view = rows_of_case(name, case, fields, resources, by)
    except ConfigError as exc:
        return _page(400, "Not done", str(exc), f'<p><a href="../{escape(case)}">Back to the case</a></p>')
    return HTMLResponse(rows_page(view), 503 if view.why_none else 200, headers=READ)


def _bare(**options: Any) -> FastAPI:
    """An application without Airflow's or FastAPI's own pages, and with errors that say nothing about the inside."""
    app = FastAPI(title="Hindsight", docs_url=None, redoc_url=None, openapi_url=None, **options)
    app.add_exception_handler(AnyHTTPException, _refused)
    app.add_exception_handler(HindsightError, _failed)
    app.add_exception_handler(Exception, _broken)
    return app


def _closed() -> FastAPI:
    app = _bare()

    @app.get("/{path:path}")
    def refuse(path: str) -> Response:
        raise HTTPException(403)

    return app


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, AnyHTTPException) else 500
    said = _SAID.get(status, "This cannot be done.")
    page = _page(status, str(status), said, _sign_in(request) if status == 401 else "")
    page.headers.update((error.headers if isinstance(error, AnyHTTPException) else None) or {})
    return page


async def _failed(request: Request, error: Exception) -> Response:
    logger.error("page failed path=%s", request.url.path, exc_info=error)
    return _page(503, "Not available", _SAID[503])


async def _broken(request: Request, error: Exception) -> Response:
    return _page(500, "Error", _SAID[500])


def _sign_in(request: Request) -> str:
    airflow = str(request.scope.get("root_path", "")).removesuffix("/hindsight")
    address = f"{airflow}/api/v2/auth/login?next={quote(request.url.path, safe='')}"
    return f'<p><a href="{escape(address)}">Sign in</a></p>'


def _page(status: int, title: str, text: str, more: str = "") -> Response:
    html = f"<!doctype html><title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(text)}</p>{more}"
    return HTMLResponse(html, status, headers=PAGE)
