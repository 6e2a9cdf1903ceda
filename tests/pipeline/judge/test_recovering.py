"""Calm that may only be the week is shown, not told; a return is the same incident, and each telling is one mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline.show.pages import monitor_view
from hindsight.reports.pages import monitor_page
from hindsight.verdicts.model import RetrainRequest, State
from hindsight.verdicts.retraining import Refusal
from tests.builders import at
from tests.pipeline.judge.facts import digest, judged, measured, subjects
from tests.pipeline.world import World, a_world, days

FILE: dict[str, Any] = {"start": "2026-07-01", "reference": None, "rules": [{"id": "news", "enabled": False}]}
FEW = {"operations.volume_ratio": [""]}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        yield made


def a_day(world: World, day: str, bad: dict[str, list[str]]) -> pipeline.Judgement:
    measured(world, day, bad)
    return judged(world, day)


def test_a_quiet_day_is_no_recovery_and_the_end_is_that_of_the_last_breach(world: World) -> None:
    for day in days("2026-07-01", 2):
        a_day(world, day, FEW)
    (told,) = subjects(world)
    a_day(world, "2026-07-03", {})
    assert world.states("volume") == [State.RECOVERING]
    assert pipeline.state_of(world.monitor, world.resources).recovering == 1
    assert pipeline.state_of(world.monitor, world.resources).open == {}
    view = monitor_view("credit", world.resources, now=at("2026-07-04"))
    assert view is not None
    assert '<span class="badge recovering">recovering</span>' in monitor_page(view)

    a_day(world, "2026-07-04", FEW)  # a return within the week
    assert world.states("volume") == [State.OPEN]
    assert subjects(world) == [told]
    for day in days("2026-07-05", 7):
        a_day(world, day, {})
    (incident,) = world.incidents("volume")
    assert (incident.state, incident.ended) == (State.RESOLVED, at("2026-07-05"))
    assert subjects(world)[1:] == ["[resolved] credit: volume is over (2026-07-01 to 2026-07-05)"]


def test_what_recovers_is_no_ground_for_retraining(world: World) -> None:
    retrain = {"train": "lending.models:train", "require": ["volume", "drift_share"]}
    world.declare(start="2026-07-01", rules=FILE["rules"], retrain=retrain)
    first = a_day(world, "2026-07-01", FEW)
    assert isinstance(first.retraining, Refusal)
    then = a_day(world, "2026-07-02", {"drift.drift_share": [""]})  # volume recovers
    assert "not every required rule is open: volume" in then.retraining.reason  # type: ignore[union-attr]
    last = a_day(world, "2026-07-03", {"drift.drift_share": [""], **FEW})
    assert isinstance(last.retraining, RetrainRequest)


def test_what_opens_ends_and_opens_again_in_one_window_is_told_each_time(world: World) -> None:
    slow = {"operations.latency_p95_ms": [""]}
    for bad in (slow, {}, slow):
        a_day(world, "2026-07-01", bad)
    kinds = [subject.partition("]")[0] for subject in subjects(world)]
    assert kinds == ["[P1", "[withdrawn", "[P1"]
    judged(world, "2026-07-01")
    assert len(subjects(world)) == 3


def test_a_column_that_comes_to_a_case_that_was_told_is_told_and_named(world: World) -> None:
    for day in days("2026-07-01", 2):
        a_day(world, day, {"quality.null_rate": ["amount"]})
    digest(world, "2026-07-03T02:00")
    assert len(subjects(world)) == 1
    for day in days("2026-07-01", 2):  # late rows
        measured(world, day, {"quality.null_rate": ["amount", "region"]})
        judged(world, day, at=at("2026-07-03T03:00"))
    for hour in ("04", "05"):
        digest(world, f"2026-07-03T{hour}:00")
    assert [subject.partition(" 4")[0] for subject in subjects(world)[1:]] == ["[P2] credit: null rate of region"]
    assert len({incident.case for incident in world.incidents("null_rate")}) == 1
