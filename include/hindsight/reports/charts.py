"""A time series as an SVG drawing: pure geometry, so that a page needs no script and a test needs no browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor, log10
from typing import Literal

Unit = Literal["count", "share", "ms", "s", "number"]

WIDTH, HEIGHT = 400, 180
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 26
MAX_DOTS = 80  # more would hide the line; immature points always keep theirs


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one window, None where it was not evaluated; immature ones are drawn hollow."""

    start: datetime
    value: float | None
    lower: float | None = None
    upper: float | None = None
    immature: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: an incident that opened, a new model version, a retraining."""

    when: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A named time series, oldest point first, with the threshold its rule has, if any."""

    title: str
    unit: Unit
    points: tuple[Point, ...]
    threshold: float | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Dot:
    """A point on the drawing, with what to say about it."""

    x: float
    y: float
    text: str
    immature: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position on an axis."""

    at: float
    text: str
    anchor: Literal["start", "middle", "end"] = "middle"


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything a template needs to draw a chart, in units of a 400 by 180 canvas; paths are SVG path data."""

    line: str
    band: str
    dots: tuple[Dot, ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    threshold: Tick | None
    marks: tuple[Tick, ...]
    summary: str


def draw(chart: Chart) -> Drawing | None:
    """Return the drawing of a chart, None where no point has a value."""
    known = [point for point in chart.points if point.value is not None]
    if not known:
        return None
    values = [v for p in known for v in (p.value, p.lower, p.upper) if v is not None]
    ticks = round_ticks(values + ([] if chart.threshold is None else [chart.threshold]), chart.unit)
    frame = _Frame(chart.points[0].start, chart.points[-1].start, ticks[0], ticks[-1])
    dots = tuple(Dot(frame.x(p.start), frame.y(p.value or 0), _said(chart, p), p.immature) for p in known)
    few = len(known) <= MAX_DOTS
    marks = (mark for mark in chart.marks if frame.first <= mark.when <= frame.last)
    return Drawing(
        line=_line(chart.points, frame),
        band=_band(known, frame),
        dots=tuple(dot for i, dot in enumerate(dots) if few or dot.immature or i == len(dots) - 1),
        rows=tuple(Tick(frame.y(value), written(value, chart.unit)) for value in ticks),
        columns=_dates(chart.points, frame),
        threshold=_threshold(chart, frame),
        marks=tuple(Tick(frame.x(mark.when), f"{moment(mark.when)}: {mark.text}") for mark in marks),
        summary=f"{chart.title}: {len(known)} windows, latest {written(known[-1].value, chart.unit)}",
    )


def written(value: float | None, unit: Unit) -> str:
    """Return a number as people read it: 12.3 %, 312 ms, 1,234."""
    if value is None:
        return "–"
    if unit == "share":
        percent = value * 100
        return f"{percent:.2g} %" if 0 < abs(percent) < 1 else f"{percent:.1f}".removesuffix(".0") + " %"
    if unit == "count":
        return f"{value:,.0f}" if abs(value) < 1e6 else f"{value / 1e6:,.1f} M"
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return number if unit == "number" else f"{number} {unit}"


def moment(when: datetime) -> str:
    """Return a UTC moment as people read it: the date alone for midnight."""
    return f"{when:%Y-%m-%d}" if (when.hour, when.minute) == (0, 0) else f"{when:%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class _Frame:
    first: datetime
    last: datetime
    low: float
    high: float

    def x(self, when: datetime) -> float:
        span = (self.last - self.first).total_seconds()
        share = (when - self.first).total_seconds() / span if span else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def round_ticks(values: Sequence[float], unit: Unit, steps: int = 3) -> list[float]:
    """Return round values about `steps` apart, from below the lowest to above the highest.

    They begin at zero where that does not flatten the line.
    """
    low, high = min(values), max(values)
    low = high if high - low <= 1e-9 * abs(high) else low  # a threshold may lie next to the value itself
    low = 0.0 if 0 <= low < 0.6 * high or low == high >= 0 else low
    high = high if high > low else low + 1
    rough = (high - low) / steps
    scale = 10.0 ** floor(log10(rough))
    step = next(m * scale for m in (1, 2, 2.5, 5, 10) if m * scale >= rough * 0.999)
    if unit == "count":
        step = max(step, 1.0)
    first = floor(low / step + 1e-9)
    ticks = [first * step]
    while ticks[-1] < high - step * 1e-9:
        ticks.append((first + len(ticks)) * step)
    return [round(tick, 12) for tick in ticks]


def _line(points: Sequence[Point], frame: _Frame) -> str:
    """Path data with a gap at every window that was not evaluated."""
    parts, pen_down = [], False
    for point in points:
        if point.value is not None:
            parts.append(f"{'L' if pen_down else 'M'}{frame.x(point.start)} {frame.y(point.value)}")
        pen_down = point.value is not None
    return "".join(parts)


def _band(known: Sequence[Point], frame: _Frame) -> str:
    ranged = [
        (frame.x(p.start), frame.y(p.lower), frame.y(p.upper))
        for p in known
        if p.lower is not None and p.upper is not None
    ]
    if len(ranged) < 2:
        return ""
    there = "L".join(f"{x} {upper}" for x, _, upper in ranged)
    back = "L".join(f"{x} {lower}" for x, lower, _ in reversed(ranged))
    return f"M{there}L{back}Z"


def _dates(points: Sequence[Point], frame: _Frame) -> tuple[Tick, ...]:
    first, last = points[0].start, points[-1].start
    if first == last:
        return (Tick(frame.x(first), moment(first)),)
    return Tick(frame.x(first), moment(first), "start"), Tick(frame.x(last), moment(last), "end")


def _threshold(chart: Chart, frame: _Frame) -> Tick | None:
    if chart.threshold is None:
        return None
    return Tick(frame.y(chart.threshold), written(chart.threshold, chart.unit))


def _said(chart: Chart, point: Point) -> str:
    interval = ""
    if point.lower is not None and point.upper is not None:
        interval = f" ({written(point.lower, chart.unit)} to {written(point.upper, chart.unit)})"
    remarks = ["labels are still coming" if point.immature else "", point.note]
    return ", ".join([f"{moment(point.start)}: {written(point.value, chart.unit)}{interval}", *filter(None, remarks)])
