"""The chart in a mail: one metric over windows with its limit, told apart by shape as well as by colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, LINE, LIMIT, GRID = "#1b1f24", "#1f5fa8", "#c04a00", "#e3e6ea"
WIDTH_PX, HEIGHT_PX = 552, 250
_FONT_PT = 9.0  # 18 px at full width, 10 px on a phone


@dataclass(frozen=True, slots=True)
class Point:
    """One window of the series: `value` None is a gap, `lower` and `upper` are its interval; provisional is hollow."""

    start: datetime
    value: float | None
    breach: bool = False
    provisional: bool = False
    lower: float | None = None
    upper: float | None = None


def draw(points: Sequence[Point], *, limit: float | None, limit_text: str = "") -> bytes | None:
    """Return a PNG at twice its size on screen, or None where fewer than two windows have a value.

    Breaching windows are orange diamonds under a band, the limit is a dashed orange line with its value beside it.
    """
    if sum(point.value is not None for point in points) < 2:
        return None
    from matplotlib.figure import Figure

    dpi = 288
    figure = Figure(figsize=(2 * WIDTH_PX / dpi, 2 * HEIGHT_PX / dpi), dpi=dpi, facecolor="white")
    axes = figure.add_axes((0.1, 0.16, 0.89, 0.82))
    _frame(axes, points)
    _series(axes, points)
    if limit is not None:
        _limit(axes, points, limit, limit_text)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _frame(axes: Axes, points: Sequence[Point]) -> None:
    axes.spines[:].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=_FONT_PT, labelcolor=INK, pad=2)
    axes.locator_params(axis="y", nbins=4)
    last = len(points) - 1
    ticks = sorted({0, last // 2, last} if last > 3 else {0, last})
    axes.set_xticks(ticks, [f"{points[tick].start:%d %b}" for tick in ticks])
    first, *_, rightmost = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    rightmost.set_horizontalalignment("right")
    axes.set_xlim(-0.5, last + 0.5)


def _series(axes: Axes, points: Sequence[Point]) -> None:
    values = [_number(point.value) for point in points]
    if any(point.lower is not None for point in points):
        lower, upper = [_number(point.lower) for point in points], [_number(point.upper) for point in points]
        axes.fill_between(range(len(points)), lower, upper, color=LINE, alpha=0.13, linewidth=0)
    if any(point.provisional for point in points):
        _provisional(axes, points, values)
    final = [_number(None if point.provisional else point.value) for point in points]
    axes.plot(final, color=LINE, linewidth=1.2, marker="o", markersize=2, solid_capstyle="round")
    bad = [number for number, point in enumerate(points) if point.breach and point.value is not None]
    for number in bad:
        axes.axvspan(number - 0.5, number + 0.5, color=LIMIT, alpha=0.10, linewidth=0)
    axes.plot(
        bad,
        [values[number] for number in bad],
        linestyle="none",
        marker="D",
        markersize=4.2,
        color=LIMIT,
        markeredgecolor="white",
        markeredgewidth=0.4,
    )


def _provisional(axes: Axes, points: Sequence[Point], values: Sequence[float]) -> None:
    young = [number for number, point in enumerate(points) if point.provisional]
    axes.plot(values, color=LINE, linewidth=1.0, dashes=(2, 1.5))
    axes.plot(
        young,
        [values[number] for number in young],
        linestyle="none",
        color=LINE,
        marker="o",
        markersize=3.4,
        markerfacecolor="white",
        markeredgewidth=0.9,
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _limit(axes: Axes, points: Sequence[Point], limit: float, text: str) -> None:
    axes.axhline(limit, color=LIMIT, linewidth=1.0, dashes=(4, 2))
    known = [point.value for point in points if point.value is not None]
    low, high = min(*known, limit), max(*known, limit)
    room = 0.14 * (high - low) or abs(high) * 0.1 or 1.0
    axes.set_ylim(low - room, high + room)
    nearby = [point.value for point in points[: max(2, len(points) // 3)] if point.value is not None]
    above = sum(value < limit for value in nearby) > len(nearby) / 2
    axes.annotate(
        text,
        (0, limit),
        xycoords=("axes fraction", "data"),
        xytext=(1, 2 if above else -2),
        textcoords="offset points",
        va="bottom" if above else "top",
        fontsize=_FONT_PT,
        color=LIMIT,
    )
