"""Frozen bins and profiles: nothing that moves is hidden, and hours add up to the day."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hindsight.checks.reference.profile import (
    Profile,
    category_profile,
    coarse,
    measurements,
    moments,
    numeric_profile,
)
from hindsight.checks.values.bins import CategoryBins, NumericBins, decile_bins, linear, percentile_bins, top_bins
from hindsight.checks.values.categories import Frequencies, encode
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.samples import Numbers

GENERATOR = np.random.default_rng(7)
REFERENCE = np.sort(np.concatenate((np.zeros(500), GENERATOR.exponential(size=500))))
SHARES = st.floats(0, 1)
values = arrays(np.float64, st.integers(0, 60), elements=st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(0.0))


def profile_of(raw: np.ndarray, bins: NumericBins) -> Profile:
    numbers = Numbers.of(raw.copy())
    return numeric_profile(bins, numbers.values.values, numbers.nulls)


def texts_of(*texts: str | None) -> Frequencies:
    categories = encode(pa.array(texts))
    return Frequencies.of(categories.texts, categories.counts())


def test_percentiles_are_edges_and_a_point_mass_has_a_bin_of_its_own() -> None:
    bins = percentile_bins(REFERENCE)
    place = bins.labels.index("=0")
    assert bins.labels[place - 1] == "(-inf,0)"
    assert bins.labels[place + 1].startswith("(0,")
    assert bins.labels[-2].endswith(",inf)")
    assert bins.labels[-1] == "<null>"
    counts = bins.counts(Distribution(REFERENCE), 3)
    assert counts[place] == 500
    assert counts.sum() == 1003
    assert np.ptp(counts[place + 3 : -2]) <= 2  # about a hundredth of the rows each


def test_each_value_of_a_few_valued_column_has_a_bin() -> None:
    bins = percentile_bins(np.repeat([1.0, 2.0, 2.5], 10))
    assert bins.labels == ("(-inf,1)", "=1", "(1,2)", "=2", "(2,2.5)", "=2.5", "(2.5,inf)", "<null>")


def test_a_column_without_values_or_with_huge_ones_still_has_bins() -> None:
    assert percentile_bins(np.zeros(0)).labels == ("(-inf,inf)", "<null>")
    assert decile_bins(np.zeros(0)).labels == ("(-inf,inf)", "<null>")
    huge = np.sort(np.append(np.linspace(-1, 1, 50), [-1.7e308, 1.7e308]))
    assert np.isfinite(percentile_bins(huge).edges).all()


def test_deciles_are_distinct_and_closed_on_the_left() -> None:
    bins = decile_bins(np.arange(11.0))
    assert bins.edges.tolist() == list(range(1, 10))
    assert bins.counts(Distribution(np.array([1.0])), 0).tolist() == [0, 1, *[0] * 8, 0]
    assert decile_bins(np.ones(100)).labels == ("(-inf,1)", "[1,inf)", "<null>")


def test_a_decile_between_two_values_begins_its_bin_at_numpys_own_number() -> None:
    generator = np.random.default_rng(11)
    for decimals in (2, 4, 6):
        seen = np.sort(np.round(generator.exponential(size=137), decimals))
        deciles = np.quantile(seen, np.arange(1, 10) / 10)
        between = [d for d in deciles if not np.isclose(seen, d, rtol=1e-12, atol=0).any()]
        assert len(between) >= 3
        borders = decile_bins(seen).borders
        assert all(np.isin([d, np.nextafter(d, 0)], borders).any() for d in between)


def test_a_value_that_is_numpys_decile_to_the_last_bit_lies_at_or_above_it() -> None:
    bins = decile_bins(np.repeat([0.1, 0.23939, 0.23949, 0.9], [3, 3, 2, 2]))
    (decile,) = np.quantile(np.repeat([0.1, 0.23939, 0.23949, 0.9], [3, 3, 2, 2]), [0.6])
    assert bins.counts(Distribution(np.array([decile])), 0).sum() == 1
    assert bins.borders.searchsorted(decile, side="right") > bins.borders.searchsorted(0.23939, side="right")


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e300, 1e300)), arrays(float, 9, elements=SHARES))
def test_quantiles_of_ascending_values_are_numpys_to_the_last_bit(raw: np.ndarray, shares: np.ndarray) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.array_equal(linear(np.sort(raw), shares), np.quantile(raw, shares), equal_nan=True)


def test_the_fifty_most_frequent_texts_have_bins_and_the_rest_shares_one() -> None:
    frequencies = texts_of(*(f"t{i:02}" for i in range(60) for _ in range(i + 1)), None)
    bins = top_bins(frequencies)
    assert bins.texts[0] == "t59"
    assert len(bins.texts) == 50
    assert bins.counts(frequencies, 1)[-2:].tolist() == [sum(range(1, 11)), 1]


def test_equal_counts_are_ordered_by_text() -> None:
    assert texts_of("b", "a", "c", "c").texts == ("c", "a", "b")


@given(arrays(np.float64, st.tuples(st.just(24), st.integers(0, 30)), elements=st.floats(-1e3, 1e3)))
def test_twenty_four_hours_are_one_day(hours: np.ndarray) -> None:
    bins = percentile_bins(REFERENCE)
    total = sum((profile_of(hour, bins) for hour in hours[1:]), start=profile_of(hours[0], bins))
    day = profile_of(hours.ravel(), bins)
    assert total.counts.tolist() == day.counts.tolist()
    assert total.range == day.range
    assert total.sums == pytest.approx(day.sums, rel=1e-12, abs=1e-9)
    assert total.moments is not None
    assert day.moments is not None
    assert total.moments.n == day.moments.n
    assert total.moments.mean == pytest.approx(day.moments.mean, rel=1e-9, abs=1e-9)
    assert total.moments.std == pytest.approx(day.moments.std, rel=1e-6, abs=1e-6)


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(raw: np.ndarray, random: object) -> None:
    bins = percentile_bins(REFERENCE)
    turned = raw.copy()
    random.shuffle(turned)  # type: ignore[attr-defined]
    once, again = profile_of(raw, bins), profile_of(turned, bins)
    assert once.counts.tolist() == again.counts.tolist()
    assert once.moments == again.moments
    assert once.n == len(raw)


def test_profiles_over_different_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="different baselines"):
        category_profile(CategoryBins(("a",)), texts_of("a"), 0) + category_profile(CategoryBins(("b",)), texts_of(), 0)


def test_texts_add_up() -> None:
    bins = CategoryBins(("a",))
    total = category_profile(bins, texts_of("a", "x"), 1) + category_profile(bins, texts_of("a"), 0)
    assert dict(zip(total.labels, total.counts.tolist(), strict=True)) == {"a": 2, "<other>": 1, "<null>": 1}


@given(arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e6, 1e6)))
def test_moments_are_numpys(raw: np.ndarray) -> None:
    found = moments(np.sort(raw))
    assert found.mean == pytest.approx(raw.mean(), rel=1e-9, abs=1e-9)
    assert found.std == pytest.approx(raw.std(), rel=1e-6, abs=1e-8)


def test_a_constant_column_has_no_spread_whatever_rounding_leaves() -> None:
    assert moments(np.full(12_000, 0.003467)).std == 0
    assert moments(np.full(12_000, 0.1 + 0.2)).std == 0


def test_a_profile_is_written_without_infinities() -> None:
    bins = percentile_bins(REFERENCE)
    window = profile_of(np.array([np.inf, -np.inf, 1.7e308, 1.7e308, np.nan, 1.0]), bins)
    rows = measurements(window, profile_of(REFERENCE, bins), "amount", model_version="v1")
    assert all(row.value is None or np.isfinite(row.value) for row in rows)
    found = {(row.metric, row.bin): row for row in rows}
    assert found["n", ""].value == 6
    assert found["bin_count", "<null>"].value == 1
    assert found["bin_count", "=0"].reference == 500
    assert found["max", ""].value == 1.7e308
    assert found["sum_squares", ""].value is None
    assert found["sum_squares", ""].note == "too large for a double"
    assert {row.model_version for row in rows} == {"v1"}


def test_the_written_sum_of_squares_is_that_of_the_values() -> None:
    bins = percentile_bins(REFERENCE)
    rows = measurements(profile_of(np.array([1.0, 2.0, 3.0]), bins), profile_of(REFERENCE, bins), "amount")
    assert {row.metric: row.value for row in rows}["sum_squares"] == pytest.approx(14)
    assert sum(row.value or 0 for row in rows if row.metric == "bin_sum") == 6


def test_the_range_of_no_values_is_not_evaluated() -> None:
    bins = percentile_bins(REFERENCE)
    rows = measurements(profile_of(np.array([np.nan]), bins), profile_of(REFERENCE, bins), "amount")
    assert {row.note for row in rows if row.metric in ("min", "max", "sum_squares")} == {"no finite value"}


def test_a_coarse_profile_of_numbers_joins_bins_until_each_holds_a_tenth_of_the_reference() -> None:
    reference = np.concatenate([np.arange(900.0), np.full(300, 7.0)])
    bins = percentile_bins(np.sort(reference))
    window, known = coarse(profile_of(reference[:100], bins), profile_of(reference, bins))
    assert known.labels[-1] == window.labels[-1] == "<null>"
    assert (known.counts[:-1] >= 114).all()
    assert "=7" in "".join(known.labels) or known.counts.max() >= 300
    assert known.labels[0].startswith("(-inf,")
    assert known.labels[-2].endswith(",inf)")
    assert known.moments is None
    assert known.range is None


def test_a_coarse_profile_of_texts_keeps_the_ten_most_frequent() -> None:
    texts = [f"t{k:02d}" for k in range(15) for _ in range(20 - k)]
    bins = top_bins(texts_of(*texts))
    profile = category_profile(bins, texts_of("t00", "t14", "new"), 2)
    found, known = coarse(profile, category_profile(bins, texts_of(*texts), 0))
    assert found.labels == (*(f"t{k:02d}" for k in range(10)), "<other>", "<null>")
    assert found.counts.tolist() == [1, *[0] * 9, 2, 2]
    assert known.counts[-2] == sum(20 - k for k in range(10, 15))


@given(arrays(float, st.integers(1, 60), elements=st.floats(-5, 5)), st.data())
def test_coarse_profiles_lose_no_row_and_add_up(raw: np.ndarray, data: st.DataObject) -> None:
    bins, cut = percentile_bins(np.sort(raw)), data.draw(st.integers(0, len(raw)))
    known = profile_of(raw, bins)
    one, two = profile_of(raw[:cut], bins), profile_of(raw[cut:], bins)
    whole = coarse(one + two, known)[0]
    parts = coarse(one, known)[0] + coarse(two, known)[0]
    assert whole.labels == parts.labels
    assert whole.counts.tolist() == parts.counts.tolist()
    assert whole.n == len(raw)
    assert whole.sums is not None
    assert whole.sums.sum() == pytest.approx(raw.sum(), abs=1e-9)
