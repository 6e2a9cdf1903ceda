"""`hindsight retrain`: a person asks for a retraining, and is told in words what comes next or why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight import pipeline
from hindsight.ledger.records import RequestState
from tests.builders import DAY
from tests.cli.said import Say
from tests.pipeline.world import World

ASK = ("retrain", "credit", "--why", "labels were corrected")
RETRAIN: dict[str, Any] = {"train": "lending_models:train"}


@pytest.fixture
def retrained(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A monitor whose file says how to train; who asks is ann."""
    monkeypatch.setenv("LOGNAME", "ann")
    world.declare(retrain=RETRAIN)
    return world


def past(world: World, *days: int) -> None:
    """Retrainings that were asked for so many days ago, and ended."""
    for n in days:
        then = datetime.now(UTC) - n * DAY
        pipeline.ask(world.monitor, f"past{n}", world.resources, as_of=then, by="bob", why="", at=then)
        with world.resources.ledger.locked("credit") as tx:
            tx.finish_retraining(f"past{n}", RequestState.KEPT, at=then)


def test_a_person_asks_and_is_told_what_happens_next(retrained: World, say: Say) -> None:
    before = datetime.now(UTC)
    said = say(*ASK)

    assert said.code == 0, said.err
    (progress,) = retrained.resources.ledger.requests("credit")
    request = progress.request
    assert (request.asked_by, request.why, progress.state) == ("ann", "labels were corrected", RequestState.REQUESTED)
    assert before <= request.as_of == request.requested_at
    for part in (request.key, "asked for by ann", "within two minutes", request.run_id, "7d", "a person to approve"):
        assert part in said.out
    assert "mailed to " in said.out
    assert said.err == ""


def test_the_relay_has_one_run_to_start_for_it(retrained: World, say: Say) -> None:
    asked = say(*ASK, "--as-of", "2026-09-03T06:00", "--json").json

    (start,) = pipeline.pending_starts(retrained.resources)
    assert (start["dag_id"], start["run_id"]) == (asked["dag"], asked["run_id"]) == ("retrain__credit", start["run_id"])
    assert start["conf"] == {"request": asked["request"], "as_of": "2026-09-03T06:00:00+00:00"}
    pipeline.mark_started(retrained.resources, asked["run_id"], at=datetime.now(UTC))
    assert pipeline.pending_starts(retrained.resources) == []


def test_without_approval_a_better_model_is_said_to_go_in_at_once(retrained: World, say: Say) -> None:
    retrained.declare(retrain=RETRAIN | {"approval": False})
    assert "becomes the champion without asking anybody" in say(*ASK).out


@pytest.mark.parametrize("state", [RequestState.REQUESTED, RequestState.STARTED, RequestState.CLAIMED])
def test_a_second_is_refused_while_one_is_under_way(retrained: World, say: Say, state: RequestState) -> None:
    first = say(*ASK, "--json").json["request"]
    ledger = retrained.resources.ledger
    if state is not RequestState.REQUESTED:
        ledger.mark_started(first, datetime.now(UTC))
    if state is RequestState.CLAIMED:
        assert ledger.claim(first, monitor="credit", by="run")

    said = say(*ASK)
    assert said.code == 1
    assert f"retraining {first}, asked for by ann at " in said.err
    assert "is under way in retrain__credit - wait for its end" in said.err
    assert [p.request.key for p in ledger.requests("credit")] == [first]
    with ledger.locked("credit") as tx:
        tx.finish_retraining(first, RequestState.KEPT, at=datetime.now(UTC))
    assert say(*ASK).code == 0


@pytest.mark.parametrize(
    ("days", "noted"),
    [((2,), "the last retraining was requested 2 days"), ((9, 20), "the budget of 2 retrainings per 30 d")],
)
def test_cooldown_and_budget_are_warned_of_noted_and_hold_nobody_back(
    retrained: World, say: Say, days: tuple[int, ...], noted: str
) -> None:
    past(retrained, *days)
    said = say(*ASK)

    assert said.code == 0
    assert f"warning: asked for although {noted}" in said.err
    request = retrained.resources.ledger.requests("credit")[-1].request
    assert request.why.startswith(f"labels were corrected, although {noted}")


def test_what_cannot_be_asked_for_is_said_in_words(retrained: World, say: Say) -> None:
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    for words, answer in (
        (("retrain", "nothing", "--why", "x"), "nothing"),
        (("retrain", "credit"), "Missing option '--why'"),
        (("retrain", "credit", "--why", "  "), "--why says nothing"),
        ((*ASK, "--as-of", tomorrow), "lies in the future"),
        ((*ASK, "--as-of", "soon"), "--as-of: expected a time"),
    ):
        said = say(*words)
        assert said.code == 1
        assert answer in said.err
    retrained.declare()
    assert "the monitor file has no retrain section" in say(*ASK).err
    retrained.declare(retrain=RETRAIN, state="archived")
    assert "archived" in say(*ASK).err
    assert retrained.resources.ledger.requests() == []
