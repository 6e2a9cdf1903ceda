"""What the page of a case answers: since when, how bad, who carries it against what was healthy, what else broke."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.reports.case import Findings
from hindsight.reports.pages import case_page
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, at
from tests.pipeline.judge.facts import judged, measured, write
from tests.pipeline.world import World, a_world, days
from tests.reports.pages import EVIL, Page

FIRST, BAD = "2026-09-01", "2026-09-06"


@pytest.fixture
def empty(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), start=FIRST, segments=["region"]) as made:
        made.resources.registry.create()
        yield made


def latency(**levels: float) -> list[Measurement]:
    """The p95 of a window and of its regions, 100 rows each."""
    parts = {"": max(levels.values())} | {f"region={name}": value for name, value in levels.items()}
    return [a_measurement("latency_p95_ms", value, n=100, segment=part) for part, value in parts.items()]


def slow(world: World, day: str, **levels: float) -> None:
    write(world, day, {Kind.OPERATIONS: [*latency(**levels), a_measurement("total_requests", 300.0, n=300)]})
    judged(world, day)


def answers(world: World, rule: str = "latency_p95", **rest: Any) -> Findings:
    case = next(one.case for one in world.incidents() if one.series.rule == rule)
    view = pipeline.case_view("credit", case, world.resources, now=at("2026-09-20"), **rest)
    assert view is not None
    return view.findings


def said(found: Findings) -> dict[str, list[str]]:
    return {fact.question: [line.text for line in fact.answer] for fact in found.facts}


def test_it_says_since_when_how_bad_and_against_what(empty: World) -> None:
    for day in days(FIRST, 5):
        slow(empty, day, EU=50, US=50)
    for day in days(BAD, 2):
        slow(empty, day, EU=50, US=900)
    found = said(answers(empty))
    assert found["Since when"] == [
        "First bad window: 2026-09-06",
        "2 bad windows so far, the newest 2026-09-07",
    ]
    assert found["How bad, against what"] == [
        "Worst latency p95 900 ms, limit 300 ms",
        "latency p95 900 ms in the newest bad window, 50 ms in 5 healthy windows before",
    ]
    assert found["Broke at the same time"] == ["Nothing else that is watched"]


def test_the_segment_that_broke_comes_first_with_its_share(empty: World) -> None:
    for day in days(FIRST, 5):
        slow(empty, day, EU=50, US=50)
    slow(empty, BAD, EU=50, US=900)
    found = answers(empty)
    [table] = found.carriers.tables
    assert [(row.name, row.share, row.now, row.usual) for row in table.rows] == [
        ("US", 1.0, 900, 50),
        ("EU", 0.0, 50, 50),
    ]
    assert (found.segment, found.window) == ("region=US", at(BAD))
    assert "segment=region%3DUS" in table.rows[0].compare


def test_windows_that_were_broken_before_are_never_what_is_usual(empty: World) -> None:
    slow(empty, FIRST, EU=50, US=50)
    slow(empty, "2026-09-02", EU=900, US=900)
    slow(empty, "2026-09-03", EU=50, US=50)
    slow(empty, "2026-09-04", EU=50, US=900)
    last = [one for one in empty.incidents("latency_p95") if one.started == at("2026-09-04")]
    case = (last or empty.incidents("latency_p95"))[-1].case
    view = pipeline.case_view("credit", case, empty.resources, now=at("2026-09-20"))
    assert view is not None
    [table] = view.findings.carriers.tables
    assert {row.usual for row in table.rows} == {50.0}


def test_without_healthy_windows_segments_or_reference_it_says_so_in_words(empty: World) -> None:
    slow(empty, FIRST, EU=50, US=900)
    assert "nothing to compare" in answers(empty).carriers.why_none
    empty.declare(start=FIRST)
    measured(empty, "2026-09-02", {})
    judged(empty, "2026-09-02")
    assert answers(empty).carriers.why_none


def test_what_else_broke_is_named_and_leads_to_its_case(empty: World) -> None:
    measured(empty, FIRST, {})
    judged(empty, FIRST)
    measured(empty, "2026-09-02", {"operations.latency_p95_ms": [""], "drift.drifted": ["amount"]})
    judged(empty, "2026-09-02")
    [beside] = [fact for fact in answers(empty).facts if fact.question == "Broke at the same time"]
    [drift] = [one for one in empty.incidents() if one.series.rule == "drift"]
    assert drift.case in [line.href for line in beside.answer]


def test_a_message_is_listed_with_what_became_of_it(empty: World) -> None:
    for day in days(FIRST, 2):
        slow(empty, day, EU=50, US=50)
    slow(empty, "2026-09-03", EU=50, US=900)
    empty.deliver(at("2026-09-04T01:00"))
    done = answers(empty).done
    assert [one.became for one in done] == ["sent"]
    assert all(one.what.startswith("Message to ") for one in done)


def test_a_hostile_segment_stays_text_and_comes_back_whole(empty: World) -> None:
    empty.declare(start=FIRST, segments=["region"], pii={})
    for day in days(FIRST, 3):
        slow(empty, day, EU=50, **{EVIL: 50})
    slow(empty, "2026-09-04", EU=50, **{EVIL: 900})
    case = empty.incidents("latency_p95")[0].case
    view = pipeline.case_view("credit", case, empty.resources, now=at("2026-09-20"), token="t")
    assert view is not None
    page = Page(case_page(view))
    assert (page.tags.count("script"), page.tags.count("img")) == (1, 0)  # that of light and dark
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert ("value", f"region={EVIL}") in page.attributes


def test_rows_are_offered_only_where_the_file_says_what_is_personal(empty: World) -> None:
    slow(empty, FIRST, EU=50, US=900)
    assert "pii: {}" in answers(empty).rows
    empty.declare(start=FIRST, segments=["region"], pii={})
    assert answers(empty).rows == ""


def test_rows_in_no_segment_are_a_part_of_their_own(empty: World) -> None:
    def errors(whole: float, eu: float) -> dict[Kind, list[Measurement]]:
        parts = [("", whole, 300), ("region=EU", eu, 100), ("region=US", 0.0, 100)]
        rates = [a_measurement("error_rate", value, n=n, segment=part) for part, value, n in parts]
        slow = a_measurement("latency_p95_ms", 900.0 if whole else 50.0, n=300)
        return {Kind.OPERATIONS: [*rates, a_measurement("health", 2.0 if whole else 0.0, n=300), slow]}

    for day, rates in ((FIRST, errors(0.0, 0.0)), ("2026-09-02", errors(0.2, 0.3))):
        write(empty, day, rates)
        judged(empty, day)
    [table] = answers(empty, "health_critical").carriers.tables
    shares = {row.name: (row.share, row.now, row.segment) for row in table.rows}
    assert shares["EU"] == (pytest.approx(0.5), 0.3, "region=EU")
    assert shares["all others"] == (pytest.approx(0.5), pytest.approx(0.3), "")


def test_a_damaged_snapshot_is_named_and_the_rest_of_the_page_stands(empty: World) -> None:
    for day in days(FIRST, 2):
        slow(empty, day, EU=50, US=50)
    slow(empty, "2026-09-03", EU=50, US=900)
    spoilt = Path(max(name for name in empty.files() if "kind=operations/" in name))
    spoilt.write_bytes(b"PAR1")
    case = empty.incidents("latency_p95")[0].case
    view = pipeline.case_view("credit", case, empty.resources, now=at("2026-09-20"))
    assert view is not None
    assert [spoilt.name in one for one in view.damaged] == [True]
    assert spoilt.name in case_page(view)
    assert view.findings.facts


def test_a_part_that_has_no_rows_any_more_has_no_mean(empty: World) -> None:
    def failing(day: str, **rates: float) -> None:
        parts = {"": max(rates.values())} | {f"region={name}": rate for name, rate in rates.items()}
        facts = [a_measurement("error_rate", rate, n=100, segment=part) for part, rate in parts.items()]
        health = a_measurement("health", 2.0 if max(rates.values()) > 0.05 else 0.0, n=100)
        write(empty, day, {Kind.OPERATIONS: [*facts, health, a_measurement("total_requests", 300.0, n=300)]})
        judged(empty, day)

    for day in days(FIRST, 5):
        failing(day, EU=0.01, US=0.01, APAC=0.01)
    for day in days(BAD, 2):
        failing(day, EU=0.01, US=0.6)
    [table] = answers(empty, "health_critical").carriers.tables
    assert {row.name: (row.n, row.now) for row in table.rows}["APAC"] == (0, None)
