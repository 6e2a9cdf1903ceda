"""Labels and predictions written in two ways: the same where they can be, named where they cannot."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.performance.performance import performance
from hindsight.monitors.model import Monitor
from tests.builders import a_window, at
from tests.checks.performance.rows import (
    BINARY,
    CLASSES,
    MULTICLASS,
    REGRESSION,
    a_task,
    multiclass_rows,
    numbers,
    values,
)


@pytest.mark.parametrize(
    "labels", [[1, 0, 1, 0], [True, False] * 2, ["1", "0"] * 2, [1.0, 0.0] * 2, ["1.0", "0.0"] * 2]
)
@pytest.mark.parametrize("predictions", [[1, 0, 0, 1], [True, False, False, True], ["1", "0", "0", "1"]])
@pytest.mark.parametrize("positive", [1, True, "1", 1.0])
def test_classes_are_the_same_however_they_are_written(
    labels: list[Any], predictions: list[Any], positive: Any
) -> None:
    monitor = a_task("binary", None, model={"name": "m", "task": "binary", "positive_label": positive})
    found = values(pa.table({"prediction": predictions, "label": labels}), monitor)
    assert (found["accuracy"], found["recall"], found["positive_rate"]) == (0.5, 0.5, 0.5)


def test_a_few_labels_of_classes_nobody_knows_are_left_out_and_said() -> None:
    table = pa.table({"prediction": [1, 0] * 10, "label": ["1", "0"] * 9 + ["pending", None], "score": [0.9, 0.1] * 10})
    found = numbers(table, BINARY)["accuracy"]
    assert (found.value, found.n, found.note) == (1.0, 18, "1 labels of unknown classes left out")


Y_AND_N = "label column ground_truth.label holds 'N', 'Y'; predictions are 0, 1"
MISNAMED = "label holds 'no', 'yes'; positive_label 1 is neither among them nor among the predictions"


@pytest.mark.parametrize(
    ("monitor", "predictions", "labels", "why"),
    [
        (BINARY, [1, 0] * 10, ["Y", "N"] * 10, Y_AND_N),
        (BINARY, [1, 1] * 10, ["Y", "N"] * 10, Y_AND_N.replace("0, 1", "1")),
        (BINARY, [1, 0] * 10, ["Y", "0"] * 10, Y_AND_N.replace("'N', ", "")),
        (BINARY, ["yes", "no"] * 10, ["yes", "no"] * 10, MISNAMED),
        (BINARY, ["yes", "yes"] * 10, ["yes", "no"] * 10, MISNAMED),
        (MULTICLASS, ["cat", "dog"] * 10, [1, 2] * 10, "label holds '1', '2'; predictions are cat, dog, owl"),
        (a_task("multiclass", None), ["cat", "dog"] * 10, [1, 2] * 10, "holds '1', '2'; predictions are cat, dog"),
        (REGRESSION, [1.0, 2.0] * 10, ["abc", "1.5"] * 10, "label holds 'abc'; predictions are numbers"),
        (REGRESSION, [1.0] * 20, [at("2026-09-01")] * 20, "predictions are numbers"),
        (BINARY, [1, 0] * 10, [b"\x01", b"\xff"] * 10, "holds '01', 'ff'; predictions are 0, 1"),
    ],
)  # fmt: skip
def test_labels_written_in_another_way_are_named_instead_of_measured(
    monitor: Monitor, predictions: list[Any], labels: list[Any], why: str
) -> None:
    rows: dict[str, Any] = {"prediction": predictions, "label": labels, "score": [0.5] * 20}
    table = pa.table(rows | {f"score__{name}": [1 / 3] * 20 for name in CLASSES})
    found = numbers(table, monitor)
    found.pop("positive_rate", None)
    assert {m.value for m in found.values()} == {None}
    assert all(why in m.note for m in found.values())
    facts = label_measurements(table, monitor, a_window(), as_of=at("2026-09-02"), conflicts=0, orphans=0)
    (share,) = [m for m in facts if m.metric == "unknown_label_share"]
    assert why in share.note
    assert (share.value or 0) >= 0.5
    assert share.n == 20


def test_a_window_of_one_class_is_no_other_way_of_writing() -> None:
    for predictions, labels, accuracy in (
        ([0] * 20, [0] * 20, 1.0),
        ([1] * 20, [0] * 20, 0.0),
        ([1] * 20, ["f"] * 20, 0.0),
        ([0] * 20, [1] * 20, 0.0),
    ):
        assert numbers(pa.table({"prediction": predictions, "label": labels}), BINARY)["accuracy"].value == accuracy


def test_personal_labels_are_not_shown() -> None:
    private = a_task("binary", pii={"drop": ["label"]})
    found = numbers(pa.table({"prediction": [1, 0] * 10, "label": ["Ann", "Bob"] * 10}), private)
    assert "holds personal values; predictions are 0, 1" in found["accuracy"].note


def test_many_strange_values_are_cut_short() -> None:
    labels = [f"{'x' * 60}{i}" for i in range(20)]
    note = numbers(pa.table({"prediction": [1, 0] * 10, "label": labels}), BINARY)["accuracy"].note
    assert "and 15 more; predictions are 0, 1" in note
    assert len(note) < 400


def test_a_prediction_that_is_no_class_is_wrong() -> None:
    table = multiclass_rows(60)
    odd = table.set_column(0, "prediction", pa.array(["emu"] * 60))
    found = performance(odd, MULTICLASS, reference={})
    assert next(m.value for m in found if m.metric == "accuracy") == 0
    assert {m.bin for m in found if m.metric == "confusion"} == {f"{name}→<other>" for name in CLASSES}
