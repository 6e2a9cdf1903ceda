"""A P0 over before anyone could be told is told all the same, once and while it is news; what is not told says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.verdicts.model import State
from tests.builders import HOUR, a_window, at
from tests.pipeline.world import World, a_world, days

CRAWLING: dict[str, Any] = {"latency_ms": 1500.0}  # health_critical, a P0, and two of P1
SLOW: dict[str, Any] = {"latency_ms": 900.0}  # P1 alone
CAUGHT_UP = at("2026-09-03T12:00")
OVER = "[resolved] credit: health critical is over (was, from 2026-09-01 to 2026-09-03: health critical"


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made


def done(world: World, rule: str) -> str:
    """What the story of a rule's newest incident says was done."""
    return [s.done for s in pipeline.stories(world.monitor, world.resources) if s.incident.series.rule == rule][-1]


@pytest.mark.parametrize("order", [("2026-09-01", "2026-09-02"), ("2026-09-02", "2026-09-01")])
def test_a_p0_of_an_outage_is_told_once_when_windows_are_caught_up(small: World, order: tuple[str, str]) -> None:
    small.log("2026-09-01", **CRAWLING).log("2026-09-02")
    for day in order:
        small.run(day, judged=CAUGHT_UP)
    (subject,) = small.deliver(CAUGHT_UP)
    assert subject.startswith(f"{OVER}: errors 0.0%, p99 1,500 ms)")

    for day in (*order, "2026-09-03"):
        small.log("2026-09-03") if day == "2026-09-03" else None
        small.run(day, judged=at("2026-09-04T01:00"))
    assert small.deliver(at("2026-09-04T02:00")) == [subject]
    assert "1 mail sent" in done(small, "health_critical")


def test_milder_ones_that_were_over_are_not_told_and_say_so(small: World) -> None:
    small.log("2026-09-01", **SLOW).log("2026-09-02")
    small.run("2026-09-02", judged=CAUGHT_UP)
    small.run("2026-09-01", judged=CAUGHT_UP)

    assert small.states("latency_p95") == [State.RESOLVED]
    assert small.deliver(CAUGHT_UP) == []
    assert done(small, "latency_p95") == "recorded silently: over before it was told"


def test_a_mail_that_waited_until_its_incident_was_over_says_why_it_never_went_out(small: World) -> None:
    small.log("2026-09-01", **SLOW).run("2026-09-01")
    small.log("2026-09-02").run("2026-09-02")

    assert small.deliver(at("2026-09-03T01:00")) == []
    assert done(small, "latency_p95") == "2 mails suppressed (over before it could be told)"


def test_a_p0_of_long_ago_stays_untold_also_when_its_rule_is_news_again(small: World) -> None:
    for day, values in zip(days("2026-09-01", 2), (CRAWLING, {}), strict=True):
        small.log(day, **values).run(day, judged=at("2026-12-01"))
    small.log("2026-11-30").run("2026-11-30")

    assert small.states("health_critical") == [State.RESOLVED]
    assert small.deliver(at("2026-12-01T02:00")) == []
    assert done(small, "health_critical") == "recorded silently: 88 days late"


def test_a_p0_that_is_open_again_is_told_and_its_end_once_more(small: World) -> None:
    for day, values in zip(days("2026-09-01", 4), (CRAWLING, {}, CRAWLING, {}), strict=True):
        small.log(day, **values).run(day)
        if day != "2026-09-01":  # the first night nobody could be reached
            subjects = small.deliver(a_window(day).end + HOUR)

    assert [subject.partition("]")[0] for subject in subjects] == ["[resolved", "[P0", "[resolved"]


def test_a_night_that_finds_a_drop_and_a_good_day_after_it_tells_of_it_once_and_of_its_end_a_week_later(
    small: World,
) -> None:
    for day in days("2026-09-01", 8):
        small.log(day, right=0.4 if day == "2026-09-01" else 0.9)
    small.night("2026-09-06")
    (subject,) = small.deliver(at("2026-09-06T02:00"))

    assert small.states("accuracy_drop") == [State.RECOVERING]
    said = "accuracy 0.4, 56 % below reference, good again in its newest window (since 2026-09-01)"
    assert subject == f"[P0] credit: {said}"
    for night in days("2026-09-07", 7):
        small.night(night)
    _, end = small.deliver(at("2026-09-13T02:00"))
    assert end.startswith("[resolved] credit: accuracy drop is over (was, from 2026-09-01 to 2026-09-02: accuracy 0.4")


def test_a_night_that_finds_a_drop_and_its_end_tells_of_it(small: World) -> None:
    small.declare(rules=[{"id": "accuracy_drop", "keep_for": 1}])
    for day, right in zip(days("2026-09-01", 2), (0.4, 0.9), strict=True):
        small.log(day, right=right)
    small.night("2026-09-06")
    (subject,) = small.deliver(at("2026-09-06T02:00"))

    assert small.states("accuracy_drop") == [State.RESOLVED]
    said = "accuracy drop is over (was, from 2026-09-01 to 2026-09-03: accuracy 0.4, 56 % below reference)"
    assert subject == f"[resolved] credit: {said}"
    small.night("2026-09-07")
    assert len(small.deliver(at("2026-09-07T02:00"))) == 1


def test_a_drop_that_late_labels_took_back_before_it_was_told_stays_untold(small: World) -> None:
    small.log("2026-09-01", right=0.4).night("2026-09-05")
    small.correct("2026-09-01", at("2026-09-05T12:00"), right=0.9).night("2026-09-06")

    assert small.states("accuracy_drop") == [State.WITHDRAWN]
    assert small.deliver(at("2026-09-06T02:00")) == []
