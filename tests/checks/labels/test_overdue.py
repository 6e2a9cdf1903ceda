"""Overdue: labels that every window before had by an age; no rhythm raises an alarm, and no outage is learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from hindsight.checks.labels.delays import delay_measurements, final_coverage
from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.labels.overdue import Past, awaits, least_known, missing, sound
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_monitor, a_window, at

Delivery = Callable[[Window], timedelta | None]
MONITOR = a_monitor(segments=[], labels={"matures_after": "45d"})


def label_table(window: Window, *, n: int, known: int, arrived: datetime | None) -> pa.Table:
    stamps = {"predicted_at": [window.start + k * (window.end - window.start) / n for k in range(n)]}
    stamps["arrived_at"] = [arrived] * known + [None] * (n - known)
    moments = {name: pa.array(values, pa.timestamp("us", "UTC")) for name, values in stamps.items()}
    label = pa.array([k % 2 for k in range(known)] + [None] * (n - known), pa.int64())
    return pa.table({"prediction": [k % 2 for k in range(n)], "label": label} | moments)


def daily(_: Window) -> timedelta:
    return 30 * HOUR


def weekdays(window: Window) -> timedelta:
    """Labels come at six of the next working day."""
    day = window.end
    while day.weekday() > 4:
        day += DAY
    return day + 6 * HOUR - window.end


def monthly(window: Window) -> timedelta:
    """Labels come with the first of the next month."""
    return (window.end.replace(day=1) + 32 * DAY).replace(day=1) - window.end


def never(_: Window) -> None:
    return None


def matured(window: Window, delivery: Delivery, *, n: int = 100, covered: float = 0.9) -> list[Measurement]:
    """What is kept of a window whose labels all come at one moment, so long after its end."""
    wait = delivery(window)
    table = label_table(
        window, n=n, known=0 if wait is None else round(covered * n), arrived=wait and window.end + wait
    )
    as_of = window.end + MONITOR.labels.matures_after
    kept = label_measurements(table, MONITOR, window, as_of=as_of, conflicts=0, orphans=0)
    return kept + delay_measurements(table, MONITOR, window)


def past(
    delivery: Delivery, count: int = 24, first: str = "2026-06-01", **rest: float
) -> dict[Window, list[Measurement]]:
    windows = (Window(at(first) + k * DAY, at(first) + (k + 1) * DAY) for k in range(count))
    return {window: matured(window, delivery, **rest) for window in windows}


def least(history: Past, days: float, *, mature: bool = False) -> float | None:
    return least_known(history, timedelta(days=days), mature=mature)


def test_labels_must_have_come_once_they_are_late_by_a_day_and_a_quarter() -> None:
    history = past(daily)
    assert least(history, 1.25) == 0  # when they came
    assert least(history, 1 + 1.25 * 54 / 24) == pytest.approx(0.9)  # when the first rows were 54 hours old
    found = missing(history, 3 * DAY, mature=False, known=0, n=100)
    assert (found.value, found.n > 20) == (1, True)


def test_a_weekend_is_waited_for() -> None:
    history = past(weekdays)
    assert [least(history, days) for days in (1, 2)] == [0, 0]  # Friday's labels come on Monday
    assert least(history, 6) == pytest.approx(0.9)


@pytest.mark.parametrize("first", [f"2026-0{month}-{day:02d}" for month in (1, 2) for day in range(1, 29, 3)])
def test_a_monthly_feed_is_not_known_from_its_last_delivery(first: str) -> None:
    history = past(monthly, first=first)
    next_up = Window(max(history).end, max(history).end + DAY)
    assert least(history, monthly(next_up) / DAY) in (None, 0)
    assert least(history, 45, mature=True) == pytest.approx(0.9)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_a_young_monitor_knows_nothing_yet(count: int) -> None:
    assert least(past(daily, count), 40) is None
    assert least(past(daily, count), 45, mature=True) is None
    assert missing(past(daily, count), 40 * DAY, mature=False, known=0, n=100).value is None


def test_days_that_never_get_labels_are_no_outage() -> None:
    history = {w: matured(w, never if w.start.weekday() > 4 else daily) for w in past(daily)}
    assert least(history, 45, mature=True) == 0
    assert missing(history, 45 * DAY, mature=True, known=0, n=100).value is None


def test_what_is_missing_is_counted_against_what_was_the_least() -> None:
    found = missing(past(daily), 45 * DAY, mature=True, known=18, n=100)
    assert (found.value, found.n) == (pytest.approx(0.8), 90)
    assert found.note == "labels of 18% of the predictions are in, of every window before 90% or more"
    assert missing(past(daily), 45 * DAY, mature=True, known=99, n=100).value == 0


def outage(history: Past, first: Window, days: int, covered: float = 0.0) -> dict[Window, list[Measurement]]:
    """Windows after `history` that lost their labels, each measured by those before it that kept theirs."""
    every = dict(history)
    for k in range(days):
        window = Window(first.start + k * DAY, first.end + k * DAY)
        kept = [*matured(window, daily, covered=covered), *final_coverage(sound(every).values())]
        every[window] = [*kept, missing(sound(every), 45 * DAY, mature=True, known=round(100 * covered), n=100)]
    return every


@pytest.mark.parametrize("covered", [0.0, 0.02, 0.3])
def test_an_outage_is_not_learnt_and_its_windows_are_passed_over(covered: float) -> None:
    history = past(daily)
    after = outage(history, a_window("2026-06-25"), 30, covered)
    assert list(sound(after)) == list(history)
    assert final_coverage(sound(after).values())[0].value == pytest.approx(0.9)


def test_the_window_in_which_labels_stopped_goes_with_the_outage() -> None:
    history = past(daily)
    torn = a_window("2026-06-25")
    history[torn] = [*matured(torn, daily, covered=0.6), Measurement("expected_final_coverage", 0.9)]
    assert torn in sound(history)
    assert torn not in sound(outage(history, a_window("2026-06-26"), 3))


@pytest.mark.parametrize("slope", [(0.76, 0.58, 0.36), (0.84, 0.78, 0.72, 0.66, 0.6, 0.54, 0.48, 0.42)])
@pytest.mark.parametrize("rest", [0.1, 0.27])
def test_labels_that_run_out_over_several_windows_are_no_slow_change(slope: Sequence[float], rest: float) -> None:
    """Labels take longer than a window to come, so that the windows before the end of a feed lack more and more."""
    history = every = past(daily)
    for k, covered in enumerate([*slope, *[rest] * 30]):
        every = outage(every, a_window(f"{at('2026-06-25') + k * DAY:%Y-%m-%d}"), 1, covered)
    assert missing(sound(every), 45 * DAY, mature=True, known=27, n=100).value == pytest.approx(1 - 0.27 / 0.9, abs=0.1)
    assert final_coverage(sound(every).values())[0].value == pytest.approx(0.9, abs=0.01)
    assert len(sound(every)) <= len(history) + 1


def test_weeks_with_fewer_and_fewer_labels_towards_their_end_are_no_outage() -> None:
    every: dict[Window, list[Measurement]] = {}
    for week in range(6):
        for k, covered in enumerate((0.9, 0.9, 0.9, 0.7, 0.5, 0.35, 0.3)):
            every = outage(every, a_window(f"{at('2026-06-01') + (7 * week + k) * DAY:%Y-%m-%d}"), 1, covered)
    assert len(sound(every)) == 42


def test_a_slow_change_is_learnt() -> None:
    every: dict[Window, list[Measurement]] = {}
    for k, covered in enumerate(np.linspace(0.9, 0.3, 120)):
        window = Window(at("2026-01-01") + k * DAY, at("2026-01-02") + k * DAY)
        near = dict(list(sound(every).items())[-24:])
        found = missing(near, 45 * DAY, mature=True, known=round(100 * covered), n=100)
        assert (found.value or 0) < 0.5
        every[window] = [*matured(window, daily, covered=covered), found, *final_coverage(near.values())]
    assert len(sound(every)) == 120


def test_a_window_is_looked_at_again_until_it_is_known_to_have_lost_its_labels() -> None:
    window = a_window("2026-06-25")
    assert awaits([], 0.9)
    assert awaits(matured(window, daily, covered=0.2), 0.9)
    assert not awaits(matured(window, daily, covered=0.5), 0.9)
    assert not awaits([*matured(window, never), Measurement("missing_share", 1.0, 90)], 0.9)
    assert not awaits(matured(window, never, n=20), 0.9)  # too few to tell
