"""Promotion: what is measured of a promoted version, and the rules that every monitor with `retrain` has besides."""

from __future__ import annotations

from hindsight.monitors.metric import Metric
from hindsight.monitors.rules import Rule
from hindsight.vocabulary.measurement import Kind

GRADE = Metric(
    Kind.PROMOTION,
    "grade",
    "0 where a promoted version is as good in its first windows as the comparison promised, 1 where it is short of "
    "that, 2 where it is worse than the champion it replaced, each by a whole 95 % interval; computed when judging",
    highest=2,
)


def promotion_rules() -> tuple[Rule, ...]:
    """Return them: short of its promise is a ticket, worse than what it replaced a page."""
    common = {"metric": GRADE.path, "versions": True}
    short = {"id": "promotion_short", "severity": "P2", "above": 1} | common
    worse = {"id": "promotion_worse", "severity": "P1", "above": 2, "kind": "symptom"} | common
    return Rule.model_validate(short), Rule.model_validate(worse)
