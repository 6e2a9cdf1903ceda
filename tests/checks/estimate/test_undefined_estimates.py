"""Estimates of what does not exist: null with the reason, by the same choice as the truth they are scored against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from hindsight.checks.estimate import estimate as parts
from hindsight.checks.estimate.calibration import Blocks, Calibration
from hindsight.checks.estimate.estimate import Cells, estimate, estimate_error
from hindsight.checks.performance.performance import performance
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, monitor_file

CLASSES = ("cat", "dog", "owl")


def certain(edge: float = 0.5) -> Blocks:
    """A score is the label: under the edge never, above it always."""
    p = np.array([0.0, 1.0])
    return Blocks(np.array([edge]), p, p * (1 - p), np.array([10**12, 10**12]))


def nothing_expected() -> Cells:
    return Cells(certain(), predicted=np.array([0, 0]), other=np.array([40, 0]))


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        (parts.precision, "no positive predictions"),
        (parts.recall, "no positive labels expected"),
        (parts.f1, "no positive labels expected, none predicted"),
        (parts.roc_auc, "labels of one class only are expected"),
    ],
)
def test_what_cannot_be_expected_is_null(metric: Callable[[Cells], parts.Part], why: str) -> None:
    found = metric(nothing_expected())
    assert (found.value, found.note) == (None, why)


def rows_of(labels: list[str], predictions: list[str]) -> pa.Table:
    scores = {f"{prefix}{c}": [float(c == label) for label in labels] for c in CLASSES for prefix in ("score__", "p_")}
    return pa.table({"prediction": predictions, "label": labels} | scores)


def both(labels: list[str], predictions: list[str]) -> tuple[dict[str, Measurement], dict[str, Measurement]]:
    """The truth of these rows and what a calibration that knows it estimates."""
    file = monitor_file(segments=[], model={"name": "m", "task": "multiclass"})
    file["source"]["predictions"]["score"] = {c: f"p_{c}" for c in CLASSES}
    monitor, rows = a_monitor(**file), rows_of(labels, predictions)
    calibration = Calibration(dict.fromkeys(CLASSES, certain()), 10**6)
    truth = performance(rows, monitor, reference={})
    guess = estimate(TableRows(rows), monitor, calibration, reference={})
    return {m.metric: m for m in truth if not m.bin}, {m.metric: m for m in guess}


def test_a_macro_estimate_leaves_out_the_classes_that_its_truth_leaves_out() -> None:
    truth, guess = both(["cat", "dog"] * 10, ["cat", "dog"] * 9 + ["cat", "cat"])
    assert guess["f1_macro"].value == pytest.approx(truth["f1_macro"].value)
    assert guess["f1_macro"].note == "class owl is neither expected nor predicted: left out"
    assert guess["f1_macro"].lower is not None
    assert guess["roc_auc_ovr_macro"].value is None
    scored = {m.bin for m in estimate_error(guess, truth) if m.metric == "estimate_error"}
    assert scored == {"accuracy", "f1_macro"}


def test_a_class_that_is_predicted_but_not_expected_stays_in_as_it_does_in_the_truth() -> None:
    truth, guess = both(["cat"] * 20, ["cat"] * 19 + ["owl"])
    assert guess["f1_macro"].value == pytest.approx(truth["f1_macro"].value)
    assert guess["f1_macro"].note == "class dog is neither expected nor predicted: left out"
