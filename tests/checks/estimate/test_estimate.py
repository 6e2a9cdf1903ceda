"""Estimates: exact where probabilities are known, honest about chance, and free of row order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from hindsight.checks.estimate import estimate as parts
from hindsight.checks.estimate.calibration import Blocks, Calibration, binned, fit_calibration, isotonic
from hindsight.checks.estimate.estimate import METRICS, Cells, estimate
from hindsight.checks.performance.performance import performance
from hindsight.monitors.metric_catalog import metric
from hindsight.vocabulary.rows import TableRows
from tests.checks.estimate.rows import (
    BINARY,
    CALIBRATIONS,
    MAKERS,
    SEED,
    Found,
    a_task,
    binary_rows,
    calibrated,
    multiclass_rows,
    regression_rows,
    whole,
)


def estimated(table: pa.Table, task: str = "binary", calibration: Calibration | None = None, **known: float) -> Found:
    found = estimate(TableRows(table), a_task(task), calibration or calibrated(task), reference=known)
    return whole(found)


def two_blocks(low: float, high: float) -> Blocks:
    """Scores below a half are worth `low`, the rest `high`; known for certain."""
    p = np.array([low, high])
    return Blocks(np.array([0.5]), p, p * (1 - p), np.array([10**12, 10**12]))


# what known probabilities must give


def test_known_probabilities_give_the_expected_confusion() -> None:
    """60 rows of p = 0.2 predicted negative, 40 of p = 0.9 predicted positive."""
    cells = Cells(two_blocks(0.2, 0.9), predicted=np.array([0, 40]), other=np.array([60, 0]))
    tp, fp, fn, tn = 36, 4, 12, 48
    assert parts.accuracy(cells).value == pytest.approx((tp + tn) / 100)
    assert parts.precision(cells).value == pytest.approx(tp / (tp + fp))
    assert parts.recall(cells).value == pytest.approx(tp / (tp + fn))
    assert parts.f1(cells).value == pytest.approx(2 * tp / (2 * tp + fp + fn))
    poisson_binomial = (60 * 0.16 + 40 * 0.09) / 100**2
    assert parts.variance(cells, parts.accuracy(cells)) == pytest.approx(poisson_binomial)


def test_what_is_unknown_of_the_calibration_widens_the_interval() -> None:
    sure = two_blocks(0.2, 0.9)
    unsure = replace(sure, n=np.array([50, 50]))
    found = []
    for blocks in (sure, unsure):
        cells = Cells(blocks, predicted=np.array([0, 40]), other=np.array([60, 0]))
        found.append(parts.variance(cells, parts.accuracy(cells)))
    assert found[1] - found[0] == pytest.approx((0.6**2 * 0.16 + 0.4**2 * 0.09) / 50)


CELLS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.floats(0.05, 0.95)), min_size=1, max_size=4)


def cells_of(rows: list[tuple[int, int, float]]) -> Cells:
    predicted, other, p = (np.array(column) for column in zip(*rows, strict=True))
    p = np.sort(p)
    return Cells(Blocks(np.arange(p.size - 1.0), p, p * (1 - p), np.full(p.size, 10**12)), predicted, other)


def by_rows(name: str, y: np.ndarray, h: np.ndarray, block: np.ndarray) -> float:
    """A metric of rows whose labels are y, labels being chances; AUC over all pairs of different rows."""
    if name == "roc_auc":
        weight = np.outer(y, 1 - y) * (1 - np.eye(y.size))
        wins = np.greater.outer(block, block) + 0.5 * np.equal.outer(block, block)
        return float((weight * wins).sum() / weight.sum())
    tp, got, had = float(h @ y), h.sum(), y.sum()
    right = tp + float((1 - h) @ (1 - y))
    of = {"accuracy": (right, y.size), "precision": (tp, got), "recall": (tp, had), "f1": (2 * tp, got + had)}[name]
    return of[0] / of[1]


@given(CELLS, st.sampled_from(METRICS["binary"]))
def test_an_estimate_from_counts_is_the_one_row_by_row_and_so_is_its_variance(rows: Any, name: str) -> None:
    cells = cells_of(rows)
    if cells.every.sum() < 2 or not cells.predicted.sum():
        return
    block = np.concatenate([np.repeat(np.arange(c.size), c) for c in (cells.predicted, cells.other)])
    h = np.repeat([1.0, 0.0], [cells.predicted.sum(), cells.other.sum()])
    p = cells.blocks.mean[block]
    found = getattr(parts, name)(cells)
    assert found.value == pytest.approx(by_rows(name, p, h, block))
    step = 1e-5 * np.eye(p.size)
    slopes = [(by_rows(name, p + d, h, block) - by_rows(name, p - d, h, block)) / 2e-5 for d in step]
    assert parts.variance(cells, found) == pytest.approx(float(np.square(slopes) @ (p * (1 - p))), rel=1e-3, abs=1e-9)


# calibration


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=60))
def test_calibration_equals_isotonic_regression_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    scores, hits = (np.array(column, float) for column in zip(*rows, strict=True))
    blocks = isotonic(scores, hits)
    assert blocks.mean[blocks.places(scores)] == pytest.approx(
        IsotonicRegression().fit(scores, hits).predict(scores), abs=1e-9
    )
    assert np.all(np.diff(blocks.mean) > 0)
    assert blocks.n.sum() == scores.size
    assert blocks.count(scores).tolist() == blocks.n.tolist()
    assert np.all(blocks.variance > 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-100, 100)), min_size=1, max_size=60))
def test_every_bin_of_a_loss_has_rows_and_their_mean(rows: list[tuple[int, float]]) -> None:
    values, target = (np.array(column, float) for column in zip(*rows, strict=True))
    blocks = binned(values, target)
    assert blocks.n.min() > 0
    assert blocks.n @ blocks.mean == pytest.approx(target.sum(), abs=1e-6)
    assert blocks.count(values).tolist() == blocks.n.tolist()


@pytest.mark.parametrize("task", METRICS)
def test_a_calibration_is_the_same_after_a_stay_in_the_baseline(task: str, tmp_path: Path) -> None:
    from pyarrow import parquet

    calibration = calibrated(task)
    parquet.write_table(calibration.to_table(), tmp_path / "calibration.parquet")
    again = Calibration.from_table(parquet.read_table(tmp_path / "calibration.parquet"))
    assert again.to_table().equals(calibration.to_table(), check_metadata=True)
    rows = MAKERS[task](np.random.default_rng(1), 50)
    assert estimated(rows, task, again) == estimated(rows, task, calibration)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (binary_rows(np.random.default_rng(SEED), 99), "the reference has 99 labelled rows, 100 are needed"),
        (binary_rows(np.random.default_rng(SEED), 200).drop_columns(["score"]), "the monitor declares no score"),
        (
            pa.table({"prediction": [0, 1] * 100, "score": [0.5] * 200, "label": [1] * 200}),
            "the labels of the reference are all of one class",
        ),
        (
            pa.table({"prediction": [0, 1] * 100, "score": [5.0] * 200, "label": [1, 0] * 100}),
            "0 labelled reference rows have a score between 0 and 1",
        ),
    ],
)
def test_a_reference_that_cannot_calibrate_says_why_in_every_estimate(rows: pa.Table, why: str) -> None:
    calibration = Calibration.from_table(fit_calibration(rows, BINARY).to_table())
    found = estimated(binary_rows(np.random.default_rng(1), 50), calibration=calibration)
    assert {m.note for m in found.values()} == {why}
    assert {m.value for m in found.values()} == {None}


# estimates of windows


@pytest.mark.parametrize("task", METRICS)
def test_estimates_are_in_the_catalog_with_reference_and_interval(task: str) -> None:
    found = estimated(MAKERS[task](np.random.default_rng(1), 300), task, **dict.fromkeys(METRICS[task], 0.5))
    assert tuple(found) == METRICS[task]
    for m in found.values():
        known = metric(f"estimate.{m.metric}")
        assert known is not None
        assert task in known.tasks
        assert known.interval
        assert known.compared
        assert (m.n, m.reference) == (300, 0.5)
        assert m.value is not None
        assert m.lower is not None
        assert m.upper is not None
        assert m.lower <= m.value <= m.upper


@given(st.integers(0, 10**6), st.sampled_from(tuple(METRICS)))
@settings(max_examples=15)
def test_the_order_of_the_rows_changes_no_digit(seed: int, task: str) -> None:
    random = np.random.default_rng(seed)
    rows = MAKERS[task](random, 60)
    calibration = CALIBRATIONS[task]
    assert estimated(rows.take(random.permutation(60)), task, calibration) == estimated(rows, task, calibration)


@pytest.mark.parametrize("task", METRICS)
def test_the_interval_holds_the_truth_when_only_chance_and_inputs_differ(task: str) -> None:
    """Each window is judged by a calibration of its own, so that its chance counts too."""
    held, n = dict.fromkeys(METRICS[task], 0), 200
    random = np.random.default_rng(SEED)
    for _ in range(n):
        calibration = fit_calibration(MAKERS[task](random, 1500), a_task(task))
        window = MAKERS[task](random, 400)
        guess, truth = estimated(window, task, calibration), whole(performance(window, a_task(task), reference={}))
        for name in held:
            low, value, high = guess[name].lower, truth[name].value, guess[name].upper
            held[name] += low is not None and value is not None and high is not None and low <= value <= high
    assert all(0.90 <= count / n <= 0.995 for count in held.values()), held


def test_only_scored_rows_count() -> None:
    rows = binary_rows(np.random.default_rng(1), 200)
    status = pa.array([200, 200, 500, None] * 50)
    prediction = pa.array([None, *rows["prediction"].to_pylist()[1:]])
    score = pa.array([float("nan") if i == 1 else v for i, v in enumerate(rows["score"].to_pylist())])
    table = pa.table({"prediction": prediction, "score": score, "status_code": status})
    found = estimated(table)["accuracy"]
    assert found.n == 98
    assert found.note == "1 rows without a score between 0 and 1 left out"


def test_versions_and_segments_of_twenty_rows_have_estimates_of_their_own() -> None:
    rows = binary_rows(np.random.default_rng(1), 120)
    versions = pa.array(["v1"] * 101 + ["v2"] * 19)
    rows = rows.append_column("model_version", versions).append_column("region", pa.array(["EU", "US"] * 60))
    monitor = a_task("binary", segments=["region"])
    known = {"region=EU accuracy": 0.7, "accuracy": 0.8}
    found = estimate(TableRows(rows), monitor, calibrated(), reference=known)
    accuracy = {(m.model_version, m.segment): m for m in found if m.metric == "accuracy"}
    assert set(accuracy) == {("", ""), ("v1", ""), ("", "region=EU"), ("", "region=US")}
    assert accuracy["", "region=EU"].reference == 0.7
    assert accuracy["v1", ""].n == 101


@pytest.mark.parametrize("task", METRICS)
def test_a_window_without_rows_has_no_estimate_and_says_so(task: str) -> None:
    empty = MAKERS[task](np.random.default_rng(1), 30).slice(0, 0)
    found = estimated(empty, task)
    assert {m.value for m in found.values()} == {None}
    assert all(m.note.startswith("no rows with a") for m in found.values())


def test_predictions_of_one_kind_have_no_precision_to_speak_of() -> None:
    rows = binary_rows(np.random.default_rng(1), 50)
    found = estimated(rows.set_column(0, "prediction", pa.array([0] * 50)))
    assert (found["precision"].value, found["precision"].lower) == (None, None)
    assert found["precision"].note == "no positive predictions"


def test_a_class_whose_scores_are_gone_is_named() -> None:
    rows = multiclass_rows(np.random.default_rng(1), 50).drop_columns(["p_owl"])
    assert {m.note for m in estimated(rows, "multiclass").values()} == {
        "only the window or only the reference has scores of class owl"
    }


def test_errors_too_large_to_be_squared_leave_the_mean_absolute_error() -> None:
    rows = regression_rows(np.random.default_rng(1), 200)
    label = rows["label"].to_numpy().copy()
    label[0] = 1e160
    found = estimated(
        rows, "regression", fit_calibration(rows.set_column(1, "label", pa.array(label)), a_task("regression"))
    )
    assert found["rmse"].value is None
    assert found["rmse"].note
