"""Scales: a factor between the reference and a window is found, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.quality.scales import as_words, factor, is_rounded
from hindsight.checks.values.distributions import Distribution

RANDOM = np.random.default_rng(3)
SKEWED = RANDOM.lognormal(3, 1, 4000).round(2)
FACTORS = [1000.0, 0.001, 100.0, 10.0, 0.1, 60.0, 1 / 3600, 12.0]


def reference(values: np.ndarray) -> Distribution:
    return Distribution.counted(*np.unique(values, return_counts=True))


@pytest.mark.parametrize("by", FACTORS)
@pytest.mark.parametrize("zeros", [0.0, 0.5])
def test_a_factor_is_found_and_named(by: float, zeros: float) -> None:
    rows = RANDOM.choice(SKEWED, 900) * (RANDOM.random(900) >= zeros)
    found = factor(rows * by, reference(np.where(RANDOM.random(4000) < zeros, 0, SKEWED)))
    assert found == pytest.approx(by)


@pytest.mark.parametrize(
    "rows",
    [
        RANDOM.choice(SKEWED, 900),
        RANDOM.choice(SKEWED, 900) * 2,
        RANDOM.choice(SKEWED, 900) / 4.4,  # the young have worked for fewer years: drift, and no other unit
        np.full(900, -999.0),
        np.full(900, 4000.0),
        np.zeros(900),
        RANDOM.normal(5000, 10, 900),
        RANDOM.choice(SKEWED, 900) ** 3,
        RANDOM.choice(SKEWED, 10) * 1000,
        np.full(900, np.inf),
    ],
)
def test_other_values_are_no_multiple(rows: np.ndarray) -> None:
    assert factor(rows, reference(SKEWED)) is None


def test_a_reference_of_a_few_values_has_no_scale() -> None:
    assert factor(np.full(900, 3000.0), reference(np.array([1.0, 2.0, 3.0] * 300))) is None
    assert factor(np.full(900, 5.0), reference(np.zeros(900))) is None


@given(st.lists(st.floats(allow_nan=False), max_size=60), st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_any_numbers_are_answered_in_any_order(rows: list[float], known: list[float]) -> None:
    first = factor(np.array(rows), reference(np.array(known)))
    assert first == factor(np.array(rows[::-1]), reference(np.array(known)))
    assert first is None or np.isfinite(first)


def test_a_factor_is_said_as_people_do() -> None:
    assert [as_words(f) for f in (1000.0, 0.001, 5.25)] == ["1,000 times", "1/1,000 of", "5.25 times"]


@pytest.mark.filterwarnings("error")
def test_nothing_is_rounded_beside_a_reference_without_values() -> None:
    """Such as a column that came to be called otherwise, and was null before."""
    assert not is_rounded(np.arange(700.0), Distribution(np.array([])))
