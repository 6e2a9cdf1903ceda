"""Retraining: a challenger trained on what was known, compared on later rows, promoted once or refused with a word."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sklearn.tree import DecisionTreeClassifier

from hindsight import pipeline
from hindsight.errors import TrainingError
from hindsight.ledger.records import RequestState
from hindsight.pipeline.measure.baselines import baseline_for, manifests
from hindsight.training.artifacts import located
from hindsight.training.registry import Stage
from hindsight.verdicts.model import RetrainRequest
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, a_window, at
from tests.pipeline.world import World, a_world, days

if TYPE_CHECKING:
    import pandas as pd

RETRAIN = {"train": "lending_models:train", "require": ["accuracy_drop"]}
NIGHT = "2026-09-10"
seen: dict[str, Any] = {}


def train(rows: pd.DataFrame, as_of: datetime) -> DecisionTreeClassifier:
    """A user's trainer; it notes what it was given."""
    seen.update(rows=rows, as_of=as_of)
    return DecisionTreeClassifier(max_depth=2, random_state=0).fit(rows[["amount"]], rows["label"])


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Six days in which what the model says is mostly wrong, because the world turned round."""
    module = ModuleType("lending_models")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lending_models", module)
    with a_world(sqlite_url, tmp_path, retrain=RETRAIN, features={"amount": "numeric"}) as made:
        for day in days("2026-09-01", 6):
            made.log(day, right=0.1)
        yield made


def requested(world: World) -> str:
    """The key of the request that a night of bad news makes."""
    return world.night(NIGHT).retraining.key  # type: ignore[union-attr]


def test_a_challenger_learns_from_matured_rows_and_is_compared_on_later_ones(world: World) -> None:
    key = requested(world)
    result = pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
    version = world.resources.registry.version("credit", result["version"])

    assert result["better"]
    assert result["version"] == f"retrained-{key[:8]}"
    assert seen["as_of"] == at(NIGHT)
    rows = seen["rows"]
    assert rows["timestamp"].max() < version.trained_to + DAY
    assert rows["timestamp"].max() < at("2026-09-07")
    assert {"id", "timestamp", "amount", "label", "prediction"} <= set(rows.columns)
    assert version.metrics["n"] + len(rows) == 2700  # the reference's three days too: 28 days are trained on
    assert version.metrics["accuracy"] > 0.8
    assert version.metrics["champion_accuracy"] < 0.2
    assert "better" in result["summary"]
    assert version.incidents == tuple(i.id for i in world.incidents("accuracy_drop"))
    assert version.artifact.startswith(f"models/credit/{key}/")  # below the data root, which may move
    assert Path(located(world.resources.settings.data, version.artifact)).is_file()


def test_training_again_for_one_request_makes_no_second_version(world: World) -> None:
    key = requested(world)
    first = pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
    again = pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)

    assert first == again
    assert len(world.resources.registry.versions("credit")) == 1


def test_labels_that_came_after_the_request_are_not_trained_on(world: World) -> None:
    with world.resources.ledger.locked("credit") as tx:
        for key in ("before", "after"):  # one request trains once only
            tx.request_retraining(RetrainRequest(key, "credit", "retrain__credit", (), at(NIGHT), at(NIGHT), True))
    world.correct("2026-09-06", at("2026-09-20"), right=1.0)
    pipeline.train_and_compare(world.monitor, "before", at(NIGHT), world.resources)
    first = seen.pop("rows")["label"].sum()
    world.delete("ground_truth")
    for day in (*days("2026-08-25", 3), *days("2026-09-01", 6)):
        world.correct(day, at("2026-09-09T12:00"), right=0.1 if day > "2026-09" else 0.9)

    pipeline.train_and_compare(world.monitor, "after", at(NIGHT), world.resources)
    assert seen["rows"]["label"].sum() == first


def test_a_promotion_is_announced_once_and_closes_the_request(world: World) -> None:
    key = requested(world)
    world.deliver(at(NIGHT))
    pipeline.claim(world.monitor, key, world.resources, by="run1")
    pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
    before = len(world.inbox.accepted)
    for hour in ("09:00", "10:00"):
        told = pipeline.promote(world.monitor, key, world.resources, at=at(f"2026-09-10T{hour}"))

    assert told["version"] == f"retrained-{key[:8]}"
    champion = world.resources.registry.champion("credit")
    assert champion is not None
    assert (champion.version, champion.promoted_at) == (told["version"], at("2026-09-10T09:00"))
    (progress,) = world.resources.ledger.requests("credit")
    assert progress.state is RequestState.DONE
    subjects = world.deliver(at("2026-09-11"))[before:]
    assert [s for s in subjects if s.startswith("[promoted]")] == [
        f"[promoted] credit: {told['version']} is the champion"
    ]


def test_a_promotion_whose_announcement_fails_stays_a_promotion(world: World) -> None:
    key = requested(world)
    world.deliver(at(NIGHT))
    pipeline.claim(world.monitor, key, world.resources, by="run1")
    pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
    pipeline.promote(world.monitor, key, world.resources, at=at("2026-09-10T09:00"))
    pipeline.give_up(world.monitor, key, world.resources, at=at("2026-09-10T10:00"), run_id="run1")

    (progress,) = world.resources.ledger.requests("credit")
    assert progress.state is RequestState.DONE
    assert not any(subject.startswith("[failed]") for subject in world.deliver(at("2026-09-11")))


def test_the_baseline_is_frozen_anew_for_windows_after_a_promotion(world: World) -> None:
    world.run("2026-09-06")
    key = requested(world)
    pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
    for hour in ("09:00", "10:00"):
        pipeline.promote(world.monitor, key, world.resources, at=at(f"2026-09-10T{hour}"))
    old, new = (
        baseline_for(world.monitor, a_window(day), world.resources, as_of=at("2026-09-20"))
        for day in ("2026-09-10", "2026-09-11")
    )

    assert old is not None
    assert new is not None
    assert (old.model_version, new.model_version) == ("", f"retrained-{key[:8]}")
    assert len(manifests(world.monitor, world.resources)) == 2
    files = world.files()
    world.run("2026-09-06")
    assert world.files() == files  # what was measured before the promotion is measured as it was
    world.log("2026-09-11").run("2026-09-11")
    assert all(m.value is not None for m in world.measured(Kind.DRIFT, "2026-09-11") if m.metric == "psi")


@pytest.mark.parametrize(
    ("by", "state", "words"),
    [("ann", RequestState.REFUSED, "ann refused"), (None, RequestState.KEPT, "is not better than the champion")],
)
def test_a_challenger_that_is_not_promoted_leaves_the_champion_and_a_word(
    world: World, by: str | None, state: RequestState, words: str
) -> None:
    key = requested(world)
    pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
    for _ in range(2):
        pipeline.refuse(world.monitor, key, world.resources, at=at("2026-09-10T09:00"), by=by)

    (progress,) = world.resources.ledger.requests("credit")
    assert (progress.state, progress.finished_at) == (state, at("2026-09-10T09:00"))
    assert words in progress.note
    assert world.resources.registry.champion("credit") is None
    assert [v.stage for v in world.resources.registry.versions("credit")] == [Stage.CANDIDATE]
    assert sum(subject.startswith("[kept]") for subject in world.deliver(at("2026-09-11"))) == 1


def test_a_challenger_no_better_than_the_champion_is_said_to_be(world: World) -> None:
    for day in (*days("2026-08-25", 3), *days("2026-09-01", 6)):
        world.correct(day, at("2026-09-09T12:00"), right=1.0)
    with world.resources.ledger.locked("credit") as tx:
        tx.request_retraining(RetrainRequest("k1", "credit", "retrain__credit", (), at(NIGHT), at(NIGHT), True))
    result = pipeline.train_and_compare(world.monitor, "k1", at(NIGHT), world.resources)

    assert not result["better"]
    assert "not better" in result["summary"]


def test_what_cannot_be_trained_says_why(world: World) -> None:
    with pytest.raises(TrainingError, match="no retraining request 'nope'"):
        pipeline.train_and_compare(world.monitor, "nope", at(NIGHT), world.resources)
    key = requested(world)
    world.delete("ground_truth")
    with pytest.raises(TrainingError, match="0 labelled rows"):
        pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
    world.declare()
    with pytest.raises(TrainingError, match="no retrain section"):
        pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
