"""The doctor sees what is well and what is not, in every part, and one that is ill hides no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.heartbeats import beat
from hindsight.monitors.due import missed_night
from hindsight.monitors.loader import load_folder
from hindsight.pipeline.show.doctor import Part, examine
from tests.builders import HOUR, a_monitor, a_window, at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.world import World, a_world

NOW = at("2026-09-02T03:00")


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, start="2026-09-01") as made:
        yield made


def examined(world: World, now: datetime = NOW) -> dict[str, Part]:
    loaded = load_folder(world.resources.settings.monitors)
    return {part.name: part for part in examine(loaded, world.resources, now=now)}


def ill(world: World, now: datetime = NOW) -> list[str]:
    return [name for name, part in examined(world, now).items() if not part.well]


def at_work(world: World, now: datetime) -> None:
    for part in ("relay", "maintenance"):
        beat(world.resources.ledger, part, now)


def test_all_is_well_where_everything_runs(world: World) -> None:
    world.log("2026-09-01").run("2026-09-01")
    at_work(world, NOW)
    found = examined(world)
    assert ill(world) == []
    assert list(found) == [
        "monitor files", "ledger", "store", "warehouse warehouse", "mail", "relay", "maintenance", "monitor credit",
    ]  # fmt: skip
    assert found["monitor credit"].said == "last window ended 2026-09-02 00:00 UTC"


def test_what_stands_still_is_named(world: World) -> None:
    world.log("2026-09-01").run("2026-09-01")
    assert ill(world) == ["relay", "maintenance"]
    at_work(world, NOW)
    later = at("2026-09-05T03:00")
    assert ill(world, later) == ["relay", "maintenance", "monitor credit"]
    said = examined(world, later)["monitor credit"].said
    assert "is monitor__credit paused or failing?; last night of labels never: is labels__credit" in said


def test_mail_that_waits_and_is_lost_is_named(world: World) -> None:
    at_work(world, NOW)
    world.log("2026-09-01", latency_ms=5000.0).run("2026-09-01")
    assert ill(world) == ["mail"]
    assert "1 waiting; the oldest since 2026-09-02 00:20 UTC" in examined(world)["mail"].said
    world.inbox.always["RCPT"] = "550 5.1.1 unknown user"
    pipeline.deliver(world.resources, now=NOW)
    assert "given up in the last 7 days" in examined(world)["mail"].said
    world.resources = replace(world.resources, mailer=None)
    assert "no connection hindsight_smtp" in examined(world)["mail"].said


def test_a_warehouse_out_of_reach_hides_nothing_else(world: World, tmp_path: Path) -> None:
    world.log("2026-09-01").run("2026-09-01")
    at_work(world, NOW)
    nowhere = sa.URL.create("postgresql+psycopg", host="127.0.0.1", port=1, database="x")
    world.resources = replace(world.resources, warehouse_source=lambda _: nowhere)
    assert ill(world) == ["warehouse warehouse"]
    (tmp_path / "monitors" / "broken.yml").write_text("name: broken\n")
    assert ill(world) == ["monitor files", "warehouse warehouse"]


def test_a_night_is_missed_when_the_last_but_one_was_not_held() -> None:
    monitor = a_monitor(start="2026-09-01", labels={"schedule": "0 2 * * *"})
    now = at("2026-09-05T03:00")
    assert missed_night(monitor, at("2026-09-03"), now) == at("2026-09-04T02:00")
    assert missed_night(monitor, at("2026-09-04"), now) is None
    assert missed_night(monitor, None, at("2026-09-03T01:00")) is None  # no window has matured by the schedule's first
    assert missed_night(monitor, at("2026-09-03"), now, since=at("2026-09-05")) is None


def test_the_command_says_so_and_exits_with_1(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reached_by_commands(world, monkeypatch)
    assert typed("doctor", "--json") == 1
    parts = {part["name"]: part["well"] for part in json.loads(capsys.readouterr().out)}
    assert parts["ledger"]
    assert not parts["relay"]
    assert typed("doctor", "--connection", "warehouse") == 0


# What still runs notices what does not


def test_the_maintenance_tells_once_a_day_of_a_relay_that_stands_still(world: World) -> None:
    beat(world.resources.ledger, "relay", NOW)
    for hours in (1, 2):
        assert pipeline.watch_over("maintenance", [world.monitor], world.resources, now=NOW + hours * HOUR) == ["relay"]
    assert world.deliver(NOW + 2 * HOUR) == ["[P1] hindsight__relay stands still since 2026-09-02 03:00 UTC"]
    assert pipeline.watch_over("relay", [world.monitor], world.resources, now=NOW + 3 * HOUR) == []


def test_the_maintenance_tells_of_a_night_of_labels_that_was_missed(world: World) -> None:
    for day in ("2026-09-01", "2026-09-02", "2026-09-03", "2026-09-04"):
        world.log(day).run(day)
    now = a_window("2026-09-04").end + 4 * HOUR
    assert pipeline.maintain([world.monitor], world.resources, now=now)["unlabelled"] == ["credit"]
    (subject,) = world.deliver(now)
    assert subject == "[P1] credit: no labels were looked at for a night"
    world.night("2026-09-05")
    assert pipeline.maintain([world.monitor], world.resources, now=now)["unlabelled"] == []
