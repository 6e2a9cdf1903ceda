"""Every estimator of scikit-learn, fitted on small data, is kept and comes back with the same answers."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.cluster import Birch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.utils.discovery import all_estimators

from hindsight.errors import TrainingError
from hindsight.snapshots.files import open_files
from hindsight.training.artifacts import load_model, save_model

rng = np.random.default_rng(20260901)
X = rng.random((60, 4)) + 0.1
CLASSES = (X[:, 0] + rng.normal(0, 0.1, 60) > 0.6).astype(int)
MANY = np.column_stack([CLASSES, rng.integers(0, 2, 60)])
WORDS = ["late payment", "paid on time", "no payment", "time will tell"] * 3
RECORDS = [{"region": "EU", "n": 1.0}, {"region": "US", "n": 2.0}]
SETS = [["a", "b"], ["b"], ["c"]]
OTHER_INPUT: dict[str, tuple[Any, Any]] = {
    "CountVectorizer": (WORDS, None),
    "HashingVectorizer": (WORDS, None),
    "TfidfVectorizer": (WORDS, None),
    "DictVectorizer": (RECORDS, None),
    "FeatureHasher": (RECORDS, None),
    "IsotonicRegression": (X[:, 0], CLASSES),
    "KernelCenterer": (X @ X.T, None),
    "LabelBinarizer": (CLASSES, None),
    "LabelEncoder": (CLASSES, None),
    "MultiLabelBinarizer": (SETS, None),
    "PatchExtractor": (rng.random((2, 12, 12)), None),
}
OF_MANY = ("MultiOutput", "MultiTask", "ClassifierChain", "RegressorChain", "PLS", "CCA")
POSITIVE = ("GammaRegressor",)
SETTINGS: dict[str, dict[str, Any]] = {
    "FrozenEstimator": {"estimator": LogisticRegression().fit(X, CLASSES)},
    "GaussianRandomProjection": {"n_components": 2},
    "PatchExtractor": {"patch_size": (4, 4), "max_patches": 2},
    "SelectFdr": {"alpha": 1.0},
    "SelectFpr": {"alpha": 1.0},
    "SelectFwe": {"alpha": 1.0},
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
    "SparseRandomProjection": {"n_components": 2},
    "SpectralBiclustering": {"n_best": 2},
    "TSNE": {"max_iter": 250},
}


def inner(name: str) -> Any:
    """What a model around another one is given."""
    return (
        Ridge()
        if "Regress" in name or name in ("RANSACRegressor", "TransformedTargetRegressor")
        else LogisticRegression()
    )


def made(name: str, kind: type) -> Any:
    """The estimator with its defaults, and the simplest value of what it cannot do without."""
    one = inner(name)
    simple = {
        "estimator": one,
        "estimators": [("a", one), ("b", clone(one))],
        "steps": [("scale", StandardScaler()), ("fit", one)],
        "transformers": [("scale", StandardScaler(), [0, 1])],
        "transformer_list": [("scale", StandardScaler())],
        "param_grid": {"C": [0.1, 1.0]},
        "param_distributions": {"C": [0.1, 1.0]},
        "dictionary": np.eye(4),
    }
    settings = SETTINGS.get(name, {})
    needed = [p.name for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
    model = kind(**{key: simple[key] for key in needed if key in simple} | settings)
    known = model.get_params(deep=False)
    small = {"n_components": 2, "max_iter": 20, "n_estimators": 5, "n_iter": 2}
    small = {key: value for key, value in small.items() if isinstance(known.get(key), int)}
    model.set_params(**small | settings | ({"random_state": 0} if "random_state" in known else {}))
    return model


def answers(model: Any, rows: Any) -> dict[str, Any]:
    """What a fitted estimator says of rows, by every way it has."""
    ways = ("predict", "predict_proba", "decision_function", "score_samples", "transform")
    return {way: getattr(model, way)(rows) for way in ways if hasattr(model, way)}


@pytest.mark.parametrize(("name", "kind"), [pytest.param(*one, id=one[0]) for one in all_estimators()])
def test_it_comes_back_with_the_same_answers(name: str, kind: type, tmp_path: Path) -> None:
    label = MANY if name.startswith(OF_MANY) else CLASSES + 1.0 if name in POSITIVE else CLASSES
    rows, label = OTHER_INPUT.get(name, (X, label))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are deprecated, and twenty rounds converge to nothing
        model = made(name, kind)
        model.fit(rows) if label is None else model.fit(rows, label)
        expected = answers(model, rows)
        if kind is Birch:  # its leaves form a circle, which no archive without pickle can hold
            with pytest.raises(TrainingError, match="Birch cannot be kept without pickle"):
                save_model(model, open_files(str(tmp_path)), "models")
            return
        again = load_model(save_model(model, open_files(str(tmp_path)), "models"))
        found = answers(again, rows)
    assert type(again) is kind
    assert found.keys() == expected.keys()
    for way, answer in expected.items():
        same(found[way], answer)


def same(found: Any, expected: Any) -> None:
    """Equal; of numbers that BLAS adds up, equal but for the order in which it adds an array laid out otherwise."""
    one, other = (part.toarray() if scipy.sparse.issparse(part) else np.asarray(part) for part in (found, expected))
    if one.dtype.kind == "f":
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    else:
        np.testing.assert_array_equal(one, other)
