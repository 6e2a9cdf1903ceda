"""A retraining whose model could not be kept ends before the real training, unless the file trusts the user's types."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import TrainingError
from hindsight.training.artifacts import Artifact, load_model, located
from tests.builders import at
from tests.pipeline.world import a_world, days
from tests.training.boosters import BoosterModel

if TYPE_CHECKING:
    import pandas as pd

OWN = ["tests.training.boosters.Booster", "tests.training.boosters.BoosterModel"]
NIGHT = "2026-09-10"
Trained = Callable[[list[str]], tuple[Any, list[int]]]


class Rounded(BoosterModel):
    """The mean as a class."""

    def predict(self, rows: Any) -> Any:
        return super().predict(rows).round().astype(int)


@pytest.fixture
def trained(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Retrain a monitor that trusts these types; return what is kept and on how many rows each fit was."""
    sizes: list[int] = []

    def train(rows: pd.DataFrame, as_of: object) -> Any:
        sizes.append(len(rows))
        return Rounded().fit(rows[["amount"]], rows["label"])

    module = ModuleType("lending_models")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lending_models", module)
    retrain = {"train": "lending_models:train", "require": ["accuracy_drop"]}

    def once(trusted: list[str]) -> tuple[Any, list[int]]:
        with a_world(sqlite_url, tmp_path, retrain=retrain, features={"amount": "numeric"}, trusted=trusted) as world:
            for day in days("2026-09-01", 6):
                world.log(day, right=0.1)
            key = world.night(NIGHT).retraining.key  # type: ignore[union-attr]
            try:
                made = pipeline.train_and_compare(world.monitor, key, at(NIGHT), world.resources)
            except TrainingError as exc:
                return exc, sizes
            version = world.resources.registry.version("credit", made["version"])
            return replace(version, artifact=located(world.resources.settings.data, version.artifact)), sizes

    return once


def test_a_type_nobody_named_is_refused_after_a_fit_on_a_few_rows(trained: Trained) -> None:
    refused, sizes = trained([])
    assert isinstance(refused, TrainingError)
    assert "write in the monitor file trusted: [tests." in str(refused)
    assert len(sizes) == 1
    assert sizes[0] <= 240


def test_types_that_the_file_trusts_are_kept_and_found_again(trained: Trained) -> None:
    own = [*OWN, f"{Rounded.__module__}.Rounded"]
    version, sizes = trained(own)
    assert sizes[0] <= 240 < sizes[1]
    assert isinstance(load_model(Artifact(version.artifact, version.sha256), trusted=own), Rounded)
