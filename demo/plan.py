"""Plan: which days there are and what goes wrong in them; fixed by (seed, end)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DAYS_BEFORE = 28  # reference and training, before the first window
DAYS_WATCHED = 60


@dataclass(frozen=True, slots=True)
class Planted:
    """One thing that goes wrong in [start, end) of one monitor, and what Hindsight should make of it.

    It is found when an incident of one of `rules` (and of `feature`, where one is named) overlaps it. `also` are the
    other rules it may rightly set off; None means any, for bad data and bad service have many symptoms. `corrected`
    is when wrong labels are set right; `state` is what the incident should have come to, where that matters.
    """

    monitor: str
    kind: str
    start: datetime
    end: datetime
    rules: tuple[str, ...]
    severity: str
    expectation: str
    feature: str = ""
    also: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    corrected: datetime | None = None
    state: str | None = None

    def explains(self, rule: str) -> bool:
        """Whether an incident of this rule may come from it."""
        return self.also is None or rule in {*self.rules, *self.also}


@dataclass(frozen=True, slots=True)
class Plan:
    """The days of the demo: rows from `first_day`, windows from `start`, the present at `end` (UTC midnights)."""

    seed: int
    end: datetime
    planted: tuple[Planted, ...]

    @property
    def start(self) -> datetime:
        """The first window."""
        return self.end - DAYS_WATCHED * DAY

    @property
    def first_day(self) -> datetime:
        """The first day with rows."""
        return self.start - DAYS_BEFORE * DAY

    def of(self, monitor: str) -> list[Planted]:
        """What is planted into one monitor."""
        return [planted for planted in self.planted if planted.monitor == monitor]
