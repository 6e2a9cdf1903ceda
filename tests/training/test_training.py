"""Training: an honest fit on the earlier rows, and an honest comparison on the later ones."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hindsight.errors import TrainingError
from hindsight.training.compare import Comparison, compare, paired_accuracy, paired_errors, tango_interval
from hindsight.training.train import hold_out, load_trainer, train
from tests.builders import at

SEPTEMBER = at("2026-09-01")


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
