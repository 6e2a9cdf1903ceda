"""Silences that repeat: maintenance windows and days on which nobody is told, as a monitor file declares them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from hindsight.monitors.strict import Column, Duration, Name, Strict

YEAR_END = datetime(2027, 12, 31, tzinfo=UTC)  # of a year with a February of 28 days


class RepeatedSilence(Strict):
    """From each moment of a cron schedule, in the monitor's time zone, for a while; `rule` and others narrow it."""

    every: str
    lasting: Duration
    comment: Annotated[str, Field(min_length=1)]
    rule: Name | None = None
    segment: str = ""
    feature: Column | None = None
    starts: bool = False

    def between(self, since: datetime, until: datetime, zone: str) -> Iterator[tuple[datetime, datetime]]:
        """Yield start and end of those that end after `since` and begin by `until`, the last one first."""
        for begun in starts_before(self.every, until, zone):
            if begun + self.lasting <= since:
                return
            yield begun, begun + self.lasting


def shortest_gap(schedule: str, zone: str) -> timedelta:
    """Return the shortest time between moments of a cron schedule, of those of a year, fifty at most."""
    found = starts_before(schedule, YEAR_END, zone)
    moments = list(takewhile(lambda one: one > YEAR_END - timedelta(days=366), islice(found, 50)))
    return min((later - earlier for later, earlier in pairwise(moments)), default=timedelta(days=366))


def starts_before(schedule: str, moment: datetime, zone: str) -> Iterator[datetime]:
    """Yield the moments of a cron schedule up to one, the last one first."""
    from croniter import croniter  # comes with Airflow, which schedules by it

    local = (moment + timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    found = croniter(schedule, local, ret_type=datetime)
    while True:
        yield found.get_prev().astimezone(moment.tzinfo)
