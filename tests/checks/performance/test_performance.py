"""Performance: equal to scikit-learn, equal to the known answers of real data, free of row order."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from benchmarks.conventions import defined, share_occurring
from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.performance.performance import performance, reference_values
from hindsight.monitors.metric_catalog import metric
from hindsight.monitors.model import Monitor
from tests.builders import a_monitor, a_window, at
from tests.checks.performance.rows import (
    BINARY,
    CLASSES,
    MULTICLASS,
    REGRESSION,
    SEED,
    a_task,
    binary_rows,
    multiclass_rows,
    numbers,
    values,
)


def regression_rows(n: int = 200) -> pa.Table:
    random = np.random.default_rng(SEED)
    label = random.normal(100, 20, n)
    return pa.table({"prediction": label + random.normal(1, 5, n), "label": label})


def test_a_hand_made_confusion_gives_the_numbers_of_the_textbook() -> None:
    truth = [1] * 4 + [0] * 6
    predicted = [1, 1, 1, 0, 1, 0, 0, 0, 0, 0]
    found = values(pa.table({"prediction": predicted, "label": truth, "score": [float(p) for p in predicted]}), BINARY)
    assert found["accuracy"] == 0.8
    assert (found["precision"], found["recall"], found["f1"]) == (0.75, 0.75, 0.75)
    assert (found["fpr"], found["fnr"]) == (1 / 6, 0.25)
    assert found["brier"] == pytest.approx(0.2)
    assert (found["positive_rate"], found["label_positive_rate"]) == (0.4, 0.4)


def test_binary_numbers_equal_scikit_learn() -> None:
    table = binary_rows()
    y, h, p = (table[name].to_numpy() for name in ("label", "prediction", "score"))
    expected = {
        "accuracy": sk.accuracy_score(y, h),
        "precision": sk.precision_score(y, h),
        "recall": sk.recall_score(y, h),
        "f1": sk.f1_score(y, h),
        "roc_auc": sk.roc_auc_score(y, p),
        "log_loss": sk.log_loss(y, p),
        "brier": sk.brier_score_loss(y, p),
    }
    found = values(table, BINARY)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_multiclass_numbers_equal_scikit_learn() -> None:
    table = multiclass_rows()
    y, h = table["label"].to_pylist(), table["prediction"].to_pylist()
    p = np.column_stack([table[f"score__{name}"].to_numpy() for name in CLASSES])
    kind: dict[str, Any] = {"labels": CLASSES, "zero_division": 0}
    expected = {
        "accuracy": sk.accuracy_score(y, h),
        "f1_macro": sk.f1_score(y, h, average="macro", **kind),
        "f1_weighted": sk.f1_score(y, h, average="weighted", **kind),
        "precision_macro": sk.precision_score(y, h, average="macro", **kind),
        "recall_macro": sk.recall_score(y, h, average="macro", **kind),
        "log_loss": sk.log_loss(y, p, labels=CLASSES),
        "roc_auc_ovr_macro": sk.roc_auc_score(y, p, multi_class="ovr", labels=CLASSES),
    }
    assert values(table, MULTICLASS) == pytest.approx(expected, rel=1e-12)


def test_regression_numbers_equal_scikit_learn() -> None:
    table = regression_rows()
    y, h = table["label"].to_numpy(), table["prediction"].to_numpy()
    expected = {
        "mae": sk.mean_absolute_error(y, h),
        "rmse": sk.root_mean_squared_error(y, h),
        "r2": sk.r2_score(y, h),
        "mean_error": float(np.mean(h - y)),
        "median_ae": sk.median_absolute_error(y, h),
    }
    assert values(table, REGRESSION) == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 200), st.floats(0.02, 0.98), st.integers(1, 6))
def test_any_binary_rows_have_the_numbers_of_scikit_learn(seed: int, n: int, positive: float, digits: int) -> None:
    random = np.random.default_rng(seed)
    y, h = (random.random(n) < positive).astype(int), (random.random(n) < positive).astype(int)
    p = random.random(n).round(digits)  # few digits make ties
    found = values(pa.table({"label": y, "prediction": h, "score": p}), BINARY)
    undefined: dict[str, Any] = {"zero_division": np.nan}
    expected = {
        "accuracy": sk.accuracy_score(y, h),
        "precision": sk.precision_score(y, h, **undefined),
        "recall": sk.recall_score(y, h, **undefined),
        "f1": sk.f1_score(y, h, **undefined),
        "log_loss": sk.log_loss(y, p, labels=[0, 1]),
        "brier": sk.brier_score_loss(y, p),
    }
    if 0 < y.sum() < n:
        expected["roc_auc"] = sk.roc_auc_score(y, p)
    assert (found["roc_auc"] is None) == ("roc_auc" not in expected)
    seen = {name: np.nan if found[name] is None else found[name] for name in expected}
    assert seen == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 150))
def test_any_rows_of_many_classes_have_the_numbers_of_scikit_learn(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    y, h = random.integers(0, 3, n), random.integers(0, 3, n)
    scores = random.dirichlet([1, 1, 1], n)
    names, kind = np.array(CLASSES), {"zero_division": 0}
    columns = {f"score__{name}": scores[:, place] for place, name in enumerate(CLASSES)}
    found = values(pa.table({"prediction": names[h], "label": names[y]} | columns), MULTICLASS)
    expected = {
        "accuracy": sk.accuracy_score(y, h),
        "f1_macro": sk.f1_score(y, h, average="macro", **kind),
        "f1_weighted": sk.f1_score(y, h, average="weighted", **kind),
        "precision_macro": sk.precision_score(y, h, average="macro", **kind),
        "recall_macro": sk.recall_score(y, h, average="macro", **kind),
        "log_loss": sk.log_loss(y, scores, labels=[0, 1, 2]),
    }
    area = found.pop("roc_auc_ovr_macro")
    assert area == (pytest.approx(sk.roc_auc_score(y, scores, multi_class="ovr")) if len(set(y)) == 3 else None)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 150), st.sampled_from([1e-6, 1.0, 1e6]))
def test_any_numbers_have_the_losses_of_scikit_learn(seed: int, n: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    y = random.normal(3, 1, n) * scale
    h = y + random.normal(0, 0.5, n) * scale
    found = values(pa.table({"prediction": h, "label": y}), REGRESSION)
    expected = {
        "mae": sk.mean_absolute_error(y, h),
        "rmse": sk.root_mean_squared_error(y, h),
        "r2": sk.r2_score(y, h),
        "mean_error": float(np.mean(h - y)),
        "median_ae": sk.median_absolute_error(y, h),
    }
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * scale)


@pytest.mark.parametrize(
    ("table", "monitor"),
    [(binary_rows(), BINARY), (multiclass_rows(), MULTICLASS), (regression_rows(), REGRESSION)],
    ids=["binary", "multiclass", "regression"],
)
def test_every_number_is_in_the_catalogue_in_bounds_and_inside_its_interval(table: pa.Table, monitor: Monitor) -> None:
    labels = label_measurements(table, monitor, a_window(), as_of=at("2026-09-03"), conflicts=0, orphans=0)
    for kind, found in (("performance", performance(table, monitor, reference={})), ("labels", labels)):
        for m in found:
            known = metric(f"{kind}.{m.metric}")
            assert known is not None, m.metric
            assert bool(known.vector) == bool(m.bin)
            if m.value is not None:
                assert known.lowest is None or m.value >= known.lowest
                assert known.highest is None or m.value <= known.highest
                assert m.lower is None or m.lower - 1e-9 <= m.value <= (m.upper or 0) + 1e-9, m
                assert bool(known.interval) == (m.lower is not None), m


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["binary", "multiclass", "regression"]))
def test_the_order_of_rows_changes_no_digit(seed: int, task: str) -> None:
    table = {"binary": binary_rows, "multiclass": multiclass_rows, "regression": regression_rows}[task](40)
    monitor = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}[task]
    shuffled = table.take(np.random.default_rng(seed).permutation(table.num_rows))
    assert performance(shuffled, monitor, reference={}) == performance(table, monitor, reference={})


def test_labels_of_one_class_have_no_auc() -> None:
    found = numbers(pa.table({"prediction": [0, 1, 0], "label": [0, 0, 0], "score": [0.1, 0.7, 0.2]}), BINARY)
    assert found["roc_auc"].value is None
    assert found["roc_auc"].note == "labels of both classes are needed"
    assert (found["recall"].value, found["fnr"].value, found["fnr"].note) == (None, None, "no positive labels")


def test_scores_that_are_no_probabilities_still_have_an_order() -> None:
    found = numbers(pa.table({"prediction": [0, 1] * 20, "label": [0, 1] * 20, "score": [-3.0, 7.0] * 20}), BINARY)
    assert found["roc_auc"].value == 1.0
    assert (found["log_loss"].value, found["log_loss"].note) == (None, "scores outside [0, 1]")


@pytest.mark.parametrize("monitor", [BINARY, MULTICLASS, REGRESSION], ids=lambda m: m.model.task)
def test_without_a_label_nothing_is_evaluated_and_each_number_says_so(monitor: Monitor) -> None:
    rows = {"binary": binary_rows, "multiclass": multiclass_rows, "regression": regression_rows}[monitor.model.task](30)
    known = rows["label"].type
    found = numbers(rows.set_column(rows.column_names.index("label"), "label", pa.nulls(30, known)), monitor)
    found.pop("positive_rate", None)
    assert all(m.value is None and m.note for m in found.values())


@pytest.mark.parametrize("monitor", [BINARY, MULTICLASS, REGRESSION], ids=lambda m: m.model.task)
def test_a_window_without_rows_is_no_error(monitor: Monitor) -> None:
    rows = {"binary": binary_rows, "multiclass": multiclass_rows, "regression": regression_rows}[monitor.model.task](30)
    assert all(m.value is None for m in performance(rows[:0], monitor, reference={}))


def test_numbers_too_large_to_be_squared_are_said_to_be() -> None:
    found = numbers(pa.table({"prediction": [1e308, -1e308] * 10, "label": [-1e308, 1e308] * 10}), REGRESSION)
    assert all(m.value is None or np.isfinite(m.value) for m in found.values())
    assert found["rmse"].note == "too large to be summed"


def test_regression_rows_without_finite_numbers_are_left_out_and_said() -> None:
    table = pa.table({"prediction": [1.0, 2.0] * 10, "label": ["1.5", "2.5"] * 9 + ["n/a", None]})
    found = numbers(table, REGRESSION)["mae"]
    assert (found.value, found.n, found.note) == (0.5, 18, "1 rows without finite numbers left out")


def test_versions_and_segments_of_twenty_labelled_rows_have_numbers() -> None:
    monitor = a_monitor()
    label = pa.array([1, 0] * 30 + [None] * 20, pa.int64())
    rows = binary_rows(80, label=label, model_version=["1"] * 40 + ["2"] * 40, region=["EU"] * 60 + ["FR"] * 20)
    found = performance(rows, monitor, reference={"accuracy": 0.9, "region=EU accuracy": 0.8})
    accuracy = {(m.model_version, m.segment): (m.n, m.reference) for m in found if m.metric == "accuracy"}
    assert accuracy == {("", ""): (60, 0.9), ("1", ""): (40, 0.9), ("2", ""): (20, 0.9), ("", "region=EU"): (60, 0.8)}


def test_reference_values_are_what_performance_asks_for() -> None:
    monitor = a_monitor()
    rows = binary_rows(80, region=["EU"] * 40 + ["FR"] * 40)
    reference = reference_values(performance(rows, monitor, reference={}))
    again = performance(rows, monitor, reference=reference)
    compared = [m for m in again if m.reference is not None]
    assert {m.segment for m in compared} == {"", "region=EU", "region=FR"}
    assert all(m.reference == m.value for m in compared)


def test_scores_that_tell_the_truth_have_no_calibration_error_and_bins_of_equal_mass() -> None:
    n = 10_000
    score = np.repeat(np.linspace(0.05, 0.95, 10), n // 10)
    label = np.concatenate([np.arange(n // 10) < round(p * n / 10) for p in np.linspace(0.05, 0.95, 10)]).astype(int)
    found = performance(pa.table({"prediction": label, "score": score, "label": label}), BINARY, reference={})
    assert next(m.value for m in found if m.metric == "ece") == pytest.approx(0, abs=1e-12)
    bins = {m.bin: (m.value, m.n) for m in found if m.metric == "reliability"}
    assert bins["01"] == (pytest.approx(0.05), 1000)
    assert len(bins) == 10


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_reliability_bins_hold_every_row_once_and_ece_is_a_share(rows: list[tuple[float, bool]]) -> None:
    table = pa.table({"prediction": [1] * len(rows), "score": [r[0] for r in rows], "label": [int(r[1]) for r in rows]})
    found = performance(table, BINARY, reference={})
    assert sum(m.n for m in found if m.metric == "reliability") == len(rows)
    assert 0 <= next(m.value or 0 for m in found if m.metric == "ece") <= 1


def test_the_interval_of_a_macro_average_is_that_of_a_bootstrap() -> None:
    table = multiclass_rows(600)
    y, h = (np.array(table[name].to_pylist()) for name in ("label", "prediction"))
    random = np.random.default_rng(SEED)
    draws = [random.integers(0, 600, 600) for _ in range(400)]
    found = numbers(table, MULTICLASS)
    for name, average in (("f1_macro", "macro"), ("f1_weighted", "weighted")):
        spread = np.std([sk.f1_score(y[rows], h[rows], average=average) for rows in draws])
        assert (found[name].upper or 0) - (found[name].value or 0) == pytest.approx(1.96 * spread, rel=0.1)


NAMES = {"label_pos_rate": "label_positive_rate", "pred_pos_rate": "positive_rate"}


@pytest.fixture(scope="session")
def cases() -> Path:
    folder = os.environ.get("HINDSIGHT_CASES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HINDSIGHT_CASES does not name the folder of real data")
    return Path(folder)


def case_monitor(case: dict[str, Any]) -> Monitor:
    scores = {"binary": "score", "multiclass": {c: f"score_{c}" for c in case["classes"] or []}, "regression": None}
    positive = 1 if case["positive_label"] is None else case["positive_label"]
    model = {"name": "case", "task": case["task"], "positive_label": positive}
    return a_task(case["task"], scores[case["task"]], model=model)


def scored_rows(frame: Any, labels: Any, case: dict[str, Any], start: datetime, end: datetime, as_of: Any) -> pa.Table:
    rows = frame[(frame.predicted_at >= start) & (frame.predicted_at < end)].drop_duplicates("request_id")
    rows = rows[(rows.status_code == 200) & rows.prediction.notna()]
    known = labels if as_of is None else labels[labels.labeled_at < as_of]
    known = known.sort_values("labeled_at").drop_duplicates("request_id", keep="last")
    joined = rows.merge(known, on="request_id", how="left").rename(columns={"labeled_at": "arrived_at"})
    joined = joined.rename(columns={f"score_{c}": f"score__{c}" for c in case["classes"] or []})
    wanted = [
        "prediction",
        "label",
        "arrived_at",
        "predicted_at",
        "score",
        *(f"score__{c}" for c in case["classes"] or []),
    ]
    return pa.Table.from_pandas(joined[[c for c in wanted if c in joined]], preserve_index=False)


@pytest.mark.parametrize("name", ["elec2", "hotel_booking", "bike_sharing", "insects_gradual"])
def test_numbers_equal_the_known_answers_of_real_data(cases: Path, name: str) -> None:
    import pandas as pd

    folder = cases / name
    case = json.loads((folder / "case.json").read_text())
    frame, labels = (pd.read_parquet(folder / f"{part}.parquet") for part in ("predictions", "labels"))
    truth = pd.read_csv(folder / "truth.csv", parse_dates=["window_start", "window_end"])
    monitor = case_monitor(case)
    for _, window in truth.iloc[:: max(1, len(truth) // 5)].iterrows():
        for days in (None, *case["asof_days"]):
            suffix = "" if days is None else f"_asof_{days}d"
            as_of = None if days is None else window.window_end + pd.Timedelta(days=days)
            table = scored_rows(frame, labels, case, window.window_start, window.window_end, as_of)
            found, known_rows = values(table, monitor), table.filter(table["label"].is_valid())
            names = [*known_rows["label"].to_pylist(), *known_rows["prediction"].to_pylist()]
            occurring = share_occurring(names, case["classes"] or ())
            assert table["label"].length() - table["label"].null_count == window[f"n_labeled{suffix}"]
            for column in truth.columns:
                base = column.removesuffix(suffix) if suffix else column
                if column.endswith(suffix) and ("_asof_" in column) == bool(suffix) and NAMES.get(base, base) in found:
                    value, known = found[NAMES.get(base, base)], window[column]
                    expected = defined(None if pd.isna(known) else float(known), base, value, occurring)
                    close = value is None if expected is None else value == pytest.approx(expected, rel=1e-5)
                    assert close, (column, window.window_start, value, expected)
