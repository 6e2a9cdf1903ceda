"""A time series as an SVG drawing: pure geometry, so that a page needs no script and a test needs no browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor, log10
from typing import Literal

Unit = Literal["count", "share", "ms", "s", "number"]
Happening = Literal["incident", "deploy", "retraining", "silence", "rollback"]

WIDTH, HEIGHT = 400, 180
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 26
MAX_DOTS = 80  # more would hide the line; immature points always keep theirs
LANES = {"P0": 1.0, "P1": 5.0, "P2": 9.0}  # where incidents lie above the line, by severity


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one window, None where it was not evaluated; immature ones are drawn hollow."""

    start: datetime
    value: float | None
    lower: float | None = None
    upper: float | None = None
    immature: bool = False
    note: str = ""
    n: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened; an incident or a silence lasts `until`, None where it is not over.

    `severity` is that of an incident: "P0", "P1" or "P2".
    """

    when: datetime
    text: str
    kind: Happening = "incident"
    until: datetime | None = None
    severity: str = ""

    @property
    def lasts(self) -> bool:
        """Whether it is a span of time, not a moment."""
        return bool(self.severity) or self.until is not None


@dataclass(frozen=True, slots=True)
class Line:
    """Another series on a chart, in the unit of the first."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A named time series, oldest point first, with the threshold its rule has, if any.

    `key` names it in addresses, `name` its line beside those of `more`, `note` is said below it.
    """

    title: str
    unit: Unit
    points: tuple[Point, ...]
    threshold: float | None = None
    marks: tuple[Mark, ...] = ()
    key: str = ""
    name: str = ""
    more: tuple[Line, ...] = ()
    note: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """All its lines, the one it is about first."""
        return Line(self.name or self.title, self.points), *self.more


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
class Span:
    """An incident above the line or a silence behind it, from `left`, `width` wide."""

    left: float
    width: float
    top: float
    height: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A moment at which something happened."""

    at: float
    kind: Happening
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything a template needs to draw a chart, in units of a 400 by 180 canvas; paths are SVG path data."""

    line: str
    band: str
    dots: tuple[Dot, ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    threshold: Tick | None
    marks: tuple[Sign, ...]
    spans: tuple[Span, ...]
    more: tuple[tuple[str, str], ...]  # the name and the path of each other line
    summary: str


def draw(chart: Chart) -> Drawing | None:
    """Return the drawing of a chart, None where no point has a value."""
    known = [point for point in chart.points if point.value is not None]
    if not known:
        return None
    others = [p.value for line in chart.more for p in line.points]
    values = [v for v in [v for p in known for v in (p.value, p.lower, p.upper)] + others if v is not None]
    ticks = round_ticks(values + ([] if chart.threshold is None else [chart.threshold]), chart.unit)
    frame = _Frame(chart.points[0].start, chart.points[-1].start, ticks[0], ticks[-1])
    dots = tuple(Dot(frame.x(p.start), frame.y(p.value or 0), _said(chart, p), p.immature) for p in known)
    few = len(known) <= MAX_DOTS
    return Drawing(
        line=_line(chart.points, frame),
        band=_band(known, frame),
        dots=tuple(dot for i, dot in enumerate(dots) if few or dot.immature or i == len(dots) - 1),
        rows=tuple(Tick(frame.y(value), written(value, chart.unit)) for value in ticks),
        columns=_dates(chart.points, frame),
        threshold=_threshold(chart, frame),
        marks=tuple(_signs(chart.marks, frame)),
        spans=tuple(_spans(chart.marks, frame)),
        more=tuple((line.name, _line(line.points, frame)) for line in chart.more),
        summary=f"{chart.title}: {len(known)} windows, latest {written(known[-1].value, chart.unit)}",
    )


def written(value: float | None, unit: Unit) -> str:
    """Return a number as people read it: 12.3 %, 312 ms, 1,234."""
    if value is None:
        return "–"
    if unit == "share":
        percent = value * 100 + 0.0  # never minus nothing
        return f"{percent:.2g} %" if 0 < abs(percent) < 1 else f"{percent:.1f}".removesuffix(".0") + " %"
    if unit == "count" or abs(value) >= 1e6:
        number = _counted(value)
        return number if unit in ("count", "number") else f"{number} {unit}"
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return number if unit == "number" else f"{number} {unit}"


def moved(change: float, unit: Unit) -> str:
    """Return how far a number moved with its sign: a share by percentage points (pp)."""
    said = written(change, unit)
    said = f"{said.removesuffix('%')}pp" if unit == "share" else said
    return f"+{said}" if change > 0 else said


def _counted(value: float) -> str:
    """Write a number of any size in few characters."""
    if abs(value) >= 1e15:
        return f"{value:.2e}"
    for scale, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= scale:
            return f"{value / scale:,.1f} {letter}"
    return f"{value:,.0f}"


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


def _signs(marks: Sequence[Mark], frame: _Frame) -> Iterator[Sign]:
    for mark in marks:
        if not mark.lasts and frame.first <= mark.when <= frame.last:
            yield Sign(frame.x(mark.when), mark.kind, f"{moment(mark.when)}: {mark.text}")


def _spans(marks: Sequence[Mark], frame: _Frame) -> Iterator[Span]:
    """Incidents as bars in the lane of their severity, silences as shades over the height of the chart."""
    for mark in marks:
        end = min(mark.until or frame.last, frame.last)
        if not mark.lasts or mark.when > frame.last or end < frame.first:
            continue
        left = frame.x(max(mark.when, frame.first))
        width = max(round(frame.x(end) - left, 1), 2.0)
        lane = LANES.get(mark.severity)
        top, height = (TOP, HEIGHT - TOP - BOTTOM) if lane is None else (lane, 3)
        yield Span(left, width, top, height, mark.severity or mark.kind, f"{spanned(mark)}: {mark.text}")


def spanned(mark: Mark) -> str:
    """Return when something happened, from when to when for what lasts."""
    if not mark.lasts:
        return moment(mark.when)
    return f"{moment(mark.when)} to {moment(mark.until) if mark.until else 'now'}"


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
    rows = f"n {point.n:,}" if point.n else ""
    remarks = ["labels are still coming" if point.immature else "", rows, point.note]
    return ", ".join([f"{moment(point.start)}: {written(point.value, chart.unit)}{interval}", *filter(None, remarks)])
