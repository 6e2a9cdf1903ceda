"""hindsight init: columns that the clock fixes are left out of drift, and whose weekdays are meant is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.errors import ConfigError
from hindsight.pipeline import propose
from tests.builders import at
from tests.proposals.loans import LOANS, init, loans, make

CLOCKS = {"hour": sa.Integer(), "local_hour": sa.Integer(), "temperature": sa.Double(), "market_day": sa.Integer()}


@pytest.fixture
def warehouse(sqlite_url: sa.URL) -> sa.URL:
    """Sixty days of loans, fifty a day, with the hour of the day, the weather of the day and a setting changed once."""
    rows: list[dict[str, Any]] = [row | _of(row) for row in loans()]
    make(sqlite_url, "loans", LOANS | CLOCKS | {"setting": sa.Integer()}, rows)
    return sqlite_url


def _of(row: dict[str, Any]) -> dict[str, Any]:
    when = row["scored_at"]
    day = when.toordinal()
    shifted = (when.hour * 60 + when.minute + 330) // 60 % 24  # Kolkata: half an hour off
    clocks = {"hour": when.hour, "local_hour": shifted, "temperature": day * 37 % 23 / 2, "market_day": day % 2}
    return clocks | {"setting": int(when > at("2026-02-01"))}


def test_what_the_clock_fixes_is_proposed_as_such(warehouse: sa.URL, tmp_path: Path) -> None:
    monitor, text, _ = init(warehouse, tmp_path, wishes=propose.wishes(None, None, "1d"))
    assert monitor.clocks == {"hour", "temperature", "market_day"}
    assert "one value in each window" in text
    assert "one value in each hour" in text
    assert "The time of a row fixes hour, temperature, market_day: how far they lie" in " ".join(
        text.replace("#", "").split()
    )
    assert monitor.features["amount"].clock is monitor.features["setting"].clock is False


def test_a_day_fixes_what_a_window_of_a_week_does_not(warehouse: sa.URL, tmp_path: Path) -> None:
    monitor, text, _ = init(warehouse, tmp_path, wishes=propose.wishes(None, None, "7d"))
    assert monitor.clocks == {"hour", "temperature", "market_day"}
    assert "one value in each day" in text
    assert monitor.segments == ("region",)  # market_day splits the rows more evenly


def test_hours_are_those_of_the_time_zone(warehouse: sa.URL, tmp_path: Path) -> None:
    wishes = propose.wishes(None, None, "1d", "Asia/Kolkata")
    monitor, text, _ = init(warehouse, tmp_path, wishes=wishes)
    assert monitor.clocks == {"local_hour", "temperature", "market_day"}
    assert monitor.timezone == "Asia/Kolkata"
    assert "CHECK: whose weekdays" not in text


def test_the_time_zone_is_there_to_be_checked(warehouse: sa.URL, tmp_path: Path) -> None:
    monitor, text, _ = init(warehouse, tmp_path)
    assert monitor.timezone == "UTC"
    (line,) = (line for line in text.splitlines() if line.startswith("timezone: UTC"))
    assert "CHECK: whose weekdays and hours are these?" in line
    assert "--timezone" in line


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="--timezone: expected a time zone such as Europe/Berlin, got 'Berlin'"):
        propose.wishes(None, None, None, "Berlin")
