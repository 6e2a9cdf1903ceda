"""Slots: which windows of the past a window is comparable with, and its place in the week, in local time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEKS = 13  # of the past that is looked back on
SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A window among those it is compared with: its start, UTC, and the slot it lies in."""

    start: datetime
    slot: int


def comparable(
    start: datetime, size: timedelta, zone: ZoneInfo, holidays: Collection[date] = ()
) -> tuple[list[Place], int]:
    """Return the windows a window is compared with, oldest first and itself the last, and how many slots there are.

    Of windows of a day, those of 13 weeks: the slot is the local weekday, Monday 0, a holiday counting as a Sunday. Of
    shorter ones, those that begin at the same local time on each of these days, and with each the one before it: each
    weekday has two slots then. Where the clocks were changed the local time stays. Of longer ones, the last 26: none of
    their cycles repeats three times.
    """
    if size > DAY:
        return [Place(start - k * size, 0) for k in reversed(range(2 * WEEKS + 1))], 1
    days = [_days_before(start, k, zone) for k in reversed(range(7 * WEEKS + 1))]
    weekdays = [_weekday(day + size / 2, zone, holidays) for day in days]
    if size == DAY:
        return [Place(day, weekday) for day, weekday in zip(days, weekdays, strict=True)], 7
    pairs = zip(days, weekdays, strict=True)
    return [p for day, weekday in pairs for p in (Place(day - size, weekday), Place(day, 7 + weekday))], 14


def _days_before(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the same time of the day so many days before, as the clocks of the zone show it."""
    return (start.astimezone(zone) - days * DAY).astimezone(UTC)


def _weekday(moment: datetime, zone: ZoneInfo, holidays: Collection[date]) -> int:
    local = moment.astimezone(zone)
    return SUNDAY if local.date() in holidays else local.weekday()
