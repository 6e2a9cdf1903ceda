"""The two distances between distributions: known answers, scipy, and what holds for any values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp, kstwo, wasserstein_distance

from hindsight.checks.values import distributions
from hindsight.checks.values.distributions import Distribution, distances, distinct, ks_p

whole = st.integers(-5, 5).map(float)
samples = arrays(np.float64, st.integers(1, 40), elements=whole | st.floats(-1e6, 1e6))


def counted(values: np.ndarray) -> Distribution:
    return Distribution.counted(*distinct(np.sort(values)))


def rows(values: np.ndarray) -> Distribution:
    return Distribution(np.sort(values))


def test_a_shifted_uniform_is_as_far_as_its_shift() -> None:
    values = np.linspace(0, 1, 1001)
    moved = distances(counted(values), rows(values + 0.25))
    assert moved.wasserstein == pytest.approx(0.25)
    assert moved.ks == pytest.approx(0.25, abs=0.001)


def test_disjoint_samples_are_one_apart() -> None:
    assert distances(counted(np.array([1.0, 2.0])), rows(np.array([3.0]))).ks == 1
    assert ks_p(1.0, 1000, 1000) == pytest.approx(0, abs=1e-200)
    assert ks_p(0.0, 1, 1) == 1


@given(samples, samples)
def test_distances_are_scipys_and_symmetric(reference: np.ndarray, current: np.ndarray) -> None:
    found, back = distances(counted(reference), rows(current)), distances(counted(current), rows(reference))
    if len(reference) + len(current) > 2:
        expected = ks_2samp(reference, current, method="asymp")
        assert found.ks == pytest.approx(expected.statistic, abs=1e-12)
        assert ks_p(found.ks, len(reference), len(current)) == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.wasserstein == pytest.approx(wasserstein_distance(reference, current), rel=1e-9, abs=1e-9)
    assert found.ks == pytest.approx(back.ks, abs=1e-12)
    assert found.wasserstein == pytest.approx(back.wasserstein, rel=1e-9, abs=1e-9)


@given(samples)
def test_a_sample_is_no_distance_from_itself_or_its_double(values: np.ndarray) -> None:
    found = distances(counted(values), rows(np.repeat(values, 2)))
    assert (found.ks, found.wasserstein) == (0, 0)


@given(samples, samples, st.integers(1, 7))
def test_the_size_of_blocks_changes_nothing(reference: np.ndarray, current: np.ndarray, block: int) -> None:
    whole = distances(counted(reference), rows(current))
    kept = distributions.BLOCK
    distributions.BLOCK = block
    try:
        pieces = distances(counted(reference), rows(current))
    finally:
        distributions.BLOCK = kept
    assert pieces.ks == whole.ks
    assert pieces.wasserstein == pytest.approx(whole.wasserstein, rel=1e-12, abs=1e-12)


def test_infinite_values_count_for_ks_and_are_left_out_of_finite_ones() -> None:
    values = np.array([-np.inf, 1.0, 1.0, np.inf, np.inf])
    for distribution in (rows(values), counted(values)):
        assert distances(distribution, rows(np.array([1.0]))).ks == pytest.approx(0.4)
        assert distribution.finite().n == 2
        assert distribution.finite().values.tolist() in ([1.0], [1.0, 1.0])


def test_a_distance_too_large_for_a_double_is_infinite_not_an_error() -> None:
    assert distances(counted(np.array([-1.7e308])), rows(np.array([1.7e308]))).wasserstein == np.inf


@given(samples, arrays(np.float64, 3, elements=whole))
def test_rows_below_an_edge_are_counted(values: np.ndarray, edges: np.ndarray) -> None:
    edges = np.unique(edges)
    expected = [int((values < edge).sum()) for edge in edges]
    assert counted(values).below(edges).tolist() == expected
    assert rows(values).below(edges).tolist() == expected


def test_distinct_values_of_nothing() -> None:
    assert [part.tolist() for part in distinct(np.zeros(0))] == [[], []]


@pytest.mark.parametrize("size", [200, 333, 967, 9_999])
@pytest.mark.parametrize("z", [0.4, 0.9, 1.3, 1.36, 1.8, 2.4, 4.0])
def test_of_some_hundred_rows_the_exact_p_is_met_and_closely_where_it_decides(size: int, z: float) -> None:
    ks = z / size**0.5
    exact = kstwo.sf(ks, size)
    assert ks_p(ks, 2 * size, 2 * size) == pytest.approx(exact, rel=2e-5 if exact < 0.05 else 1e-3)


@pytest.mark.parametrize("z", [0.4, 0.9, 1.3, 1.8, 2.4])
def test_the_limit_for_many_rows_is_the_exact_distribution_to_a_thousandth(z: float) -> None:
    size = 12_000  # of 24,000 rows on both sides
    ks = z / size**0.5
    assert ks_p(ks, 2 * size, 2 * size) == pytest.approx(kstwo.sf(ks, size), rel=1e-3)
