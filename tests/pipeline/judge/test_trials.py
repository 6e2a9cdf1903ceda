"""A promoted version grades itself: its first windows are held against what the comparison had promised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.pipeline.act.rollback import roll_back
from hindsight.training.registry import ModelVersion
from hindsight.verdicts.model import State, Verdict
from tests.builders import at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.world import World, a_world, days

PROMISE = {"accuracy": 0.9, "champion_accuracy": 0.8, "difference": 0.1, "lower": 0.05, "upper": 0.15, "n": 2000}
BEFORE, FIRST = "2026-08-31", "2026-09-01"
TRIAL = days(FIRST, 7)
LAST_NIGHT = "2026-09-11"  # the labels of the trial's last day are mature
RETRAIN = {"train": "models.credit:train"}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, start=BEFORE, retrain=RETRAIN, rules=[{"id": "news", "enabled": False}]) as made:
        reached_by_commands(made, monkeypatch)
        made.resources.registry.create()
        yield made


def promoted(world: World, name: str, day: str, **metrics: float) -> None:
    when = at(day)
    lately = ("credit", name, at("2026-08-01"), at("2026-08-20"), 2000)
    registry = world.resources.registry
    registry.register(ModelVersion(*lately, PROMISE | metrics, f"models/credit/{name}", "ab" * 32, when))
    registry.promote("credit", name, at=when)


def tried(world: World, right: float, *, version: str = "v2", until: str = LAST_NIGHT) -> None:
    """Live through the day before and the week of the trial, and all nights until its labels are in."""
    world.log(BEFORE).run(BEFORE)
    for k, day in enumerate(TRIAL):
        world.log(day, right=right + (-1) ** k * 0.01, model_version=version).run(day)
    for night in days("2026-09-02", 30):
        world.night(night)
        if night == until:
            return


def grades(world: World) -> list[Verdict]:
    return [one for day in TRIAL for one in world.verdicts(day) if one.series.rule.startswith("promotion")]


@pytest.mark.parametrize(
    ("right", "rules"),
    [(0.9, []), (0.89, []), (0.84, ["promotion_short"]), (0.7, ["promotion_worse"])],
)
def test_the_first_week_is_held_against_the_promise(world: World, right: float, rules: list[str]) -> None:
    promoted(world, "v1", "2026-08-20")
    promoted(world, "v2", FIRST)
    tried(world, right)
    assert sorted(i.series.rule for i in world.incidents() if i.series.rule.startswith("promotion")) == rules
    assert {one.series.model_version for one in grades(world)} == {"v2"}
    assert all(one.window.start == at(TRIAL[-1]) for one in grades(world))
    assert all(one.n == 7 * 300 for one in grades(world))


def test_nothing_is_said_before_the_labels_of_the_week_are_in(world: World) -> None:
    promoted(world, "v1", "2026-08-20")
    promoted(world, "v2", FIRST)
    tried(world, 0.7, until="2026-09-10")
    assert grades(world) == []
    world.night(LAST_NIGHT)
    assert len(grades(world)) == 2


def test_the_message_names_the_way_back_and_going_back_ends_it(world: World) -> None:
    promoted(world, "v1", "2026-08-20")
    promoted(world, "v2", FIRST)
    tried(world, 0.7)
    world.deliver(at("2026-09-11T01:00"))
    said = "\n".join(str(mail.get_body(("plain",))) for mail in world.inbox.accepted)
    assert "hindsight rollback credit" in said
    assert "worse than the one it replaced" in said

    roll_back(world.monitor, world.resources, at=at("2026-09-11T02:00"), by="ann", why="worse")
    world.log("2026-09-11").run("2026-09-11")
    assert world.states("promotion_worse") == [State.WITHDRAWN]


def test_late_labels_change_the_grade(world: World) -> None:
    promoted(world, "v1", "2026-08-20")
    promoted(world, "v2", FIRST)
    tried(world, 0.7)
    for day in TRIAL:
        world.correct(day, at("2026-09-11T12:00"), right=0.95)
    world.night("2026-09-12")
    assert [one.value for one in grades(world)] == [0.0, 0.0]


def test_a_version_that_is_not_in_the_log_is_not_graded(world: World) -> None:
    promoted(world, "v1", "2026-08-20")
    promoted(world, "v3", FIRST)
    tried(world, 0.5)
    assert grades(world) == []


def test_a_version_that_a_rollback_put_back_is_not_graded_by_what_it_once_promised(world: World) -> None:
    promoted(world, "v2", "2026-08-20")
    promoted(world, "v3", "2026-08-25")
    roll_back(world.monitor, world.resources, at=at(FIRST), by="ann", why="worse", to="v2")
    tried(world, 0.5)
    assert grades(world) == []


def test_the_registry_shows_the_grade(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    promoted(world, "v1", "2026-08-20")
    promoted(world, "v2", FIRST)
    tried(world, 0.7)
    assert typed("models", "credit", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["grade"] is None
    assert (second["grade"]["mark"], second["grade"]["windows"]) == ("worse", 7)
    assert second["grade"]["realised"] == pytest.approx(0.7, abs=0.01)
    assert typed("models", "credit") == 0
    assert "worse than" in capsys.readouterr().out
