"""Expected accuracy: the final value seen from the first labels, and silence where they say too little."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.checks.labels.delays import Curve, learn, pooled
from hindsight.checks.labels.expected import accuracy_expected, weighted_share
from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.statistics import intervals
from hindsight.monitors.metric_catalog import metric
from hindsight.vocabulary.measurement import Measurement
from tests.builders import a_monitor, a_window, at, monitor_file

SEED = 20260901
DAY = 86400.0
WINDOW = a_window("2026-09-01")
STEP = timedelta(days=1)
HALF_OF_ONES = {  # all zeros come at once, half of the ones after a day and the rest after five
    ("", "0"): Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 10_000),
    ("", "1"): Curve(np.array([0.0, 1.0, 5 * DAY, 5 * DAY + 1]), np.array([0.0, 0.5, 0.5, 1.0]), 10_000),
}


def a_table(label: Any, right: Any, known: Any, **columns: Any) -> pa.Table:
    """Scored rows made through the day; those not known have no label yet."""
    label, right = np.asarray(label), np.asarray(right, bool)
    n = label.size
    made = [WINDOW.start + i * STEP / n for i in range(n)]
    table = {
        "prediction": np.where(right, label, 1 - label),
        "score": np.linspace(0, 1, n),
        "label": pa.array([int(v) if k else None for v, k in zip(label, known, strict=True)], pa.int64()),
        "predicted_at": pa.array(made, pa.timestamp("us", "UTC")),
        "arrived_at": pa.array([made[i] if known[i] else None for i in range(n)], pa.timestamp("us", "UTC")),
        "model_version": ["v1"] * n,
        "region": ["EU"] * n,
    }
    return pa.table(table | columns)


def expected(table: pa.Table, curves: Any = HALF_OF_ONES, as_of: str = "2026-09-03", **changes: Any) -> Measurement:
    found = accuracy_expected(table, a_monitor(**changes), WINDOW, as_of=at(as_of), curves=curves)
    return next(m for m in found if not (m.model_version or m.segment))


def half_of_the_ones_known() -> pa.Table:
    """200 zeros, all known and 90 % right; 200 ones, half of them known and 60 % right."""
    label = np.repeat([0, 1], 200)
    right = np.concatenate([np.arange(200) % 10 > 0, np.arange(200) % 5 > 1])
    known = np.concatenate([np.ones(200), np.arange(200) < 100]) > 0
    order = np.random.default_rng(SEED).permutation(400)
    return a_table(label[order], right[order], known[order])


def test_labels_that_stand_for_two_are_counted_twice() -> None:
    found = expected(half_of_the_ones_known())
    assert found.value == pytest.approx((200 * 0.9 + 2 * 100 * 0.6) / 400)
    assert found.n == 300
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < 0.75 < found.upper
    naive = (180 + 60) / 300
    assert naive > found.upper


def test_the_interval_is_that_of_a_sample_from_a_finite_population() -> None:
    """100 of 200 labels known, 60 right: variance Σ(1−π)/π²(y−A)²/N² = 0.5 · 4 · 100 · 0.24 / 200² = 0.0012."""
    hits = np.arange(100) < 60
    share, lower, upper = weighted_share(hits, np.full(100, 0.5), np.zeros(100, int), np.array([10**12]))
    effective = 0.24 / 0.0012
    assert share == pytest.approx(0.6)
    assert (lower, upper) == pytest.approx(intervals.wilson(0.6 * effective, effective), rel=1e-6)


def test_what_is_unknown_of_a_curve_widens_the_interval() -> None:
    hits, known = np.repeat([True, False], 50), np.repeat([0.9, 0.3], 50)
    widths = []
    for n in (30, 300, 10**9):
        _, lower, upper = weighted_share(hits, known, np.repeat([0, 1], 50), np.array([n, n]))
        widths.append(upper - lower)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1.3 * widths[2]


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.2, 1.0)), min_size=1, max_size=60),
)
def test_the_share_lies_in_its_interval_and_in_bounds(rows: list[tuple[bool, float]]) -> None:
    hits, known = (np.array(column) for column in zip(*rows, strict=True))
    share, lower, upper = weighted_share(hits, known, np.zeros(hits.size, int), np.array([100]))
    assert -1e-9 <= lower <= share + 1e-9
    assert share - 1e-9 <= upper <= 1 + 1e-9
    assert hits.min() - 1e-9 <= share <= hits.max() + 1e-9


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=60, max_size=200))
def test_the_final_value_and_the_expected_one_keep_to_the_bounds(rows: list[tuple[bool, bool, bool]]) -> None:
    label, right, known = (np.array(column) for column in zip(*rows, strict=True))
    table, full = a_table(label, right, known), a_table(label, right, np.ones(label.size, bool))
    labels = label_measurements(table, a_monitor(), WINDOW, as_of=at("2026-09-03"), conflicts=0, orphans=0)
    bounds = {m.metric: m.value for m in labels if not (m.model_version or m.segment)}
    final = expected(full, as_of="2026-12-01").value
    assert final == pytest.approx(right.mean())
    for value in (final, expected(table).value, expected(table).lower, expected(table).upper):
        if value is not None:
            assert (bounds["accuracy_worst"] or 0) - 1e-12 <= value <= (bounds["accuracy_best"] or 0) + 1e-12


def test_at_maturity_the_expected_value_is_the_value_itself() -> None:
    found = expected(half_of_the_ones_known(), curves={}, as_of="2026-09-09")
    assert found.value == found.lower == found.upper == pytest.approx(240 / 300)


def test_each_version_has_its_own_curves_and_borrows_them_until_then() -> None:
    table = half_of_the_ones_known()
    slow = HALF_OF_ONES | {("v1", "1"): Curve(np.array([0.0, 1.0, 5 * DAY]), np.array([0.0, 0.25, 1.0]), 10_000)}
    quick = HALF_OF_ONES | {("v2", "1"): Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 10_000)}
    own, other = expected(table, slow).value or 0, expected(table, quick).value
    assert other == expected(table).value
    assert own < (other or 0)
    found = accuracy_expected(table, a_monitor(), WINDOW, as_of=at("2026-09-03"), curves=HALF_OF_ONES)
    assert {(m.model_version, m.segment) for m in found} == {("", ""), ("v1", ""), ("", "region=EU")}


@pytest.mark.parametrize(
    ("curves", "why"),
    [
        ({}, "a delay curve has fewer than 30 labels from matured windows behind it"),
        ({**HALF_OF_ONES, ("", "2"): HALF_OF_ONES["", "0"]}, "fewer than 30 labels of class 2"),
        (
            {**HALF_OF_ONES, ("", "1"): Curve(np.array([0.0, 1.0, 6 * DAY]), np.array([0.0, 0.01, 1.0]), 500)},
            "of a class's labels expected by now for the youngest rows, not 20%",
        ),
    ],
)
def test_too_little_to_go_by_is_said_instead_of_a_number(curves: Any, why: str) -> None:
    found = expected(half_of_the_ones_known(), curves)
    assert found.value is None
    assert why in found.note


def test_few_labels_of_a_class_or_none_at_all_give_no_number() -> None:
    few = a_table(np.repeat([0, 1], 100), np.ones(200), np.arange(200) < 120)
    assert expected(few).note == "fewer than 30 labels of class 1"
    none = a_table(np.repeat([0, 1], 100), np.ones(200), np.zeros(200))
    assert (expected(none).value, expected(none).note) == (None, "no labelled rows")


def test_a_regression_has_no_expected_accuracy() -> None:
    file = monitor_file(model={"name": "m", "task": "regression"})
    file["source"]["predictions"]["score"] = None
    table = half_of_the_ones_known()
    assert accuracy_expected(table, a_monitor(**file), WINDOW, as_of=at("2026-09-03"), curves={}) == []


def test_the_number_is_in_the_catalog_with_its_interval() -> None:
    known = metric("labels.accuracy_expected")
    assert known is not None
    assert known.interval


def simulated(random: np.random.Generator, n: int = 5000) -> tuple[np.ndarray, ...]:
    """Ages at maturity, classes, delays and hits: class 1 is three times as slow and less often right."""
    final = 15 * DAY - random.uniform(0, DAY, n)
    label = (random.random(n) < 0.35).astype(int)
    delay = np.where(label == 1, 3 * DAY, DAY) * np.exp(random.normal(size=n))
    delay[random.random(n) > 0.9] = np.nan
    return final, label, delay, random.random(n) < np.where(label == 1, 0.75, 0.93)


@pytest.mark.parametrize("days", [1.5, 3, 8])
def test_the_interval_holds_the_final_value_as_often_as_it_says_and_the_naive_one_does_not(days: float) -> None:
    random, n, held, naive = np.random.default_rng(SEED), 250, 0, 0
    for number in range(n):
        if number % 50 == 0:
            past = [simulated(random) for _ in range(8)]
            curves = [
                pooled([c for f, y, d, _ in past if (c := learn(d[y == place], f[y == place])) is not None])
                for place in (0, 1)
            ]
        final, label, delay, right = simulated(random)
        age = final - (15 - days) * DAY
        known, truth = delay < age, right[delay < final].mean()
        chance = np.where(label == 1, *[c.before(age) / c.before(final) for c in curves[::-1]])
        _, lower, upper = weighted_share(right[known], chance[known], label[known], np.array([c.worth for c in curves]))
        held += lower <= truth <= upper
        ends = intervals.wilson(int(right[known].sum()), int(known.sum())) or (0.0, 0.0)
        naive += ends[0] <= truth <= ends[1]
    assert 0.91 <= held / n <= 0.985, held
    if days < 5:
        assert naive / n < 0.3
