"""The accuracy report as people read it: its words, its page, and what hostile names cannot do to either."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from hindsight.reports.accuracy import accuracy_page, aligned
from hindsight.reports.charts import written
from hindsight.reports.night import (
    AccuracyReport,
    Awaited,
    Calibration,
    Change,
    SegmentRow,
    Segments,
    called,
    in_words,
)
from hindsight.reports.pages import CONTENT_SECURITY_POLICY, IncidentRow, Link, Number
from hindsight.reports.timeline import Bin, Course, Spot
from hindsight.verdicts.model import State
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, HOUR, a_window, at
from tests.reports.pages import EVIL, Page


def a_change(day: str = "2026-09-01", before: float | None = 0.9, now: float | None = 0.87, **rest: object) -> Change:
    change = Change(a_window(day), before, now, 0, 0, 0.98, True, True, "corrections")
    return replace(change, **rest)  # type: ignore[arg-type]


def an_incident(state: State = State.OPEN, rule: str = "accuracy_drop", **rest: object) -> IncidentRow:
    return replace(IncidentRow(rule, Severity.P0, state, at("2026-09-01")), **rest)  # type: ignore[arg-type]


def a_report(*changes: Change, text: str = "ordinary", **rest: object) -> AccuracyReport:
    """A report that shows this text wherever others may have written something."""
    spots = tuple(Spot(at("2026-09-01") + k * DAY, at("2026-09-02") + k * DAY, 0.9, n=30) for k in range(4))
    report = AccuracyReport(
        monitor=text,
        description=text,
        about=(text,),
        night=at("2026-09-20T02:00"),
        size=DAY,
        metric="accuracy",
        unit="share",
        numbers=(Number(text, 0.9, "share", 0.91, text),),
        changes=changes,
        course=Course("accuracy", "share", spots, 0.91, at("2026-09-03")),
        segments=Segments(a_window(), 12, (SegmentRow(text, 0.9, 0.8, 0.75, 0.85, 120),)),
        calibration=Calibration(a_window(), (Bin(0.2, 0.3, 0.1, 0.5, 40),), Number(text, 0.03, note=text)),
        estimates=(text, text),
        opened=(an_incident(rule=text, about=text, reason=text),),
        turned=(an_incident(State.WITHDRAWN, rule=text, about=text, reason=text),),
        counts=(Number(text, 3.0, "count", None, text),),
        awaited=(Awaited(a_window("2026-09-15"), at("2026-09-22"), 0.4, 120),),
        backlog=text,
        links=(Link(text, f"../monitors/{text}"),),
    )
    return replace(report, **rest)  # type: ignore[arg-type]


def say(value: float | None) -> str:
    return written(value, "share")


def test_the_night_is_told_in_sentences_the_labels_first() -> None:
    changes = (
        a_change(added=12, corrected=212),
        *(a_change(f"2026-09-0{day}", added=300, final=True, was_final=False, now=0.9) for day in (2, 3, 4)),
    )
    assert in_words(a_report(*changes), say) == [
        "912 labels and 212 corrections came for 4 windows.",
        "3 windows are now final.",
        "The accuracy of window 2026-09-01 fell from 90 % to 87 % after 212 corrections.",
        "1 incident withdrawn.",
    ]


def test_what_was_final_is_told_before_what_was_not_though_that_moved_further() -> None:
    young = a_change("2026-09-09", 0.2, 0.9, added=50, final=False, was_final=False)
    sentences = in_words(a_report(young, a_change(before=0.9, now=0.91, corrected=1), turned=()), say)
    assert sentences[-1] == "The accuracy of window 2026-09-01 rose from 90 % to 91 % after 1 correction."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((), ["No label came."]),
        ((a_change(final=True, was_final=False, now=0.9),), ["No label came.", "Window 2026-09-01 is now final."]),
        ((a_change(before=None, now=0.9, added=1),), ["1 label came for 1 window."]),
        ((a_change(before=0.9, now=0.90001, added=-4),), ["No label came. 4 labels were taken back."]),
        (
            (a_change(before=0.9, now=None, added=-1, corrected=1),),
            ["1 correction came for 1 window. 1 label was taken back."],
        ),
        ((a_change(before=None, now=None, corrected=None),), ["No label came."]),
    ],
)
def test_quiet_nights_say_little(changes: tuple[Change, ...], told: list[str]) -> None:
    assert in_words(a_report(*changes, turned=()), say) == told


def test_an_error_rises_where_an_accuracy_falls() -> None:
    report = a_report(a_change(before=2.0, now=3.0), metric="mean absolute error", unit="number", turned=())
    assert in_words(report, lambda v: written(v, "number"))[-1] == (
        "The mean absolute error of window 2026-09-01 rose from 2 to 3."
    )


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (7 * DAY, "week of 2026-09-01"),
        (DAY, "2026-09-01"),
        (6 * HOUR, "2026-09-01 00:00"),
        (2 * DAY, "2026-09-01 to 2026-09-03"),
    ],
)
def test_windows_are_called_what_people_call_them(size: timedelta, name: str) -> None:
    assert called(a_window(size=size), size) == name


def test_the_page_shows_all_of_it() -> None:
    page = Page(accuracy_page(a_report(a_change(added=1204, corrected=212))))
    for words in (
        "night of 2026-09-20 02:00 UTC",
        "90.0 %",
        "87.0 %",
        "+1,204",
        "212",
        "98.0 %",
        "final",
        "corrections",
    ):
        assert words in page.text
    for words in (
        "moved",
        "75.0 % to 85.0 %",
        "40.0 %",
        "2026-09-22",
        "reference 91 %",
        "withdrawn",
        "1,204 labels and",
    ):
        assert words in page.text
    assert page.tags.count("svg") >= 3


def test_long_tables_are_cut_and_the_rest_is_counted() -> None:
    rows = tuple(SegmentRow(f"region={k}", 0.9, 0.8, None, None, 30) for k in range(25))
    many = a_report(
        *(a_change() for _ in range(51)),
        segments=Segments(a_window(), 3, rows),
        opened=tuple(an_incident() for _ in range(100)),
        awaited=tuple(Awaited(a_window(), at("2026-09-22"), 0.4, 1) for _ in range(9)),
    )
    text = Page(accuracy_page(many)).text
    for more in ("and 31 more", "and 15 more", "and 88 more", "and 3 more"):
        assert more in text


def test_a_night_with_nothing_to_tell_is_a_page_that_says_so() -> None:
    empty = a_report(
        numbers=(),
        course=Course("accuracy", "share", ()),
        segments=None,
        calibration=None,
        estimates=(),
        opened=(),
        turned=(),
        counts=(),
        awaited=(),
        links=(),
    )
    page = Page(accuracy_page(empty))
    for words in ("No label came.", "no window matured", "No window has a label.", "Nothing is open."):
        assert words in page.text
    assert "a" not in page.tags


def test_what_others_wrote_never_becomes_markup() -> None:
    tame, evil = Page(accuracy_page(a_report(a_change()))), Page(accuracy_page(a_report(a_change(), text=EVIL)))
    assert evil.tags == tame.tags
    assert [name for name, _ in evil.attributes] == [name for name, _ in tame.attributes]
    assert "{{7*7}}" in evil.text
    assert "49" not in evil.text
    assert "\u202e" not in accuracy_page(a_report(text=EVIL))
    linked = Page(accuracy_page(a_report(links=(Link("x", "javascript:alert(1)"),))))
    assert {value for name, value in linked.attributes if name == "href"} == {"#"}


def test_the_page_runs_and_loads_nothing_and_its_style_is_the_one_allowed() -> None:
    page = accuracy_page(a_report(a_change()))
    parsed = Page(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name == "style" or name.startswith("on") or name == "src"]
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert f"'sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in CONTENT_SECURITY_POLICY
    assert "http" not in page.replace("https://wiki", "")


def test_columns_of_shares_have_one_decimal_and_other_numbers_are_as_elsewhere() -> None:
    assert [aligned(v, "share") for v in (0.6, 0.123, None)] == ["60.0 %", "12.3 %", "–"]
    assert aligned(93.58, "number") == "93.6"
