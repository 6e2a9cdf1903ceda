"""Upkeep: what is paused, archived, removed or gone from the data leaves nothing open, told wrongly or lying about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.monitors.model import Monitor
from hindsight.verdicts.model import State, Status
from hindsight.verdicts.retraining import Refusal
from tests.builders import DAY, HOUR, at
from tests.pipeline.world import REFERENCE, World, a_world, days

SLOW: dict[str, Any] = {"latency_ms": 900.0}
FIRST, SECOND = "2026-09-01", "2026-09-02"
LATER = at("2026-09-02T01:00")


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The reference only, on SQLite."""
    with a_world(sqlite_url, tmp_path, REFERENCE) as made:
        yield made


@pytest.fixture
def slow(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """A slow day whose incidents were mailed."""
    with a_world(database_url, tmp_path, REFERENCE) as made:
        made.log(FIRST, **SLOW).run(FIRST)
        made.deliver(LATER)
        yield made


def maintain(world: World, *monitors: Monitor, **rest: Any) -> dict[str, Any]:
    return pipeline.maintain(monitors, world.resources, now=rest.pop("now", LATER), **rest)


def as_state(world: World, state: str) -> Monitor:
    return world.monitor.model_copy(update={"state": state})


# Silence


def test_a_resumed_monitor_is_silent_only_two_windows_after_its_pause(small: World) -> None:
    small.log(FIRST).run(FIRST)
    resumed = {"credit": at("2026-10-01T12:00")}
    for now, silent in (("2026-10-01T13:00", []), ("2026-10-03T12:00", []), ("2026-10-03T13:00", ["credit"])):
        assert maintain(small, small.monitor, now=at(now), resumed=resumed)["silent"] == silent
    assert maintain(small, small.monitor, now=at("2026-10-01T13:00"))["silent"] == ["credit"]


def test_a_monitor_that_is_paused_in_airflow_is_told_as_such(small: World) -> None:
    small.log(FIRST).run(FIRST)
    for day, paused, words in (("04", ["credit"], "monitor__credit is paused in Airflow"), ("05", [], "is it paused")):
        now = at(f"2026-09-{day}T12:00")
        assert maintain(small, small.monitor, now=now, paused=paused)["silent"] == ["credit"]
        small.deliver(now)
        assert words in small.inbox.accepted[-1].get_content()


# Leftovers


def test_what_a_crashed_writer_left_is_removed_once_nobody_can_still_be_writing_it(small: World) -> None:
    small.log(FIRST).run(FIRST)
    folder = Path(small.resources.settings.data) / "snapshots" / "monitor=credit"
    old, new = folder / ".a.parquet.1.tmp", folder / ".b.parquet.2.tmp"
    for file, age in ((old, 25 * HOUR), (new, HOUR)):
        file.write_bytes(b"half")
        os.utime(file, ((LATER - age).timestamp(),) * 2)
    files = small.files()
    assert maintain(small, small.monitor)["leftovers"] == 1
    assert (old.exists(), new.exists(), small.files()) == (False, True, files)


# Monitors that are watched no more


@pytest.mark.parametrize("how", ["archived", "removed"])
def test_a_retired_monitors_incidents_are_closed_and_told_once_to_those_who_knew(slow: World, how: str) -> None:
    before = slow.deliver(LATER)
    left = [as_state(slow, "archived")] if how == "archived" else []
    first, again = (maintain(slow, *left, all_there=True, now=LATER + k * DAY) for k in range(2))
    assert (first["closed"], again["closed"]) == ({"credit": len(slow.incidents())}, {})
    assert {(i.state, i.reason) for i in slow.incidents()} == {(State.WITHDRAWN, f"the monitor was {how}")}
    assert slow.deliver(LATER + 2 * DAY)[len(before) :] == [f"[closed] credit: monitor {how}"]
    text = slow.inbox.accepted[-1].get_content()
    assert "latency_p95, since 2026-09-01 00:00 UTC" in " ".join(text.split())


def test_a_folder_that_may_not_be_all_there_removes_nothing(slow: World) -> None:
    assert maintain(slow)["closed"] == {}
    assert maintain(slow, as_state(slow, "paused"), all_there=True)["closed"] == {}
    assert set(slow.states("latency_p95")) == {State.OPEN}


def test_nobody_hears_of_the_end_of_what_they_were_never_told(small: World) -> None:
    small.log(FIRST, **SLOW).run(FIRST, judged=at("2026-12-01"))
    assert maintain(small, all_there=True, now=at("2026-12-02"))["closed"] == {"credit": len(small.incidents())}
    assert small.deliver(at("2026-12-03")) == []


def test_a_monitor_that_comes_back_tells_of_what_breaches_then(slow: World) -> None:
    maintain(slow, as_state(slow, "archived"), all_there=True)
    told = slow.deliver(LATER + HOUR)
    slow.log(SECOND, **SLOW).run(SECOND)
    assert State.OPEN in slow.states("latency_p95")
    assert len(slow.deliver(at("2026-09-03T01:00"))) == len(told) + 1


# Parts of a file and of the data


def test_an_incident_of_a_feature_that_was_removed_is_closed_and_nobody_is_told(small: World) -> None:
    rules = [{"id": "null_rate", "severity": "P1"}]
    patchy: dict[str, Any] = {"amount": lambda i: None if i % 2 else 100.0}
    small.declare(rules=rules).log(FIRST, **patchy).run(FIRST)
    told = small.deliver(LATER)
    assert small.states("null_rate") == [State.OPEN]
    small.declare(rules=rules, features={"region": "categorical"}).log(SECOND, **patchy).run(SECOND)
    assert small.states("null_rate") == [State.WITHDRAWN]
    assert small.incidents("null_rate")[0].reason == "the monitor file no longer has its feature"
    assert small.deliver(at("2026-09-03T01:00")) == told


def test_an_incident_of_a_segment_that_was_removed_is_closed(small: World) -> None:
    rules = [{"id": "latency_p95", "segments": True}]
    small.declare(rules=rules, segments=["region"]).log(FIRST, **SLOW).run(FIRST)
    assert small.states("latency_p95") == [State.OPEN] * 4
    small.declare(rules=rules, segments=["model_version"]).log(SECOND, **SLOW).run(SECOND)
    states = {i.series.segment: i.state for i in small.incidents("latency_p95") if "model" not in i.series.segment}
    assert states == {"": State.OPEN} | {f"region={name}": State.WITHDRAWN for name in ("APAC", "EU", "US")}


def test_a_series_that_a_rerun_no_longer_measures_breaches_no_longer(small: World) -> None:
    rules = [{"id": "latency_p95", "segments": True}]
    small.declare(rules=rules, segments=["region"]).log(FIRST, region="EU", **SLOW).run(FIRST)
    small.delete("inference_log").log(FIRST, region="US", **SLOW).run(FIRST)
    found = {v.series.segment: (v.status, v.note) for v in small.verdicts(FIRST) if v.series.rule == "latency_p95"}
    assert found["region=EU"] == (Status.NO_DATA, "no longer measured")
    assert found["region=US"][0] is Status.BREACH
    states = {i.series.segment: i.state for i in small.incidents("latency_p95")}
    assert states == {"": State.OPEN, "region=EU": State.WITHDRAWN, "region=US": State.OPEN}


def test_a_run_says_nothing_of_what_nights_measured_and_the_reverse(small: World) -> None:
    small.log(FIRST).run(FIRST)
    small.night("2026-09-05")
    before = {v.series: v for v in small.verdicts(FIRST)}
    small.run(FIRST)
    small.night("2026-09-05")
    assert {v.series: v for v in small.verdicts(FIRST)} == before


# Nights out of order


def test_a_late_older_night_asks_for_no_retraining_that_newer_labels_have_undone(small: World) -> None:
    small.declare(retrain={"train": "lending.models:train"})
    for day in days(FIRST, 2):
        small.log(day, right=0.4)
    small.correct(FIRST, at("2026-09-05T12:00"), right=0.9)
    small.night("2026-09-06", judged=at("2026-12-01"))  # too late to ask for anything
    windows, night = [small.monitor.grid.window_at(at(FIRST))], at("2026-09-05")
    pipeline.revise_windows(small.monitor, windows, night, small.resources)
    judged = pipeline.judge_night(small.monitor, night, windows, small.resources, judged_at=night + HOUR)

    breached = [v.window.start for v in judged.breaches if v.series.rule == "accuracy_drop"]
    assert (breached, small.states("accuracy_drop")) == ([at(FIRST)], [State.OPEN])
    assert isinstance(judged.retraining, Refusal)
    assert "no required rule was breached" in judged.retraining.reason
