"""Prior shift: labels that moved are found when they are all in, and never while they are still arriving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.checks.drift.prior import IMMATURE, NO_LABELS, VALUES, fit_labels, label_drift
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.monitors.model import Monitor
from hindsight.verdicts.model import State, Status
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import DAY, a_monitor, at
from tests.pipeline.world import World, a_day, a_world

BINARY = a_monitor(segments=["region"])
TASKS = {
    "binary": BINARY,
    "multiclass": a_monitor(model={"name": "m", "task": "multiclass"}, segments=[]),
    "regression": a_monitor(model={"name": "m", "task": "regression"}, segments=[]),
}


def labelled(labels: Any, region: Any = "EU") -> pa.Table:
    n = len(labels)
    return pa.table(
        {
            "prediction": [0] * n,
            "label": labels,
            "model_version": ["v1"] * n,
            "region": [region] * n if isinstance(region, str) else region,
        }
    )


def baseline_of(table: pa.Table, monitor: Monitor = BINARY) -> Baseline:
    nothing = TableRows(pa.table({"region": pa.nulls(0, pa.string())}))
    empty = fit(nothing, monitor, output=nothing, fitted_as_of=at("2026-09-01"))
    truth, values = fit_labels(table, monitor, None)
    return empty.measured({}, {VALUES: values}, labels=truth)


def found(
    window: pa.Table, reference: pa.Table, monitor: Monitor = BINARY, *, mature: bool = True
) -> dict[tuple[str, str], Measurement]:
    measured = label_drift(window, monitor, baseline_of(reference, monitor), mature=mature)
    assert all(m.value is not None or m.note for m in measured)
    assert {m.feature for m in measured} == {"label"}
    return {(m.metric, m.segment): m for m in measured if not m.model_version}


def shares(n: int, positive: float) -> list[int]:
    return [1] * round(n * positive) + [0] * (n - round(n * positive))


def test_twice_the_positives_are_measured_and_found() -> None:
    moved = found(labelled(shares(1000, 0.4)), labelled(shares(10_000, 0.2)))
    known = 0.2 * np.log(2) + -0.2 * np.log(0.6 / 0.8)  # PSI of (0.8, 0.2) and (0.6, 0.4)
    assert moved["psi", ""].value == pytest.approx(known)
    assert moved["kl_divergence", ""].value == pytest.approx(0.6 * np.log(0.6 / 0.8) + 0.4 * np.log(2), abs=1e-3)
    assert (moved["drifted", ""].value, moved["drifted", "region=EU"].value) == (1, 1)


def test_neither_a_small_move_that_is_certain_nor_a_large_one_by_chance_is_drift() -> None:
    assert found(labelled(shares(100_000, 0.21)), labelled(shares(100_000, 0.2)))["drifted", ""].value == 0
    by_chance = found(labelled(shares(40, 0.35)), labelled(shares(10_000, 0.2)))
    assert (by_chance["psi", ""].value or 0) > 0.1
    assert by_chance["drifted", ""].value == 0


def test_labels_that_are_still_arriving_are_not_measured() -> None:
    (only,) = label_drift(labelled(shares(1000, 0.9)), BINARY, baseline_of(labelled(shares(1000, 0.2))), mature=False)
    assert (only.metric, only.value, only.note) == ("drifted", None, IMMATURE)


def test_without_labels_there_is_a_reason() -> None:
    nothing = labelled(pa.nulls(50, pa.int64()))
    assert found(labelled(shares(100, 0.5)), nothing)["drifted", ""].note == NO_LABELS
    assert found(nothing, labelled(shares(100, 0.5)))["drifted", ""].note == "0 rows, fewer than drift.min_rows (30)"


def test_a_class_is_the_same_however_it_is_written_and_a_new_one_is_drift() -> None:
    reference = labelled(shares(2000, 0.3))
    for same in (np.array(shares(1000, 0.3), float), [str(v) for v in shares(1000, 0.3)]):
        assert found(labelled(same), reference)["psi", ""].value == pytest.approx(0)
    assert found(labelled(pa.array([v == 1 for v in shares(1000, 0.3)])), reference)["psi", ""].value == pytest.approx(
        0
    )
    assert found(labelled([2] * 200 + shares(800, 0.3)), reference)["drifted", ""].value == 1


def test_numbers_as_labels_are_compared_as_numbers() -> None:
    rng = np.random.default_rng(3)
    then, now = rng.normal(30, 5, 5000), rng.normal(35, 5, 1000)
    moved = found(labelled(now), labelled(then), TASKS["regression"])
    assert moved["mean_shift", ""].value == pytest.approx(1, abs=0.1)
    assert moved["drifted", ""].value == 1


def test_the_frozen_labels_survive_storage() -> None:
    before = baseline_of(labelled(shares(1000, 0.2), ["EU", "US"] * 500))
    tables = before.to_tables(VALUES)
    after = Baseline.from_tables(tables.__getitem__)
    assert list(after.labels) == ["region=EU", "region=US", ""]
    assert list(after.columns) == []
    window = labelled(shares(1000, 0.6))
    assert label_drift(window, BINARY, after, mature=True) == label_drift(window, BINARY, before, mature=True)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(TASKS)), st.integers(0, 2**32 - 1))
def test_the_same_labels_in_any_order_have_not_moved(task: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3 if task == "multiclass" else 2, 400)
    moved = found(labelled(rng.permutation(labels)), labelled(labels), TASKS[task])
    assert moved["psi", ""].value == pytest.approx(0)
    assert moved["drifted", ""].value == 0


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made


def turned(day: str, positive: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A day whose positives come an hour after the prediction, its negatives after two and a half days."""
    predictions, labels = a_day(day)
    for i, (said, truth) in enumerate(zip(predictions, labels, strict=True)):
        truth["label"] = int(i < positive * len(labels))
        truth["labeled_at"] = said["predicted_at"] + (DAY / 24 if truth["label"] else 2.5 * DAY)
    return predictions, labels


def test_fast_labels_of_one_class_raise_no_alarm_before_the_slow_ones_are_in(world: World) -> None:
    predictions, labels = turned("2026-09-01", 0.5)  # as in the reference, once all are in
    world.insert("inference_log", predictions).insert("ground_truth", labels)
    world.night("2026-09-02")  # only positives are known
    seen = {v.status for v in world.verdicts("2026-09-01") if v.series.rule == "label_drift"}
    assert seen == {Status.IMMATURE}
    world.night("2026-09-06")
    seen = {v.status for v in world.verdicts("2026-09-01") if v.series.rule == "label_drift"}
    assert seen == {Status.OK}
    assert world.incidents("label_drift") == []


def test_labels_that_changed_for_good_are_an_incident_and_a_mail_of_the_night(world: World) -> None:
    predictions, labels = turned("2026-09-01", 0.9)
    world.insert("inference_log", predictions).insert("ground_truth", labels)
    world.night("2026-09-02")
    world.night("2026-09-06")
    assert world.states("label_drift") == [State.OPEN]
    measured = {m.metric: m for m in world.measured(Kind.LABELS, "2026-09-01") if m.feature == "label"}
    assert measured["drifted"].value == 1
    (subject, *_) = world.deliver(at("2026-09-06T01:00"))
    assert "credit" in subject
    text = world.inbox.accepted[-1].get_body(("plain",)).get_content()
    assert "the labels moved away from the reference" in text
