"""Wishes: a person asks for a retraining; it goes the way of every request, and what speaks against it is noted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import TrainingError
from hindsight.ledger.records import RequestState
from hindsight.verdicts.model import RetrainRequest
from tests.builders import DAY, at
from tests.pipeline.world import World, a_world

NOW = at("2026-09-10T09:00")


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, days=(), retrain={"train": "lending_models:train"}) as made:
        yield made
        made.resources.ledger.engine.dispose()


def ask(world: World, key: str, at: datetime = NOW, **changes: Any) -> RetrainRequest:
    wish = {"as_of": at, "by": "ann", "why": "labels were corrected", "at": at}
    return pipeline.ask(world.monitor, key, world.resources, **wish | changes)


def test_a_wish_is_started_by_the_relay_like_any_request(world: World) -> None:
    request = ask(world, "k1")

    assert (request.asked_by, request.why, request.incidents) == ("ann", "labels were corrected", ())
    assert request.approval
    (start,) = pipeline.pending_starts(world.resources)
    assert start["run_id"] == "retrain__credit__k1"
    assert start["conf"] == {"request": "k1", "as_of": NOW.isoformat()}
    assert pipeline.claim(world.monitor, "k1", world.resources, by="retrain__credit__k1")
    assert not pipeline.claim(world.monitor, "k1", world.resources, by="another")


def test_a_run_that_asks_for_itself_is_not_started_a_second_time(world: World) -> None:
    for hour in range(2):  # its first task is retried
        ask(world, "k1", NOW + hour * DAY, as_of=NOW, run_id="manual__1")
        assert pipeline.claim(world.monitor, "k1", world.resources, by="manual__1")

    assert pipeline.pending_starts(world.resources) == []
    (progress,) = world.resources.ledger.requests("credit")
    assert (progress.state, progress.request.requested_at) == (RequestState.CLAIMED, NOW)
    pipeline.give_up(world.monitor, "k1", world.resources, at=NOW + DAY, run_id="manual__1")
    assert world.resources.ledger.requests("credit")[0].state is RequestState.FAILED
    ask(world, "k1", NOW + 2 * DAY, as_of=NOW, run_id="manual__1")  # the failed run is cleared
    assert pipeline.claim(world.monitor, "k1", world.resources, by="manual__1")


@pytest.mark.parametrize(
    ("past", "why", "noted"),
    [
        ([30], "labels were corrected", "labels were corrected"),
        ([2], "labels were corrected", "labels were corrected, although the last retraining was requested 2 days"),
        ([2], "  ", "no reason given, although the last retraining was requested 2 days"),
        ([9, 20], "drift", "drift, although the budget of 2 retrainings per 30 d"),
    ],
)
def test_cooldown_and_budget_are_noted_and_hold_nobody_back(
    world: World, past: list[int], why: str, noted: str
) -> None:
    for days in past:
        ask(world, f"past-{days}", NOW - days * DAY)
    request = ask(world, "k1", why=why)

    assert request.why.startswith(noted)
    assert len(request.why) == len(noted) or "although" in noted
    assert world.resources.ledger.requests("credit")[-1].state is RequestState.REQUESTED


def test_without_a_retrain_section_there_is_nothing_to_ask_for(world: World) -> None:
    world.declare()
    with pytest.raises(TrainingError, match="no retrain section"):
        ask(world, "k1")
    assert world.resources.ledger.requests("credit") == []
