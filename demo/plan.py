"""Plan: which days there are and what goes wrong in them; fixed by (seed, end) and kept in incidents.json.

The plan is made once, when the demo first runs: later runs add days after its end, in which nothing is planted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
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


def make_plan(seed: int, end: datetime) -> Plan:
    """Return the plan whose sixty days end at `end`, an aware UTC midnight."""
    from demo import credit, delivery

    return Plan(seed, end, (*credit.planted(end), *delivery.planted(end)))


def load_or_make(path: Path, *, seed: int, end: datetime) -> Plan:
    """Return the plan kept at `path`, or make and keep one that ends at `end`."""
    if path.exists():
        return read(path)
    plan = make_plan(seed, end)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(plan))
    return plan


def dumps(plan: Plan) -> str:
    """Return the plan as the text of incidents.json."""
    content = {"seed": plan.seed, "end": plan.end, "incidents": [asdict(planted) for planted in plan.planted]}
    return json.dumps(content, indent=1, default=datetime.isoformat) + "\n"


def read(path: Path) -> Plan:
    """Return the plan kept at `path`."""
    content = json.loads(path.read_text())
    return Plan(content["seed"], _moment(content["end"]), tuple(_planted(item) for item in content["incidents"]))


def _planted(item: dict[str, Any]) -> Planted:
    moments = {name: _moment(item[name]) for name in ("start", "end", "corrected")}
    lists = {name: _tuple(item[name]) for name in ("rules", "also")}
    return Planted(**item | moments | lists)


def _moment(text: str | None) -> Any:
    return None if text is None else datetime.fromisoformat(text)


def _tuple(items: Sequence[str] | None) -> Any:
    return None if items is None else tuple(items)
