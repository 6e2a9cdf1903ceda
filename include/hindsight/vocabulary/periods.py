"""Periods: the weeks and months that people look back on, in UTC; a week is one of ISO 8601 and begins on Monday."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

WEEK, DAY = timedelta(days=7), timedelta(days=1)
Kind = Literal["week", "month"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A whole week or month, [start, end) of aware UTC time."""

    start: datetime
    end: datetime
    kind: Kind = "week"

    @property
    def name(self) -> str:
        """'2026-W48', or '2026-11'."""
        return f"{self.start:%G-W%V}" if self.kind == "week" else f"{self.start:%Y-%m}"

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start) // DAY

    @property
    def before(self) -> Period:
        """The one that ends where this one begins."""
        return period_at(self.kind, self.start - DAY)

    @property
    def said(self) -> str:
        """'week 2026-W48 (23 to 29 November)'."""
        last = self.end - DAY
        first = f"{self.start.day}" if last.month == self.start.month else f"{self.start.day} {self.start:%B}"
        return f"{self.kind} {self.name} ({first} to {last.day} {last:%B})"


def period_at(kind: Kind, moment: datetime) -> Period:
    """Return the week or month that a moment lies in."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "week":
        start = day - day.weekday() * DAY
        return Period(start, start + WEEK, kind)
    start = day.replace(day=1)
    return Period(start, (start + 31 * DAY).replace(day=1), kind)


def last_whole(kind: Kind, moment: datetime) -> Period:
    """Return the newest week or month that is over at a moment."""
    return period_at(kind, moment).before


def parse_period(text: str) -> Period:
    """Turn '2026-W48' or '2026-11' into what it names; raise ValueError for anything else."""
    week = re.fullmatch(r"(\d{4})-W(\d{2})", text.strip())
    month = re.fullmatch(r"(\d{4})-(\d{2})", text.strip())
    try:
        if week:
            return period_at("week", datetime.fromisocalendar(int(week[1]), int(week[2]), 1).replace(tzinfo=UTC))
        if month:
            return period_at("month", datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC))
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"expected a week such as 2026-W48 or a month such as 2026-11, got {text[:20]!r}")
