"""Nights reported: what changed and why, from snapshots alone, the same for every later look."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline.show.accuracy_report import accuracy_report, open_night
from hindsight.reports.night import AccuracyReport
from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import DAY, a_measurement, a_window, at, monitor_file
from tests.pipeline.show.nights import FIRST, changed
from tests.pipeline.world import World, a_day, a_world, days
from tests.reports.pages import EVIL, Page


def reported(world: World, night: str, **rest: Any) -> AccuracyReport:
    return accuracy_report(open_night(world.monitor, at(night), world.resources, **rest), world.resources)


def page(world: World, night: str) -> str:
    return pipeline.night_page(world.monitor, at(night), world.resources)


# What a night changed


def test_a_night_tells_which_windows_changed_by_how_much_and_why(world: World) -> None:
    world.night("2026-09-04")
    world.correct(FIRST, at("2026-09-04T12:00"), right=0.5)
    world.night("2026-09-05")
    report = reported(world, "2026-09-05")
    first = changed(report)[FIRST]

    assert (first.before, first.now) == (pytest.approx(0.9, abs=0.02), pytest.approx(0.5, abs=0.01))
    assert (first.final, first.was_final, first.coverage) == (True, False, 1.0)
    assert first.corrected == 120
    assert first.why == "new labels, corrections, matured" if first.added else "corrections, matured"
    assert next(iter(changed(report))) == FIRST  # what moved most comes first
    assert "2026-09-04" in changed(report)
    assert changed(report)["2026-09-04"].before is None


def test_labels_that_came_are_counted_per_window(small: World) -> None:
    small.log(FIRST).log("2026-09-02")
    nights = days("2026-09-02", 3)
    for night in nights:
        small.night(night)
    known = [reported(small, night) for night in nights]
    came = [{day: change.added for day, change in changed(report).items()} for report in known]

    assert came[0].keys() == {FIRST}
    assert sum(night[FIRST] for night in came) == 300
    assert known[1].numbers[1].value == sum(came[1].values())


def test_a_window_that_only_matures_is_final_from_then_on(small: World) -> None:
    small.log(FIRST)
    for night in ("2026-09-04", "2026-09-05"):
        small.night(night)
    (change,) = reported(small, "2026-09-05").changes

    assert (change.added, change.corrected, change.why) == (0, 0, "matured")
    assert "Window 2026-09-01 is now final." in page(small, "2026-09-05")


def test_a_window_measured_again_to_the_same_end_did_not_change(small: World) -> None:
    small.log(FIRST)
    for night in ("2026-09-04", "2026-09-04T01:00"):
        assert small.found(night) == [FIRST] if "T" in night else True
        small.night(night)
    report = reported(small, "2026-09-04T01:00")

    assert report.changes == ()
    assert not report.is_news
    assert "Nothing: no label came, and no window matured." in page(small, "2026-09-04T01:00")


def test_the_first_night_has_nothing_to_compare_with(world: World) -> None:
    world.night("2026-09-04")
    report = reported(world, "2026-09-04")

    assert [change.before for change in report.changes] == [None] * 3
    assert report.turned == ()
    assert "labels came for 3 windows." in page(world, "2026-09-04")


def test_before_any_night_there_is_a_page_all_the_same(small: World) -> None:
    assert "No window has a label." in page(small, "2026-09-04")


def test_labels_that_were_all_taken_back_are_told_and_are_not_called_yet_to_come(small: World) -> None:
    small.log("2026-09-01", n=60)
    small.night("2026-09-05")
    rows = a_day("2026-09-01", n=60)[1]
    taken = [row | {"label": None, "labeled_at": at("2026-09-05T12:00")} for row in rows]
    small.insert("ground_truth", taken)
    small.night("2026-09-06")
    text = page(small, "2026-09-06")

    assert "60 corrections came for 1 window. 60 labels were taken back." in text
    assert "no final window has a label" in text
    assert "no window is final yet" in page(small, "2026-09-01")
    assert "No label is awaited." in page(small, "2026-09-01")


def test_absent_labels_that_count_at_maturity_are_said_to(small: World) -> None:
    small.declare(labels={"matures_after": "3d", "absent_means": 0}).log(FIRST)
    small.delete("ground_truth").insert("ground_truth", a_day(FIRST)[1][:200])
    for night in ("2026-09-04", "2026-09-05"):
        small.night(night)
    (change,) = reported(small, "2026-09-05").changes

    assert change.why == "matured, the missing count as 0"
    assert change.added == 0
    assert "No label came." in page(small, "2026-09-05")


def test_what_is_awaited_is_listed_with_the_day_it_is_final(small: World) -> None:
    small.log(FIRST).run(FIRST)
    small.log("2026-09-02")
    small.delete("ground_truth").insert("ground_truth", a_day("2026-09-02")[1][:100])
    small.night("2026-09-04")
    awaited = reported(small, "2026-09-04").awaited

    assert [(f"{one.window.start:%d}", one.missing, one.final_on) for one in awaited] == [
        ("01", 300, at("2026-09-05")),
        ("02", 210, at("2026-09-06")),
    ]


def test_incidents_stand_as_the_labels_of_the_night_tell(small: World) -> None:
    small.log(FIRST, right=0.4).night("2026-09-05")
    opened = reported(small, "2026-09-05")
    small.correct(FIRST, at("2026-09-05T12:00"), right=0.95)
    small.night("2026-09-06")
    undone = reported(small, "2026-09-06")

    assert [(row.rule, row.state) for row in opened.turned] == [("accuracy_drop", State.OPEN)]
    assert [row.rule for row in opened.opened] == ["accuracy_drop"]
    assert [(row.rule, row.state) for row in undone.turned] == [("accuracy_drop", State.WITHDRAWN)]
    assert undone.opened == ()
    assert "put it back within the threshold" in undone.turned[0].reason
    assert small.states("accuracy_drop") == [State.WITHDRAWN]


def test_other_open_incidents_are_listed_as_far_as_they_were_known(small: World) -> None:
    small.log(FIRST, latency_ms=900.0).run(FIRST)
    small.log("2026-09-02").night("2026-09-02T02:00")
    before = page(small, "2026-09-02T02:00")
    small.run("2026-09-02")

    assert {row.rule for row in reported(small, "2026-09-02T02:00").opened} == {"health_warning", "latency_p95"}
    assert small.states("latency_p95") == [State.RESOLVED]
    assert page(small, "2026-09-02T02:00") == before


def test_segments_are_compared_with_the_final_windows_before(small: World) -> None:
    small.declare(segments=["region"])
    for day in days(FIRST, 3):
        small.log(day, n=600)
    predictions, labels = a_day("2026-09-04", n=600, right=1.0)
    wrong = [{**row, "label": 1 - row["label"]} if i % 3 == 0 and i < 300 else row for i, row in enumerate(labels)]
    small.insert("inference_log", predictions).insert("ground_truth", wrong).night("2026-09-09")
    segments = reported(small, "2026-09-09").segments

    assert segments is not None
    assert (segments.window, segments.windows) == (a_window("2026-09-04"), 3)
    worst = segments.rows[0]
    assert (worst.name, worst.now, worst.clear) == ("region=EU", 0.5, True)
    assert worst.before == pytest.approx(0.9, abs=0.05)


def test_calibration_and_scored_estimates_are_told_of_the_newest_final_window(small: World) -> None:
    for day in (FIRST, "2026-09-02"):
        small.log(day).run(day)
    small.night("2026-09-07")
    report = reported(small, "2026-09-07")

    assert report.calibration is not None
    assert report.calibration.window == a_window("2026-09-02")
    assert sum(bin.n for bin in report.calibration.bins) == 300
    assert report.calibration.ece.reference is not None
    assert report.estimates[-1].startswith("2 estimates scored so far")
    assert [spot.estimate is not None for spot in report.course.spots[:3]] == [True, True, False]


# The same for every later look


def test_a_night_reported_later_is_what_was_reported_then(world: World) -> None:
    produced = {}
    for day in days(FIRST, 4):
        world.run(day)
    world.correct(FIRST, at("2026-09-05T12:00"), right=0.4)
    world.correct(FIRST, at("2026-09-06T12:00"), right=0.95)
    for night in days("2026-09-03", 6):
        world.night(night)
        produced[night] = page(world, night)

    assert len(set(produced.values())) == 6
    assert {night: page(world, night) for night in reversed(produced)} == produced
    assert [night for night in produced if "withdrawn" in produced[night]] == ["2026-09-07"]


def test_a_report_is_kept_once_under_an_id_of_its_content(small: World) -> None:
    small.log(FIRST).night("2026-09-05")
    ids = [
        pipeline.report_night(small.monitor, at("2026-09-05"), small.resources, made_at=at(day))
        for day in days("2026-09-05", 2)
    ]
    found = pipeline.read_report(ids[0], small.resources)

    assert ids[0] == ids[1]
    assert found is not None
    assert (found[0].kind, found[0].window.end, found[0].created_at) == ("accuracy", at("2026-09-05"), at("2026-09-05"))
    assert found[1] == page(small, "2026-09-05")
    assert len(small.resources.ledger.reports("credit")) == 1


def test_the_monitors_page_leads_to_the_newest_report(small: World) -> None:
    small.log(FIRST)
    for night in ("2026-09-04", "2026-09-05"):
        small.night(night)
        pipeline.report_night(small.monitor, at(night), small.resources, made_at=at(night))
    view = pipeline.monitor_view("credit", small.resources, now=at("2026-09-06"))

    assert view is not None
    assert view.accuracy == view.reports[0]
    assert view.accuracy.text == "Accuracy report of the night 2026-09-05 00:00 UTC"
    assert f"../reports/{small.resources.ledger.reports('credit')[-1].id}" == view.accuracy.href


def test_evidently_draws_the_labelled_rows_once_and_the_report_leads_there(small: World) -> None:
    small.log(FIRST).night("2026-09-05")
    assert "Evidently" not in page(small, "2026-09-05")
    ids = [
        pipeline.report_performance(small.monitor, at("2026-09-05"), small.resources, made_at=at("2026-09-05"))
        for _ in range(2)
    ]
    found = pipeline.read_report(str(ids[0]), small.resources)

    assert ids[0] == ids[1]
    assert found is not None
    assert "Only rows with a label are drawn: 300 of the window." in found[1]
    assert "Accuracy" in found[1]
    assert f'href="{ids[0]}">Evidently&#39;s classification report of 2026-09-01<' in page(small, "2026-09-05")
    assert "<a " not in pipeline.night_page(small.monitor, at("2026-09-05"), small.resources, alone=True)


def test_there_is_nothing_to_draw_before_a_window_is_final(small: World) -> None:
    small.log(FIRST).night("2026-09-02")
    made = pipeline.report_performance(small.monitor, at("2026-09-02"), small.resources, made_at=at("2026-09-02"))
    assert made is None


# Whatever the data are


def test_hostile_segments_stay_text(small: World) -> None:
    small.declare(segments=["region"])
    small.log(FIRST, region=lambda i: EVIL).log("2026-09-02", region=lambda i: EVIL).night("2026-09-09")
    assert reported(small, "2026-09-09").segments is not None
    parsed = Page(page(small, "2026-09-09"))

    assert "script" not in parsed.tags
    assert "img" not in parsed.tags
    assert "{{7*7}}" in parsed.text


@pytest.mark.parametrize(("task", "metric"), [("regression", "mean absolute error"), ("multiclass", "accuracy")])
def test_every_task_has_its_report(small: World, task: str, metric: str) -> None:
    source = monitor_file()["source"]
    del source["predictions"]["score"]
    small.declare(model={"name": "credit", "task": task}, source=source)
    for day in days(FIRST, 2):
        small.log(day, right=0.8).run(day)
    small.night("2026-09-04")
    small.night("2026-09-07")
    report = reported(small, "2026-09-07")
    html = page(small, "2026-09-07")

    assert report.metric == metric
    assert report.course.spots[0].value is not None
    assert f"{metric.capitalize()} over time" in html
    assert not re.search(r"\bnan\b|\binf\b", html)


def test_years_of_windows_make_a_bounded_page_quickly(small: World) -> None:
    night, store = at("2027-03-01"), small.resources.store
    for k in range(110):
        window = a_window(f"{night - (k + 1) * DAY:%Y-%m-%d}")
        final = [a_measurement("n_labeled", 300.0), a_measurement("coverage", 1.0, n=300), a_measurement("mature", 1.0)]
        store.write("credit", Kind.LABELS, window, night, final)
        store.write("credit", Kind.PERFORMANCE, window, night, [Measurement("accuracy", 0.9, 300)])
    begun = time.process_time()
    html = page(small, "2027-03-01")

    assert time.process_time() - begun < 3
    assert "and 90 more" in html
    assert len(open_night(small.monitor, night, small.resources).recent) == 90
    assert len(html) < 150_000


@pytest.mark.parametrize(("size", "matures", "every"), [("1h", "14d", 3), ("1d", "100d", 1), ("6h", "14d", 1)])
def test_short_windows_and_slow_labels_are_looked_at_back_to_what_is_final(
    sqlite_url: sa.URL, tmp_path: Path, size: str, matures: str, every: int
) -> None:
    night = at("2027-03-01")
    with a_world(sqlite_url, tmp_path, [], reference=None, window=size, labels={"matures_after": matures}) as world:
        monitor, store = world.monitor, world.resources.store
        youngest = monitor.labels.matures_after // monitor.window - 2
        for k in range(youngest, youngest + 40):
            window = monitor.grid.window_at(night - (k + 1) * monitor.window)
            final = window.end + monitor.labels.matures_after <= night
            labels = [a_measurement("n_labeled"), a_measurement("coverage", 1.0), a_measurement("mature", float(final))]
            store.write("credit", Kind.LABELS, window, night, labels)
            store.write("credit", Kind.PERFORMANCE, window, night, [Measurement("accuracy", 0.9, 100)])
        found = open_night(monitor, night, world.resources)
        report = accuracy_report(found, world.resources)

    assert (report.numbers[0].name, report.numbers[0].value) == ("accuracy", 0.9)
    assert found.finals[-1].end == night - monitor.labels.matures_after
    assert len(found.finals) >= 30
    assert len(report.awaited) == 2
    assert (report.course.every, report.course.spots[-1].start) == (every, found.recent[-1].start)
    assert len(report.course.spots) <= 180
