"""Columns that the clock fixes: the weather of a day, an hour, an hour of the week; and none that merely look like it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.news.clock import clock_of

DAYS = 28
SECONDS = np.arange(DAYS * 24 * 4) * 900
WINDOWS = SECONDS // 86_400


def test_one_value_a_window_is_fixed_by_it() -> None:
    weather = np.random.default_rng(0).integers(0, 50, DAYS)[WINDOWS]
    assert clock_of(weather, SECONDS, WINDOWS) == "window"


def test_one_value_an_hour_is_fixed_by_it() -> None:
    hourly = np.random.default_rng(1).integers(0, 50, DAYS * 24)[SECONDS // 3600]
    assert clock_of(hourly, SECONDS, WINDOWS) == "hour"


def test_the_minute_of_the_week_is_seen_where_weeks_repeat() -> None:
    minute = SECONDS % (7 * 86_400) // 900 % 7
    assert clock_of(minute, SECONDS, WINDOWS) == "week"
    assert clock_of(minute[:672], SECONDS[:672], WINDOWS[:672]) == ""


def test_what_varies_within_an_hour_is_free_and_so_is_a_column_of_one_value() -> None:
    free = np.random.default_rng(2).integers(0, 5, len(SECONDS))
    assert clock_of(free, SECONDS, WINDOWS) == ""
    assert clock_of(np.zeros(len(SECONDS), int), SECONDS, WINDOWS) == ""


@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hourly = rng.integers(0, 3, DAYS * 24)[SECONDS // 3600]
    mixed = rng.permutation(len(SECONDS))
    assert clock_of(hourly[mixed], SECONDS[mixed], WINDOWS[mixed]) == clock_of(hourly, SECONDS, WINDOWS)
