"""The page for whoever looks for a fault: every part in words, hostile names as text, and nothing where is nothing."""

from __future__ import annotations

from datetime import timedelta

from hindsight.reports.debug import (
    Backlog,
    Cell,
    Cohort,
    DebugView,
    Histogram,
    Run,
    Unanswered,
    Unsent,
    debug_page,
)
from hindsight.reports.distribution import Bin, bars
from hindsight.reports.pages import Link
from tests.builders import DAY, a_window, at
from tests.reports.pages import EVIL, Page


def full(name: str = "amount") -> DebugView:
    """A view with something of everything, each text of the outside being this name."""
    link = Link(name, "/dags/monitor__credit")
    return DebugView(
        "credit",
        at("2026-09-11"),
        a_window("2026-09-10"),
        "2 newer windows no night has looked at yet",
        (Backlog(DAY, 2, 200, 90, 91.0), Backlog(7 * DAY, 1, 100, 90), Backlog(None, 6, 600, 540, 0.0)),
        (DAY, 7 * DAY),
        (Cohort(at("2026-09-03"), (Cell(0.2, 0.75), None)),),
        histograms=(Histogram(Link(name, "../credit/feature?feature=x"), 0.31, bars((Bin(name, 1.0, 2.0),))),),
        columns=40,
        unanswered=(Unanswered(name, tuple(f"{'long' * 20}.m{k}" for k in range(20))),),
        expectations=(name,),
        unsent=(Unsent(at("2026-09-10"), name, "dead", name),),
        runs=(
            Run(link, link, "failed", name, at("2026-09-10"), 12.0, (link,)),
            Run(link, link, "running"),
        ),
    )


def test_it_tells_labels_by_age_cohorts_runs_and_what_failed() -> None:
    text = " ".join(Page(debug_page(full())).text.split())

    for words in (
        "0h to 1d",
        "1d to 7d",
        "older than 7d",
        "45 %",
        "110",
        "91",
        "20 % 75 %",
        "2 newer windows",
        "failed",
        "12 s",
        "m10, longlong",
        "m11 and 8 more",
        "dead",
        "PSI 0.31",
        "the 1 that moved most of 40",
    ):
        assert words in text, words


def test_names_of_the_outside_stay_text() -> None:
    page = debug_page(full(EVIL))

    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "style=" not in page


def test_where_is_nothing_it_says_so() -> None:
    text = Page(debug_page(DebugView("credit", at("2026-09-11"), labels="the file names no table of labels"))).text

    for words in (
        "no table of labels",
        "Airflow has no run",
        "Every expectation was met",
        "No distribution is on record",
    ):
        assert words in text
    assert "Cohorts" not in text


def test_what_is_missing_is_what_is_not_labelled() -> None:
    assert Backlog(timedelta(1), 1, 100, 30).missing == 70
