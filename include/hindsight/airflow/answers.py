"""Answers given on a page: who may, that it was they who asked and no other site, and what they said.

Airflow's API server has no token against forged requests of its own. A link only shows a case; an act is a POST of
somebody signed in who may edit the monitor's DAG. With a session cookie, which a browser sends along whoever asks, it
must come from our own page and bring back the token made for that person and case; with a bearer token it need not.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from hindsight.errors import ConfigError
from hindsight.verdicts.retraining import key_of
from hindsight.vocabulary.windows import parse_duration

if TYPE_CHECKING:
    from hindsight.monitors.model import Monitor
    from hindsight.pipeline import Resources
    from hindsight.pipeline.act.answers import Said

LASTS_S = 12 * 3600  # a page left open longer is read again before it is answered
LARGEST = 10_000  # bytes of an answer
LONGEST = 500  # letters of a reason
LONGEST_LASTING = timedelta(days=366)


def token_of(user: Any, monitor: str, case: str) -> str:
    """Return what an answer of this person to this case brings back."""
    return str(_serializer().dumps([str(user.get_id()), monitor, case]))


def refuse_forged(request: Request, fields: Mapping[str, str], user: Any, monitor: str, case: str) -> None:
    """Raise HTTPException 403 for an answer that another site, or an old page, may have sent."""
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    if not _is_our_own(request):
        raise HTTPException(403)
    try:
        given = _serializer().loads(fields.get("token", ""), max_age=LASTS_S)
    except BadSignature as exc:  # a signature that is too old is one as well
        raise HTTPException(403) from exc
    if given != [str(user.get_id()), monitor, case]:
        raise HTTPException(403)


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a form or of a JSON object; raise HTTPException 400 for anything else, 413 for too much."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise HTTPException(413)
    try:
        if is_json(request):
            given = {key: value for key, value in dict(json.loads(body)).items() if value is not None}
        else:
            given = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except (ValueError, TypeError, RecursionError) as exc:  # as of ten thousand brackets
        raise HTTPException(400) from exc
    if not all(isinstance(value, str) and _is_text(value) for value in given.values()):
        raise HTTPException(400)
    return given


def _is_text(value: str) -> bool:
    """Whether a database can keep it and a page show it: no control characters but line breaks, no half ones."""
    return not any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\n\r" for char in value)


def is_json(request: Request) -> bool:
    """Say whether a program asks, not a form."""
    return request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"


def answer(
    monitor: Monitor, case: str, fields: Mapping[str, str], resources: Resources, *, by: str, at: datetime
) -> str:
    """Do what is asked and return what was done; raise ConfigError where it cannot be, with the reason."""
    from hindsight.pipeline.act import answers

    said = answers.Said(by, at, fields.get("comment", "").strip()[:LONGEST])
    match fields.get("act"):
        case "ack":
            answers.look_after(monitor, case, said, resources)
            return "acknowledged"
        case "mute":
            if (lasting := _lasting(fields)) is None:
                raise ConfigError("a silence ends: say how long it lasts")
            muted = answers.mute_case(monitor, case, at + lasting, said, resources)
            return f"{', '.join(one.about for one in muted)} {muted[0]}"
        case "expected":
            lasting = _lasting(fields)
            given = answers.expect(monitor, case, None if lasting is None else at + lasting, said, resources)
            return str(given[0])
        case "retrain" | "rollback":
            return _done(monitor, fields, said, resources)
        case other:
            raise ConfigError(f"expected act to be ack, mute, expected, retrain or rollback, got {other!r}")


def _done(monitor: Monitor, fields: Mapping[str, str], said: Said, resources: Resources) -> str:
    """Do what is grave: only where it was confirmed and a reason given, and to what the page spoke of alone."""
    from hindsight.pipeline.act import retraining, rollback

    if fields.get("confirm") != "yes":
        raise ConfigError("not confirmed: tick that it is meant (confirm: yes)")
    if not said.comment:
        raise ConfigError("it is on record for good: say why (comment)")
    if fields.get("act") == "rollback":
        to, left = fields.get("to") or None, fields.get("instead_of")
        done = rollback.roll_back(monitor, resources, at=said.at, by=said.by, why=said.comment, to=to, instead_of=left)
        return f"{done.restored} is the champion again, in the place of {done.left}"
    key = key_of(monitor.name, "asked", said.by, said.at.isoformat())
    asked = retraining.ask(monitor, key, resources, as_of=said.at, by=said.by, why=said.comment, at=said.at, alone=True)
    return f"retraining {asked.key} is asked for"


def _lasting(fields: Mapping[str, str]) -> timedelta | None:
    text = fields.get("lasting", "").strip()
    try:
        lasting = parse_duration(text) if text else None
    except (ValueError, OverflowError) as exc:
        raise ConfigError(f"lasting: {exc}") from exc
    if lasting is not None and lasting > LONGEST_LASTING:
        raise ConfigError(f"lasting: expected {LONGEST_LASTING.days}d at most, got {text}")
    return lasting


def _is_our_own(request: Request) -> bool:
    """Whether a browser says that the page it comes from is one of this server."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = request.headers.get("origin")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


@cache
def _serializer() -> URLSafeTimedSerializer:
    from airflow.api_fastapi.auth.tokens import get_signing_key

    return URLSafeTimedSerializer(get_signing_key("api_auth", "jwt_secret"), salt="hindsight answer")
