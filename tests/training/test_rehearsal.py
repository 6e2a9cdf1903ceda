"""Rehearsals: what could not be kept is said after a fit on a few rows, before the real one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from hindsight.errors import TrainingError
from hindsight.training.train import rehearse
from tests.builders import at
from tests.training.boosters import BoosterModel

AS_OF = at("2026-09-20")
Fit = Callable[[pd.DataFrame], Any]


def labelled_rows(n: int = 5000, positive: float = 0.004) -> pd.DataFrame:
    """Rows in the order of their time, hardly any of them positive."""
    rng = np.random.default_rng(4)
    label = (rng.random(n) < positive).astype(int)
    rows = pd.DataFrame({"amount": rng.normal(size=n) + label, "label": label})
    return rows.assign(timestamp=pd.date_range("2026-08-01", periods=n, freq="min", tz="UTC"))


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fit], list[pd.DataFrame]]:
    """Make a function the monitor's `train`; what it is given is noted."""

    def as_train(fit: Fit) -> list[pd.DataFrame]:
        given: list[pd.DataFrame] = []
        module = ModuleType("rehearsed_models")

        def train(rows: pd.DataFrame, as_of: object) -> Any:
            given.append(rows)
            return fit(rows)

        module.train = train  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "rehearsed_models", module)
        return given

    return as_train


def tried(rows: pd.DataFrame, **rest: Any) -> None:
    rehearse("rehearsed_models:train", rows, AS_OF, **{"classes": True} | rest)


def with_a_lambda(rows: pd.DataFrame) -> Any:
    model = make_pipeline(FunctionTransformer(lambda rows: rows), LogisticRegression())
    return model.fit(rows[["amount"]], rows["label"])


def test_a_few_rows_of_all_times_and_classes_are_enough_to_say_that_a_model_cannot_be_kept(
    trained_on: Callable[[Fit], list[pd.DataFrame]],
) -> None:
    given, rows = trained_on(with_a_lambda), labelled_rows()
    with pytest.raises(TrainingError, match="<lambda> cannot be found again"):
        tried(rows)
    [few] = given
    assert len(few) <= 240
    assert few["label"].value_counts()[1] >= 15
    assert few["timestamp"].is_monotonic_increasing
    assert few["timestamp"].max() - few["timestamp"].min() > 0.9 * (rows["timestamp"].max() - rows["timestamp"].min())


def test_numbers_are_spread_over_time_alone(trained_on: Callable[[Fit], list[pd.DataFrame]]) -> None:
    given = trained_on(lambda rows: BoosterModel().fit(rows, rows["label"]))
    rows = labelled_rows().assign(label=lambda rows: rows["amount"])
    own = ["tests.training.boosters.Booster", "tests.training.boosters.BoosterModel"]
    tried(rows, classes=False, trusted=own)
    assert len(given[0]) == 200
    with pytest.raises(TrainingError, match=r"write in the monitor file trusted: \[tests"):
        tried(rows, classes=False)


def test_what_can_be_kept_passes(trained_on: Callable[[Fit], list[pd.DataFrame]]) -> None:
    calibrated = CalibratedClassifierCV(LogisticRegression(), cv=3)
    given = trained_on(lambda rows: calibrated.fit(rows[["amount"]], rows["label"]))
    tried(labelled_rows())
    assert len(given) == 1


def test_so_few_rows_are_fitted_at_once(trained_on: Callable[[Fit], list[pd.DataFrame]]) -> None:
    given = trained_on(with_a_lambda)
    tried(labelled_rows(150))
    assert given == []


def test_a_fit_that_needs_more_rows_is_no_verdict_on_the_real_one(
    trained_on: Callable[[Fit], list[pd.DataFrame]], caplog: pytest.LogCaptureFixture
) -> None:
    def needs_many(rows: pd.DataFrame) -> Any:
        raise ValueError(f"{len(rows)} rows are too few")

    trained_on(needs_many)
    with caplog.at_level("INFO", logger="hindsight.training.train"):
        tried(labelled_rows())
    assert "could not be tried" in caplog.text
