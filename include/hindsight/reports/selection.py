"""What a page of a monitor is asked to show, as its address says it: from when to when, which version and segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

RANGES = ("7d", "30d", "90d", "all")
LONGEST = 300  # characters of a name in an address
_DAY = timedelta(days=1)
_FIELDS = ("range", "from", "to", "version", "segment", "feature")

Range = Literal["", "7d", "30d", "90d", "all"]


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of a monitor's history; "" means the last windows, all versions, all rows and every feature.

    `start` and `end`, half-open and in UTC, come before `span`. `complaints` say what of the address was not understood
    and is left out.
    """

    span: Range = ""
    start: datetime | None = None
    end: datetime | None = None
    version: str = ""
    segment: str = ""
    feature: str = ""
    complaints: tuple[str, ...] = ()

    def query(self, **changes: Any) -> str:
        """Return the address of this selection with some changes, beginning with "?"."""
        one = replace(self, **changes)
        given = {
            "range": "" if one.start or one.end else one.span,
            "from": one.start.isoformat() if one.start else "",
            "to": one.end.isoformat() if one.end else "",
            "version": one.version,
            "segment": one.segment,
            "feature": one.feature,
        }
        return "?" + urlencode({name: value.replace("+00:00", "Z") for name, value in given.items() if value})

    def bounds(self, newest: datetime, size: timedelta, windows: int) -> tuple[datetime | None, datetime | None]:
        """Return from when to when windows start, where the newest of that size starts at `newest`.

        Without any range it is the last `windows` and the newest; None is no bound.
        """
        if self.start or self.end:
            return self.start, self.end
        if self.span == "all":
            return None, None
        back = windows * size if not self.span else max(int(self.span.removesuffix("d")) * _DAY - size, 0 * _DAY)
        return newest - back, None


def selected(query: Mapping[str, str]) -> Selection:
    """Return what the query of an address selects; what cannot be read is complained of, not an error."""
    complaints: list[str] = []
    span = query.get("range", "")
    if span not in ("", *RANGES):
        complaints.append(f"range {span[:40]!r} is none of {', '.join(RANGES)}")
        span = ""
    start, end = _moment(query, "from", complaints), _moment(query, "to", complaints)
    if start and end and start >= end:
        complaints.append("from lies behind to")
        start = end = None
    names = {name: query.get(name, "")[:LONGEST] for name in ("version", "segment", "feature")}
    return Selection(span, start, end, **names, complaints=tuple(complaints))  # type: ignore[arg-type]


def _moment(query: Mapping[str, str], name: str, complaints: list[str]) -> datetime | None:
    """Return a moment of an address in UTC; a day as `to` is meant with all its hours."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        found = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        return found + _DAY if name == "to" and len(text) <= 10 else found
    except (ValueError, OverflowError):
        complaints.append(f"{name} {text[:40]!r} is no date; write 2026-09-01 or 2026-09-01T06:00Z")
        return None


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to select in the windows shown, in order of the name."""

    versions: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
