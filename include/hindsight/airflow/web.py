"""The pages under /hindsight in Airflow's web server: nobody sees more of a monitor than of its DAG.

A report is found by its id in the ledger. Evidently's is third-party HTML that runs what the data says, and is served
into a sandbox without origin, cookies or network; in our own, kept from an earlier night, nothing runs or loads at all.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
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
from hindsight.airflow.connections import open_resources
from hindsight.airflow.records import as_paused, hanging
from hindsight.airflow.scrape import scrape
from hindsight.errors import ConfigError, HindsightError
from hindsight.monitors.loader import load_monitor
from hindsight.reports import pages

if TYPE_CHECKING:
    from hindsight.pipeline import Resources

logger = logging.getLogger(__name__)

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
PAGE = PRIVATE | {"Content-Security-Policy": pages.CONTENT_SECURITY_POLICY}
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

    def check(request: Request, user: Any, name: str, method: str = "GET") -> None:
        requires_access_dag(method, param_dag_id=f"monitor__{name}")(request, user)

    def may(request: Request, user: Any, name: str, method: str = "GET") -> bool:
        try:
            check(request, user, name, method)
        except HTTPException:
            return False
        return True

    @app.get("/")
    def overview(request: Request, user: Any = signed_in) -> Response:
        cards = pipeline.overview_cards(resources(), now=datetime.now(UTC))
        seen = as_paused([card for card in cards if may(request, user, card.name)])
        left = [one for one in hanging() if may(request, user, one.dag.partition("__")[2])]
        return HTMLResponse(pages.overview(seen, left), headers=PAGE)

    @app.get("/monitors/{name}")
    def monitor(request: Request, name: str, user: Any = signed_in) -> Response:
        _require_names(name)
        check(request, user, name)
        view = pipeline.monitor_view(name, resources(), now=datetime.now(UTC))
        if view is None:
            raise HTTPException(404)
        [card] = as_paused([view.card])
        return HTMLResponse(pages.monitor_page(replace(view, card=card)), headers=PAGE)

    @app.get("/monitors/{name}/cases/{id}")
    def case(request: Request, name: str, id: str, user: Any = signed_in) -> Response:
        _require_names(name, id)
        check(request, user, name)
        token = token_of(user, name, id) if may(request, user, name, "PUT") else ""
        view = pipeline.case_view(name, id, resources(), now=datetime.now(UTC), token=token)
        if view is None:
            raise HTTPException(404)
        return HTMLResponse(pages.case_page(view), headers=CASE)

    @app.post("/monitors/{name}/cases/{id}")
    async def answer_case(request: Request, name: str, id: str, user: Any = signed_in) -> Response:
        _require_names(name, id)
        check(request, user, name, "PUT")
        fields = await fields_of(request)
        refuse_forged(request, fields, user, name, id)
        return await run_in_threadpool(_answered, request, name, id, fields, resources(), str(user.get_name()))

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
    except ConfigError as exc:
        if is_json(request):
            return JSONResponse({"error": str(exc)}, 400, headers=PRIVATE)
        return _page(400, "Not done", str(exc), f'<p><a href="{escape(case)}">Back to the case</a></p>')
    if is_json(request):
        return JSONResponse({"done": done}, headers=PRIVATE)
    return RedirectResponse(case, 303, headers=PRIVATE)


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
