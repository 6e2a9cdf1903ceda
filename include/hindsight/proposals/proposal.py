"""Proposal: a monitor file in the making, each line with its reason; what only a person can say is a remark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hindsight.monitors.model import Task
from hindsight.proposals.roles import Roles
from hindsight.vocabulary.facts import TableFacts
from hindsight.vocabulary.rows import Scalar

Where = tuple[str, ...]
SELF_EVIDENT = {("name",), ("state",), ("source", "connection"), ("quality", "suite")}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file and why it is so."""

    where: Where
    value: Any
    why: str = ""


@dataclass(slots=True)
class Proposal:
    """A monitor file in the making: its lines in order, and remarks to put before a key."""

    name: str
    table: TableFacts
    roles: Roles
    lines: list[Line] = field(default_factory=list)
    remarks: dict[Where, list[str]] = field(default_factory=dict)

    def add(self, key: str, value: Any, why: str = "", *rest: str) -> None:
        """Add a line; `key` is written with dots, `rest` holds further parts that may contain any character."""
        self.lines.append(Line((*key.split("."), *rest), value, why))

    def remark(self, key: str, text: str) -> None:
        """Put a comment before a key."""
        self.remarks.setdefault(tuple(key.split(".")), []).append(text)

    def value(self, *where: str) -> Any:
        """Return the value of a line, None where there is no such line."""
        return next((line.value for line in self.lines if line.where == where), None)

    def features(self) -> dict[str, str]:
        """Return the features and their types."""
        found = {line.where[1]: line.value for line in self.lines if line.where[0] == "features"}
        return {name: value if isinstance(value, str) else value["type"] for name, value in found.items()}


def plain(value: Scalar) -> Scalar:
    """Return a class as one writes it: 1.0 is 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shown(value: Scalar) -> str:
    """Return a class as the file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain_guesses(made: Proposal) -> Iterator[tuple[str, str, str]]:
    """Yield key, value and reason of each guess for people; features and scores of classes are counted, not listed."""
    kinds = list(made.features().values())
    scores = [line for line in made.lines if line.where[:3] == ("source", "predictions", "score") and line.where[3:]]
    for line in made.lines:
        key = ".".join(line.where).removeprefix("source.")
        if line in scores[1:] or line.where in SELF_EVIDENT:
            continue
        if line in scores:
            yield "predictions.score", f"{len(scores)} columns", "one for each class, by their names"
        elif line.where[0] != "features":
            yield key, _cell(line.value), line.why
        elif kinds:
            counts = [f"{kinds.count(kind)} {kind}" for kind in ("numeric", "categorical") if kind in kinds]
            yield "features", ", ".join(counts), "the columns without another role"
            kinds = []


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return " to ".join(map(str, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_cell(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user said instead of leaving it to a guess."""

    task: Task | None = None
    positive_label: Scalar | None = None
    window: timedelta | None = None
    timezone: str | None = None
