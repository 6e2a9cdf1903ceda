"""A grade's arithmetic: known answers, and how often chance alone gives a bad mark."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.training.compare import paired_accuracy, paired_errors
from hindsight.training.grade import Mark, Promise, grade, promise_of

SURE = Promise("accuracy", 0.9, 0.0, 0.8, 0.0)
T_OF_3 = 3.182446305284263  # 97.5 % of Student's t with three degrees of freedom


def test_windows_of_equal_size_have_the_interval_of_their_mean() -> None:
    values = [0.70, 0.74, 0.78, 0.82]
    found = grade(values, [10_000] * 4, SURE)
    assert found is not None
    assert (found.windows, found.n, found.realised) == (4, 40_000, pytest.approx(0.76))
    half = T_OF_3 * np.std(values, ddof=1) / sqrt(4)
    assert found.over_promise == pytest.approx((-0.14 - half, -0.14 + half))
    assert found.over_replaced == pytest.approx((-0.04 - half, -0.04 + half))
    assert found.mark is Mark.SHORT


def test_what_was_promised_is_uncertain_too() -> None:
    values = [0.70, 0.74, 0.78, 0.82]
    found = grade(values, [10_000] * 4, Promise("accuracy", 0.9, 0.05, 0.8, 0.05))
    assert found is not None
    half = T_OF_3 * sqrt(np.var(values, ddof=1) / 4 + 0.05**2)
    assert found.over_promise == pytest.approx((-0.14 - half, -0.14 + half))
    assert found.mark is Mark.KEPT


def test_windows_that_are_all_alike_are_as_uncertain_as_their_rows() -> None:
    found = grade([0.8] * 4, [100] * 4, SURE)
    assert found is not None
    assert found.over_promise[1] == pytest.approx(-0.1 + T_OF_3 * sqrt(0.8 * 0.2 / 400))


def test_a_larger_error_than_that_of_the_one_before_is_worse() -> None:
    found = grade([12.0, 12.1, 11.9], [100, 200, 100], Promise("mae", 8.0, 0.1, 10.0, 0.1))
    assert found is not None
    assert found.realised == pytest.approx(12.025)
    assert found.mark is Mark.WORSE
    assert "gain" in str(found)


@pytest.mark.parametrize(("values", "rows"), [([0.1] * 2, [500] * 2), ([0.1] * 5, [30] * 5), ([], [])])
def test_too_little_is_not_graded(values: list[float], rows: list[int]) -> None:
    assert grade(values, rows, SURE) is None


def test_a_registry_says_what_was_promised() -> None:
    rng = np.random.default_rng(3)
    champion, challenger = rng.gamma(2, 5, 400), rng.gamma(2, 4, 400)
    found = promise_of(paired_errors(champion, challenger).metrics())
    assert found is not None
    assert found.promised == pytest.approx(challenger.mean())
    assert found.promised_se == pytest.approx(challenger.std(ddof=1) / 20)
    assert found.replaced_se == pytest.approx(champion.std(ddof=1) / 20)
    shares = promise_of(paired_accuracy(np.arange(100) < 70, np.arange(100) < 80).metrics())
    assert shares == Promise("accuracy", 0.8, pytest.approx(0.04), 0.7, pytest.approx(sqrt(0.21) / 10))


@pytest.mark.parametrize("metrics", [{}, {"accuracy": 0.9, "n": 100}, {"mae": 1.0, "champion_mae": 2.0, "n": 100}])
def test_a_version_that_was_compared_with_nothing_promised_nothing(metrics: dict[str, float]) -> None:
    assert promise_of(metrics) is None


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(100, 10_000)), min_size=3, max_size=20),
    st.floats(0, 1),
    st.floats(0, 0.2),
)
def test_order_does_not_matter_and_a_better_promise_is_harder_to_keep(
    windows: list[tuple[float, int]], promised: float, error: float
) -> None:
    values, rows = zip(*windows, strict=True)
    found = grade(values, rows, Promise("accuracy", promised, error, promised / 2, error))
    turned = grade(values[::-1], rows[::-1], Promise("accuracy", promised, error, promised / 2, error))
    assert found is not None
    assert turned is not None
    assert found.realised == pytest.approx(turned.realised)
    assert min(values) - 1e-9 <= found.realised <= max(values) + 1e-9
    assert found.over_promise[0] <= found.realised - promised <= found.over_promise[1]
    assert found.over_promise[1] <= found.over_replaced[1] + 1e-9


@pytest.mark.parametrize("spread", [0.0, 0.03])
def test_a_version_that_keeps_its_promise_is_called_short_of_it_by_chance_only(spread: float) -> None:
    """One-sided 2.5 %, with windows of unlike size that move as wholes; four standard errors are allowed."""
    rng, bad, times = np.random.default_rng(8), 0, 3000
    for _ in range(times):
        rows = rng.integers(100, 2000, 7)
        shares = np.clip(rng.normal(0.85, spread, 7), 0, 1)
        held_out = rng.binomial(1500, 0.85) / 1500
        error = sqrt(held_out * (1 - held_out) / 1500)
        found = grade(rng.binomial(rows, shares) / rows, rows, Promise("accuracy", held_out, error, 0.0, 0.0))
        bad += found is not None and found.mark is Mark.SHORT
    assert bad / times <= 0.025 + 4 * sqrt(0.025 * 0.975 / times)
