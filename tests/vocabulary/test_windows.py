from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.vocabulary.windows import Grid, parse_duration, parse_moment
from tests.builders import DAY, a_window, at


def test_a_moment_on_a_border_belongs_to_the_later_window() -> None:
    assert Grid(DAY).window_at(at("2026-09-02")) == a_window("2026-09-02")


def test_weeks_start_on_monday_unless_anchored() -> None:
    assert Grid(7 * DAY).window_at(at("2026-09-03")).start == at("2026-08-31")
    assert Grid(7 * DAY, at("1997-01-12")).window_at(at("1997-01-20")).start == at("1997-01-19")


@given(st.datetimes(), st.sampled_from(["5m", "15m", "1h", "6h", "1d", "7d", "36h"]))
def test_every_moment_is_in_exactly_one_window(moment, size) -> None:
    grid = Grid(parse_duration(size))
    moment = parse_moment(moment.isoformat()) if 1900 < moment.year < 2200 else at("2026-01-01")
    window = grid.window_at(moment)
    assert window.start <= moment < window.end
    assert grid.window_at(window.end).start == window.end


def test_windows_starting_in_a_span_leave_out_one_that_started_before_it() -> None:
    found = list(Grid(DAY).starting_in(at("2026-09-01T01:00"), at("2026-09-03")))
    assert found == [a_window("2026-09-02")]


@pytest.mark.parametrize("text", ["", "1", "d", "00d", "-1d", "1.5h", "1w", "1d "[:1]])
def test_a_duration_that_is_none_is_refused(text) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


def test_times_without_a_zone_are_utc() -> None:
    assert parse_moment("2026-09-01T02:00+02:00") == at("2026-09-01")
    assert parse_moment("2026-09-01") == at("2026-09-01")
    assert parse_duration("90m") == timedelta(minutes=90)
