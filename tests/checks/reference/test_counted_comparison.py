"""Bounds from counts hold what rows say, and are it where a cell leaves nothing open."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.reference.column_comparison import Comparison, compare_numbers
from hindsight.checks.reference.counted_comparison import compare_counts, counted_profile
from hindsight.checks.reference.profile import numeric_profile
from hindsight.checks.values.bins import decile_bins, percentile_bins
from hindsight.checks.values.counted import ENDS, Cells, CountedNumbers, borders
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.samples import Numbers

VALUES = st.lists(st.floats(-50, 50) | st.integers(-3, 3).map(float), min_size=1, max_size=60)


def counted(values: np.ndarray, cuts: list[float], nulls: int = 0) -> CountedNumbers:
    """The values as the warehouse would have counted them."""
    places = np.searchsorted(cuts, values, side="right")
    groups = [values[places == place] for place in range(len(cuts) + 1)]
    added = [some[np.isfinite(some)] for some in groups]

    n = np.array([some.size for some in groups])
    sums = np.array([some.sum() for some in added])
    squares = np.array([((some - some.mean()) ** 2).sum() if some.size else 0.0 for some in added])
    ends = [np.array([end(some) if some.size else np.nan for some in groups]) for end in (np.min, np.max)]
    whole = np.array([(some % 1 == 0).sum() for some in added])
    return CountedNumbers.from_cells(Cells(np.array(cuts), n, sums, squares, *ends, whole, nulls))


def both(then: list[float], now: list[float]) -> tuple[Comparison, Comparison]:
    reference, current = np.sort(then) + 0.0, np.sort(now) + 0.0
    bins, deciles = percentile_bins(reference), decile_bins(reference)
    known = numeric_profile(bins, reference, 0)
    sample = counted(current, sorted({*borders(bins, deciles), *ENDS}))
    theirs, rows = Numbers(Distribution(reference), 0), Numbers(Distribution(current), 0)
    assert counted_profile(bins, sample).counts.tolist() == bins.counts(rows.values, 0).tolist()
    return (
        compare_counts(bins, deciles, theirs, known, sample),
        compare_numbers(deciles, theirs, known, rows, bins.counts(rows.values, 0)),
    )


def most(comparison: Comparison, metric: str) -> float:
    return float(comparison.effects[metric].note.rpartition("at most ")[2])


def test_a_constant_that_no_double_is_has_not_moved() -> None:
    counts, rows = both([0.1] * 997, [0.1] * 1427)
    assert counts.effects["wasserstein_normed"].value == rows.effects["wasserstein_normed"].value == 0


@given(VALUES, VALUES)
def test_the_bounds_hold_what_rows_say(then: list[float], now: list[float]) -> None:
    counts, rows = both(then, now)
    for metric in ("ks", "wasserstein_normed"):
        least, true = counts.effects[metric].value, rows.effects[metric].value
        if true is None or least is None:
            assert true is least is None
            continue
        assert least <= true + 1e-9 * max(1.0, true)
        assert true <= most(counts, metric) * 1.001 + 1e-9
    assert (counts.p_value or 0.0) >= (rows.p_value or 0.0) * (1 - 1e-9)


@given(VALUES, VALUES)
def test_what_is_made_of_counts_and_moments_is_as_from_rows(then: list[float], now: list[float]) -> None:
    counts, rows = both(then, now)
    for metric in ("psi", "psi_fine", "kl_divergence", "js_distance", "mean_shift", "std_shift"):
        ours, theirs = counts.effects[metric].value, rows.effects[metric].value
        assert ours == (None if theirs is None else pytest.approx(theirs, rel=1e-9, abs=1e-7)), metric


def test_a_shift_of_everything_is_measured_to_the_last_bit_of_its_sums() -> None:
    reference = np.linspace(0, 1, 10_001)
    counts, rows = both(reference.tolist(), (reference + 0.5).tolist())
    wasserstein = counts.effects["wasserstein_normed"].value
    assert wasserstein == pytest.approx(0.5 / reference.std(), rel=1e-9)
    assert counts.effects["ks"].value == pytest.approx(rows.effects["ks"].value, abs=0.02)
    assert most(counts, "ks") < 0.53


def test_what_is_infinite_is_counted_and_in_no_sum() -> None:
    reference = np.linspace(0, 1, 101)
    counts, _ = both(reference.tolist(), [0.5, inf, -inf, 0.5])
    assert counts.effects["mean_shift"].note == "2 infinite values left out"
    assert counts.effects["mean_shift"].value == pytest.approx(0.0, abs=1e-12)
