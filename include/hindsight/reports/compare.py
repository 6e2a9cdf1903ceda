"""The page of two windows side by side, as a pure function from plain data to HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.reports.charts import Unit
from hindsight.reports.pages import render

WIDTH = 100  # of a bar of a distribution, in its own units


@dataclass(frozen=True, slots=True)
class Pair:
    """A number then and now, None where it was not evaluated or not measured; `n` rows are behind each."""

    name: str
    then: float | None
    now: float | None
    n_then: int = 0
    n_now: int = 0
    reference: float | None = None
    unit: Unit = "number"
    href: str = ""

    @property
    def change(self) -> float | None:
        """How far it moved, None where one of them is not known."""
        return None if self.then is None or self.now is None else self.now - self.then


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of values, or a value: which share of the rows has it then, now and in the reference."""

    name: str
    then: float | None
    now: float | None
    reference: float | None


@dataclass(frozen=True, slots=True)
class CompareView:
    """Two windows of a monitor side by side; `notes` say in words what cannot be compared."""

    monitor: str
    then: datetime
    now: datetime
    segment: str
    feature: str
    groups: Sequence[tuple[str, Sequence[Pair]]] = ()
    columns: Sequence[Pair] = ()
    more_columns: int = 0
    bars: Sequence[Bar] = ()
    segments: Sequence[str] = ()
    features: Sequence[str] = ()
    notes: Sequence[str] = ()


def compare_page(view: CompareView) -> str:
    """Return the page: the numbers of all rows or of a segment, the columns that moved, and one column's values."""
    longest = max((share or 0.0 for bar in view.bars for share in (bar.then, bar.now, bar.reference)), default=0.0)
    return render("compare.html.j2", view=view, scale=WIDTH / longest if longest else 0.0)
