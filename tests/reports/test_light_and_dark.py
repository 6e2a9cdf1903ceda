"""Every page in Chromium, at its address and under its policy, is light or dark as was chosen in Airflow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hindsight.reports.case import Findings
from hindsight.reports.compare import CompareView, compare_page
from hindsight.reports.executive import Model, Trend, executive_page, sparkline
from hindsight.reports.on_call import on_call_page
from hindsight.reports.overview import overview
from hindsight.reports.pages import ANSWERING, FOLLOWING, CaseView, Link, MonitorCard, case_page
from hindsight.reports.review import review_page
from hindsight.reports.rows import RowsView, rows_page
from hindsight.vocabulary.severity import Severity
from tests.builders import at
from tests.reports.browser import CHROMIUM, Tab, open_page, serving
from tests.reports.pages import EVIL
from tests.reports.test_review_page import a_view

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
NOW, CASE = at("2026-09-20"), "monitors/credit/cases/ab12"
TREND = Trend(EVIL, "", "0.72", "0.9", "20 % below", "", sparkline([(NOW, 0.7)], 0.9, EVIL))
PAGES = {
    "": (overview([MonitorCard("credit", "monitors/credit", "active", description=EVIL)]), ANSWERING),
    "on-call": (on_call_page([], [], NOW), FOLLOWING),
    "executive": (executive_page([Model(Link(EVIL, "monitors/credit"), "active", quality=TREND)], 0, NOW), FOLLOWING),
    "review": (review_page(a_view(EVIL)), FOLLOWING),
    "monitors/credit/review": (review_page(a_view("credit")), FOLLOWING),
    CASE: (case_page(CaseView("credit", "ab12", EVIL, Severity.P0, NOW, (), findings=Findings())), ANSWERING),
    "monitors/credit/compare": (compare_page(CompareView("credit", NOW, NOW, "", EVIL)), ANSWERING),
    f"{CASE}/rows": (rows_page(RowsView("credit", "ab12", NOW, EVIL)), FOLLOWING),
}
PAPER = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(20, 23, 26)", "rgb(251, 251, 250)"


def choose(tab: Tab, theme: str) -> str:
    """Choose as Airflow does, in another frame, and return the colour of the page."""
    tab.run(f"localStorage.setItem('theme', '{theme}'); dispatchEvent(new Event('storage'))")
    return str(tab.run(PAPER))


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with open_page(PAGES[""][0], tmp_path_factory.mktemp("chromium"), width=390) as opened:
        yield opened


@pytest.mark.parametrize("path", PAGES)
def test_a_page_follows_what_is_chosen_in_airflow(path: str, tab: Tab) -> None:
    html, policy = PAGES[path]
    tab.complaints.clear()
    with serving(html, policy) as port:
        tab.open(port, path)
        assert tab.run(PAPER) == LIGHT
        assert [choose(tab, theme) for theme in ("dark", "light", "system")] == [DARK, LIGHT, LIGHT]
        assert tab.run("document.documentElement.scrollWidth <= innerWidth")
        assert tab.complaints == []
