"""A monitor with rules of its own, and what they make of some measurements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Verdict
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, a_monitor, a_window, at

WINDOW = a_window("2026-09-01")
MATURE = at("2026-10-01")


def a_ruled_monitor(*rules: dict[str, Any], **changes: Any) -> Monitor:
    """A monitor with only these rules."""
    off = [{"id": rule.id, "enabled": False} for rule in a_monitor().rules if rule.id not in {r["id"] for r in rules}]
    return a_monitor(rules=[*off, *rules], **changes)


def judged(
    monitor: Monitor, *facts: Measurement, kind: Kind = Kind.OPERATIONS, as_of: datetime = MATURE, **labels: float
) -> list[Verdict]:
    known = {kind: list(facts)}
    if labels:
        known[Kind.LABELS] = [a_measurement(name, value) for name, value in labels.items()]
    return judge(monitor, WINDOW, as_of, known)
