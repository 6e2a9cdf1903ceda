"""Weeks are those of ISO 8601, months those of the calendar, in UTC; every moment lies in exactly one of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.vocabulary.periods import DAY, last_whole, parse_period, period_at
from tests.builders import at

moments = st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def test_a_week_begins_on_monday_and_belongs_to_the_year_of_its_thursday() -> None:
    week = parse_period("2026-W53")
    assert (week.start, week.end, week.days) == (at("2026-12-28"), at("2027-01-04"), 7)
    assert week.said == "week 2026-W53 (28 December to 3 January)"
    assert period_at("week", at("2027-01-03T23:59")) == week
    assert week.before.name == "2026-W52"


def test_a_month_has_as_many_days_as_it_has() -> None:
    assert [parse_period(f"2028-{month:02}").days for month in (1, 2, 4, 12)] == [31, 29, 30, 31]
    assert parse_period("2026-02").said == "month 2026-02 (1 to 28 February)"
    assert parse_period("2026-01").before.name == "2025-12"


def test_the_newest_whole_one_is_over() -> None:
    assert last_whole("week", at("2026-11-30")).name == "2026-W48"
    assert last_whole("week", at("2026-11-29T23:59")).name == "2026-W47"
    assert last_whole("month", at("2026-12-01T06:00")).name == "2026-11"


@pytest.mark.parametrize("text", ["", "2026", "2026-W54", "2026-13", "2026-W00", "0000-01", "last", "2026-11-01"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a week such as 2026-W48 or a month such as 2026-11"):
        parse_period(text)


@given(moments, st.sampled_from(["week", "month"]))
def test_every_moment_lies_in_one_that_its_name_leads_back_to(moment: datetime, kind: str) -> None:
    found = period_at(kind, moment)  # type: ignore[arg-type]
    assert found.start <= moment < found.end
    assert parse_period(found.name) == found
    assert found.before.end == found.start
    assert period_at(kind, found.end - timedelta(microseconds=1)) == found  # type: ignore[arg-type]
    assert found.days * DAY == found.end - found.start
