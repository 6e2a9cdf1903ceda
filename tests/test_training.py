"""Training: artifacts without pickle, an honest comparison, and never two champions."""

from __future__ import annotations

import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from builders import DAY, at
from hindsight.errors import LedgerError, StoreError, TrainingError
from hindsight.training.artifacts import Artifact, load_model, save_model
from hindsight.training.compare import Comparison, compare, paired_accuracy, paired_errors, tango_interval
from hindsight.training.registry import ModelVersion, Registry, Stage
from hindsight.training.train import hold_out, load_trainer, train

SEPTEMBER = at("2026-09-01")


# --- artifacts


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
    artifact = save_model(model, str(tmp_path / "models" / "credit"))
    assert artifact.uri.endswith(f"{artifact.sha256}.skops")
    np.testing.assert_array_equal(load_model(artifact).predict(rows), model.predict(rows))


class Homemade:
    """An estimator of the user's own, unknown to the archive."""

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.zeros(len(rows))


def test_unknown_types_are_refused_by_name_and_accepted_when_named(tmp_path: Path) -> None:
    name = f"{Homemade.__module__}.Homemade"
    with pytest.raises(TrainingError, match=f"not trusted: {name}"):
        save_model(Homemade(), str(tmp_path))
    artifact = save_model(Homemade(), str(tmp_path), trusted=[name])
    with pytest.raises(TrainingError, match=name):
        load_model(artifact)
    assert isinstance(load_model(artifact, trusted=[name]), Homemade)


def test_a_changed_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    artifact = save_model(fitted("classifier"), str(tmp_path))
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
    artifact = save_model(fitted("classifier"), "memory://models/credit")
    assert load_model(artifact).predict(applications()[["amount", "region"]]).shape == (400,)


# --- training


@pytest.fixture
def lending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "lending_models.py").write_text(
        "class Zero:\n    def predict(self, rows): return [0] * len(rows)\n"
        "def train_default(rows, as_of): return Zero()\n"
        "def train_nothing(rows, as_of): return None\n"
        "def train_wrong(rows): return Zero()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "lending_models"  # type: ignore[misc]
    sys.modules.pop("lending_models", None)


def labelled_rows(n: int = 100) -> pd.DataFrame:
    return pd.DataFrame({"timestamp": pd.date_range("2026-09-01", periods=n, freq="1h", tz="UTC"), "label": 0})


def test_the_users_function_trains(lending: str) -> None:
    model = train(f"{lending}:train_default", labelled_rows(3), at("2026-09-20"))
    assert model.predict(labelled_rows(3)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_module:train", "cannot import 'no_such_module'"),
        ("lending_models:train_gone", "has no function 'train_gone'"),
        ("lending_models:train_wrong", r"must take \(rows, as_of\)"),
        ("lending_models:train_nothing", "returned NoneType"),
    ],
)
def test_a_function_that_does_not_fit_is_named(lending: str, path: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        train(path, labelled_rows(3), at("2026-09-20"))


def test_no_rows_are_not_trained_on(lending: str) -> None:
    with pytest.raises(TrainingError, match="no matured labelled rows as of 2026-09-20"):
        train(f"{lending}:train_default", labelled_rows(0), at("2026-09-20"))
    assert load_trainer(f"{lending}:train_default").__name__ == "train_default"


def test_the_newest_fifth_is_held_out_but_never_more_than_asked() -> None:
    before, after = hold_out(labelled_rows(100))
    assert (len(before), len(after)) == (80, 20)
    assert before["timestamp"].max() < after["timestamp"].min()
    assert len(hold_out(labelled_rows(100), at_most=5)[1]) == 5


def test_rows_of_one_moment_stay_on_one_side() -> None:
    rows = labelled_rows(10)
    rows.loc[5:, "timestamp"] = rows["timestamp"].iloc[5]
    before, after = hold_out(rows)
    assert (len(before), len(after)) == (5, 5)
    rows["timestamp"] = rows["timestamp"].iloc[0]
    with pytest.raises(TrainingError, match="one timestamp"):
        hold_out(rows)
    with pytest.raises(TrainingError, match="too few"):
        hold_out(labelled_rows(3))


# --- comparison


def outcomes(both: int, gained: int, lost: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    champion = [True] * both + [False] * gained + [True] * lost + [False] * neither
    challenger = [True] * both + [True] * gained + [False] * lost + [False] * neither
    return np.array(champion), np.array(challenger)


def test_the_interval_solves_tangos_equation() -> None:
    """With no lost row (c = 0) the equation has a closed form: b = n gives (n - z²) / (n + z²) as the lower end."""
    z2, n = stats.chi2.ppf(0.95, 1), 50
    lower, upper = tango_interval(n, 0, n)
    assert lower == pytest.approx((n - z2) / (n + z2), abs=1e-9)
    assert upper == pytest.approx(1, abs=1e-9)


def test_no_disagreement_gives_an_interval_around_zero() -> None:
    """b = c = 0: z(d)² = n d² / (|d| (1 - |d|)) reaches z² at d = z² / (n + z²), Tango's known limit."""
    z2, n = stats.chi2.ppf(0.95, 1), 100
    lower, upper = tango_interval(0, 0, n)
    assert (lower, upper) == pytest.approx((-z2 / (n + z2), z2 / (n + z2)), abs=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 200))
def test_better_means_what_mcnemar_calls_significant(gained: int, lost: int, agreed: int) -> None:
    result = paired_accuracy(*outcomes(agreed, gained, lost, 0))
    z = (gained - lost) / np.sqrt(gained + lost) if gained + lost else 0.0
    assert result.better == (z > stats.norm.ppf(0.975))
    assert -1 <= result.lower <= result.difference <= result.upper <= 1
    mirrored = paired_accuracy(*outcomes(agreed, lost, gained, 0))
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-result.upper, -result.lower), abs=1e-6)


def test_the_interval_covers_the_true_gain_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(11)
    n, gained, lost = 500, 0.08, 0.05
    draws = rng.multinomial(n, [gained, lost, 1 - gained - lost], size=2000)
    intervals = [tango_interval(int(b), int(c), n) for b, c, _ in draws]
    covered = np.mean([lower <= gained - lost <= upper for lower, upper in intervals])
    assert 0.935 <= covered <= 0.965


def test_paired_errors_are_students_t() -> None:
    champion, challenger = np.array([5.0, 6.0, 7.0, 9.0]), np.array([4.0, 4.0, 6.0, 5.0])
    result = paired_errors(champion, challenger)
    expected = stats.ttest_rel(champion, challenger).confidence_interval(0.95)
    assert (result.lower, result.upper) == pytest.approx((expected.low, expected.high))
    assert result.difference == pytest.approx(2.0)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=50))
def test_equal_errors_are_never_better(errors: list[float]) -> None:
    result = paired_errors(np.array(errors), np.array(errors))
    assert (result.difference, result.better) == (0, False)


def test_one_row_proves_nothing() -> None:
    assert not paired_errors(np.array([9.0]), np.array([1.0])).better


class Echo:
    """A challenger that answers with one of the columns."""

    def __init__(self, column: str) -> None:
        self.column = column

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return rows[self.column].to_numpy()


def judged_rows(n: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "label": label,
            "prediction": np.where(rng.random(n) < 0.3, 1 - label, label),
            "good": np.where(rng.random(n) < 0.1, 1 - label, label),
            "text": label.astype(str),
        }
    )


def against(rows: pd.DataFrame, column: str, task: str = "binary") -> Comparison:
    return compare(rows, Echo(column), task=task, features=[column])


def test_a_better_challenger_wins_and_a_copy_of_the_champion_does_not() -> None:
    rows = judged_rows()
    won = against(rows, "good")
    assert won.better
    assert won.challenger - won.champion == pytest.approx(won.difference)
    assert won.metrics()["accuracy"] == won.challenger
    lost = against(rows, "prediction")
    assert not lost.better
    assert "does not lie above zero" in lost.note


def test_a_few_rows_are_too_small_to_tell() -> None:
    result = against(judged_rows(150), "good")
    assert not result.better
    assert result.note == "too small to tell: 150 rows, 200 are needed"


def test_a_regressor_is_judged_by_its_errors() -> None:
    rng = np.random.default_rng(5)
    label = rng.normal(30, 5, 800)
    rows = pd.DataFrame(
        {"label": label, "prediction": label + rng.normal(0, 6, 800), "good": label + rng.normal(0, 4, 800)}
    )
    result = against(rows, "good", "regression")
    assert (result.metric, result.better) == ("mae", True)


def test_rows_without_label_or_prediction_do_not_count() -> None:
    rows = judged_rows()
    rows["label"] = rows["label"].astype("Int64")
    rows.loc[:99, "label"] = pd.NA
    assert against(rows, "good").n == 900
    with pytest.raises(TrainingError, match="no labelled row"):
        against(rows.iloc[:100], "good")


def test_text_answers_are_not_compared_with_numbers() -> None:
    with pytest.raises(TrainingError, match="where labels are like"):
        against(judged_rows(), "text")


def test_a_challenger_that_cannot_predict_is_an_error() -> None:
    with pytest.raises(TrainingError, match="cannot predict rows with the features"):
        against(judged_rows(), "gone")


# --- registry


@pytest.fixture
def registry(database_url: sa.URL) -> Registry:
    registry = Registry(sa.create_engine(database_url, poolclass=sa.NullPool))
    registry.create()
    registry.create()
    return registry


def a_version(name: str = "v1", created: datetime = SEPTEMBER, **changes: Any) -> ModelVersion:
    fields: dict[str, Any] = {
        "monitor": "credit",
        "version": name,
        "trained_from": created - 30 * DAY,
        "trained_to": created - 8 * DAY,
        "n_rows": 5000,
        "metrics": {"accuracy": 0.87},
        "artifact": f"/models/{name}.skops",
        "sha256": "a" * 64,
        "created_at": created,
        "incidents": ("i-1", "i-2"),
        "request_key": f"key-{name}",
    }
    return ModelVersion(**fields | changes)


def champions(registry: Registry) -> list[str]:
    return [v.version for v in registry.versions("credit") if v.stage is Stage.CHAMPION]


def test_a_version_comes_back_as_it_was_registered(registry: Registry) -> None:
    version = a_version()
    assert registry.register(version) == version
    assert registry.version("credit", "v1") == version
    assert registry.champion("credit") is None


def test_registering_again_keeps_the_first(registry: Registry) -> None:
    first = registry.register(a_version())
    assert registry.register(a_version(n_rows=1, sha256="b" * 64)) == first
    assert registry.versions("credit") == [first]


def test_metrics_json_cannot_hold_are_refused(registry: Registry) -> None:
    with pytest.raises(TrainingError, match="metrics cannot be kept"):
        registry.register(a_version(metrics={"accuracy": float("nan")}))


def test_promotion_archives_the_champion_before(registry: Registry) -> None:
    registry.register(a_version("v1"))
    registry.register(a_version("v2", at("2026-09-10")))
    registry.register(a_version("v1", monitor="eta"))
    registry.promote("eta", "v1", at=at("2026-09-02"))
    registry.promote("credit", "v1", at=at("2026-09-02"))
    promoted = registry.promote("credit", "v2", at=at("2026-09-11"))
    assert registry.champion("credit") == promoted
    assert promoted.promoted_at == at("2026-09-11")
    assert registry.version("credit", "v1").stage is Stage.ARCHIVED
    champion = registry.champion("eta")
    assert champion is not None
    assert champion.version == "v1"


def test_promoting_the_champion_changes_nothing(registry: Registry) -> None:
    registry.register(a_version())
    first = registry.promote("credit", "v1", at=at("2026-09-02"))
    assert registry.promote("credit", "v1", at=at("2026-09-05")) == first


def test_an_unknown_version_is_not_promoted(registry: Registry) -> None:
    registry.register(a_version())
    registry.promote("credit", "v1", at=at("2026-09-02"))
    with pytest.raises(TrainingError, match="no version 'v9'"):
        registry.promote("credit", "v9", at=at("2026-09-03"))
    assert champions(registry) == ["v1"]


def test_rollback_goes_to_the_last_good_version_and_then_further(registry: Registry) -> None:
    for day, name in enumerate(["v1", "v2", "v3"], start=1):
        registry.register(a_version(name, at(f"2026-09-0{day}")))
        registry.promote("credit", name, at=at(f"2026-09-1{day}"))
    assert registry.rollback("credit", at=at("2026-09-20")).version == "v2"
    assert registry.version("credit", "v3").rolled_back_at == at("2026-09-20")
    assert registry.rollback("credit", at=at("2026-09-21")).version == "v1"
    assert champions(registry) == ["v1"]
    with pytest.raises(TrainingError, match="no earlier champion"):
        registry.rollback("credit", at=at("2026-09-22"))
    assert champions(registry) == ["v1"]


def test_racing_promotions_leave_exactly_one_champion(registry: Registry) -> None:
    names = [f"v{i}" for i in range(6)]
    for name in ("v0", *names[1:]):
        registry.register(a_version(name))
    registry.promote("credit", "v0", at=at("2026-09-02"))
    start, failures = threading.Barrier(5), []

    def race(name: str) -> None:
        start.wait()
        try:
            registry.promote("credit", name, at=at("2026-09-03"))
        except (LedgerError, TrainingError) as exc:
            failures.append(exc)

    threads = [threading.Thread(target=race, args=(name,)) for name in names[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(champions(registry)) == 1
    assert champions(registry) != ["v0"]


def test_a_second_champion_is_impossible_in_the_database_itself(registry: Registry, database_url: sa.URL) -> None:
    registry.register(a_version("v1"))
    registry.register(a_version("v2"))
    registry.promote("credit", "v1", at=at("2026-09-02"))
    table = sa.table("model_versions", sa.column("version"), sa.column("stage"))
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.update(table).where(table.c.version == "v2").values(stage="champion"))


def test_a_registry_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(tmp_path / "no" / "ledger.db")))
    with pytest.raises(LedgerError, match="model_versions"):
        Registry(engine).champion("credit")
