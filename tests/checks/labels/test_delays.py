"""Delay curves: exact where the answer is known, right under truncation, and the same after a stay in snapshots."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.labels.delays import Curve, delay_measurements, final_coverage, learn, pooled, read_curves
from hindsight.monitors.metric_catalog import metric
from hindsight.vocabulary.measurement import Measurement
from tests.builders import a_monitor, a_window, monitor_file

SEED = 20260901
HOUR, DAY = 3600.0, 86400.0
WINDOW = a_window("2026-09-01")
FOREVER = 1000 * DAY


def curve_of(delays: Any, ages: Any = None) -> Curve:
    delays = np.asarray(delays, float)
    found = learn(delays, np.full(delays.size, FOREVER) if ages is None else np.asarray(ages, float))
    assert found is not None
    return found


def a_matured_window(n: int = 600, *, seed: int = SEED, share_labelled: float = 0.9) -> pa.Table:
    """Labels of class 1 take two days, those of class 0 one day, exactly; a tenth never comes."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, n)
    made = [WINDOW.start + i * timedelta(days=1) / n for i in range(n)]
    known = np.arange(n) < share_labelled * n
    late = [made[i] + timedelta(days=1 + int(label[i])) if known[i] else None for i in range(n)]
    return pa.table(
        {
            "prediction": random.integers(0, 2, n),
            "score": random.random(n),
            "label": pa.array([int(v) if k else None for v, k in zip(label, known, strict=True)], pa.int64()),
            "predicted_at": pa.array(made, pa.timestamp("us", "UTC")),
            "arrived_at": pa.array(late, pa.timestamp("us", "UTC")),
            "model_version": ["v1", "v2"] * (n // 2),
            "region": ["EU"] * n,
        }
    )


def test_a_curve_is_the_share_of_delays_shorter_than_an_age() -> None:
    found = curve_of([HOUR, HOUR, 2 * HOUR, 4 * HOUR, np.nan])
    assert found.n == 4
    assert found.before(np.array([0.0, HOUR, HOUR + 1, 2 * HOUR, 2 * HOUR + 1, 4 * HOUR, 4 * HOUR + 1])) == (
        pytest.approx([0, 0, 0.5, 0.5, 0.75, 0.75, 1])
    )


def test_without_a_label_there_is_no_curve() -> None:
    assert learn(np.full(3, np.nan), np.full(3, DAY)) is None
    assert learn(np.array([DAY]), np.array([DAY])) is None  # a label at the very moment is not known yet


def test_the_product_limit_of_a_textbook_example() -> None:
    """Delays 1, 2, 3 watched for 5, 2.5 and 5: of the two rows at risk at 3 one has that delay, and so at 2."""
    found = curve_of([1.0, 2.0, 3.0], [5.0, 2.5, 5.0])
    assert found.before(np.array([2.0, 3.0, 4.0])) == pytest.approx([0.25, 0.5, 1])


def test_truncated_delays_give_the_curve_of_all_where_counting_them_does_not() -> None:
    random = np.random.default_rng(SEED)
    delays, ages = random.exponential(DAY, 20_000), random.uniform(0, 5 * DAY, 20_000)
    seen = delays < ages
    at = np.array([0.5, 1, 2]) * DAY
    truth = (1 - np.exp(-at / DAY)) / (1 - np.exp(-5.0))
    found = curve_of(np.where(seen, delays, np.nan), ages).before(at)
    counted = curve_of(delays[seen]).before(at)
    assert found == pytest.approx(truth, abs=0.015)
    assert (counted - truth).min() > 0.04


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=80), st.floats(0, 1e7))
def test_a_curve_rises_from_nothing_to_all(delays: list[float], age: float) -> None:
    found = curve_of(delays)
    assert np.all(np.diff(found.shares) >= 0)
    assert (found.before(np.array([0.0]))[0], found.before(np.array([max(delays) + 1]))[0]) == (0, 1)
    exact = np.array([np.mean(np.array(delays) < moment) for moment in (np.floor(age) - 1, np.floor(age) + 2)])
    assert exact[0] - 0.051 <= found.before(np.array([age]))[0] <= exact[1] + 0.051


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=20), min_size=1, max_size=4))
def test_pooled_curves_equal_the_curve_of_all_labels(parts: list[list[int]]) -> None:
    curves = [curve_of(np.array(part) * HOUR) for part in parts]
    whole = curve_of(np.concatenate(parts) * HOUR)
    ages = np.arange(10) * HOUR + 2
    assert pooled(curves).n == whole.n
    assert pooled(curves).before(ages) == pytest.approx(whole.before(ages), abs=0.12)
    assert pooled([whole]).before(ages) == pytest.approx(whole.before(ages))


def test_windows_that_differ_by_chance_alone_are_worth_their_labels_and_others_less() -> None:
    random = np.random.default_rng(SEED)
    alike = pooled([curve_of(random.exponential(DAY, 500)) for _ in range(40)])
    unlike = pooled([curve_of(random.exponential(DAY * (1 + number % 2), 500)) for number in range(40)])
    assert 0.05 < alike.worth / alike.n <= 1  # 40 windows tell φ to about a fifth
    assert unlike.worth < 500
    assert pooled([alike]).worth == alike.n


def test_the_dispersion_of_two_windows_is_that_of_the_textbook() -> None:
    """Of 100 labels 30 and 70 came in time: F = ½, φ = 100 · (0.2² + 0.2²) / ¼ = 32; spread = 31 · (1/100 + 1/200)."""
    early, late = (Curve(np.array([0.0, 1.0, 9.0, 10.0]), np.array([0.0, f, f, 1.0]), 100) for f in (0.3, 0.7))
    found = pooled([early, late])
    assert found.spread == pytest.approx(31 * 0.015)
    assert found.worth == pytest.approx(200 / (1 + 200 * 31 * 0.015))


def test_a_matured_window_tells_how_late_each_class_is_and_snapshots_keep_it() -> None:
    written = delay_measurements(a_matured_window(), a_monitor(), WINDOW)
    assert {m.model_version for m in written} == {"", "v1", "v2"}
    assert not {m.segment for m in written} - {""}
    curves = read_curves([written, delay_measurements(a_matured_window(seed=1), a_monitor(), WINDOW)])
    day = np.array([1, 1.01, 2, 2.01]) * DAY
    assert curves["", "0"].before(day) == pytest.approx([0, 1, 1, 1])
    assert curves["v1", "1"].before(day) == pytest.approx([0, 0, 0, 1])
    assert curves["", "0"].n + curves["", "1"].n == 2 * 540


def test_what_is_kept_of_a_curve_is_in_the_catalog() -> None:
    known = metric("labels.delay_curve")
    assert known is not None
    assert known.vector
    for m in delay_measurements(a_matured_window(), a_monitor(), WINDOW):
        assert m.bin
        assert m.value is not None
        assert 0 <= m.value <= 1


def test_labels_after_maturity_do_not_count() -> None:
    curves = read_curves([delay_measurements(a_matured_window(), a_monitor(labels={"matures_after": "1d"}), WINDOW)])
    assert {name for _, name in curves} == {"0"}


def test_labels_assumed_at_maturity_arrive_then() -> None:
    monitor = a_monitor(labels={"matures_after": "7d", "absent_means": 0})
    table = a_matured_window()
    assumed = pa.array([0 if v is None else v for v in table["label"].to_pylist()])
    curves = read_curves([delay_measurements(table.set_column(2, "label", assumed), monitor, WINDOW)])
    week = curves["", "0"].before(np.array([6.9 * DAY]))[0]
    assert 0.8 < week < 0.85
    assert curves["", "0"].before(np.array([8 * DAY]))[0] == 1


def test_without_arrival_times_there_are_no_curves() -> None:
    assert delay_measurements(a_matured_window().drop_columns(["arrived_at"]), a_monitor(), WINDOW) == []


def test_a_regression_is_told_apart_by_the_third_its_label_lies_in() -> None:
    file = monitor_file(model={"name": "m", "task": "regression"})
    file["source"]["predictions"]["score"] = None
    table = a_matured_window()
    late = np.array([0 if v is None else v for v in table["label"].to_pylist()])
    amounts = np.where(late, np.linspace(100, 200, late.size), np.linspace(0, 50, late.size))
    given_ = [float(a) if v is not None else None for a, v in zip(amounts, table["label"].to_pylist(), strict=True)]
    curves = read_curves(
        [delay_measurements(table.set_column(2, "label", pa.array(given_)), a_monitor(**file), WINDOW)]
    )
    assert {name for _, name in curves} == {"low", "middle", "high"}
    assert curves["", "low"].before(np.array([1.5 * DAY]))[0] == 1
    assert curves["", "high"].before(np.array([1.5 * DAY]))[0] == 0


def test_the_final_coverage_is_that_of_all_matured_windows_together() -> None:
    first = [Measurement("coverage", 0.5, 100), Measurement("coverage", 0.5, 60, model_version="v1")]
    second = [Measurement("coverage", 1.0, 300), Measurement("coverage", 0.1, 20, segment="region=EU")]
    empty = [Measurement("coverage", None, note="no scored rows")]
    found = {m.model_version: (m.value, m.n) for m in final_coverage([first, second, empty])}
    assert found == {"": (0.875, 400), "v1": (0.5, 60)}
    assert final_coverage([]) == []
