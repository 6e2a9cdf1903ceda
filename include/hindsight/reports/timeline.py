"""Accuracy over time as an SVG drawing: what is final, what may still move, what was estimated, how much is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import ceil

from hindsight.reports.charts import Tick, Unit, moment, round_ticks, written

STEPS = 4
ENOUGH = 20  # labels behind a provisional value that may stretch the scale
LEFT, RIGHT, TOP, AXIS, STRIP, GAP = 52, 10, 18, 22, 26, 14


@dataclass(frozen=True, slots=True)
class Spot:
    """What is known of one window; `before` is its value as of the night before, None where that has not changed.

    `n` counts the labels behind `value`. `coverage` is None where nothing is known of the window's labels.
    """

    start: datetime
    end: datetime
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    final: bool = False
    before: float | None = None
    estimate: float | None = None
    estimate_lower: float | None = None
    estimate_upper: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The windows of a monitor, oldest first; windows that end after `matured` are too young to be final.

    Of many windows one in `every` is there, the newest always.
    """

    title: str
    unit: Unit
    spots: tuple[Spot, ...]
    reference: float | None = None
    matured: datetime | None = None
    every: int = 1


@dataclass(frozen=True, slots=True)
class Canvas:
    """How large a drawing is, and how many dots and dates it has room for."""

    width: int
    height: int
    dots: int
    dates: int


WIDE, NARROW = Canvas(1100, 330, 120, 6), Canvas(400, 300, 45, 3)


@dataclass(frozen=True, slots=True)
class Dot:
    """A window's value; `fixed` is final, the others are hollow."""

    x: float
    y: float
    text: str
    fixed: bool


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where a value moved this night."""

    x: float
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A window in the strip of coverage: a slot, and how much of it is filled."""

    x: float
    width: float
    y: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything a template needs to draw a course; paths are SVG path data, `floor` and `strip` are heights."""

    canvas: Canvas
    final: str
    provisional: str
    final_band: str
    provisional_band: str
    guess: str
    guess_band: str
    dots: tuple[Dot, ...]
    moves: tuple[Move, ...]
    bars: tuple[Bar, ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    reference: Tick | None
    matured: Tick | None
    floor: float
    strip: float
    summary: str


def trace(course: Course, canvas: Canvas = WIDE) -> Timeline | None:
    """Return the drawing of a course, None where no window has a value or an estimate."""
    spots = course.spots
    if not any(spot.value is not None or spot.estimate is not None for spot in spots):
        return None
    ticks = round_ticks(_scale(course), course.unit, STEPS)
    frame = _Frame(canvas, spots[0].start, spots[-1].end, ticks[0], ticks[-1])
    known = [spot for spot in spots if spot.value is not None]
    few = len(known) <= canvas.dots
    return Timeline(
        canvas=canvas,
        final=_path(frame, spots, _value, final=True),
        provisional=_path(frame, spots, _value, final=False),
        final_band=_band(frame, spots, _interval, final=True),
        provisional_band=_band(frame, spots, _interval, final=False),
        guess=_path(frame, spots, lambda spot: spot.estimate),
        guess_band=_band(frame, spots, lambda spot: (spot.estimate_lower, spot.estimate_upper)),
        dots=tuple(_dot(frame, course, spot) for spot in known if few or not spot.final or spot is known[-1]),
        moves=tuple(
            Move(frame.x(spot), frame.y(spot.before), frame.y(spot.value))
            for spot in known
            if spot.before is not None and spot.value is not None
        ),
        bars=tuple(_bar(frame, spot) for spot in spots if spot.coverage is not None),
        rows=tuple(Tick(frame.y(value), written(value, course.unit)) for value in ticks),
        columns=_dates(frame, spots),
        reference=_at(frame, course),
        matured=_border(frame, course.matured),
        floor=frame.floor,
        strip=frame.strip,
        summary=_summary(course, known),
    )


def _scale(course: Course) -> list[float]:
    """The values the scale must hold: not the wide intervals of windows that have hardly a label."""
    firm = [spot for spot in course.spots if spot.value is not None and (spot.final or spot.n >= ENOUGH)]
    values = [spot.value for spot in firm or course.spots]
    values += [edge for spot in firm if spot.final for edge in (spot.lower, spot.upper)]
    values += [spot.estimate for spot in course.spots] + [spot.before for spot in firm] + [course.reference]
    return [value for value in values if value is not None]


@dataclass(frozen=True, slots=True)
class _Frame:
    canvas: Canvas
    first: datetime
    last: datetime
    low: float
    high: float

    @property
    def strip(self) -> float:
        """Where the strip of coverage begins."""
        return self.canvas.height - AXIS - STRIP

    @property
    def floor(self) -> float:
        """Where the plot ends."""
        return self.strip - GAP

    def across(self, when: datetime) -> float:
        share = (when - self.first) / (self.last - self.first)
        return round(LEFT + share * (self.canvas.width - LEFT - RIGHT), 1)

    def x(self, spot: Spot) -> float:
        return self.across(spot.start + (spot.end - spot.start) / 2)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.floor - min(max(share, 0.0), 1.0) * (self.floor - TOP), 1)


def _value(spot: Spot) -> float | None:
    return spot.value


def _interval(spot: Spot) -> tuple[float | None, float | None]:
    return spot.lower, spot.upper


def _runs(spots: Sequence[Spot], is_drawn: Callable[[Spot], bool], final: bool | None) -> Iterator[list[Spot]]:
    """Yield neighbours that a line joins: both final, or not both; either where `final` is None."""
    run: list[Spot] = []
    for one, other in pairwise(spots):
        joined = is_drawn(one) and is_drawn(other) and final in (None, one.final and other.final)
        if joined:
            run = [*run, other] if run else [one, other]
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(
    frame: _Frame, spots: Sequence[Spot], value: Callable[[Spot], float | None], *, final: bool | None = None
) -> str:
    runs = _runs(spots, lambda spot: value(spot) is not None, final)
    return "".join("M" + "L".join(f"{frame.x(s)} {frame.y(value(s) or 0.0)}" for s in run) for run in runs)


def _band(
    frame: _Frame,
    spots: Sequence[Spot],
    edges: Callable[[Spot], tuple[float | None, float | None]],
    *,
    final: bool | None = None,
) -> str:
    parts = []
    for run in _runs(spots, lambda spot: None not in edges(spot), final):
        above = "L".join(f"{frame.x(s)} {frame.y(edges(s)[1] or 0.0)}" for s in run)
        below = "L".join(f"{frame.x(s)} {frame.y(edges(s)[0] or 0.0)}" for s in reversed(run))
        parts.append(f"M{above}L{below}Z")
    return "".join(parts)


def _dot(frame: _Frame, course: Course, spot: Spot) -> Dot:
    return Dot(frame.x(spot), frame.y(spot.value or 0.0), _said(course, spot), spot.final)


def _said(course: Course, spot: Spot) -> str:
    def say(value: float | None) -> str:
        return written(value, course.unit)

    parts = [
        f"{moment(spot.start)}: {say(spot.value)}",
        f"95 % interval {say(spot.lower)} to {say(spot.upper)}" if None not in _interval(spot) else "",
        "final" if spot.final else "not final",
        f"{spot.n:,} labels",
        f"{say(spot.before)} the night before" if spot.before is not None else "",
        f"estimated {say(spot.estimate)}" if spot.estimate is not None else "",
    ]
    return ", ".join(filter(None, parts))


def _bar(frame: _Frame, spot: Spot) -> Bar:
    left, right = frame.across(spot.start), frame.across(spot.end)
    room = min(1.5, (right - left) / 5)
    share = min(max(spot.coverage or 0.0, 0.0), 1.0)
    text = f"{moment(spot.start)}: labels of {written(spot.coverage, 'share')}"
    height = round(share * STRIP, 1)
    return Bar(left, round(right - left - room, 2), round(frame.strip + STRIP - height, 1), height, text)


def _dates(frame: _Frame, spots: Sequence[Spot]) -> tuple[Tick, ...]:
    """The starts of windows at about equal distances, the first one always."""
    step = ceil(len(spots) / frame.canvas.dates)
    shown = spots[::step]
    return tuple(
        Tick(frame.across(spot.start), moment(spot.start), "start")
        for spot in shown
        if frame.across(spot.start) < frame.canvas.width - 70 or len(shown) == 1
    )


def _at(frame: _Frame, course: Course) -> Tick | None:
    if course.reference is None:
        return None
    return Tick(frame.y(course.reference), f"reference {written(course.reference, course.unit)}")


def _border(frame: _Frame, matured: datetime | None) -> Tick | None:
    """The line right of which nothing is final, with its words on the side that has room."""
    if matured is None or not frame.first < matured < frame.last:
        return None
    x = frame.across(matured)
    return Tick(x, "not final →", "start" if x < frame.canvas.width - 90 else "end")


def _summary(course: Course, known: Sequence[Spot]) -> str:
    final = [spot for spot in known if spot.final]
    newest = f", the newest final one {written(final[-1].value, course.unit)}" if final else ", none of them final"
    return f"{course.title} of {len(known)} windows{newest if known else ''}"


SQUARE, INSET = 260, 40


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of scores: their mean, the share of positive labels among its rows, and that share's interval."""

    score: float
    share: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A bin on the drawing, with its interval from `top` to `bottom`."""

    x: float
    y: float
    top: float
    bottom: float
    text: str


def place(bins: Sequence[Bin]) -> tuple[Mark, ...]:
    """Return where the bins lie on a square of 260 by 260: score to the right, share upwards, both from 0 to 1."""

    def up(share: float) -> float:
        return round(SQUARE - INSET - share * (SQUARE - INSET - 10), 1)

    return tuple(
        Mark(
            x=round(INSET + one.score * (SQUARE - INSET - 10), 1),
            y=up(one.share),
            top=up(one.upper),
            bottom=up(one.lower),
            text=f"score {one.score:.2f}: {written(one.share, 'share')} positive of {one.n:,}",
        )
        for one in bins
    )
