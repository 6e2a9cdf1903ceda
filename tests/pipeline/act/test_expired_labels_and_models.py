"""Remembered labels and models that have expired are deleted from the store and from the register."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.pipeline.act.retention import expire
from hindsight.training.registry import ModelVersion
from tests.builders import DAY, at
from tests.pipeline.world import REFERENCE, World, a_world, days

UNDATED = {"table": "ground_truth", "id": "request_id", "label": "label"}


def files(world: World, top: str) -> list[Path]:
    return [path for path in sorted(Path(world.resources.settings.data, top).rglob("*")) if path.is_file()]


def a_model(world: World, name: str) -> ModelVersion:
    place, made = f"models/credit/{name}/a.skops", at("2026-01-01")
    world.resources.files.put_new(place, b"a model")
    version = ModelVersion("credit", name, made, made, 9, {}, place, "0", made)
    return world.resources.registry.register(version)


def test_labels_remembered_of_windows_that_expired_go(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, REFERENCE, retention={"snapshots": "10d"}) as world:
        file = {"predictions": world.monitor.source.predictions.model_dump(exclude_none=True, exclude_defaults=True)}
        world.declare(retention={"snapshots": "10d"}, source=file | {"labels": UNDATED})
        for day in days("2026-09-01", 4):
            world.log(day)
        world.night("2026-09-05")
        assert len(files(world, "labels")) == 4
        assert expire(world.monitor, world.resources, now=at("2026-09-13"))["labels"] == 2
        assert [path.parent.name[7:15] for path in files(world, "labels")] == ["20260903", "20260904"]


def test_a_model_nobody_uses_goes_and_one_that_is_champion_meanwhile_stays(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, REFERENCE) as world:
        registry = world.resources.registry
        old, champion = a_model(world, "old"), a_model(world, "champion")
        registry.promote("credit", "champion", at=at("2026-01-02"))
        assert registry.remove(champion, lambda: pytest.fail("the champion's file")) is False
        assert expire(world.monitor, world.resources, now=at("2026-01-01") + 366 * DAY) == {"models": 1}
        assert [version.version for version in registry.versions("credit")] == ["champion"]
        assert [str(path) for path in files(world, "models")] == [world.resources.files.uri(champion.artifact)]
        assert old.artifact != champion.artifact
