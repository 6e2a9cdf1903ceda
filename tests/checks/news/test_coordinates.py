"""A profile in a few numbers: robust, known by hand, and moved by nothing but what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, asinh, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from hindsight.checks.news.coordinates import FAR, SOFT, coordinates, marked
from hindsight.checks.news.numbers import part
from hindsight.checks.reference.profile import coarse, measurements, numeric_profile
from hindsight.checks.values.bins import percentile_bins
from hindsight.checks.values.categories import NULL, OTHER
from hindsight.vocabulary.measurement import Measurement

BINS = ("(-inf,1)", "[1,2)", "=2", "(2,inf)")
NORMAL = np.sort(np.random.default_rng(0).normal(0, 1, 20_000))
FROZEN = percentile_bins(NORMAL)


def numeric(counts: list[int], nulls: int = 0, known: tuple[int, ...] = (25, 25, 25, 25)) -> list[Measurement]:
    n = sum(counts) + nulls
    pairs = zip((*BINS, NULL), (*counts, nulls), (*known, 0), strict=True)
    rows = [
        Measurement("bin_count", float(now), n, feature="x", bin=b, reference=float(then)) for b, now, then in pairs
    ]
    return [*reversed(rows), Measurement("bin_sum", 2.0 * sum(counts), n, feature="x", bin=BINS[0], reference=0.0)]


def measured(values: Sequence[float] | np.ndarray, nulls: int = 0) -> list[Measurement]:
    """The profile of these values in the bins of a standard normal reference."""
    reference = numeric_profile(FROZEN, NORMAL, 0)
    return measurements(numeric_profile(FROZEN, np.sort(np.asarray(values, float)), nulls), reference, "x")


def value(rows: list[Measurement], name: str, feature: str = "x") -> float:
    return coordinates(rows)["", feature, name].value


def drawn(seed: int, n: int = 2000) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, n)


def test_the_location_is_the_mean_normal_score_of_the_bins() -> None:
    scores = [float(ndtri(rank)) for rank in (0.125, 0.375, 0.625, 0.875)]
    assert value(numeric([10, 20, 30, 40]), "location") == pytest.approx(
        (10 * scores[0] + 20 * scores[1] + 30 * scores[2] + 40 * scores[3]) / 100
    )
    assert value(numeric([25, 25, 25, 25]), "location") == pytest.approx(0)


def test_bins_are_ordered_by_where_they_begin_whatever_order_they_come_in() -> None:
    assert value(numeric([100, 0, 0, 0]), "location") < value(numeric([0, 100, 0, 0]), "location")
    assert value(numeric([0, 0, 100, 0]), "location") < value(numeric([0, 0, 0, 100]), "location")


def test_the_spread_is_about_the_window_s_own_location() -> None:
    assert value(numeric([0, 0, 0, 100]), "spread") == pytest.approx(0)
    assert value(numeric([50, 0, 0, 50]), "spread") == pytest.approx(float(ndtri(0.875)))


def test_shares_are_arcsines_of_their_roots() -> None:
    rows = numeric([40, 10, 20, 10], nulls=20)
    assert value(rows, "null") == pytest.approx(asin(sqrt(0.2)))
    assert value(rows, "peak") == pytest.approx(asin(sqrt(20 / 80)))  # of the bin of a single value
    assert coordinates(rows)["", "x", "null"].variance == pytest.approx(1 / 400)


def test_a_value_that_sticks_is_a_peak_and_a_level_that_moved_is_none() -> None:
    stuck = np.where(np.random.default_rng(1).random(2000) < 0.3, 0.123456, drawn(2))
    assert value(measured(stuck), "peak") == pytest.approx(asin(sqrt(0.3)), abs=0.04)
    assert value(measured(drawn(2) + 1.5), "peak") < asin(sqrt(0.05))


@pytest.mark.parametrize("shift", [0.3, 2.0, 6.0])
def test_the_middle_follows_a_level_beyond_the_bins_of_the_reference(shift: float) -> None:
    found = SOFT * np.sinh(value(measured(drawn(3) + shift), "middle") / SOFT)
    # bins outside are one: their mean stands for all of their rows
    assert found == pytest.approx(shift, abs=0.15, rel=0.2)


def test_rows_far_from_the_window_s_own_middle_are_low_or_high_and_tilt_it() -> None:
    rows = drawn(4)
    rows[:100] = -999
    found = measured(rows)
    assert value(found, "low") == pytest.approx(asin(sqrt(100 / 2000)), abs=0.1)
    assert value(found, "high") == 0
    assert value(found, "tilt") == pytest.approx(asinh(-999 * 0.05), abs=0.1)
    assert abs(value(found, "middle")) < 0.25, "a twentieth of the rows does not move the middle"
    assert value(measured(drawn(4) + FAR + 1), "high") == 0, "a whole window that moved is far from nothing of its own"


def test_a_bin_does_not_turn_far_at_once_the_last_tenth_of_a_skewed_column_lies_on_the_border() -> None:
    def last_tenth_at(deviations: float) -> list[Measurement]:
        bins = percentile_bins(NORMAL)
        reference = numeric_profile(bins, NORMAL, 0)
        rows = drawn(6)
        rows[rows > np.quantile(rows, 0.9)] = deviations
        return measurements(*coarse(numeric_profile(bins, np.sort(rows), 0), reference), "x")

    shares = [value(last_tenth_at(far), "high") for far in np.linspace(FAR / 2, 3 * FAR, 400)]
    assert np.diff(shares).max() < 0.1, "a tenth of the rows at once would be 0.32"
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(asin(sqrt(0.1)), abs=0.02)


def test_rows_are_counted_by_their_logarithm_and_the_mean_is_in_units_of_the_column() -> None:
    assert value(numeric([10, 20, 30, 40]), "rows", "") == pytest.approx(log(100))
    assert value(numeric([10, 20, 30, 40]), "mean") == pytest.approx(2.0)


def test_texts_have_the_share_of_each_frequent_category_and_of_what_the_reference_never_had() -> None:
    counts = {f"c{k}": (10, 100 - k) for k in range(10)} | {OTHER: (5, 1), NULL: (0, 0)}
    rows = [
        Measurement("bin_count", float(now), 105, feature="t", bin=b, reference=float(then))
        for b, (now, then) in counts.items()
    ]
    found = {name for _, feature, name in coordinates(rows) if feature == "t"}
    assert found == {*(f"=c{k}" for k in range(6)), OTHER, "null"}
    assert value(rows, OTHER, "t") == pytest.approx(asin(sqrt(5 / 105)))


def test_the_reference_that_scores_are_those_of_is_marked() -> None:
    one, same = (marked(numeric(counts))[1]["", "x"] for counts in ([10, 20, 30, 40], [1, 2, 3, 4]))
    assert one == same
    assert marked(numeric([10, 20, 30, 40], known=(25, 25, 25, 26)))[1]["", "x"] != one


def test_versions_are_left_out_and_a_window_without_rows_has_no_coordinates() -> None:
    assert coordinates([Measurement("bin_count", 3.0, 3, model_version="2", feature="x", bin=BINS[0])]) == {}
    assert coordinates([]) == {}


def test_sums_too_large_for_a_double_leave_out_what_needs_them() -> None:
    found = {name for _, _, name in coordinates(measured([1e308, 1e308, 0.0]))}
    assert {"location", "spread", "null"} <= found
    assert "middle" not in found


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4), st.integers(0, 50))
def test_every_number_of_bins_is_bounded_whatever_the_rows_hold(counts: list[int], nulls: int) -> None:
    found = coordinates(numeric(counts, nulls)) if sum(counts) + nulls else {}
    of_values = ("rows", "mean", "middle", "tilt")
    bounded = {key: one for key, one in found.items() if key[2] not in of_values}
    assert all(abs(one.value) < 4 and one.variance > 0 for one in bounded.values())


@given(st.floats(0.01, 100), st.floats(-1000, 1000))
def test_the_units_of_a_column_do_not_matter(scale: float, offset: float) -> None:
    rows, reference = drawn(5, 300) + 0.5, NORMAL[::20]
    one, other = (
        coordinates(
            measurements(
                numeric_profile(percentile_bins(r * a + b), np.sort(v * a + b), 3),
                numeric_profile(percentile_bins(r * a + b), r * a + b, 0),
                "x",
            )
        )
        for a, b, r, v in ((1.0, 0.0, reference, rows), (scale, offset, reference, rows))
    )
    for name in ("location", "spread", "middle", "tilt", "low", "high", "null"):
        assert other["", "x", name].value == pytest.approx(one["", "x", name].value, abs=0.02), name


@pytest.mark.parametrize("size", [1e100, 1e200, 1e308])
def test_numbers_of_any_size_have_coordinates_that_can_be_kept(size: float) -> None:
    found = coordinates(measured([*drawn(1), size]))
    assert all(np.isfinite((one.value, one.variance)).all() for one in found.values())
    kept = part({(feature, name, 0): one for (_, feature, name), one in found.items()}, 2001)
    assert np.isfinite(kept.values).all()
    assert np.isfinite(kept.variances).all()
