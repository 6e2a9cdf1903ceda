"""Peaks: each window of the reference held against the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.reference.peaks import (
    NEW,
    OUTSIDE,
    REPEATED,
    STILL,
    Peaks,
    is_returning,
    number_peaks,
    text_peaks,
)
from hindsight.checks.values.categories import encode

FOUR = np.repeat(np.arange(4), 10)


def test_a_value_that_fills_half_of_one_window_alone_is_a_burst_of_a_half() -> None:
    values = np.arange(40, dtype=float)
    values[10:15] = 12.0
    assert number_peaks("lines", values, FOUR)[REPEATED, "lines"] == 0.5


def test_a_value_that_is_frequent_everywhere_is_no_burst() -> None:
    assert (REPEATED, "kind") not in number_peaks("kind", np.tile([0.0, 1.0], 20), FOUR)


def test_what_lies_a_tenth_beyond_the_range_of_all_other_windows_is_outside() -> None:
    values = np.tile(np.linspace(0, 10, 10), 4)
    values[37:] = (10.9, 11.1, -1.1)  # of the others 0 to 10, widened by 1
    assert number_peaks("t", values, FOUR)[OUTSIDE, "t"] == 0.2


def test_a_window_of_one_value_is_still() -> None:
    values = np.arange(40, dtype=float)
    assert (STILL, "t") not in number_peaks("t", values, FOUR)
    values[20:30] = 0.0
    assert number_peaks("t", values, FOUR)[STILL, "t"] == 1.0


def test_texts_that_one_window_alone_has_are_new_there_and_blanks_are_nulls() -> None:
    texts = pa.array((["a"] * 8 + ["b", "b"]) * 3 + ["a"] * 5 + ["c", "d", "", " ", None])
    peaks = text_peaks("region", encode(texts), FOUR)
    assert peaks[NEW, "region"] == 2 / 7
    assert (REPEATED, "region") not in peaks  # c and d are one row each


@pytest.mark.parametrize(
    ("texts", "comes_back"),
    [
        (["Mon", "Tue", "Mon", "Tue"], True),
        (["Mon", None, "Mon", None], True),
        (["Jan", "Jan", "Jan", "Feb"], False),
        (["Jan", "Jan", None, None], False),
        ([None] * 4, False),
    ],
)
def test_texts_that_both_halves_of_the_reference_have_come_back(texts: list[str | None], comes_back: bool) -> None:
    assert is_returning(encode(pa.array(texts, pa.string())), np.array([0, 0, 1, 1])) == comes_back


def test_one_window_alone_has_nothing_to_be_held_against() -> None:
    assert number_peaks("t", np.ones(9), np.zeros(9, int)) == {}


def test_what_is_not_known_has_no_peak() -> None:
    assert Peaks({(NEW, "region"): 0.2}).of(OUTSIDE, "region") == 0.0


def test_the_few_rows_of_a_quiet_hour_say_little_of_a_busy_one() -> None:
    place = np.concatenate((np.repeat(np.arange(4), 100), [4, 4]))
    texts = encode(pa.array(["a"] * 400 + ["b", "c"]))
    assert text_peaks("region", texts, place)[NEW, "region"] == 2 / 50  # not of 2, but of half of 100 rows
    values = np.concatenate((np.tile(np.arange(100.0), 4), [1e6, 0.0]))
    assert number_peaks("t", values, place)[OUTSIDE, "t"] == 1 / 50


def test_five_rows_of_the_most_frequent_value_are_not_still() -> None:
    place = np.concatenate((np.repeat(np.arange(4), 100), np.full(5, 4)))
    texts = encode(pa.array([*(["a"] * 60 + ["b"] * 40) * 4, *["a"] * 5]))  # as every thirteenth five of them are
    assert (STILL, "kind") not in text_peaks("kind", texts, place)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=60), st.randoms())
def test_shares_lie_within_0_and_1_and_the_order_of_rows_does_not_matter(rows: list[tuple[int, int]], random) -> None:  # type: ignore[no-untyped-def]
    def peaks() -> dict[tuple[str, str], float]:
        values, place = np.array(rows).T
        return number_peaks("t", values.astype(float), place)

    before = peaks()
    random.shuffle(rows)
    assert peaks() == before
    assert all(0 < share <= 1 for share in before.values())
