"""Labels: how much is known, how late it came, when it is enough, and what the rest could still change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.labels.labels import is_mature, label_measurements
from hindsight.vocabulary.measurement import Measurement
from tests.builders import DAY, a_monitor, a_window, at

BINARY = a_monitor(segments=[])
WRONG = {"conflicts": 3, "orphans": 5, "duplicates": 7, "corrections": 2, "undated": 4}


def predicted(n: int, seed: int = 0) -> dict[str, Any]:
    return {"prediction": np.random.default_rng(seed).integers(0, 2, n)}


def label_rows(n: int = 400, known: int = 100, delay: timedelta = DAY) -> pa.Table:
    made = [at("2026-09-01T12:00")] * n
    arrived = [at("2026-09-01T12:00") + delay] * known + [None] * (n - known)
    stamps = {"predicted_at": pa.array(made, pa.timestamp("us", "UTC"))}
    stamps["arrived_at"] = pa.array(arrived, pa.timestamp("us", "UTC"))
    return pa.table(predicted(n) | {"label": pa.array([1] * known + [None] * (n - known), pa.int64())} | stamps)


def labels_of(table: pa.Table, as_of: str = "2026-09-03", **rest: Any) -> dict[str, Measurement]:
    counts = {"conflicts": 0, "orphans": 0} | rest
    found = label_measurements(table, BINARY, a_window(), as_of=at(as_of), **counts)
    return {m.metric: m for m in found if not m.segment and not m.model_version}


def test_coverage_delay_and_what_came_wrong_are_counted() -> None:
    found = {name: m.value for name, m in labels_of(label_rows(), **WRONG).items()}
    right = int((label_rows()["prediction"].to_numpy()[:100] == 1).sum())
    assert found == {
        "n_labeled": 100.0,
        "n_unlabeled": 300.0,
        "coverage": 0.25,
        "delay_p50_s": 86400.0,
        "delay_p95_s": 86400.0,
        "accuracy_best": (right + 300) / 400,
        "accuracy_worst": right / 400,
        "label_conflicts": 3.0,
        "orphan_labels": 5.0,
        "label_duplicates": 7.0,
        "label_corrections": 2.0,
        "undated_labels": 4.0,
        "early_labels": 0.0,
        "unknown_label_share": 0.0,
        "mature": 0.0,
    }


def test_without_timestamps_delays_count_from_the_end_of_the_window() -> None:
    found = labels_of(label_rows().drop_columns(["predicted_at"]))
    assert found["delay_p50_s"].value == 12 * 3600


def test_labels_that_came_before_their_prediction_are_counted() -> None:
    found = labels_of(label_rows(delay=-timedelta(hours=1)))
    assert (found["early_labels"].value, found["delay_p50_s"].value) == (100.0, -3600.0)


@given(st.integers(0, 60), st.integers(0, 60))
def test_accuracy_lies_between_its_bounds_whatever_the_missing_labels_are(known: int, missing: int) -> None:
    n = known + missing
    if not n:
        return
    columns, label = predicted(n), np.random.default_rng(known).integers(0, 2, n)
    partly = pa.array(label, pa.int64(), mask=np.arange(n) >= known)
    found = labels_of(pa.table(columns | {"label": partly}))
    truth = float(np.mean(columns["prediction"] == label))
    assert (found["accuracy_worst"].value or 0) <= truth + 1e-12
    assert truth <= (found["accuracy_best"].value or 0) + 1e-12


@pytest.mark.parametrize(
    ("as_of", "labelled", "expected", "mature"),
    [
        ("2026-09-08T23:59", 1000, None, False),
        ("2026-09-09", 0, None, True),
        ("2026-09-03", 949, 1.0, False),
        ("2026-09-03", 950, 1.0, True),
        ("2026-09-03", 760, 0.8, True),
        ("2026-09-03", 199, 0.1, False),
        ("2026-09-03", 1000, 0.0, False),
    ],
)
def test_a_window_matures_with_time_or_with_nearly_all_labels_expected(
    as_of: str, labelled: int, expected: float | None, mature: bool
) -> None:
    assert is_mature(a_window(), at(as_of), timedelta(days=7), labelled, 1000, expected) is mature
