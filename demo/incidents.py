"""Incidents: the plan of what goes wrong with the two models, kept in incidents.json.

The plan is made once, when the demo first runs: later runs add days after its end, in which nothing is planted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from demo import credit, delivery
from demo.plan import Plan, Planted


def make_plan(seed: int, end: datetime) -> Plan:
    """Return the plan whose sixty days end at `end`, an aware UTC midnight."""
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
