"""Drift as a heat map, feature by window: which cells there are, how dark each is, and what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from hindsight.reports.charts import moment

ROWS, COLUMNS = 20, 45
LEVELS = (0.1, 0.25, 0.5, 1.0)  # population stability index from which a cell is a step darker


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a feature lay from its reference in a window, None where that was not evaluated."""

    feature: str
    start: datetime
    psi: float | None
    drifted: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """The furthest of a feature in some neighbouring windows, and whether it drifted in any of them.

    `level` is from 0 to 4, -1 where nothing was evaluated.
    """

    start: datetime | None
    level: int
    text: str
    drifted: bool = False

    @property
    def at(self) -> str:
        """The start as an address says it."""
        return f"{self.start:%Y-%m-%dT%H:%MZ}" if self.start else ""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The features that moved most and their cells, oldest first; `hidden` more features are not shown."""

    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    first: datetime
    last: datetime
    hidden: int = 0
    together: int = 1  # windows in a cell
    every: int = 1  # of so many windows one was read


def heat_map(found: Iterable[Drift], *, only: str = "", every: int = 1) -> HeatMap | None:
    """Return the map of what drifted, those with the furthest window on top; None where nothing was measured.

    `only` keeps one feature. Windows that do not fit side by side share a cell, which shows the furthest of them.
    """
    series = _by_feature(one for one in found if only in ("", one.feature))
    starts = sorted({one.start for some in series.values() for one in some})
    if not starts:
        return None
    together = -(-len(starts) // COLUMNS)
    column = {start: k // together for k, start in enumerate(starts)}
    ranked = sorted(series, key=lambda feature: (-max(map(_far, series[feature])), feature))
    width = column[starts[-1]] + 1
    rows = tuple((feature, _cells(series[feature], column, width)) for feature in ranked[:ROWS])
    return HeatMap(rows, starts[0], starts[-1], max(len(ranked) - ROWS, 0), together, every)


def _by_feature(found: Iterable[Drift]) -> dict[str, list[Drift]]:
    ordered = sorted(found, key=lambda one: (one.feature, one.start))
    return {feature: list(some) for feature, some in groupby(ordered, key=lambda one: one.feature)}


def _far(one: Drift) -> float:
    return -1.0 if one.psi is None else one.psi


def _cells(series: Sequence[Drift], column: dict[datetime, int], width: int) -> tuple[Cell, ...]:
    cells = [Cell(None, -1, "not measured")] * width
    for place, some in groupby(series, key=lambda one: column[one.start]):
        found = list(some)
        cells[place] = replace(_cell(max(found, key=_far)), drifted=any(one.drifted for one in found))
    return tuple(cells)


def _cell(one: Drift) -> Cell:
    if one.psi is None:
        return Cell(one.start, -1, f"{moment(one.start)}: not evaluated")
    said = f"{moment(one.start)}: {one.psi:.3g}{', drifted' if one.drifted else ''}"
    return Cell(one.start, sum(one.psi >= level for level in LEVELS), said, one.drifted)
