"""Every metric Hindsight computes, once: rules are checked against this table and docs/metrics.md is made from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hindsight.monitors.measurement import Kind

ALL_TASKS = ("binary", "multiclass", "regression")
CLASSIFIERS = ("binary", "multiclass")


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is: its kind and name, what it is measured for, and its definition in one line."""

    kind: Kind
    name: str
    definition: str
    about: str = ""  # what `feature` holds: "", "feature", "segment column"
    tasks: tuple[str, ...] = ALL_TASKS
    vector: str = ""  # what `bin` holds, for a metric of many values; rules judge metrics of one value only
    interval: str = ""

    @property
    def path(self) -> str:
        """The name rules use: kind.name."""
        return f"{self.kind}.{self.name}"


def rule_metrics(task: str) -> Iterable[str]:
    """Return the paths a rule of a monitor with this task may judge."""
    return (m.path for m in CATALOG if task in m.tasks and not m.vector)


CATALOG: tuple[Metric, ...] = ()
