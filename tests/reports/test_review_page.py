"""The page of a week: what happened first, the quiet in one line, light with 500 monitors, no name becomes markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.charts import moved
from hindsight.reports.compare import CompareView, Pair, compare_page
from hindsight.reports.review import HEIGHT, MOST, WIDTH, ReviewAsked, ReviewView, bars, review_page
from hindsight.verdicts.review_words import headline, said
from hindsight.verdicts.reviews import Review, review, together
from hindsight.vocabulary.periods import parse_period
from tests.builders import a_monitor, at
from tests.reports.pages import EVIL, Page
from tests.verdicts.test_reviews import KNOWN, MONITOR, WEEK, Known

NOW = at("2026-09-20")
LOUD = review(MONITOR, KNOWN, WEEK)
QUIET = replace(review(a_monitor(), Known(), WEEK), monitor="calm")


def a_view(name: str = "", found: Sequence[Review] = (LOUD, QUIET)) -> ReviewView:
    """The page of these reviews; of one monitor where it is named so."""
    shown = [replace(found[0], monitor=name)] if name else list(found)
    words = [(one, said(one)) for one in shown]
    asked = {"owner": "risk-ml", "owners": ("risk-ml", EVIL)} if not name else {}
    return ReviewView(WEEK, NOW, words, together(shown), headline(shown), name, **asked)  # type: ignore[arg-type]


def text_of(html: str) -> str:
    return " ".join(Page(html).text.split())


def test_what_happened_is_spelt_out_and_the_quiet_are_named() -> None:
    text = text_of(review_page(a_view()))
    for words in (
        "4 alerts, 1 of 3 cases acted on, 1 P2 open",
        "cases acted on1 of 31 expected",
        "budgets burnt too fast1 of 1",
        "retrainings21 promoted, 1 kept their promise",
        "of 3 cases told 1 acted on",
        "Nothing happened 1 monitor calm",
    ):
        assert words in text
    assert text_of(review_page(a_view("credit"))).count("availability: burnt 3 times") == 1


def test_a_week_without_anything_says_so_in_one_line() -> None:
    page = Page(review_page(a_view(found=[QUIET])))
    assert "Nothing happened (1 monitor)" in page.text
    assert "li" not in page.tags
    assert "There is no monitor you may see." in review_page(ReviewView(WEEK, NOW, [], None, "nothing"))


def test_every_day_of_a_month_is_drawn() -> None:
    long = replace(LOUD, alerts=(1, 12) * 15)
    page = review_page(replace(a_view(found=[long]), period=parse_period("2026-09")))
    assert bars(long.alerts) in page


def test_it_leads_to_the_weeks_around_but_to_none_that_is_not_over() -> None:
    now = {name: text_of(review_page(replace(a_view(), as_of=at(name)))) for name in ("2026-09-20", "2026-09-21")}
    assert "← 2026-W36" in now["2026-09-20"]
    assert "2026-W38 →" not in now["2026-09-20"]
    assert "2026-W38 →" in now["2026-09-21"]
    assert "month 2026-08" in now["2026-09-21"]


def test_nothing_a_file_or_a_person_says_becomes_markup() -> None:
    hostile = replace(LOUD, monitor=EVIL, owner=EVIL, labels=EVIL, moved=((EVIL, 2),), kpis=((EVIL, 1.0),))
    for view in (a_view(found=[hostile]), replace(a_view(EVIL, [hostile]), unread=EVIL, owner=EVIL)):
        page = Page(review_page(view))
        assert "img" not in page.tags
        assert page.tags.count("script") == 1
        assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]


def test_with_500_monitors_it_stays_light() -> None:
    many = [replace(LOUD, monitor=f"model_{n:03}") for n in range(500)]
    html = review_page(a_view(found=many))
    assert len(html) < 400_000
    assert f"and {500 - MOST} more" in text_of(html)


def test_what_an_address_asks_is_taken_or_named() -> None:
    assert ReviewAsked.of({"month": "2026-08", "owner": " x "}, NOW).owner == "x"
    assert ReviewAsked.of({"week": "2026-W30"}, NOW).period == parse_period("2026-W30")
    asked = ReviewAsked.of({"week": EVIL}, NOW)
    assert (asked.period.name, "expected a week" in asked.unread) == ("2026-W37", True)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=31))
def test_bars_stay_on_their_canvas_and_the_tallest_is_the_most(counts: list[int]) -> None:
    found = [one.split(" ") for one in bars(counts).split("M")[1:]]
    assert len(found) == len(counts)
    tall = [int(rest.split("v-")[1].split("h")[0]) for _, rest in found]
    assert max(tall) <= HEIGHT
    assert tall[counts.index(max(counts))] == max(tall)
    assert all(0 <= float(x) <= WIDTH for x, _ in found)


@pytest.mark.parametrize(
    ("change", "unit", "words"), [(0.2, "share", "+20 pp"), (-0.2, "share", "-20 pp"), (3.0, "ms", "+3 ms")]
)
def test_a_share_moves_by_percentage_points(change: float, unit: str, words: str) -> None:
    assert moved(change, unit) == words  # type: ignore[arg-type]


def test_the_page_of_two_windows_says_points() -> None:
    pair = Pair("null rate", 0.2, 0.4, 100, 100, unit="share")
    assert "+20 pp" in compare_page(CompareView("credit", NOW, NOW, "", "", [("quality", [pair])]))
