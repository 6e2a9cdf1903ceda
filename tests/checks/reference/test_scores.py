"""Scores: what is no probability of its class is recognised, and no honest model is accused, however bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.estimate.calibration import fit_calibration
from hindsight.checks.estimate.estimate import estimate
from hindsight.checks.reference.baseline import fit
from hindsight.checks.reference.scores import score_mistaken
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, at, monitor_file

N = 2000
RANDOM = np.random.default_rng(20260901)
P = RANDOM.beta(0.8, 2.0, N)  # what an honest model says
LOGIT = np.log(P / (1 - P))
BINARY = a_monitor(segments=[], features={})
Scores = np.ndarray


def found(score: Any, said: np.ndarray, monitor: Monitor = BINARY) -> Measurement:
    columns = score if isinstance(score, dict) else {"score": score}
    (one,) = score_mistaken(TableRows(pa.table({"prediction": said, **columns})), monitor)
    return one


WRONG: dict[str, tuple[Any, str]] = {
    "percent": (100 * P, "score holds percentages"),
    "whole percent": (np.round(100 * P), "score holds percentages"),
    "a credit score": (300 + 550 * P, "score holds numbers beyond 1"),
    "odds": (P / (1 - P), "odds: score / (1 + score)"),
    "log-odds": (LOGIT, "write 1 / (1 + exp(-score)) in a view"),
    "logarithm": (np.log(P), "log-odds or logarithms"),
    "the class": ((P > 0.5).astype(float), "score holds only 0 and 1, the class itself"),
    "a signed class": (np.where(P > 0.5, 1, -1), "score holds only -1 and 1, the class itself"),
    "the class in words": (np.where(P > 0.5, "bad", "good"), "score holds texts, not numbers"),
    "the other class": (1 - P, "the probability of the other class; write 1 - score"),
    "the confidence": (np.maximum(P, 1 - P), "the confidence in the prediction"),
}


@pytest.mark.parametrize(("score", "said"), WRONG.values(), ids=WRONG)
def test_a_score_that_is_something_else_is_recognised(score: Any, said: str) -> None:
    one = found(score, (P > 0.5).astype(int))
    assert (one.metric, one.value, one.n, one.feature) == ("score_mistaken", 1, N, "score")
    assert said in one.note


HONEST: dict[str, tuple[Scores, Callable[[Scores], Scores]]] = {
    "calibrated": (P, lambda s: s > 0.5),
    "far too sure": (1 / (1 + np.exp(-4 * LOGIT)), lambda s: s > 0.5),
    "hardly sure": (0.45 + 0.1 * P, lambda s: s > 0.5),
    "always high": (0.5 + 0.5 * P, lambda s: s > 0.7),
    "too high by far": (P**0.1, lambda s: s > 0.9),
    "rounded": (np.round(P, 1), lambda s: s > 0.5),
    "of two leaves": (np.where(P > 0.4, 0.7, 0.2), lambda s: s > 0.5),
    "a low threshold": (P, lambda s: s > 0.02),
    "a few just outside": (np.clip(1.1 * P - 0.03, -0.05, 1.05), lambda s: s > 0.5),
    "rare, all scores under 0.02": (0.02 * P, lambda s: s > 0.015),
    "with a sentinel": (np.where(P > 0.9, -1.0, P), lambda s: s > 0.5),
}


@pytest.mark.parametrize(("score", "decide"), HONEST.values(), ids=HONEST)
def test_an_honest_model_is_not_accused(score: Scores, decide: Callable[[Scores], Scores]) -> None:
    assert found(score, decide(score).astype(int)).value == 0


def test_a_rare_event_nobody_is_predicted_to_have_tells_nothing() -> None:
    one = found(0.02 * P, np.zeros(N, int))
    assert (one.value, one.note) == (None, "scores and predictions are too few or too much alike to tell")
    assert found(1 - 0.02 * P, np.zeros(N, int)).value == 1


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 5), st.floats(0.05, 5), st.floats(0.02, 0.98))
def test_no_scores_that_decide_their_predictions_are_accused(seed: int, a: float, b: float, threshold: float) -> None:
    score = np.random.default_rng(seed).beta(a, b, 300) * 0.98 + 0.01
    assert not found(score, (score >= threshold).astype(int)).value or score.min() > 0.5 or score.max() < 0.5


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_model_that_is_merely_bad_is_not_accused(share: float) -> None:
    """Its labels are not asked: scores that are right less often than chance are a matter of accuracy."""
    said = P > 0.5
    said = np.where(RANDOM.random(N) < share * 0.5, ~said, said).astype(int)  # some decided otherwise, by hand
    assert found(P, said).value == 0


CLASSES = ("a", "b", "c")
EACH = RANDOM.dirichlet([1, 2, 1], N)
MANY = a_monitor(
    segments=[],
    features={},
    model={"name": "credit", "task": "multiclass"},
    source=monitor_file()["source"]
    | {"predictions": monitor_file()["source"]["predictions"] | {"score": {name: f"p_{name}" for name in CLASSES}}},
)


def of_many(scores: np.ndarray, likeliest: np.ndarray = EACH) -> Measurement:
    columns = {f"p_{name}": scores[:, place] for place, name in enumerate(CLASSES)}
    return found(columns, np.array(CLASSES)[likeliest.argmax(axis=1)], MANY)


SPOILT: dict[str, tuple[np.ndarray, str]] = {
    "percent": (100 * EACH, "the scores hold percentages"),
    "log-odds": (3 * np.log(EACH), "exp(score) over the sum of all"),
    "one hot": (np.eye(3)[EACH.argmax(axis=1)], "the class itself"),
    "each for itself": (EACH**0.3, "do not sum to one"),
    "two swapped": (EACH[:, [1, 0, 2]], "where a is predicted that of b is the highest"),
    "all in turn": (EACH[:, [1, 2, 0]], "columns of scores are swapped"),
}


@pytest.mark.parametrize(("scores", "said"), SPOILT.values(), ids=SPOILT)
def test_scores_of_classes_that_are_something_else_are_recognised(scores: np.ndarray, said: str) -> None:
    one = of_many(scores)
    assert (one.value, one.feature) == (1, "")
    assert said in one.note


def test_honest_scores_of_classes_are_not_accused() -> None:
    sharp = EACH**4 / (EACH**4).sum(axis=1, keepdims=True)
    cautious = EACH * [4, 1, 1]  # class a is predicted long before it is the likeliest
    assert [of_many(scores).value for scores in (EACH, sharp, EACH.round(2), EACH.round(1))] == [0, 0, 0, 0]
    assert of_many(EACH, cautious).value == 0


def test_a_regression_and_a_model_without_scores_have_nothing_to_mistake() -> None:
    rows = TableRows(pa.table({"prediction": P, "score": 100 * P}))
    regression = a_monitor(segments=[], features={}, model={"name": "credit", "task": "regression"})
    assert score_mistaken(rows, regression) == []


def test_few_rows_tell_nothing() -> None:
    assert found(100 * P[:40], (P[:40] > 0.5).astype(int)).value is None


def test_nothing_is_learnt_or_estimated_from_mistaken_scores() -> None:
    """The other class's probability calibrates to a flat line, and every truth would look like concept drift."""
    said, truth = (P > 0.5).astype(int), (RANDOM.random(N) < P).astype(int)
    labelled = pa.table({"prediction": said, "score": 1 - P, "label": truth})
    assert "other class" in fit_calibration(labelled, BINARY).note
    sound = fit_calibration(pa.table({"prediction": said, "score": P, "label": truth}), BINARY)
    window = TableRows(pa.table({"prediction": said, "score": 1 - P}))
    guesses = estimate(window, BINARY, sound, reference={})
    assert {(m.value, "other class" in m.note) for m in guesses} == {(None, True)}


def test_a_baseline_keeps_what_is_wrong_with_its_scores() -> None:
    rows = TableRows(pa.table({"prediction": (P > 0.5).astype(int), "score": 100 * P}))
    baseline = fit(rows, BINARY, output=rows, fitted_as_of=at("2026-09-01"))
    assert "score holds percentages" in baseline.mistaken
    assert type(baseline).from_tables(baseline.to_tables().__getitem__).mistaken == baseline.mistaken
