"""The course of accuracy as a drawing: what is final looks final, and everything lies on the canvas."""

from __future__ import annotations

import re
from dataclasses import replace
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.timeline import INSET, NARROW, SQUARE, TOP, WIDE, Bin, Canvas, Course, Spot, place, trace
from tests.builders import DAY, at

FIRST = at("2026-09-01")


def a_spot(number: int = 0, value: float | None = 0.9, **changes: object) -> Spot:
    start = FIRST + number * DAY
    spot = Spot(start, start + DAY, value, n=300, final=True, coverage=1.0)
    return replace(spot, **changes)  # type: ignore[arg-type]


def a_course(*spots: Spot, **changes: object) -> Course:
    return replace(Course("accuracy", "share", spots), **changes)  # type: ignore[arg-type]


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+?) ([\d.]+)", path)]


def test_final_windows_are_joined_by_one_line_and_provisional_ones_by_another() -> None:
    spots = [a_spot(k, 0.9 - k / 100, final=k < 3) for k in range(5)]
    drawing = trace(a_course(*spots))
    assert drawing is not None
    assert (len(points(drawing.final)), len(points(drawing.provisional))) == (3, 3)
    assert points(drawing.final)[-1] == points(drawing.provisional)[0]
    assert [dot.fixed for dot in drawing.dots] == [True] * 3 + [False] * 2


def test_a_window_without_a_value_is_a_gap() -> None:
    drawing = trace(a_course(*(a_spot(k, None if k == 2 else 0.9) for k in range(5))))
    assert drawing is not None
    assert drawing.final.count("M") == 2
    assert drawing.provisional == ""


def test_a_value_that_moved_this_night_shows_from_where() -> None:
    drawing = trace(a_course(a_spot(0, 0.9), a_spot(1, 0.8, before=0.9)))
    assert drawing is not None
    (move,) = drawing.moves
    assert (move.before, move.now) == (drawing.dots[0].y, drawing.dots[1].y)
    assert "80 %, final, 300 labels, 90 % the night before" in drawing.dots[1].text


def test_the_border_of_what_is_final_lies_where_the_windows_part() -> None:
    spots = [a_spot(k, final=k < 2) for k in range(4)]
    drawing = trace(a_course(*spots, matured=FIRST + 2 * DAY))
    assert drawing is not None
    assert drawing.matured is not None
    assert drawing.dots[1].x < drawing.matured.at < drawing.dots[2].x
    outside = trace(a_course(*spots, matured=FIRST - DAY))
    assert outside is not None
    assert outside.matured is None


def test_the_strip_below_is_filled_as_far_as_labels_are_in() -> None:
    drawing = trace(a_course(a_spot(0, coverage=1.0), a_spot(1, coverage=0.5), a_spot(2, coverage=None)))
    assert drawing is not None
    full, half = drawing.bars
    assert half.height == full.height / 2
    assert half.y + half.height == full.y + full.height
    assert half.text == "2026-09-02: labels of 50 %"


def test_a_handful_of_labels_does_not_stretch_the_scale() -> None:
    calm = [a_spot(k, 0.9, lower=0.88, upper=0.92) for k in range(3)]
    wild = a_spot(3, 0.1, n=3, final=False, lower=0.0, upper=0.7)
    drawing = trace(a_course(*calm, wild))
    assert drawing is not None
    assert drawing.rows[0].text == "88 %"
    assert drawing.dots[-1].y == drawing.floor


def test_an_estimate_alone_is_drawn_too_and_nothing_at_all_is_not() -> None:
    guess = trace(a_course(*(a_spot(k, None, estimate=0.8, estimate_lower=0.7, estimate_upper=0.9) for k in range(3))))
    assert guess is not None
    assert guess.guess
    assert guess.guess_band.endswith("Z")
    assert guess.summary == "accuracy of 0 windows"
    assert trace(a_course(a_spot(0, None))) is None
    assert trace(a_course()) is None


values = st.floats(-1e6, 1e6).map(lambda value: 0.0 if abs(value) < 1e-6 else value) | st.none()
some_spots = st.lists(
    st.builds(
        lambda value, lower, estimate, before, n, final, coverage: Spot(
            FIRST, FIRST + DAY, value, lower, lower, n, final, before, estimate, lower, estimate, coverage
        ),
        values,
        values,
        values,
        values,
        st.integers(0, 1000),
        st.booleans(),
        st.floats(0, 1) | st.none(),
    ),
    min_size=1,
    max_size=100,
)


@pytest.mark.parametrize("canvas", [WIDE, NARROW], ids=["wide", "narrow"])
@given(spots=some_spots, reference=values)
def test_everything_lies_on_the_canvas(canvas: Canvas, spots: list[Spot], reference: float | None) -> None:
    spread = [replace(s, start=FIRST + k * DAY, end=FIRST + (k + 1) * DAY) for k, s in enumerate(spots)]
    drawing = trace(a_course(*spread, reference=reference, matured=FIRST + 3 * DAY), canvas)
    if drawing is None:
        assert all(s.value is None and s.estimate is None for s in spots)
        return
    paths = (drawing.final, drawing.provisional, drawing.guess)
    drawn = [point for path in paths for point in points(path)] + [(dot.x, dot.y) for dot in drawing.dots]
    drawn += [(move.x, y) for move in drawing.moves for y in (move.before, move.now)]
    assert all(isfinite(x) and 0 <= x <= canvas.width and TOP <= y <= drawing.floor for x, y in drawn)
    assert all(bar.x + bar.width <= canvas.width and bar.y >= drawing.strip for bar in drawing.bars)
    assert len(drawing.columns) <= canvas.dates
    assert not re.search(r"nan|inf", "".join(paths) + drawing.final_band + drawing.guess_band)


def test_a_score_that_means_what_it_says_lies_on_the_diagonal() -> None:
    low, high = place([Bin(0.0, 0.0, 0.0, 0.1, 50), Bin(1.0, 1.0, 0.9, 1.0, 50)])
    assert (low.x, low.y) == (INSET, SQUARE - INSET)
    assert (high.x, high.y) == (SQUARE - 10, 10)
    assert low.top < low.bottom
    assert high.text == "score 1.00: 100 % positive of 50"
