"""Silences of a monitor file: when they hold, in whose clock, and which cannot be meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hindsight.monitors.file_checks import problems
from hindsight.monitors.silences import RepeatedSilence, shortest_gap
from tests.builders import a_monitor, at


def a_silence(**rest: Any) -> RepeatedSilence:
    return RepeatedSilence.model_validate({"every": "0 22 * * 6", "lasting": "4h", "comment": "maintenance"} | rest)


def test_it_holds_from_each_moment_of_its_schedule_for_as_long_as_it_lasts() -> None:
    (one,) = a_silence().between(at("2026-07-04T23:00"), at("2026-07-04T23:00"), "UTC")  # a Saturday
    assert one == (at("2026-07-04T22:00"), at("2026-07-05T02:00"))
    assert list(a_silence().between(at("2026-07-05T02:00"), at("2026-07-05T02:00"), "UTC")) == []
    assert [since for since, _ in a_silence().between(at("2026-07-04T22:00"), at("2026-07-04T22:00"), "UTC")] == [
        at("2026-07-04T22:00")
    ]


def test_the_clock_is_that_of_the_monitor_also_where_it_is_put_forward() -> None:
    daily = a_silence(every="0 3 * * *", lasting="1h")
    found = daily.between(at("2026-03-28"), at("2026-03-30"), "Europe/Berlin")
    assert [since for since, _ in found] == [at("2026-03-29T01:00"), at("2026-03-28T02:00")]


def test_what_ended_lately_is_found_too() -> None:
    daily = a_silence(every="0 3 * * *", lasting="1h")
    found = list(daily.between(at("2026-07-01T04:00"), at("2026-07-03T12:00"), "UTC"))
    assert [until for _, until in found] == [at("2026-07-03T04:00"), at("2026-07-02T04:00")]


@pytest.mark.parametrize(
    ("schedule", "hours"), [("0 22 * * 6", 168), ("0 */6 * * *", 6), ("0 0 1 * *", 28 * 24), ("0 0 25 12 *", 366 * 24)]
)
def test_the_shortest_time_between_two_is_known(schedule: str, hours: int) -> None:
    assert shortest_gap(schedule, "UTC") == pytest.approx(
        timedelta(hours=hours), abs=timedelta(hours=24 * (hours > 8000))
    )


@pytest.mark.parametrize(
    ("rest", "where", "said"),
    [
        ({"every": "daily"}, "every", "five fields of cron"),
        ({"every": "99 * * * *"}, "every", "not a valid cron schedule"),
        ({"every": "0 0 31 2 *"}, "every", "no day on which"),
        ({"lasting": "7d"}, "lasting", "nobody would ever be told"),
        ({"rule": "volum"}, "rule", "did you mean 'volume'"),
        ({"segment": "shop=1"}, "segment", "column in segments"),
    ],
)
def test_what_cannot_be_meant_is_said(rest: dict[str, Any], where: str, said: str) -> None:
    silence = {"every": "0 22 * * 6", "lasting": "4h", "comment": "x"} | rest
    ((found, text),) = problems(a_monitor(silences=[silence]))
    assert found == ("silences", 0, where)
    assert said in text


def test_one_that_can_be_meant_has_no_problem() -> None:
    silence = {"every": "0 0 25 12 *", "lasting": "2d", "comment": "no lending at Christmas", "rule": "volume"}
    assert list(problems(a_monitor(silences=[silence]))) == []
