"""Windows: half-open [start, end) spans of UTC time laid on a grid of one size and one origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)  # default origin: days start at UTC midnight, weeks on Monday
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open span [start, end) of aware UTC time."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"a window needs aware times, got {self.start!r} and {self.end!r}")
        if not self.start < self.end:
            raise ValueError(f"a window must end after it starts, got {self.start} to {self.end}")

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%MZ}/{self.end:%Y-%m-%dT%H:%MZ}"


@dataclass(frozen=True, slots=True)
class Grid:
    """All windows of one size, laid end to end from an origin into the past and the future."""

    size: timedelta
    origin: datetime = MONDAY

    def window_at(self, moment: datetime) -> Window:
        """Return the window that holds `moment`; a moment on a border belongs to the later window."""
        start = moment - (moment - self.origin) % self.size
        return Window(start, start + self.size)

    def starting_in(self, start: datetime, end: datetime) -> Iterator[Window]:
        """Yield the windows that start in [start, end), oldest first."""
        window = self.window_at(start)
        if window.start < start:
            window = Window(window.end, window.end + self.size)
        while window.start < end:
            yield window
            window = Window(window.end, window.end + self.size)


def parse_duration(text: str) -> timedelta:
    """Turn '0m', '90m', '6h' or '7d' into a timedelta; raise ValueError for anything else."""
    match = re.fullmatch(r"(0|[1-9]\d{0,4})([mhd])", text.strip())
    if match is None:
        raise ValueError(f"expected a duration such as 15m, 6h or 7d, got {text!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_moment(text: str) -> datetime:
    """Turn ISO 8601 text into an aware UTC datetime; a date means its midnight, no zone UTC; raise ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"expected a date or time such as 2026-09-01 or 2026-09-01T06:00Z, got {text!r}") from exc
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def format_duration(duration: timedelta) -> str:
    """Return a duration as a file has it: 90m, 6h or 7d."""
    minutes = ceil(duration / timedelta(minutes=1))
    if minutes % 1440 == 0 and minutes:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def format_moment(when: datetime) -> str:
    """Return a moment as a file has it: the day, and the minute too where it is not midnight."""
    return f"{when:%Y-%m-%d}" if when.hour == when.minute == 0 else f"{when:%Y-%m-%dT%H:%MZ}"
