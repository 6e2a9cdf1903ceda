from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.records import RequestState
from hindsight.verdicts.model import RetrainRequest, Status
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import HOUR, at
from tests.pipeline.world import World, a_day, a_world, days


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The reference only, on SQLite."""
    with a_world(sqlite_url, tmp_path) as made:
        yield made


def quick(world: World, day: str) -> None:
    """Log a day whose labels come within 47 hours, a day before its window matures."""
    predictions, labels = a_day(day)
    arrived = (row["predicted_at"] + (i % 48) * HOUR for i, row in enumerate(predictions))
    world.insert("inference_log", predictions)
    world.insert("ground_truth", [label | {"labeled_at": when} for label, when in zip(labels, arrived, strict=True)])


def overall(rows: list[Measurement]) -> dict[str, Measurement]:
    return {m.metric: m for m in rows if not (m.bin or m.feature or m.segment or m.model_version)}


def of_accuracy(world: World, day: str) -> Status:
    return next(v.status for v in world.verdicts(day) if v.series.rule == "accuracy_drop")


def test_a_window_whose_labels_are_almost_all_in_is_judged_before_it_is_due(small: World) -> None:
    for day in days("2026-09-01", 5):
        quick(small, day)
    for night in days("2026-09-02", 4):
        small.night(night)
    assert of_accuracy(small, "2026-09-02") is Status.IMMATURE  # all labels are in, but none has matured to learn from
    small.night("2026-09-06")
    assert of_accuracy(small, "2026-09-03") is Status.OK  # all labels are in, a day before the window matures
    labels = overall(small.measured(Kind.LABELS, "2026-09-05"))
    assert labels["expected_final_coverage"].value == pytest.approx(1)
    assert labels["mature"].value == 0


def test_labels_yet_to_come_are_weighed_by_the_delays_of_matured_windows(small: World) -> None:
    for day in days("2026-09-01", 8):
        quick(small, day)
    for night in days("2026-09-02", 8):
        small.night(night)
    labels = overall(small.measured(Kind.LABELS, "2026-09-07"))
    expected = labels["accuracy_expected"]
    assert expected.value is not None
    assert (labels["coverage"].value or 0) < 0.9
    assert (expected.lower or 0) <= 0.9 <= (expected.upper or 1)
    assert (labels["accuracy_worst"].value or 0) <= expected.value <= (labels["accuracy_best"].value or 1)


def test_an_estimate_is_frozen_when_the_window_closes_and_scored_when_its_labels_are_in(small: World) -> None:
    small.log("2026-09-01").log("2026-09-02", right=0.5)
    for day in days("2026-09-01", 2):
        small.run(day)
    before = small.measured(Kind.ESTIMATE, "2026-09-02")
    assert overall(before)["accuracy"].value == pytest.approx(0.9, abs=0.05)
    for night in days("2026-09-03", 5):
        small.night(night)
    assert small.measured(Kind.ESTIMATE, "2026-09-02") == before
    readings = {
        day: overall(small.measured(Kind.PERFORMANCE, day))["estimate_reading"].value for day in days("2026-09-01", 2)
    }
    assert readings == {"2026-09-01": 0, "2026-09-02": 2}  # as expected; the inputs mean something else


def test_an_old_window_run_again_knows_no_more_than_it_did(small: World) -> None:
    small.log("2026-08-28").run("2026-08-28")
    before = small.files()
    for night in days("2026-08-29", 5):
        small.night(night)  # the reference's labels have matured by now, and it is frozen with them
    small.run("2026-08-28")
    assert {path: data for path, data in small.files().items() if path in before} == before
    assert {m.value for m in small.measured(Kind.ESTIMATE, "2026-08-28")} == {None}


def test_a_failed_run_that_is_cleared_takes_its_request_up_again(small: World) -> None:
    request = RetrainRequest("k2", "credit", "retrain__credit", ("i1",), at("2026-09-05"), at("2026-09-05"), False)
    small.declare(retrain={"train": "a.b:c"})
    with small.resources.ledger.locked("credit") as tx:
        tx.request_retraining(request)
    assert pipeline.claim(small.monitor, "k2", small.resources, by="run-1")
    pipeline.give_up(small.monitor, "k2", small.resources, at=at("2026-09-06"), run_id="run-1")
    assert not pipeline.claim(small.monitor, "k2", small.resources, by="run-2")
    assert pipeline.claim(small.monitor, "k2", small.resources, by="run-1")


def test_what_cannot_start_is_told_once_and_what_failed_frees_the_next_request(small: World) -> None:
    request = RetrainRequest("k1", "credit", "retrain__credit", ("i1",), at("2026-09-05"), at("2026-09-05"), False)
    with small.resources.ledger.locked("credit") as tx:
        tx.request_retraining(request)
    for _ in range(2):
        why = "DAG retrain__credit cannot be started"
        monitors = [small.monitor]
        pipeline.put_off(small.resources, request.run_id, why=why, monitors=monitors, at=at("2026-09-05"))
    assert small.deliver(at("2026-09-05")) == ["[P1] credit: a requested run cannot start"]
    assert [p.note for p in small.resources.ledger.requests("credit")] == ["DAG retrain__credit cannot be started"]

    small.declare(retrain={"train": "a.b:c"})
    pipeline.give_up(small.monitor, "k1", small.resources, at=at("2026-09-06"), run_id=request.run_id)
    assert small.deliver(at("2026-09-06"))[1:] == ["[failed] credit: the retraining failed"]
    with small.resources.ledger.locked("credit") as tx:
        assert tx.retrain_requests(but=[RequestState.FAILED]) == []
