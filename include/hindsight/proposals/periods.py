"""Periods: how long a window should be and which stretch to take as reference; from how much there is since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from hindsight.vocabulary.windows import Grid

DAY = timedelta(days=1)
SIZES = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 360, 1440, 10080))
ROWS = 300  # a window of fewer says little about shares, accuracy or drift
WINDOWS = 8  # history is to be cut into at least so many
REFERENCE_ROWS, REFERENCE_SPAN, REFERENCE_SHARE = 5000, 28 * DAY, 0.3
_LADDER = tuple(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12, 24))


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many rows there are, from when to when."""

    rows: int
    first: datetime
    last: datetime

    @property
    def span(self) -> timedelta:
        """The time between the first row and the last."""
        return self.last - self.first

    def per(self, size: timedelta) -> float:
        """Rows in a window of a size, on average."""
        return self.rows / max(self.span / size, 1.0)


def window_size(traffic: Traffic) -> timedelta:
    """Return a day or, where a day holds too few rows, a week; less than a day only where history is that short.

    Windows shorter than a day take the difference of day and night for drift, so they are never chosen for speed.
    """
    fitting = [size for size in SIZES if traffic.span >= WINDOWS * size]
    if not fitting:
        return DAY
    if DAY in fitting:
        whole = [size for size in fitting if size >= DAY]
        return next((size for size in whole if traffic.per(size) >= ROWS), whole[-1])
    return fitting[-1] if traffic.per(fitting[-1]) >= 20 else DAY


def reference(traffic: Traffic, grid: Grid) -> tuple[datetime, datetime] | None:
    """Return the first whole windows, up to 30 % of them: 28 days, more where these hold under 5,000 rows.

    None where not even two windows would be left to compare with one.
    """
    first = grid.window_at(traffic.first)
    start = first.start if traffic.first - first.start <= grid.size / 50 else first.end
    whole = (traffic.last - start) // grid.size
    if whole < 3:
        return None
    wanted = max(ceil(REFERENCE_SPAN / grid.size), ceil(REFERENCE_ROWS / max(traffic.per(grid.size), 1.0)))
    return start, start + grid.size * max(min(int(whole * REFERENCE_SHARE), wanted), 1)


def rounded_up(delay: timedelta) -> timedelta:
    """Return the next round duration: hours up to a day, whole days from there on."""
    return next((step for step in _LADDER if delay <= step), ceil(delay / DAY) * DAY)
