"""What the model says before any label: class shares and confidence, each beside the reference, and how old that is."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.checks.drift.age import OVERLAP, age, overlap
from hindsight.checks.drift.drift import drift
from hindsight.checks.drift.outputs import outputs
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.reference.confidence import UNSURE
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import DAY, a_monitor, a_window, at, monitor_file

BINARY = a_monitor(segments=["region"])
Found = dict[tuple[str, str, str], Measurement]


def multiclass() -> Monitor:
    source = monitor_file()["source"]
    source["predictions"] |= {"score": {"a": "score_a", "b": "score_b", "c": "score_c"}}
    return a_monitor(model={"name": "m", "task": "multiclass"}, source=source, segments=[])


def rows(positive: float = 0.2, n: int = 1000, **changes: Any) -> pa.Table:
    said = np.array([1] * round(n * positive) + [0] * (n - round(n * positive)))
    columns = {
        "amount": np.random.default_rng(n).normal(size=n),
        "region": ["EU", "US"] * (n // 2),
        "prediction": said,
        "score": np.where(said == 1, 0.9, 0.3),
        "model_version": ["v1"] * n,
    }
    return pa.table(columns | changes)


def baseline_of(table: pa.Table, monitor: Monitor = BINARY) -> Baseline:
    side = TableRows(table)
    return fit(side, monitor, output=side, fitted_as_of=at("2026-09-01"))


def said(window: pa.Table, reference: pa.Table, monitor: Monitor = BINARY) -> Found:
    measured = outputs(TableRows(window), monitor, baseline_of(reference, monitor))
    for m in measured:
        assert m.value is None or isfinite(m.value), m
        assert m.value is not None or m.note, m
    return {(m.metric, m.bin, m.segment): m for m in measured if not m.model_version}


def test_suddenly_nine_in_ten_positive_is_said_and_found() -> None:
    found = said(rows(0.9), rows(0.2))
    rate = found["positive_rate", "", ""]
    assert (rate.value, rate.reference, rate.n) == (0.9, 0.2, 1000)
    assert rate.lower is not None
    assert found["class_share", "0", ""].value == pytest.approx(0.1)
    assert found["positive_rate", "", "region=EU"].reference == 0.2
    drifts, _ = drift(TableRows(rows(0.9)), BINARY, baseline_of(rows(0.2)))
    moved = {m.feature for m in drifts if m.metric == "drifted" and m.value and not m.segment and not m.model_version}
    assert moved == {"prediction", "score"}


def test_confidence_is_the_probability_of_the_likeliest_class() -> None:
    found = said(rows(0.2), rows(0.5))
    assert found["confidence", "", ""].value == pytest.approx(0.2 * 0.9 + 0.8 * 0.7)
    assert found["confidence", "", ""].reference == pytest.approx(0.8)
    names = np.array(["a", "b", "c"] * 100)
    scores = {"score_a": [0.5] * 300, "score_b": [0.2] * 300, "score_c": [0.3] * 300}
    table = pa.table({"prediction": names, **scores})
    sure = pa.table({"prediction": names, **scores, "score_a": [0.8] * 300})
    found = said(sure, table, multiclass())
    assert (found["confidence", "", ""].value, found["confidence", "", ""].reference) == pytest.approx((0.8, 0.5))
    assert found["class_share", "b", ""].value == pytest.approx(1 / 3)
    assert ("positive_rate", "", "") not in found


def test_a_class_the_reference_lacks_is_counted_and_one_that_vanished_is_nought() -> None:
    found = said(rows(prediction=[2] * 1000), rows(0.2))
    assert found["class_share", "<other>", ""].value == 1
    assert (found["class_share", "1", ""].value, found["class_share", "1", ""].reference) == (0, 0.2)


@pytest.mark.parametrize("score", [[None] * 100, [7.0] * 100, [float("nan")] * 100, ["high"] * 100])
def test_scores_that_are_no_probabilities_say_nothing_of_confidence(score: list[Any]) -> None:
    found = said(rows(n=100, score=score), rows(0.2))
    assert (found["confidence", "", ""].value, found["confidence", "", ""].note) == (None, UNSURE)


def test_a_window_without_predictions_has_a_reason_and_a_regression_no_classes() -> None:
    found = said(rows(n=100, prediction=pa.nulls(100, pa.int64())), rows(0.2))
    assert found["positive_rate", "", ""].note == "no predictions"
    assert said(rows(), rows(), a_monitor(model={"name": "m", "task": "regression"})) == {}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_shares_add_up_to_one_whatever_the_order_of_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rows(n=200, prediction=rng.integers(0, 4, 200), score=rng.random(200))
    found = said(table, rows(0.2))
    assert sum(m.value or 0 for key, m in found.items() if key[0] == "class_share" and not key[2]) == pytest.approx(1)
    assert said(table.take(rng.permutation(200)), rows(0.2)) == found


def timed(start: str, versions: Any = "v1", n: int = 100) -> pa.Table:
    stamps = pa.array([at(start) + i * DAY / n for i in range(n)], pa.timestamp("us", "UTC"))
    return rows(n=n, predicted_at=stamps, model_version=[versions] * n if isinstance(versions, str) else versions)


@pytest.mark.parametrize(
    ("reference", "window", "note"),
    [
        (timed("2026-08-31"), timed("2026-09-01"), ""),
        (timed("2025-08-01"), timed("2026-09-01"), "days older than the window, reference.max_age is 365"),
        (timed("2026-08-31"), timed("2026-09-01", "v2"), "the reference holds nothing of version v2"),
        (timed("2026-08-31", ["v1", "v2"] * 50), timed("2026-09-01", "v2"), ""),
        (rows(n=100), timed("2026-09-01"), "the rows of the reference have no time"),
    ],
)
def test_the_age_of_the_reference_is_told_and_too_much_of_it_said(
    reference: pa.Table, window: pa.Table, note: str
) -> None:
    monitor = a_monitor(reference={"parquet": "reference.parquet"})
    found = age(TableRows(window), monitor, a_window("2026-09-01"), baseline_of(reference, monitor))
    assert note in found.note
    assert bool(note) == bool(found.note)
    known = "predicted_at" in reference.column_names
    newest = max(reference.column("predicted_at").to_pylist()) if known else None
    assert found.value == (pytest.approx((at("2026-09-01") - newest) / DAY) if newest else None)


def test_no_window_of_the_reference_itself_is_called_drifted() -> None:
    monitor = a_monitor(reference={"start": "2026-08-01", "end": "2026-09-01"})
    days = ("2026-07-31", "2026-08-01", "2026-08-31", "2026-09-01")
    assert [bool(overlap(monitor, a_window(day))) for day in days] == [False, True, True, False]
    assert overlap(a_monitor(reference={"trailing": "28d"}), a_window("2026-08-31")) == ""
    drifts, _ = drift(TableRows(rows(0.9)), BINARY, baseline_of(rows(0.2)), undecided=OVERLAP)
    assert {(m.value, m.note) for m in drifts if m.metric == "drifted"} == {(None, OVERLAP)}
    assert {m.value for m in drifts if m.metric == "drift_share"} == {None}
    assert any((m.value or 0) > 1 for m in drifts if m.metric == "psi")
