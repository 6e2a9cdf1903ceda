"""Trust: what an archive may not hold is refused, whoever wrote it, and what the user names is accepted."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from hindsight.errors import TrainingError
from hindsight.snapshots.files import open_files
from hindsight.training.artifacts import Artifact, archive, load_model, save_model
from hindsight.training.trust import is_known
from tests.training.boosters import BoosterModel, halved

X = np.random.default_rng(1).random((40, 2))
Y = (X[:, 0] > 0.5).astype(int)
OWN = ["tests.training.boosters.Booster", "tests.training.boosters.BoosterModel"]


def kept(data: bytes, folder: Path) -> Artifact:
    """An archive as somebody wrote it who can write to the folder and to the register."""
    path = folder / "model.skops"
    path.write_bytes(data)
    return Artifact(str(path), hashlib.sha256(data).hexdigest())


def forged(data: bytes, *changes: tuple[str, str]) -> bytes:
    """The archive with texts of its schema replaced; every one must be there."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                for before, after in changes:
                    assert before.encode() in content
                    content = content.replace(before.encode(), after.encode())
            new.writestr(name, content)
    return out.getvalue()


def test_a_type_of_the_users_own_is_kept_when_it_is_named(tmp_path: Path) -> None:
    model = BoosterModel().fit(X, Y)
    with pytest.raises(TrainingError, match=re.escape(f"trusted: [{', '.join(OWN)}]")):
        save_model(model, open_files(str(tmp_path)), "models")
    artifact = save_model(model, open_files(str(tmp_path)), "models", trusted=OWN)
    np.testing.assert_array_equal(load_model(artifact, trusted=OWN).predict(X), model.predict(X))
    with pytest.raises(TrainingError, match=r"not trusted: tests\.training\.boosters\.Booster, "):
        load_model(artifact)


def test_a_function_of_the_users_own_in_a_pipeline_is_kept_when_it_is_named(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(halved), LogisticRegression()).fit(X, Y)
    with pytest.raises(TrainingError, match=r"tests\.training\.boosters\.halved"):
        save_model(model, open_files(str(tmp_path)), "models")
    own = ["tests.training.boosters.halved"]
    again = load_model(save_model(model, open_files(str(tmp_path)), "models", trusted=own), trusted=own)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_lambda_is_refused_and_the_way_out_is_no_list_of_trust() -> None:
    model = make_pipeline(FunctionTransformer(lambda rows: rows), LogisticRegression()).fit(X, Y)
    with pytest.raises(TrainingError, match="<lambda> cannot be found again: make it a function or class of a module"):
        archive(model)


def test_distributions_are_refused_because_loading_them_compiles_text_they_carry() -> None:
    search = RandomizedSearchCV(LogisticRegression(), {"C": stats.uniform(0.1, 2)}, n_iter=2, random_state=0, cv=2)
    with pytest.raises(TrainingError, match=r"scipy\.stats"):
        archive(search.fit(X, Y))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("numpy", "load"),
        ("numpy", "fromfile"),
        ("joblib", "load"),
        ("sklearn.datasets", "load_files"),
        ("sklearn.datasets._base", "load_files"),
        ("sklearn.utils._testing", "TempMemmap"),
        ("sklearn.utils.parallel", "Parallel"),
        ("sklearn.model_selection._validation", "Parallel"),
        ("sklearn.model_selection._validation", "cross_val_score"),
        ("sklearn.metrics", "accuracy_score"),
        ("sklearn.metrics.pairwise", "_parallel_pairwise"),
        ("sklearn.base", "warnings"),
        ("sklearn.externals", "joblib"),
        ("sklearn.calibration.partial", "func"),
        ("sklearn.no_such_module", "Thing"),
        ("sklearnish.tree", "Tree"),
        ("scipy.stats._continuous_distns", "uniform_gen"),
        ("sklearn.pipeline.Pipeline", "fit"),
        ("", "eval"),
    ],
)
def test_what_could_do_more_than_hold_data_is_unknown(module: str, name: str) -> None:
    assert not is_known(f"{module}.{name}")


@pytest.mark.parametrize(
    "name",
    [
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.metrics._classification.balanced_accuracy_score",
        "sklearn.metrics.pairwise.rbf_kernel",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
    ],
)
def test_parts_of_models_are_known_where_they_are_defined(name: str) -> None:
    assert is_known(name)


OTHERS = [("os", "system"), ("builtins", "eval"), ("sklearn.datasets", "load_files")]


@pytest.mark.parametrize(("module", "name"), OTHERS)
def test_an_archive_that_names_another_function_is_refused(module: str, name: str, tmp_path: Path) -> None:
    data = archive(FunctionTransformer(np.log1p).fit(X))
    forgery = forged(data, ('"__class__": "log1p"', f'"__class__": "{name}"'), ('"numpy"', f'"{module}"'))
    with pytest.raises(TrainingError, match=f"not trusted: {module}.{name}"):
        load_model(kept(forgery, tmp_path))


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda data: data[: len(data) // 2],
    "of a protocol to come": lambda data: forged(data, ('"protocol": ', '"protocol": 9')),
    "built in a way nobody knows": lambda data: forged(data, ("ObjectNode", "NoNode")),
    "no JSON": lambda data: forged(data, ("{", "[")),
    "without a file it names": lambda data: forged(data, (".npy", ".npx")),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_damaged_archive_is_named_whatever_is_wrong_with_it(how: str, tmp_path: Path) -> None:
    data = archive(LogisticRegression().fit(X, Y))
    with pytest.raises(TrainingError, match=r"model\.skops (is not a skops archive|cannot be rebuilt)"):
        load_model(kept(BROKEN[how](data), tmp_path))


def test_a_model_of_another_scikit_learn_is_refused_with_both_versions(tmp_path: Path) -> None:
    from sklearn import __version__

    data = forged(archive(LogisticRegression().fit(X, Y)), (f'\\"{__version__}\\"', '\\"0.1.2\\"'))
    with pytest.raises(TrainingError, match=f"made with scikit-learn 0.1.2, installed is {__version__}"):
        load_model(kept(data, tmp_path))
