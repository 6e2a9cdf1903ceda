"""The quadrant of features: who moved far and weighs much lies top right, and nobody is lost unsaid."""

from __future__ import annotations

from math import nan

from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.pages import MonitorCard, MonitorView, monitor_page
from hindsight.reports.quadrant import HEIGHT, MOST, NAMED, WIDTH, Moved, quadrant
from tests.builders import a_window, at
from tests.reports.pages import EVIL, Page


def test_what_moved_far_and_weighs_much_lies_top_right_of_the_rest() -> None:
    found = quadrant([Moved("bad", 1.0, 0.9), Moved("calm", 0.01, 0.9), Moved("light", 1.0, 0.1)])
    assert found is not None
    bad, light, calm = found.dots  # in order of the product
    assert (bad.feature, light.feature, calm.feature) == ("bad", "light", "calm")
    assert bad.y == light.y < found.far < calm.y
    assert light.x < found.middle < bad.x == calm.x
    assert bad.text == "bad: moved 1, weighs 0.9"


def test_where_no_weight_is_known_there_is_none() -> None:
    assert quadrant([]) is None
    assert quadrant([Moved("x", 0.3, 0.0), Moved("y", nan, 1.0)]) is None


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.001, 1e6)), min_size=1, max_size=40))
def test_every_dot_lies_on_the_canvas(found) -> None:
    drawn = quadrant(Moved(f"f{k}", *both) for k, both in enumerate(found))
    assert drawn is not None
    assert all(0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT for dot in drawn.dots)


def test_of_two_thousand_the_gravest_are_named_and_the_rest_is_counted() -> None:
    drawn = quadrant(Moved(f"f{k}", k / 1000, 1.0) for k in range(2000))
    assert drawn is not None
    assert (len(drawn.dots), drawn.hidden) == (MOST, 2000 - MOST)
    assert [dot.name for dot in drawn.dots[: NAMED + 1]] == [*(f"f{1999 - k}" for k in range(NAMED)), ""]


def test_hostile_names_stay_text() -> None:
    def page(name: str) -> Page:
        card = MonitorCard("credit", "credit", "active", last_window=a_window("2026-09-01"))
        return Page(monitor_page(MonitorView(card, at("2026-09-02"), quadrant=quadrant([Moved(name, 1.0, 1.0)]))))

    assert page(EVIL).tags == page("tame").tags
