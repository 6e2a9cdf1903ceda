"""A score column that is not what it says: one incident at run time, a word in the baseline, nothing estimated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from hindsight.pipeline.show.baseline_contents import frozen
from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind
from tests.builders import at
from tests.pipeline.world import REFERENCE, World, a_day, a_world, days

Spoil = Callable[[float], float]
WAYS: dict[str, tuple[Spoil, str]] = {
    "percent": (lambda s: 100 * s, "holds percentages"),
    "logit": (lambda s: float(np.log(s / (1 - s))), "holds log-odds"),
    "class": (lambda s: float(s > 0.5), "the class itself"),
    "other class": (lambda s: 1 - s, "the probability of the other class"),
}


def log(world: World, day: str, spoil: Spoil | None = None) -> None:
    predictions, labels = a_day(day)
    rows = [
        row | {"score": spoil(min(max(row["score"], 1e-6), 1 - 1e-6)) if spoil else row["score"]} for row in predictions
    ]
    world.insert("inference_log", rows).insert("ground_truth", labels)


@pytest.mark.parametrize(("spoil", "said"), WAYS.values(), ids=WAYS)
def test_scores_that_are_wrong_from_the_start_are_one_incident(
    sqlite_url: sa.URL, tmp_path: Path, spoil: Spoil, said: str
) -> None:
    with a_world(sqlite_url, tmp_path, []) as world:
        for day in [*REFERENCE, *days("2026-09-01", 2)]:
            log(world, day, spoil)
        told = [i for day in days("2026-09-01", 2) for i in world.run(day).told]
        assert [(i.series.rule, i.severity) for i in told] == [("score_mistaken", "P1")]
        assert world.states("score_mistaken") == [State.OPEN]
        assert [i.series.rule for i in world.incidents()] == ["score_mistaken"]
        assert said in told[0].reason
        assert {m.value for m in world.measured(Kind.ESTIMATE, "2026-09-01")} == {None}
        assert said in frozen(world.monitor, world.resources, as_of=at("2026-09-02")).mistaken
        for night in days("2026-09-02", 4):
            world.night(night)
        readings = [m for m in world.measured(Kind.PERFORMANCE, "2026-09-01") if m.metric == "estimate_reading"]
        assert readings == []  # no concept drift for ever


@pytest.mark.parametrize(("spoil", "said"), WAYS.values(), ids=WAYS)
def test_scores_that_turn_wrong_are_one_incident_that_ends_with_them(
    sqlite_url: sa.URL, tmp_path: Path, spoil: Spoil, said: str
) -> None:
    with a_world(sqlite_url, tmp_path) as world:
        log(world, "2026-09-01")
        log(world, "2026-09-02", spoil)
        log(world, "2026-09-03")
        for day in days("2026-09-01", 2):
            world.run(day)
        assert [i.series.rule for i in world.incidents()] == ["score_mistaken"]
        assert said in world.incidents()[0].reason
        world.run("2026-09-03")
        assert world.states("score_mistaken") == [State.RESOLVED]


def test_it_does_not_stand_in_the_way_of_a_retraining(sqlite_url: sa.URL, tmp_path: Path) -> None:
    retrain = {"train": "a.b:c", "require": ["accuracy_drop"], "approval": False}
    with a_world(sqlite_url, tmp_path, retrain=retrain) as world:
        predictions, labels = a_day("2026-09-01", right=0.3)
        rows = [row | {"score": 100 * row["score"]} for row in predictions]
        world.insert("inference_log", rows).insert("ground_truth", labels)
        world.run("2026-09-01")
        world.night("2026-09-05")
        assert world.states("accuracy_drop") == [State.OPEN]
        assert len(world.resources.ledger.requests("credit")) == 1
