"""The page of whoever is on call: what is open, with what one needs to know of it, as a pure function to HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.reports.pages import Link, render
from hindsight.vocabulary.severity import Severity


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that is open: the gravest of its incidents, how many there are, and who looks after it."""

    monitor: str
    severity: Severity
    since: datetime
    case: Link
    incidents: int
    value: str = ""
    looked_after: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """What the newest window of a monitor with something open says, in words; "" where it is not judged."""

    monitor: Link
    owner: str
    latency: str = ""
    nulls: str = ""
    drifting: str = ""
    deployed: str = ""
    silenced: tuple[str, ...] = ()


def on_call_page(cases: Sequence[OpenCase], watches: Sequence[Watch], as_of: datetime) -> str:
    """Return the page: cases by severity, the longest open first, and the monitors they are of."""
    ordered = sorted(cases, key=lambda one: (one.severity, one.since, one.monitor))
    return render("on_call.html.j2", cases=ordered, watches=watches, as_of=as_of)
