"""Artifacts: models kept without pickle, and nothing damaged or foreign loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fsspec import AbstractFileSystem

from hindsight.errors import StoreError, TrainingError
from hindsight.snapshots.files import open_files
from hindsight.training import artifacts
from hindsight.training.artifacts import Artifact, load_model, save_model
from tests.builders import at

SEPTEMBER = at("2026-09-01")


def applications(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = pd.DataFrame({"amount": rng.normal(size=n), "region": rng.choice(["EU", "US", "APAC"], n)})
    rows.loc[rows.index[::9], "amount"] = np.nan
    rows["label"] = (rows["amount"].fillna(0) + (rows["region"] == "EU") > 0.5).astype(int)
    return rows


def fitted(kind: str) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder, StandardScaler

    last = {
        "classifier": HistGradientBoostingClassifier(max_iter=20, categorical_features=[0]),
        "regressor": HistGradientBoostingRegressor(max_iter=20, categorical_features=[0]),
        "forest": make_pipeline(SimpleImputer(), StandardScaler(), RandomForestClassifier(5)),
    }[kind]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    rows = applications()
    return make_pipeline(make_column_transformer((encoder, ["region"]), remainder="passthrough"), last).fit(
        rows[["amount", "region"]], rows["label"]
    )


@pytest.mark.parametrize("kind", ["classifier", "regressor", "forest"])
def test_a_model_comes_back_with_the_same_predictions(kind: str, tmp_path: Path) -> None:
    model, rows = fitted(kind), applications()[["amount", "region"]]
    artifact = save_model(model, open_files(str(tmp_path)), "models/credit")
    assert artifact.uri.endswith(f"{artifact.sha256}.skops")
    np.testing.assert_array_equal(load_model(artifact).predict(rows), model.predict(rows))


class Homemade:
    """An estimator of the user's own, unknown to the archive."""

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.zeros(len(rows))


def test_unknown_types_are_refused_by_name_and_accepted_when_named(tmp_path: Path) -> None:
    name = f"{Homemade.__module__}.Homemade"
    with pytest.raises(TrainingError, match=f"not trusted: {name}"):
        save_model(Homemade(), open_files(str(tmp_path)), "models")
    artifact = save_model(Homemade(), open_files(str(tmp_path)), "models", trusted=[name])
    with pytest.raises(TrainingError, match=name):
        load_model(artifact)
    assert isinstance(load_model(artifact, trusted=[name]), Homemade)


def test_a_changed_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    artifact = save_model(fitted("classifier"), open_files(str(tmp_path)), "models")
    Path(artifact.uri).write_bytes(b"not the model")
    with pytest.raises(StoreError, match="expected SHA-256"):
        load_model(artifact)


def test_a_missing_file_and_a_foreign_file_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="could not be read"):
        load_model(Artifact(str(tmp_path / "gone.skops"), "0" * 64))
    foreign = tmp_path / "model.pkl"
    foreign.write_bytes(b"\x80\x04N.")
    import hashlib

    with pytest.raises(TrainingError, match="not a skops archive"):
        load_model(Artifact(str(foreign), hashlib.sha256(foreign.read_bytes()).hexdigest()))


def test_a_model_can_lie_on_any_store() -> None:
    artifact = save_model(fitted("classifier"), open_files("memory://models"), "credit")
    assert load_model(artifact).predict(applications()[["amount", "region"]]).shape == (400,)


def test_a_model_is_never_put_into_the_place_of_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, model = open_files(str(tmp_path)), fitted("classifier")
    data = artifacts.archive(model)  # an archive says when it was made
    monkeypatch.setattr(artifacts, "archive", lambda *_, **__: data)
    artifact = save_model(model, files, "models")
    assert save_model(model, files, "models") == artifact
    Path(artifact.uri).write_bytes(b"damaged")
    with pytest.raises(StoreError, match=r"not the model its name says; delete it and train again"):
        save_model(model, files, "models")
    assert Path(artifact.uri).read_bytes() == b"damaged"


def test_a_model_makes_no_bucket(s3: AbstractFileSystem) -> None:
    with pytest.raises(StoreError, match=r"there is no bucket 'no-such-bucket'; create it"):
        save_model(fitted("classifier"), open_files("s3://no-such-bucket/data", s3), "models")
    s3.invalidate_cache()
    assert not s3.exists("no-such-bucket")


def test_a_model_that_no_client_can_read_is_named() -> None:
    with pytest.raises(StoreError, match=r"nosuch://x\.skops: the model could not be read: Protocol not known"):
        load_model(Artifact("nosuch://x.skops", "0" * 64))
