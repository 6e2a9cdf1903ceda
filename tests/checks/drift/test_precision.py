"""Precision: numbers that only changed how many digits are kept have not drifted, and numbers that moved have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.checks.drift.drift import drift
from hindsight.checks.quality.quality import quality
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.values.bins import decile_bins, percentile_bins, quantiles
from hindsight.checks.values.distributions import Distribution
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, at
from tests.checks.values.writings import WRITINGS, Writing

N = 2000
Found = dict[str, Measurement]
COLUMNS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "five rates": lambda g, n: g.choice(np.round(np.arange(0.1, 1, 0.2), 1), n),
    "thirds": lambda g, n: g.choice(np.arange(1, 8) / 3, n),
    "eighths": lambda g, n: g.choice(np.arange(1, 8) / 8, n),
    "thousandths of a few": lambda g, n: g.choice([1.005, 2.675, 7.125, 8.335], n),
    "prices": lambda g, n: g.gamma(3, 10, n).round(1),
    "prices of three places": lambda g, n: g.gamma(3, 10, n).round(3),
    "a point mass": lambda g, n: np.where(g.random(n) < 0.6, 0.7, g.gamma(3, 1, n)),
    "continuous": lambda g, n: g.normal(3, 1, n),
    "chances": lambda g, n: g.beta(0.6, 0.6, n),
    "large": lambda g, n: g.normal(1e6, 3e4, n),
    "constant": lambda g, n: np.full(n, 0.7),
    "whole": lambda g, n: g.integers(0, 300, n).astype(float),
    "negative": lambda g, n: g.choice([-0.3, -0.7, 0.9], n),
}


def plain(**changes: Any) -> Monitor:
    return a_monitor(**({"segments": [], "features": {"amount": "numeric"}} | changes))


def rows(amount: Any) -> TableRows:
    generator = np.random.default_rng(7)
    n = len(amount)
    return TableRows(
        pa.table({"amount": amount, "prediction": generator.integers(0, 2, n), "score": generator.random(n)})
    )


def a_baseline(amount: Any, monitor: Monitor) -> Baseline:
    return fit(rows(amount), monitor, output=rows(amount), fitted_as_of=at("2026-09-01"))


def compared(reference: Any, window: Any, **changes: Any) -> Found:
    monitor = plain(**changes)
    found = drift(rows(window), monitor, a_baseline(reference, monitor))[0]
    return {m.metric: m for m in found if m.feature == "amount"}


def samples(name: str, seed: int = 3, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return COLUMNS[name](generator, 5 * n), COLUMNS[name](generator, n)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("side", ["window", "reference"])
def test_another_precision_moves_no_effect_by_more_than_chance_does(name: str, writing: str, side: str) -> None:
    reference, window = samples(name)
    as_it_was = compared(reference, window)
    write = WRITINGS[writing]
    found = compared(reference, write(window)) if side == "window" else compared(write(reference), window)
    for metric in ("psi", "psi_fine", "ks", "js_distance", "wasserstein_normed", "mean_shift", "std_shift"):
        now, then = found[metric].value, as_it_was[metric].value
        assert now == pytest.approx(then, abs=0.02), (metric, now, then)
    assert found["drifted"].value == 0
    assert (found["p_value"].value or 1) > 1e-3


@pytest.mark.parametrize("name", ["five rates", "prices", "a point mass"])
def test_a_window_that_changes_its_precision_half_way_has_not_drifted(name: str) -> None:
    reference, window = samples(name)
    as_it_was = compared(reference, window)
    window[: N // 2] = WRITINGS["REAL"](window[: N // 2])
    found = compared(reference, window)
    for metric in ("psi_fine", "ks"):
        assert found[metric].value == pytest.approx(as_it_was[metric].value, abs=0.01)
    assert found["drifted"].value == 0


SHIFTS: dict[str, tuple[str, Writing]] = {
    "a rate that takes another's place": ("five rates", lambda v: np.where(v == 0.3, 0.5, v)),
    "a rate a little higher": ("five rates", lambda v: np.where(v == 0.3, 0.33, v)),
    "a third that became two decimals of another": ("thirds", lambda v: np.where(v < 0.4, 0.66, v.round(2))),
    "prices up by a tenth": ("prices", lambda v: (v * 1.3).astype(np.float32).astype(float)),
    "mass off a point": ("a point mass", lambda v: np.where((v == 0.7) & (np.arange(v.size) % 2 == 0), 0.71, v)),
    "a constant that moved": ("constant", lambda v: np.full(v.size, 0.71)),
    "half a deviation": ("continuous", lambda v: (v + 0.5).round(2)),
    "a constant gone to nought": ("constant", lambda v: np.zeros(v.size)),
}


@pytest.mark.parametrize("what", SHIFTS)
def test_a_genuine_shift_is_found_whatever_the_precision(what: str) -> None:
    name, change = SHIFTS[what]
    reference, window = samples(name)
    assert compared(reference, change(window))["drifted"].value == 1


def test_small_numbers_that_are_rounded_away_have_moved() -> None:
    reference = np.random.default_rng(1).uniform(0.0001, 0.004, 5 * N)
    assert compared(reference, np.zeros(N))["drifted"].value == 1
    assert compared(reference, np.random.default_rng(2).uniform(0.0001, 0.004, N).round(2))["drifted"].value == 1


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_the_same_precision_is_compared_digit_for_digit(name: str) -> None:
    """Equal to scipy, as if there were no tolerance."""
    from scipy.stats import ks_2samp

    reference, window = samples(name)
    assert compared(reference, window)["ks"].value == pytest.approx(ks_2samp(reference, window).statistic, abs=1e-12)


@pytest.mark.parametrize("writing", WRITINGS)
def test_a_category_of_numbers_is_the_same_category(writing: str) -> None:
    generator = np.random.default_rng(3)
    reference, window = (generator.choice([0.1, 0.35, 0.7, 2.0, 1234567.0], n) for n in (5 * N, N))
    if writing.startswith("six"):
        reference, window = reference[reference < 10], window[window < 10]
    monitor = plain(features={"amount": "categorical"})
    baseline = a_baseline(reference, monitor)
    written = rows(WRITINGS[writing](window))
    found = {m.metric: m.value for m in drift(written, monitor, baseline)[0] if m.feature == "amount"}
    assert (found["drifted"], (found["psi"] or 0) < 0.02) == (0, True)
    checked = {m.metric: m.value for m in quality(written, monitor, baseline) if m.feature == "amount"}
    assert checked["new_category_share"] == 0


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("name", COLUMNS)
def test_quality_finds_nothing_in_another_precision(name: str, writing: str) -> None:
    reference, window = samples(name)
    monitor = plain()
    found = quality(rows(WRITINGS[writing](window)), monitor, a_baseline(reference, monitor))
    values = {m.metric: m.value for m in found if m.feature == "amount"}
    wrong = {name: values[name] for name in ("schema_change", "sentinel_share", "stuck", "unit_change") if values[name]}
    assert wrong == {}
    assert values["out_of_range_share"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("writing", ["REAL", "float32 in Arrow"])
def test_ranges_of_a_constant_and_sentinels_are_told_apart_in_float32_too(writing: str) -> None:
    monitor, write = plain(), WRITINGS[writing]
    constant = quality(rows(write(np.full(N, 0.7))), monitor, a_baseline(np.full(N, 0.7), monitor))
    assert {m.value for m in constant if m.feature == "amount" and m.metric == "out_of_range_share"} == {0.0}
    reference, window = samples("prices")
    window[:200] = 9999999999.0
    found = quality(rows(write(window)), monitor, a_baseline(reference, monitor))
    assert {m.value for m in found if m.feature == "amount" and m.metric == "sentinel_share"} == {0.1}


@settings(deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60), st.sampled_from([10, 100, 3, 7]))
def test_a_quantile_between_equal_values_is_that_value(numbers: list[int], below: int) -> None:
    values = np.sort(np.array(numbers) / below)
    shares = np.arange(1, 100) / 100
    lower, higher = (np.quantile(values, shares, method=method) for method in ("lower", "higher"))
    found = quantiles(values, shares)
    assert (found[lower == higher] == lower[lower == higher]).all()


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=60))
def test_borders_keep_their_order_and_every_row_of_the_reference_its_bin(numbers: list[float]) -> None:
    values = np.sort(np.array(numbers) + 0.0)
    for bins in (percentile_bins(values), decile_bins(values)):
        assert (np.diff(bins.borders) >= 0).all()
        assert bins.counts(Distribution(values), 2).sum() == values.size + 2


@settings(deadline=None)
@given(st.lists(st.integers(-400, 400), min_size=1, max_size=20, unique=True), st.sampled_from([8, 10, 3e-6]))
def test_every_value_of_a_few_has_a_bin_of_its_own_in_float32_too(numbers: list[int], below: float) -> None:
    values = np.sort(np.array(numbers) / below)
    bins = percentile_bins(values)
    singles = [place for place, label in enumerate(bins.labels) if label.startswith("=")]
    for written in (values, values.astype(np.float32).astype(float)):
        assert np.flatnonzero(bins.counts(Distribution(written), 0)).tolist() == singles


def test_a_decile_on_a_value_keeps_the_rows_of_that_value_in_float32() -> None:
    values = np.repeat(np.arange(11) / 10, 700)
    bins = decile_bins(values)
    assert set(bins.edges.tolist()) <= set(values.tolist())
    known = bins.counts(Distribution(values), 0)
    assert bins.counts(Distribution(values.astype(np.float32).astype(float)), 0).tolist() == known.tolist()
