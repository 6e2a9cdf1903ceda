"""The list of monitors is searched, filtered and sorted by its address alone."""

from __future__ import annotations

import re

import pytest

from hindsight.reports.overview import Wanted, overview
from hindsight.reports.pages import Labels, Link, MonitorCard
from hindsight.vocabulary.severity import Severity
from tests.builders import a_window, at
from tests.reports.pages import EVIL, Page


def cards() -> list[MonitorCard]:
    return [
        MonitorCard(
            "credit",
            "x/credit",
            "active",
            "critical",
            "who gets a loan",
            "risk",
            "binary",
            "high",
            a_window("2026-09-03"),
            {Severity.P0: 1},
            worst=Link("accuracy_drop", "monitors/credit/cases/ab"),
            since=at("2026-09-01"),
            labels=Labels(at("2026-09-01"), 2, "2 windows late"),
        ),
        MonitorCard(
            "fraud", "x/fraud", "active", "healthy", "stolen cards", "risk", last_window=a_window("2026-09-02")
        ),
        MonitorCard("churn", "x/churn", "active", "healthy", "", "growth", criticality="low", tags=("eu", "retail")),
    ]


def order(**wanted: str) -> list[str]:
    page = overview(cards(), Wanted(**wanted))
    return re.findall(r'<a href="x/(\w+)"', page)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["credit", "churn", "fraud"]),
        ({"q": "LOAN risk"}, ["credit"]),
        ({"q": "nothing like it"}, []),
        ({"owner": "growth"}, ["churn"]),
        ({"criticality": "high"}, ["credit"]),
        ({"tag": "eu"}, ["churn"]),
        ({"tag": "e"}, []),
        ({"q": "retail"}, ["churn"]),
        ({"health": "healthy", "owner": "risk"}, ["fraud"]),
        ({"sort": "name"}, ["churn", "credit", "fraud"]),
        ({"sort": "window"}, ["churn", "fraud", "credit"]),
        ({"sort": "labels"}, ["credit", "churn", "fraud"]),
        ({"sort": "owner"}, ["churn", "credit", "fraud"]),
        ({"sort": "criticality"}, ["credit", "fraud", "churn"]),
        ({"sort": "no such"}, ["credit", "churn", "fraud"]),
    ],
)
def test_the_address_says_what_is_shown_in_which_order(wanted: dict[str, str], found: list[str]) -> None:
    assert order(**wanted) == found


def test_nothing_found_is_said_with_the_way_back() -> None:
    page = overview(cards(), Wanted(q="nothing like it"))
    assert "3 watched, 0 of them shown" in page
    assert "None of these is what you look for" in page


def test_a_row_says_the_worst_incident_and_how_late_labels_are() -> None:
    text = Page(overview(cards())).text
    for words in ("1 P0", "accuracy_drop", "since 2026-09-01", "2 windows late"):
        assert words in text


def test_sorting_keeps_what_was_searched_and_filtered() -> None:
    page = Page(overview(cards(), Wanted(q="a loan", owner="risk")))
    assert ("href", "?q=a+loan&owner=risk&sort=name") in page.attributes


def test_hostile_words_of_an_address_and_of_files_stay_text() -> None:
    hostile = MonitorCard(
        "evil", "monitors/evil", "active", description=EVIL, owner=EVIL, worst=Link(EVIL, "x"), since=at("2026-09-01")
    )
    page = Page(overview([hostile], Wanted(**dict.fromkeys(Wanted.__slots__, EVIL))))
    assert (page.tags.count("script"), page.tags.count("img")) == (1, 0)  # that of light and dark
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    page = Page(overview([hostile]))
    assert (page.tags.count("script"), page.tags.count("img")) == (1, 0)  # that of light and dark
    assert ("value", EVIL) in page.attributes


def test_a_tag_leads_to_the_monitors_that_have_it() -> None:
    page = Page(overview(cards(), Wanted(owner="growth")))
    assert ("href", "?owner=growth&tag=retail") in page.attributes
    assert 'name="tag"' in overview(cards())
    assert 'name="tag"' not in overview(cards()[:2])
