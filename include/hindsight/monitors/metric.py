"""Metric: what there is to say about a metric."""

from __future__ import annotations

from dataclasses import dataclass

from hindsight.vocabulary.measurement import Kind

ALL_TASKS = ("binary", "multiclass", "regression")
CLASSIFIERS = ("binary", "multiclass")


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is: its kind and name, what it is measured for, and its definition in one line.

    `lowest` and `highest` bound its values, None where nothing does. `compared` says that it is also measured on the
    reference. `needs` names the column of source.predictions it is made from.
    """

    kind: Kind
    name: str
    definition: str
    about: str = ""  # what `feature` holds: "", "feature", "segment column"
    tasks: tuple[str, ...] = ALL_TASKS
    vector: str = ""  # what `bin` holds, for a metric of many values
    by_bin: bool = False  # whether each of them has a reference of its own, for rules
    interval: str = ""
    lowest: float | None = 0
    highest: float | None = None
    compared: bool = False
    needs: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether rules may judge it: it has one value, or bins of which the one that moved most is judged."""
        return not self.vector or self.by_bin

    @property
    def path(self) -> str:
        """The name rules use: kind.name."""
        return f"{self.kind}.{self.name}"
