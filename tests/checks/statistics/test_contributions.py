"""What each part adds to a change adds up to it, and is what one finds by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.statistics.contributions import Part, contributions, counts, distances

means, rows = st.floats(-1e3, 1e3), st.integers(1, 10_000)


def test_of_a_change_in_one_part_that_part_explains_all() -> None:
    found = contributions([Part("EU", 0.5, 100, 0.9, 100), Part("US", 0.9, 300, 0.9, 300)])
    assert [(one.part.name, one.share) for one in found] == [("EU", pytest.approx(1)), ("US", pytest.approx(0))]
    assert found[0].effect == pytest.approx(-0.1)


def test_a_worse_part_that_grew_explains_a_change_in_which_no_part_changed() -> None:
    found = contributions([Part("EU", 0.6, 300, 0.6, 100), Part("US", 0.9, 100, 0.9, 300)])
    # from 0.825 to 0.675; EU: half of all rows more, 0.225 under the mean; US: half fewer, 0.075 over it
    assert [(one.part.name, one.effect) for one in found] == [
        ("EU", pytest.approx(-0.1125)),
        ("US", pytest.approx(-0.0375)),
    ]
    assert sum(one.share or 0 for one in found) == pytest.approx(1)


def test_a_new_part_is_compared_with_the_mean_before_and_one_that_went_counts() -> None:
    found = contributions([Part("v1", 0.0, 0, 0.8, 100), Part("v2", 0.6, 100, None, 0)])
    assert {one.part.name: one.effect for one in found} == {"v1": pytest.approx(0), "v2": pytest.approx(-0.2)}


def test_without_a_change_or_rows_before_there_are_no_shares() -> None:
    assert [one.share for one in contributions([Part("a", 1, 5, 1, 5), Part("b", 1, 5, 1, 5)])] == [None, None]
    assert [one.share for one in contributions([Part("a", 1, 5, None, 0)])] == [None]
    assert contributions([]) == []


@given(st.lists(st.tuples(means, rows, means, rows), min_size=1, max_size=12))
def test_the_effects_add_up_to_the_change_of_the_mean(parts: list[tuple[float, int, float, int]]) -> None:
    found = contributions([Part(str(i), *one) for i, one in enumerate(parts)])
    now = sum(value * n for value, n, _, _ in parts) / sum(n for _, n, _, _ in parts)
    before = sum(value * n for _, _, value, n in parts) / sum(n for _, _, _, n in parts)
    assert sum(one.effect for one in found) == pytest.approx(now - before, abs=1e-6)


def test_a_percentile_is_weighed_by_rows_and_a_count_by_itself() -> None:
    parts = [Part("EU", 900, 100, 50, 100), Part("US", 50, 100, 50, 100), Part("new", 50, 100, None, 0)]
    assert [(one.part.name, one.share) for one in distances(parts)] == [("EU", 1.0), ("US", 0.0)]
    lost = counts([Part("EU", 0, 0, 100, 100), Part("US", 100, 100, 100, 100)])
    assert [(one.part.name, one.effect, one.share) for one in lost] == [("EU", -100, 1.0), ("US", 0, 0.0)]
