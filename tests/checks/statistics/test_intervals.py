"""Intervals: known answers, order and scale, and how often they hold the truth."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, r2_score, roc_auc_score

from hindsight.checks.statistics import intervals

SEED = 20260901
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60).map(np.array)


def test_wilson_of_half_of_a_hundred_is_the_textbook_interval() -> None:
    assert intervals.wilson(50, 100) == pytest.approx((0.403832, 0.596168), abs=1e-6)


def test_wilson_says_something_at_no_hits_and_nothing_without_rows() -> None:
    lower, upper = intervals.wilson(0, 20) or (None, None)
    assert (lower, upper) == (0.0, pytest.approx(0.161125, abs=1e-6))
    assert intervals.wilson(0, 0) is None


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_holds_the_share_and_stays_in_bounds(hits: int, misses: int) -> None:
    n = hits + misses
    ends = intervals.wilson(hits, n)
    assert ends is None if n == 0 else 0 <= ends[0] <= hits / n <= ends[1] <= 1  # type: ignore[index]


def test_mean_of_one_two_three_has_students_interval() -> None:
    assert intervals.mean_t(np.array([1.0, 2.0, 3.0])) == pytest.approx(
        (2 - 4.302653 / sqrt(3), 2 + 4.302653 / sqrt(3))
    )
    assert intervals.mean_t(np.array([1.0])) is None


@given(VALUES, st.floats(-1e3, 1e3))
def test_the_interval_of_a_mean_moves_with_the_values(values: np.ndarray, by: float) -> None:
    lower, upper = intervals.mean_t(values) or (0.0, 0.0)
    assert intervals.mean_t(values + by) == pytest.approx((lower + by, upper + by), rel=1e-6, abs=1e-3)


def test_median_of_ten_lies_between_the_second_and_the_ninth_value() -> None:
    assert intervals.median(np.arange(1.0, 11.0)) == (2.0, 9.0)
    assert intervals.median(np.arange(5.0)) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=60).map(np.array))
def test_the_interval_of_a_median_holds_it(values: np.ndarray) -> None:
    lower, upper = intervals.median(values) or (0.0, 0.0)
    assert lower <= np.median(values) <= upper


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_interval_of_f1_holds_it(hits: int, errors: int) -> None:
    ends = intervals.f1(hits, errors)
    if hits + errors:
        assert ends is not None
        assert 0 <= ends[0] <= 2 * hits / (2 * hits + errors) + 1e-12
        assert 2 * hits / (2 * hits + errors) <= ends[1] + 1e-12 <= 1 + 1e-9
    else:
        assert ends is None


def test_a_constant_has_no_interval_of_r2() -> None:
    assert intervals.r2(np.array([1.0, 2.0, 3.0]), np.zeros(3)) is None


def test_auc_of_three_of_four_pairs_is_three_quarters() -> None:
    area, ends = intervals.roc_auc(np.array([0.35, 0.8]), np.array([0.1, 0.4]))
    assert area == 0.75
    assert ends is not None
    assert 0 < ends[0] < 0.75 < ends[1] < 1


def test_complete_separation_has_an_area_and_no_interval() -> None:
    assert intervals.roc_auc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == (1.0, None)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.lists(st.integers(0, 20), min_size=1, max_size=40))
def test_auc_equals_scikit_learn_and_turns_with_the_scores(positives: list[int], negatives: list[int]) -> None:
    high, low = np.array(positives, float), np.array(negatives, float)
    area, ends = intervals.roc_auc(high, low)
    truth = np.repeat([1, 0], [high.size, low.size])
    assert area == pytest.approx(roc_auc_score(truth, np.concatenate([high, low])))
    assert intervals.roc_auc(-high, -low)[0] == pytest.approx(1 - area)
    assert ends is None or ends[0] < area < ends[1]


def test_delong_variance_equals_the_pairwise_definition() -> None:
    random = np.random.default_rng(SEED)
    high, low = random.normal(1, 1, 40), random.normal(0, 1, 60)
    wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    variance = wins.mean(axis=1).var(ddof=1) / 40 + wins.mean(axis=0).var(ddof=1) / 60
    area, (lower, upper) = intervals.roc_auc(high, low)  # type: ignore[misc]
    half = 1.959964 * sqrt(variance) / (area * (1 - area))
    odds = np.log(area / (1 - area))
    assert (lower, upper) == pytest.approx(tuple(1 / (1 + np.exp(-(odds + side * half))) for side in (-1, 1)), rel=1e-5)


def test_the_difference_of_two_shares_is_that_of_newcombes_example() -> None:
    first, second = ((hits / n, *(intervals.wilson(hits, n) or ())) for hits, n in ((56, 70), (48, 80)))
    assert intervals.difference(first, second) == pytest.approx((0.0524, 0.3339), abs=1e-4)  # type: ignore[arg-type]


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_the_difference_lies_in_its_interval_and_turns_with_the_sides(a: int, b: int, c: int, d: int) -> None:
    first, second = ((hits / n, *(intervals.wilson(hits, n) or ())) for hits, n in ((a, a + b), (c, c + d)))
    lower, upper = intervals.difference(first, second)  # type: ignore[arg-type]
    assert -1 <= lower <= first[0] - second[0] <= upper <= 1
    assert intervals.difference(second, first) == pytest.approx((-upper, -lower))  # type: ignore[arg-type]


def test_the_macro_area_of_two_classes_has_delongs_interval() -> None:
    random = np.random.default_rng(SEED)
    truth = (random.random(400) < 0.4).astype(int)
    score = random.normal(truth, 1.5)
    both = np.column_stack([-score, score])
    area, known = intervals.roc_auc(score[truth == 1], score[truth == 0])
    macro, found = intervals.roc_auc_ovr(truth, both)
    assert macro == pytest.approx(area)
    assert found == pytest.approx(known, rel=2e-3)


def test_the_interval_of_the_macro_area_holds_the_truth_about_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(SEED)
    truth = random.integers(0, 3, 60_000)
    scores = random.normal(0, 1, (60_000, 3)) + np.eye(3)[truth] * [1.0, 0.5, 1.5]
    area = intervals.roc_auc_ovr(truth, scores)[0]
    draws = (random.integers(0, 60_000, 250) for _ in range(300))
    ends = [intervals.roc_auc_ovr(truth[rows], scores[rows])[1] for rows in draws]
    held = np.mean([pair is not None and pair[0] <= area <= pair[1] for pair in ends])
    assert 0.91 < held < 0.98


def test_perfect_separation_of_all_classes_has_an_area_and_no_interval() -> None:
    truth = np.array([0, 1, 2] * 10)
    assert intervals.roc_auc_ovr(truth, np.eye(3)[truth]) == (1.0, None)


def test_intervals_hold_the_truth_about_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(SEED)
    held = dict.fromkeys(("f1", "auc", "rmse", "r2"), 0)
    pool_truth = random.random(100_000) < 0.3
    pool_score = np.where(pool_truth, random.normal(1, 1, 100_000), random.normal(0, 1, 100_000))
    x = random.normal(0, 1, 100_000)
    y = x + random.normal(0, 0.5, 100_000)
    f1, auc = f1_score(pool_truth, pool_score > 0.5), roc_auc_score(pool_truth, pool_score)
    rmse, r2 = float(np.sqrt(np.mean((x - y) ** 2))), r2_score(y, x)
    for _ in range(400):
        rows = random.integers(0, 100_000, 300)
        truth, score = pool_truth[rows], pool_score[rows]
        hits, wrong = int((truth & (score > 0.5)).sum()), int((truth != (score > 0.5)).sum())
        errors = x[rows] - y[rows]
        found = {
            "f1": (f1, intervals.f1(hits, wrong)),
            "auc": (auc, intervals.roc_auc(score[truth], score[~truth])[1]),
            "rmse": (rmse, intervals.rmse(errors**2)),
            "r2": (r2, intervals.r2(errors, y[rows] - y[rows].mean())),
        }
        for name, (value, ends) in found.items():
            held[name] += ends is not None and ends[0] <= value <= ends[1]
    assert all(0.92 <= count / 400 <= 0.98 for count in held.values()), held
