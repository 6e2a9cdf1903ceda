"""How far features moved by what they weigh: one look at many, those that matter top right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, sqrt

from hindsight.reports.charts import Tick, written

WIDTH, HEIGHT, LEFT, FOOT = 640, 260, 44, 24
NAMED, MOST = 8, 300  # dots with their name beside them, dots
FAR = 0.25  # population stability index that is called a major shift


@dataclass(frozen=True, slots=True)
class Moved:
    """A feature of the newest window: its population stability index, and what it weighs in the model."""

    feature: str
    psi: float
    weight: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A feature on the drawing; `name` is "" where there is no room for it."""

    feature: str
    x: float
    y: float
    text: str
    name: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Quadrant:
    """Dots on a canvas of 640 by 260: weight to the right, distance upwards by its root, `far` where major begins."""

    dots: tuple[Dot, ...]
    rows: tuple[Tick, ...]
    far: float
    middle: float
    hidden: int = 0


def quadrant(found: Iterable[Moved]) -> Quadrant | None:
    """Return the drawing of those features whose weight is known; None where that is so of none."""
    known = [one for one in found if isfinite(one.psi) and isfinite(one.weight)]
    heaviest = max((one.weight for one in known), default=0.0)
    if heaviest <= 0:
        return None
    top = max(*(one.psi for one in known), 2 * FAR)
    ranked = sorted(known, key=lambda one: (-one.psi * one.weight, one.feature))
    dots = tuple(_dot(one, heaviest, top, named=k < NAMED) for k, one in enumerate(ranked[:MOST]))
    rows = tuple(Tick(_up(value, top), f"{value:.3g}") for value in (0.0, FAR, top))
    return Quadrant(dots, rows, _up(FAR, top), (LEFT + WIDTH) / 2, max(len(ranked) - MOST, 0))


def _up(psi: float, top: float) -> float:
    return round(HEIGHT - FOOT - sqrt(max(psi, 0.0) / top) * (HEIGHT - FOOT - 14), 1)


def _dot(one: Moved, heaviest: float, top: float, *, named: bool) -> Dot:
    x = round(LEFT + one.weight / heaviest * (WIDTH - LEFT - 10), 1)
    said = f"{one.feature}: moved {written(one.psi, 'number')}, weighs {written(one.weight, 'number')}"
    name = one.feature if len(one.feature) <= 24 else f"{one.feature[:23]}…"
    return Dot(one.feature, x, _up(one.psi, top), said, name if named else "", "end" if x > WIDTH / 2 else "start")
