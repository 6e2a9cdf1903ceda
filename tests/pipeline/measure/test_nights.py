"""Nights: which windows a night measures again, what it may know, and that neither gaps nor order change the end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline.judge.past_incidents import open_incidents
from hindsight.verdicts.model import Incident, State, Status
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, HOUR, a_window, at
from tests.pipeline.world import REFERENCE, World, a_day, a_world, days

LATE = at("2026-12-01")  # when history is judged long after


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """Four days of predictions whose labels a test delivers itself."""
    with a_world(database_url, tmp_path, [*REFERENCE, *days("2026-09-01", 4)]) as made:
        yield made


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The reference only, on SQLite."""
    with a_world(sqlite_url, tmp_path) as made:
        yield made


def label(world: World, day: str, arrived: str, share: float = 1.0) -> None:
    """Deliver the labels of a day all at one moment."""
    rows = [row | {"labeled_at": at(arrived)} for row in a_day(day)[1]]
    world.insert("ground_truth", rows[: round(len(rows) * share)])


def labelled(world: World, day: str) -> float | None:
    """How many labels the newest snapshot of a window counts; None where no night has measured it."""
    return next((m.value for m in world.measured(Kind.LABELS, day) if m.metric == "n_labeled"), None)


def test_a_label_that_arrives_as_the_night_ends_is_known_to_the_next_one(world: World) -> None:
    world.delete("ground_truth")
    label(world, "2026-09-01", "2026-09-03", share=0.5)
    label(world, "2026-09-02", "2026-09-02T23:59:59.999999", share=0.5)

    world.night("2026-09-03")
    assert (labelled(world, "2026-09-01"), labelled(world, "2026-09-02")) == (None, 150)
    world.night("2026-09-04")
    assert (labelled(world, "2026-09-01"), labelled(world, "2026-09-02")) == (150, 150)


def test_the_first_night_measures_what_nights_in_order_would_have(world: World) -> None:
    world.delete("ground_truth")
    label(world, "2026-09-02", "2026-09-03")
    assert world.found("2026-09-03") == []  # the label is not known yet
    assert world.found("2026-09-04") == ["2026-09-02"]
    assert world.found("2026-09-05") == ["2026-09-02"]
    assert world.found("2026-09-06") == days("2026-09-01", 2)  # the 1st has matured


def test_the_first_night_measures_every_window_with_a_label(world: World) -> None:
    assert world.found("2026-09-01") == []
    assert world.found("2026-09-04") == days("2026-09-01", 3)
    assert world.found("2026-09-04T12:00") == days("2026-09-01", 3)


def test_a_night_measures_what_labels_touched_and_what_matured_and_nothing_else(world: World) -> None:
    world.delete("ground_truth")
    world.night("2026-09-04")
    assert world.found("2026-09-05") == []  # four windows ended; none was touched, none matured before the 5th
    assert world.found("2026-09-05T00:00:01") == ["2026-09-01"]  # it matured as the 5th began

    label(world, "2026-09-02", "2026-09-03")  # exactly the overlap before the last night
    assert world.found("2026-09-05") == ["2026-09-02"]
    label(world, "2026-09-03", "2026-09-02T23:59:59.999999")  # just outside it
    assert world.found("2026-09-05") == ["2026-09-02"]
    label(world, "2026-09-04", "2026-09-05")  # not before the night
    assert world.found("2026-09-05") == ["2026-09-02"]


def test_a_missed_night_loses_nothing(world: World) -> None:
    world.delete("ground_truth")
    world.night("2026-09-03")
    label(world, "2026-09-01", "2026-09-03T12:00")
    assert world.found("2026-09-04") == ["2026-09-01"]
    assert world.found("2026-09-07") == ["2026-09-01", "2026-09-02"]  # the 2nd matured meanwhile
    assert world.night("2026-09-07").verdicts
    assert world.found("2026-09-08") == ["2026-09-03"]


def test_a_night_counts_as_done_even_when_nothing_changed(world: World) -> None:
    world.delete("ground_truth")
    world.night("2026-09-02")
    world.night("2026-09-03")
    label(world, "2026-09-01", "2026-09-01T12:00")

    assert world.found("2026-09-04") == []
    assert world.resources.ledger.last_night("credit", before=at("2026-09-04")) == at("2026-09-03")


def test_a_night_that_failed_before_it_was_judged_is_measured_again(world: World) -> None:
    windows = pipeline.find_windows(world.monitor, at("2026-09-04"), world.resources)
    first = pipeline.revise_windows(world.monitor, windows, at("2026-09-04"), world.resources)
    again = pipeline.revise_windows(world.monitor, windows, at("2026-09-04"), world.resources)

    assert (first["new"], again["new"]) == (6, 0)
    assert world.found("2026-09-04") == days("2026-09-01", 3)


def test_what_labels_say_before_they_are_mature_never_breaches(small: World) -> None:
    small.log("2026-09-01", right=0.2).declare(
        retrain={"train": "lending.models:train", "require": ["accuracy_drop"], "approval": False}
    )
    judged = [small.night(day) for day in days("2026-09-02", 3)]

    assert {v.status for j in judged for v in j.verdicts} == {Status.IMMATURE}
    assert judged[-1].verdicts[-1].value == pytest.approx(0.2, abs=0.05)
    assert (small.incidents(), small.resources.ledger.requests()) == ([], [])
    assert small.night("2026-09-05").breaches


def test_performance_needs_no_run(small: World) -> None:
    small.log("2026-09-01").night("2026-09-05")
    accuracy = next(m for m in small.measured(Kind.PERFORMANCE, "2026-09-01") if m.metric == "accuracy")

    assert (accuracy.value, accuracy.reference, accuracy.n) == (0.9, 0.9, 300)


def test_a_night_without_new_labels_writes_nothing_new(world: World) -> None:
    nights = ["2026-09-03", "2026-09-05", "2026-09-09"]
    for night in nights:
        world.night(night)
    files, told = world.files(), world.ledger("as_of", "judged_at", "committed_at")
    for night in nights:
        world.night(night)

    assert world.files() == files
    assert world.ledger("as_of", "judged_at", "committed_at") == told


def standing(world: World) -> list[Incident]:
    """What was found, but for ids, of cases too (they tell where an incident was first seen), and reasons."""
    found = [replace(i, id="", case="", reason="") for i in world.incidents() if i.state is not State.WITHDRAWN]
    return sorted(found, key=lambda i: (i.series, i.started))


NIGHTS = days("2026-09-03", 6)
ORDERS = [
    pytest.param(NIGHTS[::-1], id="backwards", marks=pytest.mark.heavy),
    pytest.param([NIGHTS[k] for k in (3, 0, 5, 1, 4, 2)], id="shuffled"),
    pytest.param(NIGHTS[-1:], id="only the last"),
    pytest.param(NIGHTS[1::3] + NIGHTS[-1:] + NIGHTS[1::3], id="with gaps and twice", marks=pytest.mark.heavy),
]


AT_ONCE = [{"id": "accuracy_drop", "keep_for": 1}]  # its first good window ends it


def after(nights: list[str], folder: Path) -> list[Incident]:
    """What is found after these nights over four days, one of them corrected in time."""
    with a_world(sa.URL.create("sqlite", database=str(folder / "test.db")), folder, rules=AT_ONCE) as world:
        for day, right in zip(days("2026-09-01", 4), (0.4, 0.5, 0.9, 0.3), strict=True):
            world.log(day, right=right)
        world.correct("2026-09-02", at("2026-09-07T12:00"), right=0.95)
        for night in nights:
            world.night(night, judged=LATE)
        return standing(world)


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> list[Incident]:
    return after(NIGHTS, tmp_path_factory.mktemp("nights"))


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_nights_does_not_matter_to_what_is_found(
    order: list[str], in_order: list[Incident], tmp_path: Path
) -> None:
    assert [(i.state, f"{i.started:%d}") for i in in_order] == [(State.RESOLVED, "01"), (State.OPEN, "04")]
    assert after(order, tmp_path) == in_order


@pytest.mark.parametrize("seed", [1, 2])
def test_what_stood_open_at_a_night_is_recalled_whatever_came_after(small: World, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for day, right in zip(days("2026-09-01", 4), (0.4, 0.5, 0.9, 0.3), strict=True):
        small.log(day, n=100, right=right)
    for _ in range(3):
        day, arrived = f"2026-09-0{rng.integers(1, 5)}", at("2026-09-01") + int(rng.integers(60, 220)) * HOUR
        rows = a_day(day, n=100, right=float(rng.choice([0.2, 0.95])))[1]
        small.insert("ground_truth", [row | {"labeled_at": arrived} for row in rows])
    live = {}
    for night in days("2026-09-05", 6):
        small.night(night, judged=LATE)
        live[night] = [(i.series, i.breaches, i.value) for i in small.incidents() if i.stands]
    found = {night: open_incidents(small.monitor, small.resources, at(night)) for night in live}
    assert {night: [(i.series, i.breaches, i.value) for i in some] for night, some in found.items()} == live
    assert len(set(map(str, live.values()))) > 1


def test_runs_and_nights_may_come_in_any_order(sqlite_url: sa.URL, tmp_path: Path) -> None:
    found = []
    for number, order in enumerate(itertools.permutations(range(3))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with a_world(sa.URL.create("sqlite", database=str(folder / "test.db")), folder) as world:
            for day in days("2026-09-01", 2):
                world.log(day, right=0.4, latency_ms=900.0)
            steps = (
                lambda: world.run("2026-09-01", judged=LATE),
                lambda: world.run("2026-09-02", judged=LATE),
                lambda: world.night("2026-09-08", judged=LATE),
            )
            for step in order:
                steps[step]()
            found.append(standing(world))
    assert {i.series.rule for i in found[0]} == {"accuracy_drop", "health_warning", "latency_p95"}
    assert all(incidents == found[0] for incidents in found[1:])


def test_a_correction_withdraws_an_incident_and_is_told_once(small: World) -> None:
    small.log("2026-09-01", right=0.4)
    small.night("2026-09-05")
    assert small.states("accuracy_drop") == [State.OPEN]
    opened = small.deliver(at("2026-09-05T01:00"))
    assert len(opened) == 1

    small.correct("2026-09-01", at("2026-09-05T10:00"), right=0.95).night("2026-09-06")
    (incident,) = small.incidents()
    assert (incident.state, incident.told) == (State.WITHDRAWN, State.WITHDRAWN)
    assert incident.reason == "labels that arrived by 2026-09-06 00:00 UTC put it back within the threshold"
    for night in days("2026-09-05", 4):
        small.night(night)
    told = small.deliver(at("2026-09-10"))
    assert len(told) == 2
    assert "withdrawn" in told[1].lower()


def test_a_correction_opens_an_incident_and_is_told_once(small: World) -> None:
    small.log("2026-09-01", right=0.9)
    small.night("2026-09-05")
    assert small.incidents() == []

    small.correct("2026-09-01", at("2026-09-05T10:00"), right=0.4)
    for night in days("2026-09-06", 3):
        small.night(night)
    assert small.states("accuracy_drop") == [State.OPEN]
    assert len(small.deliver(at("2026-09-09"))) == 1


def test_a_correction_that_comes_too_late_to_be_news_is_kept_silently(small: World) -> None:
    small.declare(rules=AT_ONCE)
    small.log("2026-09-01", n=180, right=0.4).log("2026-09-02", n=180, right=0.9)
    for night in days("2026-09-04", 4):
        small.night(night)
        told = small.deliver(at(night) + HOUR)
    assert small.states("accuracy_drop") == [State.RESOLVED]
    assert len(told) == 2

    small.correct("2026-09-01", at("2026-10-01T10:00"), right=0.95)
    small.correct("2026-09-02", at("2026-10-01T10:00"), right=0.2)
    small.night("2026-10-02")
    assert small.states("accuracy_drop") == [State.WITHDRAWN, State.OPEN]
    assert small.deliver(at("2026-10-02T01:00")) == told


def test_labels_that_are_still_arriving_make_no_old_incident_news(small: World) -> None:
    small.declare(alerts={"email": ["ann@example.com"], "max_age": "1h"})
    small.log("2026-09-01", n=180, right=0.9).log("2026-09-02", n=180, right=0.3).night("2026-09-05")
    small.correct("2026-09-01", at("2026-09-05T01:00"), right=0.2)

    judged = small.night("2026-09-05T02:00")
    assert [v.status for v in judged.verdicts if v.series.rule == "accuracy_drop"] == [Status.BREACH, Status.IMMATURE]
    assert (small.states("accuracy_drop"), judged.told) == ([State.OPEN], ())
    judged = small.night("2026-09-06T00:30")
    assert Status.BREACH in [v.status for v in judged.verdicts]
    assert [f"{i.started:%d}" for i in judged.told] == ["01"]


def test_a_rule_may_judge_segments(sqlite_url: sa.URL, tmp_path: Path) -> None:
    rules = [{"id": "accuracy_drop", "segments": True, "below": 0.8}]
    with a_world(sqlite_url, tmp_path, segments=["region"], rules=rules) as world:
        predictions, labels = a_day("2026-09-01", right=1.0)
        wrong = [{**row, "label": 1 - row["label"]} if i % 3 == 0 else row for i, row in enumerate(labels)]
        world.insert("inference_log", predictions).insert("ground_truth", wrong).night("2026-09-05")
        assert {i.series.segment for i in world.incidents()} == {"", "region=EU"}
        world.declare(segments=["region"]).log("2026-09-02").night("2026-09-06")
        assert {i.series.segment: i.state for i in world.incidents()} == {
            "": State.RECOVERING,
            "region=EU": State.WITHDRAWN,
        }


def test_windows_of_hours_and_nights_of_days_go_together(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, window="6h") as world:
        world.log("2026-09-01")
        assert len(pipeline.find_windows(world.monitor, at("2026-09-02"), world.resources)) == 4
        world.night("2026-09-02")
        found = pipeline.find_windows(world.monitor, at("2026-09-05T01:00"), world.resources)
        ended = [w.end for w in found]
        assert found[0] == a_window("2026-09-01", 6 * HOUR)
        assert ended == sorted(ended)
        assert max(ended) <= at("2026-09-02") + DAY
