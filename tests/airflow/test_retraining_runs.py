"""Retrainings from the trigger to the last task in a real Airflow: who asked, who answered, and what is not redone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import cli
from hindsight.airflow import tasks
from hindsight.ledger.records import RequestState
from tests.airflow.retraining_world import Retrainings, answering, says, says_nothing, some_retrainings
from tests.airflow.runs import Parse, runs_of, states


@pytest.fixture
def retrainings(
    sqlite_url: sa.URL, tmp_path: Path, parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Retrainings]:
    with some_retrainings(sqlite_url, tmp_path, parse, monkeypatch) as made:
        yield made


def test_a_person_may_trigger_a_retraining_without_saying_anything(retrainings: Retrainings) -> None:
    retrainings.declare(approval=False)
    before = datetime.now(UTC)
    run = retrainings.trigger()

    assert run.state == "success", states(run)
    (progress,) = retrainings.progress()
    assert progress.state is RequestState.DONE
    assert (progress.request.incidents, progress.request.asked_by) == ((), "dag_test")
    assert before <= progress.request.as_of <= datetime.now(UTC)
    champion = retrainings.world.resources.registry.champion("credit")
    assert champion is not None
    assert champion.request_key == progress.request.key


def test_what_a_person_fills_in_is_recorded_and_read_by_those_who_approve(retrainings: Retrainings) -> None:
    as_of = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
    answering(says("Approve", "bea"))
    run = retrainings.trigger({"why": "labels were corrected", "as_of": as_of.isoformat()})

    assert run.state == "success", states(run)
    (progress,) = retrainings.progress()
    request = progress.request
    assert (request.why, request.as_of, request.approval) == ("labels were corrected", as_of, True)
    assert (progress.state, progress.decided_by) == (RequestState.DONE, "bea")
    assert progress.outcome == "done, approved by bea"
    told = retrainings.text("[promoted]")
    assert "Approved by bea." in told
    assert "Asked for by dag_test: labels were corrected." in told


def test_what_is_asked_for_on_the_command_line_is_started_once_and_goes_the_same_way(
    retrainings: Retrainings, sqlite_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    retrainings.declare(approval=False)
    before = runs_of("retrain__credit")
    with pytest.raises(SystemExit) as left:
        cli.main(["retrain", "credit", "--why", "labels were corrected"])
    assert not left.value.code
    (progress,) = retrainings.progress()
    relay = retrainings.parse().dags["hindsight__relay"]
    relays = [states(relay.test()) for _ in range(2)]

    assert [relay.get("start0") for relay in relays] == ["success", None]  # the second has nothing to start
    request = progress.request
    conf = {"request": request.key, "as_of": request.as_of.isoformat()}
    started = {id: conf for id, conf in runs_of("retrain__credit").items() if id not in before}
    assert started == {request.run_id: conf}
    run = retrainings.trigger(conf)
    assert run.state == "success", states(run)
    (progress,) = retrainings.progress()
    assert (progress.state, progress.request.asked_by) == (RequestState.DONE, "ann")
    assert "Asked for by ann: labels were corrected." in retrainings.text("[promoted]")


@pytest.mark.parametrize(
    ("answer", "state", "words", "by"),
    [
        (says("Reject", "cy"), RequestState.REFUSED, "cy refused retrained-", "cy"),
        (says_nothing, RequestState.UNANSWERED, "nobody answered in time, retrained-", ""),
    ],
    ids=["refused", "unanswered"],
)
def test_a_no_and_no_answer_are_told_apart_from_a_poor_challenger(
    retrainings: Retrainings, answer: Any, state: RequestState, words: str, by: str
) -> None:
    answering(answer)
    run = retrainings.trigger()

    assert run.state == "success"
    assert states(run)["promote"] == "skipped"
    (progress,) = retrainings.progress()
    assert (progress.state, progress.decided_by) == (state, by)
    assert progress.note.startswith(words)
    (subject,) = retrainings.mails()
    assert subject.startswith(f"[kept] credit: {words}")
    assert retrainings.world.resources.registry.champion("credit") is None


def test_clearing_the_promotion_of_an_old_run_leaves_the_newer_champion(retrainings: Retrainings) -> None:
    retrainings.declare(approval=False)
    old, new = retrainings.trigger(), retrainings.trigger()
    before = retrainings.progress()
    champion = retrainings.world.resources.registry.champion("credit")
    assert champion is not None
    assert champion.request_key == before[1].request.key

    assert retrainings.again(old, "promote") == "failed"
    assert retrainings.again(new, "promote") == "success"
    assert retrainings.world.resources.registry.champion("credit") == champion
    assert retrainings.progress() == before


def test_a_training_that_is_cleared_shows_the_approver_the_challenger_that_is_promoted(
    retrainings: Retrainings,
) -> None:
    retrainings.declare(approval=False)
    run = retrainings.trigger()
    shown = retrainings.shown(run)

    assert retrainings.again(run, "train") == "success"
    assert retrainings.shown(run) == shown
    assert retrainings.tries == 2  # on a few rows and on all, and neither again


@pytest.mark.parametrize(
    ("error", "tries", "ends"),
    [(ZeroDivisionError("in line 3"), 2, "failed"), (ConnectionResetError("by the feature store"), 4, "success")],
    ids=["a mistake", "a network"],
)
def test_what_the_users_code_raises_is_tried_again_only_where_the_world_was_out_of_reach(
    retrainings: Retrainings, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int, ends: str
) -> None:
    for name, value in {"retries": 3, "retry_delay": timedelta(0), "retry_exponential_backoff": 0}.items():
        monkeypatch.setitem(tasks.DEFAULTS, name, value)
    retrainings.declare(approval=False)
    retrainings.errors = [error, error]  # on a few rows, which is only logged, and on all
    run = retrainings.trigger()

    assert (run.state, retrainings.tries) == (ends, tries)
    (progress,) = retrainings.progress()
    assert progress.state is (RequestState.FAILED if ends == "failed" else RequestState.DONE)
    assert any(subject.startswith("[failed]") for subject in retrainings.mails()) == (ends == "failed")
