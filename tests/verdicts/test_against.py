"""A rule that compares with a window before: known answers, any order of windows, clocks that change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.monitors.model import Monitor
from hindsight.verdicts.against import against, earlier, later
from hindsight.verdicts.model import Status, Verdict
from tests.builders import a_measurement, at
from tests.verdicts.rules import a_ruled_monitor, judged

METRIC = {"id": "r", "metric": "operations.total_requests"}


def compared(value: float | None, before: float | None, n: int = 1000, **rule: Any) -> Verdict:
    """The verdict on a value in the window of 1 September, given that of the day before."""
    monitor = a_ruled_monitor(METRIC | {"against": "previous"} | rule)
    verdicts = []
    for start, number in ((at("2026-08-31"), before), (at("2026-09-01"), value)):
        if number is not None or start == at("2026-09-01"):
            [one] = judged(monitor, a_measurement("total_requests", number, n=n, reference=7.0))
            verdicts.append(moved(one, start))
    return against(monitor, verdicts, {(one.series, one.window.start): one for one in verdicts})[-1]


def moved(verdict: Verdict, start: datetime) -> Verdict:
    return replace(verdict, window=type(verdict.window)(start, start + timedelta(days=1)))


@pytest.mark.parametrize(
    ("rule", "before", "value", "status", "threshold"),
    [
        ({"drops_by": "20%"}, 100, 79, Status.BREACH, 80),
        ({"drops_by": "20%"}, 100, 80, Status.OK, 80),
        ({"rises_by": "50%"}, 100, 150, Status.BREACH, 150),
        ({"rises_by": "50%"}, 100, 149, Status.OK, 150),
        ({"above": 10, "over_reference": True}, 100, 110, Status.BREACH, 110),
        ({"above": 10, "over_reference": True}, 100, 109, Status.OK, 110),
        ({"above": 500, "rises_by": "50%"}, None, 600, Status.BREACH, 500),
    ],
)
def test_a_number_is_compared_with_the_one_of_the_window_before(
    rule: dict[str, Any], before: float | None, value: float, status: Status, threshold: float
) -> None:
    found = compared(value, before, **rule)
    assert (found.status, found.threshold) == (status, pytest.approx(threshold))


def test_it_says_what_it_was_compared_with() -> None:
    assert compared(79, 100, drops_by="20%").note == "more than 20% below the window before, 100"


@pytest.mark.parametrize("rule", [{"drops_by": "20%"}, {"above": 10, "over_reference": True}])
def test_the_first_window_has_nothing_to_be_compared_with(rule: dict[str, Any]) -> None:
    assert compared(79, None, **rule).status is Status.NO_DATA


def test_too_few_rows_are_neither_compared_nor_compared_with() -> None:
    assert compared(79, 100, n=5, drops_by="20%", min_rows=10).status is Status.TOO_FEW


@given(st.lists(st.floats(1, 1000), min_size=3, max_size=9), st.randoms())
def test_the_order_in_which_windows_are_laid_together_does_not_matter(values: list[float], random: Any) -> None:
    monitor = a_ruled_monitor(METRIC | {"against": "previous", "drops_by": "20%"})
    verdicts = [
        moved(judged(monitor, a_measurement("total_requests", value))[0], at("2026-09-01") + timedelta(days=k))
        for k, value in enumerate(values)
    ]
    known = {(one.series, one.window.start): one for one in verdicts}
    in_order = against(monitor, verdicts, known)
    random.shuffle(verdicts)
    again = against(monitor, verdicts, known)
    assert sorted(again, key=lambda one: one.window.start) == in_order
    assert [one.status is Status.BREACH for one in in_order[1:]] == [
        now < 0.8 * before for before, now in pairwise(values)
    ]


@pytest.mark.parametrize("window", ["1h", "6h", "1d"])
@pytest.mark.parametrize("which", ["previous", "same_weekday"])
@given(hours=st.integers(0, 24 * 400))
def test_a_window_looks_back_on_exactly_the_one_that_names_it(which: str, window: str, hours: int) -> None:
    monitor = _monitor(which, window)
    start = monitor.grid.window_at(at("2026-01-01") + timedelta(hours=hours)).start
    rule = next(rule for rule in monitor.rules if rule.id == "r")
    before = earlier(monitor, rule, start)
    assert before < start
    assert start in later(monitor, rule, before)
    assert all(earlier(monitor, rule, one) == start for one in later(monitor, rule, start))


def test_the_same_time_a_week_before_is_that_of_the_clocks() -> None:
    monitor = _monitor("same_weekday", "1h")
    rule = next(rule for rule in monitor.rules if rule.id == "r")
    # clocks in Berlin went back on 25 October 2026: 9 in the morning was 7 UTC before, and 8 after
    assert earlier(monitor, rule, at("2026-10-26T08:00")) == at("2026-10-19T07:00")


def _monitor(which: str, window: str) -> Monitor:
    rule = METRIC | {"against": which, "drops_by": "20%"}
    return a_ruled_monitor(rule, window=window, timezone="Europe/Berlin")


@pytest.mark.parametrize("hours", [1, 3, 6, 12, 24, 24 * 7])
@pytest.mark.parametrize("day", ["2026-03-30", "2026-10-26", "2026-11-02"])  # after, after and a week after the clocks
def test_a_week_before_is_the_same_weekday_whatever_the_size_of_windows(hours: int, day: str) -> None:
    rule = METRIC | {"against": "same_weekday", "drops_by": "20%"}
    monitor = a_ruled_monitor(rule, timezone="Europe/Berlin", window=f"{hours}h")
    ours = {one.id: one for one in monitor.rules}["r"]
    for start in (w.start for w in monitor.grid.starting_in(at(day), at(day) + timedelta(days=7))):
        back = start - earlier(monitor, ours, start)
        assert abs(back - timedelta(days=7)) <= timedelta(hours=1)
        assert back == timedelta(days=7) or hours == 1
