"""Comparable windows: the same slot of local time, through holidays and the change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hindsight.checks.news.slots import SUNDAY, comparable
from tests.builders import DAY, HOUR, at

BERLIN, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def test_a_day_is_compared_with_the_days_of_thirteen_weeks_by_weekday() -> None:
    places, count = comparable(at("2026-09-02"), DAY, LONDON)
    assert (len(places), count) == (92, 7)
    assert places[-1].start == at("2026-09-02")
    assert places[0].start == at("2026-06-03")
    assert [place.slot for place in places[-3:]] == [0, 1, 2]


def test_a_holiday_counts_as_a_sunday() -> None:
    places, _ = comparable(at("2026-12-25"), DAY, LONDON, {date(2026, 12, 25)})
    assert places[-1].slot == SUNDAY
    assert places[-8].slot == 4


def test_an_hour_is_compared_with_the_same_hour_of_other_days_and_the_one_before_it() -> None:
    places, count = comparable(at("2026-09-02") + 9 * HOUR, HOUR, LONDON)
    assert (len(places), count) == (184, 14)
    assert {place.start.hour for place in places} == {8, 9}
    assert {place.slot >= 7 for place in places if place.start.hour == 9} == {True}


def test_the_local_hour_stays_when_the_clocks_change() -> None:
    noon = datetime(2026, 10, 26, 12, tzinfo=BERLIN).astimezone(UTC)  # the day after summer time ended
    places, _ = comparable(noon, HOUR, BERLIN)
    local = {place.start.astimezone(BERLIN).hour for place in places}
    assert local == {11, 12}
    assert places[-1].start - places[-3].start == timedelta(hours=24)
    assert places[-3].start - places[-5].start == timedelta(hours=25)


def test_a_week_is_compared_with_half_a_year_without_slots() -> None:
    places, count = comparable(at("2026-08-31"), 7 * DAY, LONDON)
    assert (len(places), count, {place.slot for place in places}) == (27, 1, {0})
