"""The pages: what people need is there, and nothing a name or a note says becomes markup."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.assets import NAMES
from hindsight.reports.charts import HEIGHT, WIDTH, Chart, Mark, Point, draw, moment, written
from hindsight.reports.overview import overview
from hindsight.reports.pages import (
    CONTENT_SECURITY_POLICY,
    IncidentRow,
    Link,
    MonitorCard,
    MonitorView,
    Number,
    monitor_page,
)
from hindsight.verdicts.model import State
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_window, at
from tests.reports.pages import EVIL, Page


def a_card(name: str = "credit", **changes: object) -> MonitorCard:
    return MonitorCard(**({"name": name, "href": f"/hindsight/{name}", "state": "active"} | changes))  # type: ignore[arg-type]


def a_chart(values: list[float | None], **changes: object) -> Chart:
    points = tuple(Point(at("2026-09-01") + i * DAY, value) for i, value in enumerate(values))
    return Chart(**({"title": "Accuracy", "unit": "share", "points": points} | changes))  # type: ignore[arg-type]


def a_view(text: str = "ordinary", href: str = "https://wiki.example.com") -> MonitorView:
    """A view that shows this text wherever text of others is shown."""
    link = Link(text, href)
    return MonitorView(
        card=a_card(text, href=href, description=text, owner=text, task=text, criticality=text),
        as_of=at("2026-09-02"),
        numbers=(Number(text, 0.5, "share", 0.6, text),),
        charts=(
            Chart(text, "share", (Point(at("2026-09-01"), 0.5, note=text),), marks=(Mark(at("2026-09-01"), text),)),
            Chart(text, "share", ()),
        ),
        incidents=tuple(
            IncidentRow(text, Severity.P0, state, at("2026-09-01"), None, text, 0.5, 0.6, "share", text, (text,), link)
            for state in State
        ),
        reports=(link,),
        back=link,
    )


def test_the_overview_shows_state_health_window_and_open_incidents() -> None:
    card = a_card(health="critical", last_window=a_window("2026-08-31"), open={Severity.P0: 1, Severity.P2: 3})
    page = Page(overview([card]))
    assert ("href", "/hindsight/credit") in page.attributes
    assert ("aria-label", "health: critical") in page.attributes
    for words in ("credit", "2026-08-31", "1 P0", "3 P2"):
        assert words in page.text
    assert "P1" not in page.text


def test_the_most_urgent_monitor_comes_first_and_archived_ones_are_folded_away() -> None:
    cards = [
        a_card("archived_one", state="archived", open={Severity.P0: 9}),
        a_card("quiet", health="healthy"),
        a_card("many_p2", open={Severity.P2: 50}),
        a_card("one_p0", open={Severity.P0: 1}),
        a_card("resting", state="paused"),
    ]
    text = Page(overview(cards)).text
    order = sorted(("one_p0", "many_p2", "quiet", "resting", "archived_one"), key=text.index)
    assert order == ["one_p0", "many_p2", "quiet", "resting", "archived_one"]
    assert "4 watched" in text
    assert "details" in Page(overview(cards)).tags


def test_pages_without_anything_to_show_say_so() -> None:
    assert "No monitors yet" in overview([])
    text = Page(monitor_page(MonitorView(a_card(), at("2026-09-01")))).text
    assert "No window has been measured yet." in text
    assert "Nothing is open." in text


def test_a_monitors_page_tells_its_numbers_incidents_and_reports() -> None:
    incidents = (
        IncidentRow("drift_share", Severity.P1, State.OPEN, at("2026-08-20"), None, "region=EU", 0.41, 0.3, "share"),
        IncidentRow("slow", Severity.P0, State.OPEN, at("2026-08-19"), None, "", 612, 300, "ms", "", ("mail sent",)),
        IncidentRow("old", Severity.P0, State.WITHDRAWN, at("2026-07-01"), at("2026-07-02"), reason="late labels"),
    )
    numbers = (Number("requests", 12345, "count"), Number("accuracy", None, "share", 0.912, "labels are coming"))
    view = MonitorView(a_card(), at("2026-09-01T02:00"), numbers, (), incidents, (Link("Evidently", "/r/7"),))
    page = Page(monitor_page(view))
    for words in ("12,345", "reference 91.2 %", "labels are coming", "as known at 2026-09-01 02:00 UTC", "mail sent"):
        assert words in page.text
    assert "41 % against a threshold of 30 %,\nsince 2026-08-20" in page.text
    assert "2026-07-01 to 2026-07-02" in page.text
    assert (
        page.text.index("slow") < page.text.index("drift_share") < page.text.index("Past") < page.text.index("late l")
    )
    assert ("href", "/r/7") in page.attributes


def test_what_others_wrote_never_becomes_markup() -> None:
    tame, evil = Page(monitor_page(a_view())), Page(monitor_page(a_view(EVIL)))
    assert evil.tags == tame.tags
    assert [name for name, _ in evil.attributes] == [name for name, _ in tame.attributes]
    assert "{{7*7}}" in evil.text
    assert "49" not in evil.text
    assert "\u202e" not in monitor_page(a_view(EVIL))
    assert Page(overview([a_card(EVIL, description=EVIL)])).tags == Page(overview([a_card(description="x")])).tags


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200f", "\ufeff", "\x00", "\x1b"])
def test_characters_that_reorder_or_hide_others_are_shown_as_unprintable(character) -> None:
    assert "a\ufffdb" in overview([a_card(f"a{character}b")])


def test_a_name_of_ten_kilobytes_is_cut() -> None:
    assert "x" * 299 + "…" in overview([a_card("x" * 10_000)])
    assert "x" * 300 not in overview([a_card("x" * 10_000)])


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//evil.com", "\x01java"]
)
def test_a_link_that_would_run_something_or_leave_unseen_leads_nowhere(address) -> None:
    led, nowhere = Page(monitor_page(a_view(href=address))), Page(monitor_page(a_view(href="#")))
    assert [value for name, value in led.attributes if name == "href"] == [
        value for name, value in nowhere.attributes if name == "href"
    ]


@pytest.mark.parametrize("address", ["https://a.b/c?d=e#f", "/hindsight/reports/7", "reports/7", "?monitor=x", "#top"])
def test_ordinary_links_stay(address) -> None:
    assert ("href", address) in Page(monitor_page(a_view(href=address))).attributes


def test_the_overview_loads_nothing_but_the_script_of_light_and_dark() -> None:
    parsed = Page(overview([a_card()]))
    assert "link" not in parsed.tags
    assert [value for name, value in parsed.attributes if name == "src"] == [f"assets/{NAMES['theme.js']}"]


@pytest.mark.parametrize("page", [overview([a_card()]), monitor_page(a_view())], ids=["overview", "monitor"])
def test_nothing_runs_within_a_page_and_its_style_is_the_one_allowed(page) -> None:
    parsed = Page(page)
    assert not {"img", "iframe", "object", "embed", "base"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name == "style" or name.startswith("on")]
    methods = [value for name, value in parsed.attributes if name == "method"]
    assert methods == ["get"] * parsed.tags.count("form")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert f"'sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in CONTENT_SECURITY_POLICY
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_a_window_that_was_not_evaluated_is_a_gap_in_the_line() -> None:
    drawing = draw(a_chart([0.5, 0.6, None, 0.7, 0.8]))
    assert drawing is not None
    assert drawing.line.count("M") == 2
    assert len(drawing.dots) == 4
    assert draw(a_chart([None, None])) is None
    assert draw(a_chart([])) is None


def test_immature_points_are_hollow_however_many_points_there_are() -> None:
    points = tuple(Point(at("2026-01-01") + i * DAY, 0.9, immature=i > 190) for i in range(200))
    drawing = draw(a_chart([], points=points))
    assert drawing is not None
    assert [dot.immature for dot in drawing.dots] == [True] * 9
    page = monitor_page(MonitorView(a_card(), at("2026-09-01"), charts=(a_chart([], points=points),)))
    assert page.count('class="immature"') == 9
    assert "Hollow: labels are still coming." in page


def test_a_dot_says_its_window_value_interval_and_remark() -> None:
    point = Point(at("2026-09-01T06:00"), 0.9, 0.88, 0.92, immature=True, note="50 labels")
    drawing = draw(a_chart([], points=(point,)))
    assert drawing is not None
    assert drawing.dots[0].text == "2026-09-01 06:00: 90 % (88 % to 92 %), labels are still coming, 50 labels"


def test_threshold_interval_and_marks_are_drawn() -> None:
    points = tuple(Point(at("2026-09-01") + i * DAY, 0.9, 0.88, 0.92) for i in range(3))
    marks = (Mark(at("2026-09-02"), "v2"), Mark(at("2020-01-01"), "long ago"))
    drawing = draw(a_chart([], points=points, threshold=0.8, marks=marks))
    assert drawing is not None
    assert drawing.threshold is not None
    assert drawing.threshold.text == "80 %"
    assert drawing.band.startswith("M")
    assert [mark.text for mark in drawing.marks] == ["2026-09-02: v2"]


def test_incidents_are_bars_in_the_lane_of_their_severity_and_silences_shades() -> None:
    points = tuple(Point(at("2026-09-01") + i * DAY, 0.9) for i in range(5))
    marks = (
        Mark(at("2026-08-20"), "drift", "incident", None, "P0"),
        Mark(at("2026-09-02"), "slow", "incident", at("2026-09-03"), "P1"),
        Mark(at("2026-09-02"), "quiet", "silence", at("2026-09-04")),
        Mark(at("2026-08-01"), "over", "incident", at("2026-08-02"), "P0"),
    )
    drawing = draw(a_chart([], points=points, marks=marks))
    assert drawing is not None
    assert [span.kind for span in drawing.spans] == ["P0", "P1", "silence"]
    whole, day, shade = drawing.spans
    assert whole.width == 4 * day.width == WIDTH - 76
    assert whole.top < day.top < shade.top
    assert shade.text == "2026-09-02 to 2026-09-04: quiet"


def test_a_value_next_to_its_threshold_can_be_drawn() -> None:
    drawing = draw(a_chart([0.3, 0.3], threshold=0.30000000000000004))
    assert drawing is not None
    assert len({tick.text for tick in drawing.rows}) > 1


numbers = st.floats(-1e9, 1e9).map(lambda value: 0.0 if abs(value) < 1e-9 else value)


@given(st.lists(numbers | st.none(), min_size=1, max_size=30), numbers | st.none())
def test_everything_drawn_lies_on_the_canvas_between_the_outer_ticks(values, threshold) -> None:
    drawing = draw(a_chart(values, unit="number", threshold=threshold))
    if drawing is None:
        assert all(value is None for value in values)
        return
    assert all(0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT for dot in drawing.dots)
    assert 2 <= len(drawing.rows) <= 7
    heights = [row.at for row in drawing.rows]
    assert heights == sorted(heights, reverse=True)
    assert all(heights[-1] - 0.2 <= dot.y <= heights[0] + 0.2 for dot in drawing.dots)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "share", "–"),
        (0.1234, "share", "12.3 %"),
        (1.0, "share", "100 %"),
        (0.0, "share", "0 %"),
        (0.00123, "share", "0.12 %"),
        (1234.0, "count", "1,234"),
        (12_300_000.0, "count", "12.3 M"),
        (312.4, "ms", "312 ms"),
        (123_456_789.0, "number", "123.5 M"),
        (2.5e9, "ms", "2.5 G ms"),
        (3.2e16, "number", "3.20e+16"),
        (3.14159, "number", "3.14"),
        (-5.0, "s", "-5 s"),
    ],
)
def test_numbers_are_written_as_people_read_them(value, unit, expected) -> None:
    assert written(value, unit) == expected


def test_midnight_is_written_as_the_day() -> None:
    assert moment(at("2026-09-01")) == "2026-09-01"
    assert moment(datetime.fromisoformat("2026-09-01T06:30+00:00")) == "2026-09-01 06:30"
