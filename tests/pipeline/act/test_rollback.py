"""Going back: an earlier champion is in production again, its reference with it, and everybody knows who did it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.errors import HindsightError, LedgerError, TrainingError
from hindsight.pipeline.act.rollback import roll_back
from hindsight.pipeline.measure.baselines import freeze, in_force
from hindsight.pipeline.show.audit import deeds
from hindsight.training.registry import ModelVersion
from tests.builders import at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.world import World, a_world

METRICS = {"accuracy": 0.91, "champion_accuracy": 0.82, "difference": 0.09, "lower": 0.05, "upper": 0.13, "n": 900}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        reached_by_commands(made, monkeypatch)
        made.resources.registry.create()
        for number in (1, 2, 3):
            promoted(made, f"v{number}", at(f"2026-09-0{number}"))
        yield made


def promoted(world: World, name: str, when: datetime) -> None:
    version = ModelVersion(
        "credit", name, at("2026-08-01"), at("2026-08-20"), 2000, METRICS, f"models/credit/{name}", "ab" * 32, when
    )
    world.resources.registry.register(version)
    world.resources.registry.promote("credit", name, at=when)


def test_the_last_good_champion_comes_back_and_everybody_knows(world: World) -> None:
    done = roll_back(world.monitor, world.resources, at=at("2026-09-05"), by="ann", why="worse since Monday")

    assert (done.left, done.restored) == ("v3", "v2")
    champion = world.resources.registry.champion("credit")
    assert champion is not None
    assert champion.version == "v2"
    frozen = in_force(world.monitor, world.resources, at("2026-09-06"))
    assert frozen is not None
    assert frozen.pin["model_version"] == "v2"
    assert world.deliver(at("2026-09-05T01:00")) == ["[rolled back] credit: v2 is the champion again"]
    (deed,) = deeds([world.monitor], world.resources)
    assert (deed.who, deed.what, deed.why) == ("ann", "put v2 back in the place of v3", "worse since Monday")


def test_a_second_step_goes_further_back_and_never_to_what_was_left(world: World) -> None:
    for day, left, restored in (("2026-09-05", "v3", "v2"), ("2026-09-06", "v2", "v1")):
        done = roll_back(world.monitor, world.resources, at=at(day), by="ann", why="x")
        assert (done.left, done.restored) == (left, restored)
    with pytest.raises(TrainingError, match="no earlier champion to roll back to"):
        roll_back(world.monitor, world.resources, at=at("2026-09-07"), by="ann", why="x")


def test_a_version_may_be_named(world: World) -> None:
    assert roll_back(world.monitor, world.resources, at=at("2026-09-05"), by="ann", why="x", to="v1").restored == "v1"
    assert roll_back(world.monitor, world.resources, at=at("2026-09-06"), by="ann", why="x", to="v3").restored == "v3"


@pytest.mark.parametrize(
    ("to", "said"), [("v3", "the champion already"), ("v4", "never was in production"), ("v9", "no version 'v9'")]
)
def test_a_version_that_cannot_come_back_is_refused_and_nothing_changes(world: World, to: str, said: str) -> None:
    world.resources.registry.register(
        ModelVersion("credit", "v4", at("2026-08-01"), at("2026-08-20"), 9, METRICS, "m", "cd" * 32, at("2026-09-04"))
    )
    with pytest.raises(TrainingError, match=said):
        roll_back(world.monitor, world.resources, at=at("2026-09-05"), by="ann", why="x", to=to)
    champion = world.resources.registry.champion("credit")
    assert champion is not None
    assert champion.version == "v3"
    assert deeds([world.monitor], world.resources) == []


def test_a_reference_that_cannot_be_frozen_leaves_everything_as_it_was(world: World) -> None:
    nowhere = sa.URL.create("sqlite", database=str(world.folder / "no" / "such.db"))
    world.resources = replace(world.resources, warehouse_source=lambda _: nowhere)
    for _ in range(2):
        with pytest.raises(HindsightError):
            roll_back(world.monitor, world.resources, at=at("2026-09-05"), by="ann", why="x")
    champion = world.resources.registry.champion("credit")
    assert champion is not None
    assert champion.version == "v3"


def test_a_command_that_broke_off_is_given_again_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("hindsight.pipeline.act.rollback.note_rollback", _break_off)
        with pytest.raises(LedgerError):
            roll_back(world.monitor, world.resources, at=at("2026-09-05"), by="ann", why="x")
    champion = world.resources.registry.champion("credit")
    assert champion is not None
    assert champion.version == "v3"
    assert roll_back(world.monitor, world.resources, at=at("2026-09-05T00:05"), by="ann", why="x").restored == "v2"
    assert world.deliver(at("2026-09-05T01:00")) == ["[rolled back] credit: v2 is the champion again"]
    assert len(deeds([world.monitor], world.resources)) == 1


def _break_off(*_: object) -> None:
    raise LedgerError("the ledger is out of reach")


def test_a_version_whose_reference_was_frozen_once_comes_back(world: World) -> None:
    since = [at("2026-09-06"), at("2026-09-08")]
    freeze(world.monitor, world.resources, as_of=since[0], model_version="v2", effective_from=since[0])
    freeze(world.monitor, world.resources, as_of=since[1], model_version="v3", effective_from=since[1])
    assert roll_back(world.monitor, world.resources, at=at("2026-09-10"), by="ann", why="x").restored == "v2"
    frozen = in_force(world.monitor, world.resources, at("2026-09-10"))
    assert frozen is not None
    assert (frozen.pin["model_version"], frozen.pin["effective_from"]) == ("v2", at("2026-09-10").isoformat())


# Commands


def test_versions_are_listed_and_one_comes_back_by_command(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("rollback", "credit", "--why", " ") == 1
    assert typed("rollback", "credit", "--why", "worse since Monday") == 0
    assert "credit: v2 is the champion again, in the place of v3" in capsys.readouterr().out
    assert typed("models", "credit") == 0
    said = capsys.readouterr().out
    assert "accuracy 0.91 against 0.82" in said
    assert "rolled back" in said
    assert typed("models", "credit", "--json") == 0
    stages = {one["version"]: one["stage"] for one in json.loads(capsys.readouterr().out)}
    assert stages == {"v1": "archived", "v2": "champion", "v3": "archived"}


def test_a_task_that_is_tried_again_finds_what_it_did(world: World) -> None:
    asked = {"at": at("2026-09-05"), "by": "ann", "why": "worse", "to": "v2", "instead_of": "v3"}
    first = roll_back(world.monitor, world.resources, **asked)
    assert roll_back(world.monitor, world.resources, **asked | {"at": at("2026-09-05T00:05")}) == first
    assert len(deeds([world.monitor], world.resources)) == 1


def test_a_rollback_is_of_the_champion_it_was_asked_for(world: World) -> None:
    promoted(world, "v4", at("2026-09-04"))
    with pytest.raises(TrainingError, match="v4 is the champion now, and v3 was when"):
        roll_back(world.monitor, world.resources, at=at("2026-09-05"), by="ann", why="x", to="v2", instead_of="v3")
    champion = world.resources.registry.champion("credit")
    assert champion is not None
    assert champion.version == "v4"
