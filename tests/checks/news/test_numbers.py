"""Numbers are read as they were written, and only what is of the same reference lies side by side."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.news.coordinates import Coordinate
from hindsight.checks.news.numbers import Numbers, part, read, table, written

NAMES = st.text("ab=ü\n", max_size=3)
FLOATS = st.floats(-1e6, 1e6, width=32)
PARTS = st.dictionaries(st.tuples(NAMES, NAMES, st.integers(0, 3)), st.tuples(FLOATS, FLOATS), max_size=4)


def numbers(**values: float) -> Numbers:
    return {"": part({(feature, "location", 1): Coordinate(value, 0.5, 9) for feature, value in values.items()}, 9)}


@given(st.dictionaries(NAMES, PARTS, max_size=3))
def test_numbers_are_read_as_they_were_written(
    found: dict[str, dict[tuple[str, str, int], tuple[float, float]]],
) -> None:
    made = {
        name: part({key: Coordinate(*pair, 3) for key, pair in some.items()}, len(some)) for name, some in found.items()
    }
    back = read(written(made))
    assert {name: (one.layout, one.n) for name, one in back.items()} == {
        name: (one.layout, one.n) for name, one in made.items()
    }
    assert all(np.array_equal(back[name].values, one.values) for name, one in made.items())
    assert all(np.array_equal(back[name].variances, one.variances) for name, one in made.items())
    assert written(back) == written(made)


def test_a_table_holds_what_a_window_has_and_is_unknown_where_the_others_lack_it() -> None:
    found = table(numbers(a=1, b=2), [numbers(b=3), {}, numbers(c=4, a=5)])
    assert list(found.keys) == [("", "a", "location"), ("", "b", "location")]
    assert np.array_equal(found.values, [[np.nan, 3], [np.nan, np.nan], [5, np.nan]], equal_nan=True)
    assert np.array_equal(found.noise, [[np.nan, 0.5], [np.nan, np.nan], [0.5, np.nan]], equal_nan=True)


def test_what_is_for_people_only_is_not_in_the_table() -> None:
    one = {"": part({("a", "mean", 1): Coordinate(3.0, 0.0, 9)}, 9)}
    assert table(one, [one]).values.shape == (1, 0)
    assert one[""].value("a", "mean") == 3.0
    assert one[""].value("b", "mean") is None
