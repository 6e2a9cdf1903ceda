"""/hindsight/metrics for Prometheus: opened by a token of its own, for a scraper signs in nowhere.

Whoever has the token sees the numbers of every monitor, their labels included; no row, no mail and no secret.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import compare_digest
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hindsight import pipeline
from hindsight.airflow.connections import METRICS, find
from hindsight.errors import ConfigError
from hindsight.reports.exposition import CONTENT_TYPE

if TYPE_CHECKING:
    from hindsight.pipeline import Resources


def scrape(request: Request, resources: Callable[[], Resources]) -> Response:
    """Answer a scrape: 404 where no token is set, 401 for any other."""
    found = find(METRICS)
    if found is None or not found.password:
        raise HTTPException(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not compare_digest(given.strip().encode(), found.password.encode()):
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    said = pipeline.exposed(resources(), **_limits(found.extra.get("most")))
    return Response(said, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _limits(most: object) -> dict[str, int]:
    if most is None:
        return {}
    try:
        return {"most": max(int(str(most)), 0)}
    except ValueError:
        raise ConfigError(f"connection {METRICS!r}: most is a number of series a monitor, got {most!r}") from None
