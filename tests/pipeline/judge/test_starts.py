"""What a rule starts is decided on its breach: by whom people are told of it, and when, makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.verdicts.model import State
from tests.builders import at
from tests.pipeline.world import World, a_world, days

SLOW: dict[str, Any] = {"latency_ms": 900.0}  # latency_p95 breaches at 300, and so does what is milder about it
SLOWER: dict[str, Any] = {"latency_ms": 270.0}
PATCHY: dict[str, Any] = {"amount": lambda i: None if i % 4 == 0 else 60.25 + i % 80}
MILD: dict[str, Any] = {"id": "sluggish", "metric": "operations.latency_p95_ms", "above": 250, "severity": "P2"}
LATE = at("2026-12-01")


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made


def started(world: World) -> list[tuple[str, str]]:
    """Which rule asked for which DAG, runs that exist by now left out."""
    return sorted((start["conf"]["rule"], start["dag_id"]) for start in pipeline.pending_starts(world.resources))


def test_a_rule_that_a_graver_one_speaks_for_starts_its_dag_once_an_incident(world: World) -> None:
    world.declare(rules=[MILD | {"then": ["email", "dag:scale_out", "dag:tell_ops"]}])
    for day in days("2026-09-01", 2):
        world.log(day, **SLOW).run(day)
        world.run(day)
    assert started(world) == [("sluggish", "scale_out"), ("sluggish", "tell_ops")]
    for start in pipeline.pending_starts(world.resources):
        pipeline.mark_started(world.resources, start["run_id"], at=at("2026-09-03"))
    world.run("2026-09-02")
    assert started(world) == []

    world.log("2026-09-03").run("2026-09-03")
    world.log("2026-09-04", **SLOW).run("2026-09-04")
    assert world.states("sluggish") == [State.RESOLVED, State.OPEN]
    assert started(world) == [("sluggish", "scale_out"), ("sluggish", "tell_ops")]


def test_people_hear_of_it_from_the_graver_rule_until_that_is_over(small: World) -> None:
    small.declare(rules=[MILD | {"then": ["email", "dag:scale_out"]}, {"id": "latency_p95", "severity": "P0"}])
    small.log("2026-09-01", **SLOW).run("2026-09-01")
    small.night("2026-09-02T02:00")
    (only,) = small.deliver(at("2026-09-02T03:00"))
    assert only.startswith("[P0] credit: latency p95 900 ms")
    assert {i.series.rule for i in small.incidents() if i.told is None} == {"sluggish"}

    small.log("2026-09-02", **SLOWER).run("2026-09-02")
    small.night("2026-09-03T02:00")
    subjects = small.deliver(at("2026-09-03T03:00"))
    assert subjects[2] == "[P2] credit: latency p95 270 ms, over 250 ms (since 2026-09-01)"
    assert subjects[1].startswith("[resolved] credit: latency p95 is over")


def test_an_end_is_told_even_where_a_graver_rule_has_come_to_speak(small: World) -> None:
    small.declare(
        rules=[MILD | {"severity": "P1", "then": ["email", "dag:scale_out"]}, {"id": "latency_p95", "severity": "P0"}]
    )
    for day, slow in zip(days("2026-09-01", 3), (SLOWER, SLOW, {}), strict=True):
        small.log(day, **slow).run(day)
        subjects = small.deliver(at(day).replace(hour=23) + (at("2026-09-02") - at("2026-09-01")))

    assert subjects[0].startswith("[P1] credit: latency p95 270 ms")
    assert subjects[-1].startswith("[resolved] credit: latency p95 is over")
    assert "and 2 more" in subjects[-1]  # health_warning, and the milder rule


def test_it_must_last_as_long_as_the_rule_says(small: World) -> None:
    small.declare(rules=[MILD | {"for": 2, "then": ["dag:scale_out"]}])
    small.log("2026-09-01", **SLOW).run("2026-09-01")
    assert started(small) == []
    small.log("2026-09-02", **SLOW).run("2026-09-02")
    assert started(small) == [("sluggish", "scale_out")]


def test_a_mild_breach_starts_its_dag_at_once_and_not_with_the_digest(small: World) -> None:
    small.declare(rules=[{"id": "null_rate", "then": ["email", "dag:refill"]}])
    small.log("2026-09-01", **PATCHY).run("2026-09-01")

    assert started(small) == [("null_rate", "refill")]
    assert small.deliver(at("2026-09-02T01:00")) == []


def test_old_news_starts_nothing_until_it_is_breached_again(small: World) -> None:
    small.declare(rules=[MILD | {"then": ["dag:scale_out"], "keep_for": 2}])
    small.log("2026-09-01", **SLOW).run("2026-09-01", judged=LATE)
    small.log("2026-09-02").run("2026-09-02")
    assert small.states("sluggish") == [State.OPEN]
    assert started(small) == []
    small.log("2026-09-03", **SLOW).run("2026-09-03")
    assert started(small) == [("sluggish", "scale_out")]


def test_where_there_is_no_data_only_rules_about_its_absence_start_anything(small: World) -> None:
    few = {"id": "few", "metric": "operations.total_requests", "below": 10, "then": ["email", "dag:restart_logging"]}
    small.declare(
        rules=[few, {"id": "nothing_sold", "metric": "kpi.sold", "below": 1, "then": ["dag:call_sales"]}],
        kpis={"sold": {"count": "request_id"}},
    )
    small.run("2026-09-01")

    assert started(small) == [("few", "restart_logging")]
    (mail,) = small.deliver(at("2026-09-02T01:00"))
    assert mail.startswith("[P1] credit: no predictions logged (")


def test_bad_data_starts_nothing_for_the_drift_they_explain(small: World) -> None:
    moved: dict[str, Any] = {"amount": lambda i: None if i % 4 == 0 else 160.25 + i % 80}
    small.declare(rules=[{"id": "drift", "then": ["dag:refit"]}, {"id": "null_rate", "then": ["dag:refill"]}])
    small.log("2026-09-01", **moved).run("2026-09-01")

    assert ("null_rate", "refill") in started(small)
    assert ("drift", "refit") not in started(small)


def test_a_drop_that_a_graver_rule_tells_of_starts_its_dag_when_its_labels_are_in(small: World) -> None:
    floor = {"id": "floor", "metric": "performance.accuracy", "below": 0.99, "severity": "P1"}
    small.declare(rules=[floor | {"then": ["dag:restart_api", "dag:page_vendor"]}])
    small.log("2026-09-01", right=0.4)
    small.night("2026-09-04")  # not mature yet
    assert started(small) == []
    small.night("2026-09-05")
    small.night("2026-09-06")
    assert started(small) == [("floor", "page_vendor"), ("floor", "restart_api")]
