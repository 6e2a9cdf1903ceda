"""Effects and tests: known answers, and what holds for any counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2_contingency, entropy, fisher_exact, norm

from hindsight.checks.statistics.effects import (
    any_of,
    benjamini_hochberg,
    chi2_p,
    fisher_p,
    homogeneity,
    js_distance,
    kl_divergence,
    monte_carlo_p,
    pooled,
    psi,
    psi_by_chance,
    wasserstein_normed,
)

counts = arrays(np.int64, 6, elements=st.integers(0, 1000))
pairs = st.tuples(counts, counts).filter(lambda pair: bool(pair[0].sum() and pair[1].sum()))


def normal_counts(shift: float, bins: int = 80, rows: int = 10**9) -> np.ndarray:
    """Counts of N(shift, 1) in fine equal bins of [-6, 7]."""
    return np.rint(np.diff(norm.cdf(np.linspace(-6, 7, bins), loc=shift)) * rows).astype(np.int64)


def test_psi_of_two_normals_one_deviation_apart_is_their_symmetric_divergence_of_one() -> None:
    fine = psi(normal_counts(0), normal_counts(1))
    assert fine == pytest.approx(1.0, abs=0.03)


def test_psi_of_a_bin_that_empties_is_finite_by_the_floor() -> None:
    expected = (0.5 - 1e-4) * np.log(0.5 / 1e-4) + 0.5 * np.log(2)
    assert psi(np.array([1, 1]), np.array([0, 1])) == pytest.approx(expected)


def test_no_rows_have_no_effect_and_no_test() -> None:
    nothing, something = np.zeros(3, int), np.array([1, 2, 3])
    for statistic in (psi, js_distance, kl_divergence, chi2_p):
        assert statistic(nothing, something) is None
        assert statistic(something, nothing) is None


@given(pairs)
def test_psi_and_js_are_symmetric_never_negative_and_blind_to_the_order_of_bins(pair: tuple[np.ndarray, ...]) -> None:
    for statistic in (psi, js_distance):
        there, back = statistic(*pair), statistic(*reversed(pair))
        turned = statistic(pair[0][::-1], pair[1][::-1])
        assert there == pytest.approx(back, abs=1e-12)
        assert there == pytest.approx(turned, abs=1e-12)
        assert there is not None
        assert there >= 0


def test_kl_divergence_of_two_normals_one_deviation_apart_is_a_half() -> None:
    assert kl_divergence(normal_counts(0), normal_counts(1)) == pytest.approx(0.5, abs=0.02)


@given(pairs)
def test_kl_divergence_is_scipys_of_the_floored_shares_never_negative_and_finite(pair: tuple[np.ndarray, ...]) -> None:
    found = kl_divergence(*pair)
    p, q = (np.maximum(side / side.sum(), 1e-4) for side in pair)
    assert found is not None
    assert found >= 0
    assert found == pytest.approx(entropy(q, p), abs=1e-12)
    assert kl_divergence(pair[0], pair[0] * 3) == pytest.approx(0, abs=1e-12)


@given(counts, st.integers(1, 50))
def test_the_same_shares_have_no_effect(reference: np.ndarray, times: int) -> None:
    assume(reference.sum() > 0)
    assert psi(reference, reference * times) == pytest.approx(0, abs=1e-12)
    assert js_distance(reference, reference * times) == pytest.approx(0, abs=1e-6)
    assert chi2_p(reference, reference * times) == pytest.approx(1)


def test_js_distance_of_disjoint_shares_is_one_and_of_a_coin_that_lost_a_side_is_known() -> None:
    assert js_distance(np.array([5, 0]), np.array([0, 9])) == 1
    entropy = 2 - 0.75 * np.log2(3)  # of the midpoint (3/4, 1/4), less half the entropy of a coin
    assert js_distance(np.array([1, 1]), np.array([2, 0])) == pytest.approx(np.sqrt(entropy - 0.5))


@given(pairs)
def test_chi2_p_is_that_of_scipy(pair: tuple[np.ndarray, ...]) -> None:
    table = np.stack(pair)
    table = table[:, table.any(axis=0)]
    expected = chi2_contingency(table).pvalue if table.shape[1] > 1 else 1.0
    assert chi2_p(*pair) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_psi_by_chance_is_what_samples_of_one_distribution_show() -> None:
    generator = np.random.default_rng(1)
    draws = [psi(generator.multinomial(5000, [0.1] * 10), generator.multinomial(500, [0.1] * 10)) for _ in range(400)]
    assert np.mean([draw for draw in draws if draw is not None]) == pytest.approx(psi_by_chance(10, 5000, 500), rel=0.1)
    assert psi_by_chance(1, 10, 10) == 0


def test_rare_categories_are_pooled_into_the_last_column() -> None:
    table = pooled(np.array([900, 50, 40, 5, 5]), np.array([90, 8, 2, 0, 0]))
    assert table.tolist() == [[900, 100], [90, 10]]


def test_thin_neighbours_are_joined_before_they_are_pooled() -> None:
    reference = np.array([10_000, *[100] * 8])
    table = pooled(reference, np.array([1000, *[0] * 7, 80]), ordered=True)
    assert table.tolist() == [[10_000, *[100] * 8], [1000, *[0] * 7, 80]]
    few = pooled(reference, np.array([100, *[0] * 7, 8]), ordered=True)
    assert few.tolist() == [[10_000, 800], [100, 8]]


@given(pairs)
def test_pooling_keeps_the_rows_of_each_side(pair: tuple[np.ndarray, ...]) -> None:
    for ordered in (False, True):
        assert pooled(*pair, ordered=ordered).sum(axis=1).tolist() == [pair[0].sum(), pair[1].sum()]


@pytest.mark.parametrize(
    ("reference", "current", "name"),
    [
        ([100], [50], "one category"),
        ([1000, 1000], [100, 130], "Fisher exact"),
        ([1000, 1000, 1000], [100, 110, 105], "chi-square, Monte Carlo"),
        ([1000, 1000, 1000], [900, 110, 105], "chi-square"),
        ([1000] * 5, [100, 110, 105, 90, 95], "chi-square"),
        ([1000, 1000, 1000, 0], [100, 110, 105, 5], "rare categories (Fisher exact) or chi-square, Monte Carlo"),
    ],
)
def test_the_test_follows_from_how_many_cells_are_filled(reference: list[int], current: list[int], name: str) -> None:
    p, test = homogeneity(np.array(reference), np.array(current))
    assert test == name
    assert 0 <= p <= 1


def test_two_cells_are_tested_exactly() -> None:
    p, _ = homogeneity(np.array([50, 60]), np.array([30, 70]))
    assert p == pytest.approx(fisher_exact([[50, 60], [30, 70]]).pvalue)


@given(arrays(np.int64, (2, 2), elements=st.integers(0, 400)).filter(lambda table: bool(table.sum(axis=1).all())))
def test_fishers_p_is_scipys(table: np.ndarray) -> None:
    assert fisher_p(table) == pytest.approx(fisher_exact(table).pvalue, rel=1e-6, abs=1e-12)


def test_fishers_p_of_a_whole_month_beside_a_day_is_scipys() -> None:
    table = np.array([[14_020, 13_980], [470, 530]])
    assert fisher_p(table) == pytest.approx(fisher_exact(table).pvalue, rel=1e-6)


def test_a_new_category_in_five_of_a_hundred_rows_is_no_accident() -> None:
    p, _ = homogeneity(np.array([9000, 9000, 0]), np.array([45, 50, 5]))
    assert p < 1e-6


@given(pairs)
def test_any_two_samples_can_be_tested(pair: tuple[np.ndarray, ...]) -> None:
    for ordered in (False, True):
        p, test = homogeneity(*pair, ordered=ordered)
        assert 0 <= p <= 1
        assert test


def test_all_rows_in_a_bin_that_was_empty_is_no_accident() -> None:
    p, _ = homogeneity(np.array([0, 0, 900, 900, 900]), np.array([0, 80, 0, 0, 0]), ordered=True)
    assert p < 1e-6


def test_monte_carlo_is_repeatable_near_chi_square_and_never_zero() -> None:
    mild = np.array([[4000, 3000, 3000], [400, 330, 270]])
    assert monte_carlo_p(mild) == monte_carlo_p(mild)
    assert monte_carlo_p(mild) == pytest.approx(chi2_contingency(mild).pvalue, abs=0.03)
    assert monte_carlo_p(np.array([[400, 300, 300], [100, 0, 0]])) == 1e-5


def test_p_values_of_unchanged_categories_are_spread_evenly() -> None:
    generator = np.random.default_rng(2)
    shares = [0.6, 0.25, 0.1, 0.03, 0.02]
    p_values = [
        homogeneity(generator.multinomial(8000, shares), generator.multinomial(400, shares))[0] for _ in range(400)
    ]
    assert np.mean(np.array(p_values) < 0.05) < 0.09
    assert np.mean(np.array(p_values) < 0.5) > 0.3


def test_benjamini_hochberg_on_the_example_of_its_authors() -> None:
    # Benjamini and Hochberg 1995, section 4: fifteen tests, q = 0.05, the first four are rejected.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    assert benjamini_hochberg(p, 0.05) == [True] * 4 + [False] * 11


@given(st.lists(st.none() | st.floats(0, 1), max_size=20), st.floats(0.001, 0.5))
def test_benjamini_hochberg_rejects_a_lower_set_that_holds_bonferronis(p_values: list[float | None], q: float) -> None:
    rejected = benjamini_hochberg(p_values, q)
    made = [p for p in p_values if p is not None]
    kept = [p for p, out in zip(p_values, rejected, strict=True) if p is not None and not out]
    out = [p for p, is_out in zip(p_values, rejected, strict=True) if p is not None and is_out]
    assert max(out, default=0) <= min(kept, default=1)
    assert all(p in out for p in made if p <= q / len(made))


def test_any_of_several_tests_pays_for_each() -> None:
    assert any_of([0.01, 0.5]) == 0.02
    assert any_of([0.9, 0.8]) == 1.0


@pytest.mark.parametrize(("distance", "std", "value"), [(0.0, 0.0, 0.0), (1.0, 2.0, 0.5), (1.0, 0.0, None)])
def test_a_distance_without_a_unit_is_not_evaluated(distance: float, std: float, value: float | None) -> None:
    assert wasserstein_normed(distance, std) == value
