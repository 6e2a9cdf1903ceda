"""Rows that come later than the file allows: found, measured again by a quiet run, and on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline.act import completeness
from hindsight.pipeline.measure.completeness import Late, late_rows
from hindsight.pipeline.show.audit import record
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, a_window, at
from tests.pipeline.world import World, a_day, a_world

MONDAY, TUESDAY, NOW = "2026-08-31", "2026-09-01", at("2026-09-02T04:00")


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, start=MONDAY) as made:
        made.resources.registry.create()
        for day in (MONDAY, TUESDAY):
            made.log(day).run(day)
        yield made


def late(world: World, day: str, n: int, *, first: int = 1000, **values: object) -> None:
    """Log more requests of a day after it was measured."""
    rows = a_day(day, n=n, **values)[0]
    world.insert("inference_log", [row | {"request_id": f"late-{day}-{first + i}"} for i, row in enumerate(rows)])


def asked(world: World, now: datetime = NOW) -> list[str]:
    return [f"{one.window.start:%Y-%m-%d}" for one in pipeline.ask_again(world.monitor, world.resources, now=now)]


def measured_again(world: World, day: str) -> None:
    """What the run does that was asked for."""
    window = a_window(day)
    pipeline.run_window(world.monitor, window, world.resources)
    pipeline.judge_window(world.monitor, window, world.resources, judged_at=NOW, quiet=True)


def test_a_window_is_asked_for_once_for_each_number_of_rows(world: World) -> None:
    assert asked(world) == []
    late(world, MONDAY, 20)
    assert late_rows(world.monitor, NOW, world.resources) == [Late(a_window(MONDAY), 300, 320)]
    assert asked(world) == [MONDAY]
    assert asked(world) == []
    late(world, MONDAY, 5, first=2000)
    assert asked(world) == [MONDAY]
    (first, second) = pipeline.pending_starts(world.resources)
    assert first["dag_id"] == "monitor__credit"
    assert first["conf"]["window_start"] == "2026-08-31T00:00:00+00:00"
    assert first["conf"]["quiet"] is True
    assert "20 requests came late" in first["conf"]["cause"]
    assert second["run_id"] != first["run_id"]


def test_what_was_measured_again_is_late_no_more(world: World) -> None:
    late(world, MONDAY, 20)
    measured_again(world, MONDAY)
    whole = [m for m in world.measured(Kind.OPERATIONS, MONDAY) if not m.model_version]
    (total,) = [m.value for m in whole if m.metric == "total_requests"]
    assert total == 320
    assert late_rows(world.monitor, NOW, world.resources) == []


def test_old_windows_and_a_log_that_forgets_are_left_alone(world: World) -> None:
    late(world, MONDAY, 20)
    assert late_rows(world.monitor, NOW + 9 * DAY, world.resources) == []
    world.delete("inference_log")
    assert late_rows(world.monitor, NOW, world.resources) == []


def test_those_that_miss_most_come_first_and_not_all_in_one_night(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completeness, "MOST", 1)
    late(world, MONDAY, 20)
    late(world, TUESDAY, 50)
    assert asked(world) == [TUESDAY]
    measured_again(world, TUESDAY)
    assert asked(world) == [MONDAY]


def test_nobody_is_paged_for_what_late_rows_say_and_it_is_on_record(world: World) -> None:
    late(world, TUESDAY, 300, status_code=500)
    assert asked(world) == [TUESDAY]
    measured_again(world, TUESDAY)
    assert [(i.state, i.told) for i in world.incidents("health_critical")] == [("open", None)]
    assert world.deliver(NOW) == []
    assert [deed.why for deed in record([world.monitor], world.resources) if "monitor__credit" in deed.what] == [
        "window 2026-09-01T00:00Z/2026-09-02T00:00Z: 300 requests came late, after 300 had been measured"
    ]


def test_what_late_rows_end_is_told(world: World) -> None:
    """A day that seemed slow, for want of the rows that were not."""
    slow = at("2026-09-03T01:00")
    world.log("2026-09-02", n=60, latency_ms=900.0).run("2026-09-02")
    assert [mail for mail in world.deliver(slow) if mail.startswith("[P")]
    late(world, "2026-09-02", 3000, latency_ms=20.0)
    window = a_window("2026-09-02")
    pipeline.run_window(world.monitor, window, world.resources)
    pipeline.judge_window(world.monitor, window, world.resources, judged_at=slow, quiet=True)
    assert [mail for mail in world.deliver(slow) if "withdrawn" in mail]
