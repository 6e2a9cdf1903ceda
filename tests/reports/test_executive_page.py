"""The executive's page: totals, the worst first, drawings that hold any number, and no name that becomes markup."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.executive import EDGE, HEIGHT, WIDTH, Budget, Model, Spark, Trend, executive_page, sparkline
from hindsight.reports.pages import Link
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, at
from tests.reports.pages import EVIL, Page

NOW = at("2026-09-20")
SOME = sparkline([(at("2026-09-01"), 0.9), (at("2026-09-02"), 0.8)], 0.9, EVIL)


def a_model(name: str = "credit", **changes: object) -> Model:
    return Model(**({"monitor": Link(name, f"monitors/{name}"), "state": "active"} | changes))  # type: ignore[arg-type]


def test_totals_are_those_of_all_models_and_the_worst_comes_first() -> None:
    calm = a_model("calm", budgets=(Budget("availability", "90 % left"),))
    bad = a_model("bad", open={Severity.P0: 1, Severity.P2: 2}, rows=1500, budgets=(Budget("latency", "spent", True),))
    page = Page(executive_page([calm, bad, a_model("asleep", state="paused")], 4, NOW))
    text = " ".join(page.text.split())
    for words in ("models active21 paused, 4 archived", "1 P0", "2 P2", "1,500", "1 of 2"):
        assert words in text
    assert text.index("bad") < text.index("asleep") < text.index("calm")


def test_what_there_is_none_of_is_said_in_words() -> None:
    text = " ".join(Page(executive_page([a_model(quality=Trend("accuracy", "no labels"))], 0, NOW)).text.split())
    for words in ("no KPI in its file", "no SLO in its file", "nobody owns it", "nothing open", "no labels"):
        assert words in text
    assert "no monitor promises anything" in text
    assert "There is no monitor you may see." in executive_page([], 0, NOW)


def test_nothing_a_file_says_becomes_markup() -> None:
    trend = Trend(EVIL, "", EVIL, EVIL, EVIL, EVIL, SOME)
    model = a_model(EVIL, owner=EVIL, quality=trend, kpis=(trend, Trend(EVIL, EVIL)), budgets=(Budget(EVIL, EVIL),))
    page = Page(executive_page([model], 0, NOW))
    assert "img" not in page.tags
    assert page.tags.count("script") == 1
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert "\u202e" not in page.text


def test_a_spark_is_drawn_as_it_is_computed_by_hand() -> None:
    found = sparkline([(at("2026-09-01"), 0.0), (at("2026-09-02"), 1.0), (at("2026-09-05"), 0.5)], 1.0, "x")
    assert found == Spark("M3 25L32 3L117 14", (117, 14), 3, "x")
    assert sparkline([(at("2026-09-01"), 7.0)], None, "x") == Spark("M60 14", (60, 14), None, "x")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12), st.floats(-1e308, 1e308))
def test_a_spark_stays_on_its_canvas(values: list[float], reference: float) -> None:
    start: datetime = at("2026-09-01")
    found = sparkline([(start + place * DAY, value) for place, value in enumerate(values)], reference, "x")
    assert found.reference is not None
    for point in found.line.removeprefix("M").split("L"):
        x, y = map(int, point.split())
        assert EDGE <= x <= WIDTH - EDGE
        assert EDGE <= y <= HEIGHT - EDGE
    assert EDGE <= found.reference <= HEIGHT - EDGE
