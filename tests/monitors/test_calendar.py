"""Time zones, holidays and the budget of what is told: what a file may say, and what is refused in words."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hindsight.monitors.calendar import AlertBudget, Calendar, holidays_of
from hindsight.monitors.model import Alerts, Monitor
from tests.builders import monitor_file

CHRISTMAS, EPIPHANY = date(2026, 12, 25), date(2026, 1, 6)


def monitor(**given: Any) -> Monitor:
    return Monitor.model_validate(monitor_file() | given)


def test_without_a_word_slots_are_utc_and_no_day_is_a_holiday() -> None:
    assert (monitor().timezone, monitor().calendar) == ("UTC", None)
    assert holidays_of(None, [2026], Path()) == frozenset()


def test_a_country_and_a_part_of_it_have_holidays_of_their_own() -> None:
    germany, bavaria = (holidays_of(Calendar(holidays=name), [2026], Path()) for name in ("DE", "DE-BY"))
    assert CHRISTMAS in germany
    assert EPIPHANY in bavaria - germany


def test_a_file_holds_a_date_a_line(tmp_path: Path) -> None:
    (tmp_path / "closed.txt").write_text("# the shop is closed\n2026-12-25\n\n2026-12-31  # stock-taking\n")
    found = holidays_of(Calendar(holidays="closed.txt"), [2026], tmp_path)
    assert found == {CHRISTMAS, date(2026, 12, 31)}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("XX", "no holidays are known of 'XX'; name a country"),
        ("DE-QQ", "no holidays are known of 'DE-QQ'"),
        ("missing.txt", r"missing\.txt: cannot be read: No such file"),
        ("wrong.txt", r"wrong\.txt:2: expected a date such as 2026-12-25, found '25.12.'"),
    ],
)
def test_holidays_nobody_knows_are_refused_in_words(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "wrong.txt").write_text("2026-12-24\n25.12.\n")
    with pytest.raises(ValueError, match=said):
        holidays_of(Calendar(holidays=name), [2026], tmp_path)


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected a time zone such as Europe/Berlin, got 'Berlin'"):
        monitor(timezone="Berlin")
    with pytest.raises(ValidationError, match="expected a time zone"):
        monitor(timezone="../etc/passwd")


def test_a_budget_is_written_as_people_say_it() -> None:
    written = Alerts.model_validate({"budget": "3 pages and 1 notice per 7d"})
    assert written.budget == AlertBudget(pages=3, notices=1, period=timedelta(days=7))
    assert Alerts().budget == AlertBudget(pages=1, notices=2, period=timedelta(days=30))
    with pytest.raises(ValidationError, match="expected a budget such as '1 page and 2 notices per 30d', got 'few'"):
        Alerts.model_validate({"budget": "few"})
