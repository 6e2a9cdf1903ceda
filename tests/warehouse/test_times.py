"""Times: an ISO text is the moment it stands for, to the microsecond, and whatever is none is nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.warehouse.times import microseconds, utc_microseconds

ZONES = st.none() | st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST, LAST = datetime.fromisoformat("0002-01-01"), datetime.fromisoformat("9998-12-31")
MOMENTS = st.datetimes(FIRST, LAST, timezones=ZONES)


@given(MOMENTS, st.sampled_from("T "))
def test_a_text_is_its_moment_and_utc_where_it_names_no_zone(moment: datetime, between: str) -> None:
    expected = microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    assert utc_microseconds(moment.isoformat(between)) == expected


@pytest.mark.parametrize("text", ["2026-02-30", "2026-09-01 25:00", "20260901", "2026-09-01\0", "", None, 5])
def test_what_is_no_iso_time_in_the_order_of_time_is_none(text: object) -> None:
    assert utc_microseconds(text) is None
