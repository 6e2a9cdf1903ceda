"""Undefined: a metric that does not exist on a window's rows is null with the reason, never a number by convention."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

from hindsight.checks.performance.performance import performance, reference_values
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from tests.builders import a_monitor, monitor_file

CLASSES = ("cat", "dog", "owl")
NAN: Any = float("nan")


def a_task(task: str, score: Any = None, **changes: Any) -> Monitor:
    file = monitor_file(segments=[])
    file["source"]["predictions"]["score"] = score
    return a_monitor(**(file | {"model": {"name": "credit", "task": task}} | changes))


BINARY = a_task("binary", "score")
MULTICLASS = a_task("multiclass", {name: f"p_{name}" for name in CLASSES})


def measured(monitor: Monitor, label: Any, prediction: Any, **columns: Any) -> dict[str, Measurement]:
    rows = pa.table({"label": label, "prediction": prediction} | columns)
    found = performance(rows, monitor, reference={})
    return {m.metric: m for m in found if not (m.bin or m.segment or m.feature)}


def of_scikit_learn(score: Callable[..., Any], *arguments: Any, **kind: Any) -> float | None:
    """What scikit-learn says, None where it says nan, refuses, or warns that the metric is not defined."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        try:
            value = float(score(*arguments, **kind))
        except (UndefinedMetricWarning, ValueError):
            return None
    return None if math.isnan(value) else value


def same(found: dict[str, Measurement], expected: dict[str, float | None]) -> None:
    for name, value in expected.items():
        m = found[name]
        assert m.value == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)), m
        assert m.value is not None or m.note, m


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([0, 0.05, 0.5, 1]), st.sampled_from([0, 0.5, 1]))
def test_a_binary_number_is_scikit_learns_or_null_where_that_has_none(
    seed: int, n: int, positive: float, predicted: float
) -> None:
    random = np.random.default_rng(seed)
    y, h = (random.random(n) < positive).astype(int), (random.random(n) < predicted).astype(int)
    p = random.random(n).round(1)
    zero: dict[str, Any] = {"zero_division": NAN}
    expected = {
        "accuracy": sk.accuracy_score(y, h),
        "precision": of_scikit_learn(sk.precision_score, y, h, **zero),
        "recall": of_scikit_learn(sk.recall_score, y, h, **zero),
        "f1": of_scikit_learn(sk.f1_score, y, h, **zero),
        "fpr": of_scikit_learn(sk.recall_score, 1 - y, 1 - h, **zero),
        "fnr": of_scikit_learn(sk.recall_score, y, h, **zero),
        "roc_auc": of_scikit_learn(sk.roc_auc_score, y, p),
        "log_loss": sk.log_loss(y, p, labels=[0, 1]),
        "brier": sk.brier_score_loss(y, p),
    }
    for rate in ("fpr", "fnr"):
        expected[rate] = None if expected[rate] is None else 1 - expected[rate]
    same(measured(BINARY, y, h, score=p), expected)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 7), st.integers(1, 7), st.booleans())
def test_a_macro_average_is_scikit_learns_over_the_classes_that_occur(
    seed: int, n: int, labelled: int, predicted: int, scored: bool
) -> None:
    """`labelled` and `predicted` say, a bit a class, which classes may occur in either."""
    random = np.random.default_rng(seed)
    y, h = (random.choice([c for c in range(3) if bits >> c & 1], n) for bits in (labelled, predicted))
    names = np.array(CLASSES)
    zero: dict[str, Any] = {"zero_division": 0}
    expected = {
        "f1_macro": sk.f1_score(y, h, average="macro", **zero),
        "f1_weighted": sk.f1_score(y, h, average="weighted", **zero),
        "precision_macro": sk.precision_score(y, h, average="macro", **zero),
        "recall_macro": sk.recall_score(y, h, average="macro", **zero),
    }
    scores = random.dirichlet([1, 1, 1], n)
    columns = {f"score__{name}": scores[:, place] for place, name in enumerate(CLASSES)} if scored else {}
    monitor = MULTICLASS if scored else a_task("multiclass")
    same(measured(monitor, names[y], names[h], **columns), expected)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5]), min_size=1, max_size=6), st.sampled_from([0.0, 0.5]))
def test_r2_is_scikit_learns_or_null_where_the_labels_have_no_spread(labels: list[float], off: float) -> None:
    y = np.array(labels)
    expected = sk.r2_score(y, y + off) if len(set(labels)) > 1 else None
    same(measured(a_task("regression"), y, y + off), {"mae": off, "rmse": off, "r2": expected})


@pytest.mark.parametrize(
    ("label", "prediction", "reasons"),
    [
        ([0, 0], [0, 0], {"recall": "no positive labels", "precision": "no positive predictions"}),
        ([0, 0], [0, 0], {"f1": "no positive labels or predictions", "fnr": "no positive labels"}),
        ([0, 0], [1, 0], {"recall": "no positive labels", "fnr": "no positive labels"}),
        ([1, 0], [0, 0], {"precision": "no positive predictions"}),
        ([1, 1], [1, 0], {"fpr": "no negative labels", "roc_auc": "labels of both classes are needed"}),
    ],
)
def test_the_reason_is_said_in_words(label: list[int], prediction: list[int], reasons: dict[str, str]) -> None:
    found = measured(BINARY, label, prediction, score=[0.5, 0.4])
    assert {name: (found[name].value, found[name].note) for name in reasons} == {
        name: (None, why) for name, why in reasons.items()
    }


def test_a_model_that_finds_none_of_the_positives_has_a_recall_and_an_f1_of_nought() -> None:
    found = measured(BINARY, [1, 1, 0], [0, 0, 0])
    assert (found["recall"].value, found["f1"].value, found["fnr"].value) == (0.0, 0.0, 1.0)


def test_a_macro_average_says_which_classes_it_leaves_out_and_which_it_counts_as_nought() -> None:
    scores = {f"score__{name}": [0.3, 0.3] for name in CLASSES}
    found = measured(MULTICLASS, ["cat", "dog"], ["cat", "dog"], **scores)
    macros = [found[name] for name in ("f1_macro", "precision_macro", "recall_macro")]
    assert [(m.value, m.note) for m in macros] == [(1.0, "class owl did not occur and is left out")] * 3
    found = measured(MULTICLASS, ["cat", "cat", "dog"], ["cat", "owl", "cat"])
    assert found["precision_macro"].note == "class dog was never predicted and counts as 0"
    assert found["recall_macro"].note == "class owl has no labels and counts as 0"
    assert found["f1_macro"].note == ""


def test_a_class_that_the_reference_alone_has_does_not_lower_a_window_without_it() -> None:
    reference = measured(MULTICLASS, ["cat", "dog", "owl"] * 10, ["cat", "dog", "owl"] * 10)
    known = reference_values(reference.values())
    scores = {f"score__{name}": [0.3] * 20 for name in CLASSES}
    rows = pa.table({"label": ["cat", "dog"] * 10, "prediction": ["cat", "dog"] * 10} | scores)
    found = {m.metric: m for m in performance(rows, MULTICLASS, reference=known) if not m.bin}
    assert (found["f1_macro"].value, found["f1_macro"].reference) == (1.0, 1.0)


def of_groups(**groups: tuple[list[int], list[int]]) -> dict[str, Measurement]:
    """The fairness gaps of a table whose regions have these labels and predictions."""
    rows = pa.table(
        {
            "region": [name for name, (labels, _) in groups.items() for _ in labels],
            "label": [one for labels, _ in groups.values() for one in labels],
            "prediction": [one for _, predictions in groups.values() for one in predictions],
        }
    )
    return {m.metric: m for m in performance(rows, a_monitor(), reference={}) if m.feature == "region"}


def test_odds_cannot_be_equal_where_a_group_has_no_positives_or_no_negatives() -> None:
    mixed = ([1, 0] * 10, [1, 0] * 10)
    found = of_groups(EU=mixed, US=([0] * 20, [0] * 20))
    assert found["equalized_odds_difference"].value is None
    assert found["equalized_odds_difference"].note == "no positive labels in US"
    assert (found["fnr_difference"].value, found["fnr_difference"].note) == (None, "no positive labels in US")
    assert found["fpr_difference"].value == 0.0
    found = of_groups(EU=mixed, US=([1] * 20, [1] * 20), FR=mixed)
    assert found["equalized_odds_difference"].note == "no negative labels in US"
    assert found["equalized_odds_difference"].value is None
    assert (found["fpr_difference"].value, found["fpr_difference"].note) == (0.0, "US left out: no negative labels")


def test_a_rate_that_no_group_has_is_no_gap_and_every_group_is_named() -> None:
    found = of_groups(EU=([0] * 20, [0] * 20), US=([0] * 20, [1] * 20))
    assert found["fnr_difference"].note == "no positive labels in EU, US"
    assert (found["fpr_difference"].value, found["fpr_difference"].note) == (1.0, "US over EU")


def test_a_single_group_is_still_told_apart_from_groups_without_positives() -> None:
    found = of_groups(EU=([0] * 20, [0] * 20))
    assert found["fnr_difference"].note == "fewer than two groups of 20 labelled rows to compare"
