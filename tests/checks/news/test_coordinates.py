"""A profile in a few numbers: robust, bounded, and known by hand."""

from __future__ import annotations

from math import asin, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from hindsight.checks.news.coordinates import MARK, coordinates
from hindsight.checks.values.categories import NULL, OTHER
from hindsight.vocabulary.measurement import Measurement

BINS = ("(-inf,1)", "[1,2)", "=2", "(2,inf)")


def numeric(counts: list[int], nulls: int = 0, known: tuple[int, ...] = (25, 25, 25, 25)) -> list[Measurement]:
    n = sum(counts) + nulls
    pairs = zip((*BINS, NULL), (*counts, nulls), (*known, 0), strict=True)
    rows = [
        Measurement("bin_count", float(now), n, feature="x", bin=b, reference=float(then)) for b, now, then in pairs
    ]
    return [*reversed(rows), Measurement("bin_sum", 2.0 * sum(counts), n, feature="x", bin=BINS[0], reference=0.0)]


def value(rows: list[Measurement], name: str, feature: str = "x") -> float:
    return coordinates(rows)["", feature, name].value


def test_the_location_is_the_mean_normal_score_of_the_bins() -> None:
    scores = [float(ndtri(rank)) for rank in (0.125, 0.375, 0.625, 0.875)]
    assert value(numeric([10, 20, 30, 40]), "location") == pytest.approx(
        (10 * scores[0] + 20 * scores[1] + 30 * scores[2] + 40 * scores[3]) / 100
    )
    assert value(numeric([25, 25, 25, 25]), "location") == pytest.approx(0)


def test_bins_are_ordered_by_where_they_begin_whatever_order_they_come_in() -> None:
    assert value(numeric([100, 0, 0, 0]), "location") < value(numeric([0, 100, 0, 0]), "location")
    assert value(numeric([0, 0, 100, 0]), "location") < value(numeric([0, 0, 0, 100]), "location")


def test_shares_are_arcsines_of_their_roots() -> None:
    rows = numeric([40, 20, 10, 10], nulls=20)
    assert value(rows, "null") == pytest.approx(asin(sqrt(0.2)))
    assert value(rows, "peak") == pytest.approx(asin(sqrt(0.5)))
    assert coordinates(rows)["", "x", "null"].variance == pytest.approx(1 / 400)


def test_rows_are_counted_by_their_logarithm_and_the_mean_is_in_units_of_the_column() -> None:
    assert value(numeric([10, 20, 30, 40]), "rows", "") == pytest.approx(log(100))
    assert value(numeric([10, 20, 30, 40]), "mean") == pytest.approx(2.0)


def test_texts_have_the_share_of_each_frequent_category_and_of_all_others() -> None:
    counts = {f"c{k}": (10, 100 - k) for k in range(10)} | {OTHER: (5, 1), NULL: (0, 0)}
    rows = [
        Measurement("bin_count", float(now), 105, feature="t", bin=b, reference=float(then))
        for b, (now, then) in counts.items()
    ]
    found = {name for _, feature, name in coordinates(rows) if feature == "t"}
    assert found == {*(f"=c{k}" for k in range(8)), OTHER, "null", "peak"}
    assert value(rows, OTHER, "t") == pytest.approx(asin(sqrt(25 / 105)))


def test_the_reference_that_scores_are_those_of_is_marked() -> None:
    one, same = (coordinates(numeric(counts))[MARK] for counts in ([10, 20, 30, 40], [1, 2, 3, 4]))
    assert one == same
    assert coordinates(numeric([10, 20, 30, 40], known=(25, 25, 25, 26)))[MARK] != one


def test_versions_are_left_out_and_a_window_without_rows_has_no_coordinates() -> None:
    assert coordinates([Measurement("bin_count", 3.0, 3, model_version="2", feature="x", bin=BINS[0])]) == {}
    assert coordinates([]) == {}


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4), st.integers(0, 50))
def test_every_number_is_bounded_whatever_the_rows_hold(counts: list[int], nulls: int) -> None:
    found = coordinates(numeric(counts, nulls)) if sum(counts) + nulls else {}
    bounded = {key: one for key, one in found.items() if key[2] not in ("rows", "mean", "reference")}
    assert all(abs(one.value) < 4 and one.variance > 0 for one in bounded.values())
