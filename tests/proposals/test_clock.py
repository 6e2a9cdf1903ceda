"""Columns that the clock fixes: the weather of a day, an hour of the day; and none that merely look like it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hindsight.proposals.clock import clock_of

DAYS = 28
QUARTERS = np.arange(DAYS * 24 * 4)
HOURS, WINDOWS = QUARTERS // 4, QUARTERS // 96


def test_one_value_a_window_is_fixed_by_it() -> None:
    weather = np.random.default_rng(0).integers(0, 50, DAYS)[WINDOWS]
    assert clock_of(weather, WINDOWS, HOURS) == "window"
    assert clock_of(WINDOWS % 7 // 5, WINDOWS, HOURS) == "window"  # the weekend


def test_one_value_a_day_is_fixed_by_it_in_windows_of_a_week() -> None:
    assert clock_of(WINDOWS % 7, WINDOWS // 7, HOURS) == "day"


def test_one_value_an_hour_is_fixed_by_it() -> None:
    assert clock_of(HOURS % 24, WINDOWS, HOURS) == "hour"
    assert clock_of(np.random.default_rng(1).integers(0, 50, DAYS * 24)[HOURS], WINDOWS, HOURS) == "hour"


def test_what_varies_within_an_hour_is_free() -> None:
    assert clock_of(np.random.default_rng(2).integers(0, 5, len(QUARTERS)), WINDOWS, HOURS) == ""
    nearly = HOURS % 24
    nearly[5] = 23
    assert clock_of(nearly, WINDOWS, HOURS) == ""


def test_a_setting_that_was_changed_once_is_no_clock() -> None:
    assert clock_of((WINDOWS > 10).astype(int), WINDOWS, HOURS) == ""
    assert clock_of(np.zeros(len(QUARTERS), int), WINDOWS, HOURS) == ""


def test_few_rows_say_nothing() -> None:
    assert clock_of(np.arange(4), np.arange(4), np.arange(4)) == ""
    assert clock_of(np.arange(28), np.arange(28), np.arange(28)) == ""  # one row a group


@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hourly = rng.integers(0, 3, DAYS * 24)[HOURS]
    mixed = rng.permutation(len(QUARTERS))
    assert clock_of(hourly[mixed], WINDOWS[mixed], HOURS[mixed]) == clock_of(hourly, WINDOWS, HOURS) == "hour"
