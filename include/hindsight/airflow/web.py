"""The pages under /hindsight in Airflow's web server: nobody sees more of a monitor than of its DAG.

A report is found by its id in the ledger. Evidently's is third-party HTML that runs what the data says, and is served
into a sandbox without origin, cookies or network; in our own, kept from an earlier night, nothing runs or loads at all.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from hindsight import pipeline
from hindsight.airflow.connections import open_resources
from hindsight.errors import HindsightError
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
OURS = PRIVATE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
}
KINDS = ("monitor", "labels", "retrain")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_REPORT_ID = re.compile(r"[0-9a-z]{1,64}")
_SAID = {
    401: "You are not signed in.",
    403: "You may not see this.",
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
    _add_pages(app, cache(resources), get_user, requires_access_dag)
    return app


def _add_pages(app: FastAPI, resources: Callable[[], Resources], get_user: Any, requires_access_dag: Any) -> None:
    signed_in = Depends(get_user)

    def check(request: Request, user: Any, name: str) -> None:
        requires_access_dag("GET", param_dag_id=f"monitor__{name}")(request, user)

    def may_see(request: Request, user: Any, name: str) -> bool:
        try:
            check(request, user, name)
        except HTTPException:
            return False
        return True

    @app.get("/")
    def overview(request: Request, user: Any = signed_in) -> Response:
        cards = pipeline.overview_cards(resources(), now=datetime.now(UTC))
        return HTMLResponse(pages.overview([c for c in cards if may_see(request, user, c.name)]), headers=PAGE)

    @app.get("/monitors/{name}")
    def monitor(request: Request, name: str, user: Any = signed_in) -> Response:
        if not _NAME.fullmatch(name):
            raise HTTPException(404)
        check(request, user, name)
        view = pipeline.monitor_view(name, resources(), now=datetime.now(UTC))
        if view is None:
            raise HTTPException(404)
        return HTMLResponse(pages.monitor_page(view), headers=PAGE)

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
    return _page(
        status, str(status), _SAID.get(status, "This cannot be done."), _sign_in(request) if status == 401 else ""
    )


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
