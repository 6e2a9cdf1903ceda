"""What a page is asked to show: an address says it, and another address says the same again."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.charts import Chart, Point
from hindsight.reports.pages import MonitorCard, MonitorView, monitor_page
from hindsight.reports.selection import RANGES, Choices, Selection, selected
from tests.builders import DAY, HOUR, a_window, at
from tests.reports.pages import Page

moments = st.datetimes().map(lambda naive: naive.replace(tzinfo=at("2026-01-01").tzinfo))


@given(st.sampled_from(("", *RANGES)), st.text(max_size=20), st.text(max_size=20), st.none() | moments)
def test_an_address_says_what_its_selection_is(span, version, segment, start) -> None:
    asked = Selection("" if start else span, start, version=version, segment=segment)
    query = dict(parse_qsl(asked.query().removeprefix("?"), keep_blank_values=True))
    assert selected(query) == asked


def test_without_a_range_it_is_the_last_windows() -> None:
    newest = at("2026-09-10T05:00")
    assert Selection().bounds(newest, HOUR, 90) == (newest - 90 * HOUR, None)
    assert Selection("all").bounds(newest, HOUR, 90) == (None, None)


@pytest.mark.parametrize(("size", "windows"), [(HOUR, 168), (DAY, 7), (6 * HOUR, 28), (28 * DAY, 1)])
def test_seven_days_are_seven_days_of_windows(size, windows) -> None:
    newest = at("2026-09-10")
    start, _ = Selection("7d").bounds(newest, size, 90)
    assert start is not None
    assert (newest - start) / size + 1 == windows


def test_a_day_as_the_end_is_meant_with_all_its_hours() -> None:
    asked = selected({"from": "2026-09-01", "to": "2026-09-02"})
    assert (asked.start, asked.end) == (at("2026-09-01"), at("2026-09-03"))
    assert selected({"to": "2026-09-02T06:00Z"}).end == at("2026-09-02T06:00")
    assert selected({"from": "2026-09-01T02:00+02:00"}).start == at("2026-09-01")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"range": "8 weeks"}, "range '8 weeks' is none of 7d, 30d, 90d, all"),
        ({"from": "<img onerror>"}, "from '<img onerror>' is no date; write 2026-09-01 or 2026-09-01T06:00Z"),
        ({"to": "9999-12-31"}, "to '9999-12-31' is no date; write 2026-09-01 or 2026-09-01T06:00Z"),
        ({"from": "2026-09-02", "to": "2026-09-01"}, "from lies behind to"),
    ],
)
def test_what_cannot_be_read_is_complained_of_and_left_out(query, said) -> None:
    asked = selected(query)
    assert asked.complaints == (said,)
    assert replace(asked, complaints=()) == Selection()


def test_a_name_of_any_length_is_cut() -> None:
    assert len(selected({"segment": "x" * 10_000}).segment) == 300


def page_of(**shown: object) -> str:
    card = MonitorCard("credit", "credit", "active", last_window=a_window("2026-09-01"))
    return monitor_page(MonitorView(card, at("2026-09-02"), **shown))  # type: ignore[arg-type]


def test_of_ten_thousand_segments_some_are_offered_and_any_can_be_typed() -> None:
    page = page_of(choices=Choices(segments=tuple(f"city={k}" for k in range(10_000))))
    assert page.count("<option") == 200
    assert "9800 more are not in the list; type one" in page


def test_what_is_selected_stays_in_the_form_and_in_every_link() -> None:
    chart = Chart("error rate", "share", (Point(at("2026-09-01"), 0.1),), key="operations.error_rate")
    asked = selected({"range": "30d", "segment": "city=<b>&x", "version": "v2"})
    page = Page(page_of(selection=asked, charts=(chart,)))
    rows = "version=v2&segment=city%3D%3Cb%3E%26x"
    assert ("value", "city=<b>&x") in page.attributes
    assert ("href", f"?range=all&{rows}#over-time") in page.attributes
    assert ("href", f"credit/numbers.csv?range=30d&{rows}&chart=operations.error_rate") in page.attributes


def test_without_a_script_a_chart_is_a_drawing_and_a_complaint_is_told() -> None:
    chart = Chart("error rate", "share", tuple(Point(at("2026-09-01") + k * DAY, 0.1) for k in range(5)))
    page = Page(page_of(charts=(chart,), selection=selected({"range": "<b>"})))
    assert page.tags.count("circle") == 5
    assert "range '<b>' is none of 7d, 30d, 90d, all; it is left out." in page.text
