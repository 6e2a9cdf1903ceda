"""A spell stays out of the past until it has lasted two cycles; what lasted so long is the level."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.news.spells import level_since, spells, uncounted

DAY, WEEK = timedelta(days=1), timedelta(days=7)
START = datetime(2026, 9, 1, tzinfo=UTC)


def days(*numbers: int) -> list[datetime]:
    return [START + number * DAY for number in numbers]


def out(windows: list[datetime], by: datetime) -> set[datetime]:
    return set(uncounted(spells(windows, WEEK, DAY), by))


def test_windows_of_a_spell_and_the_one_before_do_not_count() -> None:
    assert out(days(10, 11, 13), START + 14 * DAY) == set(days(9, 10, 11, 13))


def test_a_pause_of_more_than_a_cycle_begins_another_spell() -> None:
    assert [len(one.windows) for one in spells(days(1, 2, 9, 17), WEEK, DAY)] == [3, 1]


def test_what_lasts_two_cycles_counts_from_then_on() -> None:
    windows = days(*range(10, 24))
    assert out(windows[:-1], START + 23 * DAY) == {*days(9), *windows[:-1]}
    assert out(windows, START + 24 * DAY) == set()
    assert out(windows, START + 60 * DAY) == set()
    assert level_since(spells(windows, WEEK, DAY), START + 23 * DAY) is None
    assert level_since(spells(windows, WEEK, DAY), START + 60 * DAY) == START + 10 * DAY


def test_a_quiet_weekend_before_two_cycles_are_over_changes_nothing_and_an_end_does() -> None:
    assert out(days(*range(10, 22)), START + 24 * DAY) == set()
    assert out(days(*range(10, 20)), START + 24 * DAY) != set()


def test_three_days_never_count() -> None:
    assert out(days(10, 11, 12), START + 80 * DAY) == set(days(9, 10, 11, 12))


@given(st.sets(st.integers(0, 60), max_size=30), st.integers(61, 90))
def test_only_news_and_the_windows_before_are_ever_left_out(numbers: set[int], by: int) -> None:
    windows = days(*numbers)
    gone = out(windows, START + by * DAY)
    assert gone <= {*windows, *(one - DAY for one in windows)}
