"""What is grave is told again each day until somebody says that they look after it, and again once it is worse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.acknowledgements import Acknowledgement, acknowledge
from hindsight.pipeline.show.audit import deeds
from hindsight.verdicts.model import State
from tests.builders import DAY, HOUR, a_window, at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.judge.facts import digest, judged, measured
from tests.pipeline.world import World, a_world, days

FILE: dict[str, Any] = {"start": "2026-07-01", "rules": [{"id": "news", "enabled": False}]}
SLOW = {"operations.latency_p95_ms": [""]}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        reached_by_commands(made, monkeypatch)
        yield made


def relayed(world: World, now: datetime) -> list[str]:
    """What a tick of the relay does; how all mail so far begins."""
    pipeline.tell_what_lasts([world.monitor], world.resources, now=now)
    return [subject.partition("]")[0][1:] for subject in world.deliver(now)]


def lived(world: World, day: str, bad: dict[str, list[str]] = SLOW) -> None:
    measured(world, day, bad)
    judged(world, day)
    world.deliver(a_window(day).end + HOUR)


def acknowledged(world: World, when: str) -> None:
    (one,) = world.incidents("latency_p95")
    acknowledge(world.resources.ledger, "credit", Acknowledgement(one.case, at(when), "ann", "restarting it"))


def test_what_is_grave_is_told_again_each_day_while_it_is_open(world: World) -> None:
    for count, day in enumerate(days("2026-07-01", 3), 1):
        lived(world, day)
        soon, later = a_window(day).end + HOUR, a_window(day).end + 2 * HOUR
        assert relayed(world, soon) == relayed(world, later) == ["P1"] * count
    text = str(world.inbox.accepted[-1].get_body(("plain",)).get_content())
    (one,) = world.incidents("latency_p95")
    assert f"nobody has said that they look after it: hindsight ack credit {one.case}" in text
    lived(world, "2026-07-04", {})
    assert relayed(world, at("2026-07-05T02:00")) == ["P1", "P1", "P1", "resolved"]
    assert relayed(world, at("2026-07-06T02:00")) == ["P1", "P1", "P1", "resolved"]


def test_nobody_is_reminded_of_what_somebody_looks_after_but_its_end_is_told(world: World) -> None:
    lived(world, "2026-07-01")
    acknowledged(world, "2026-07-02T08:00")
    for day in days("2026-07-02", 3):
        lived(world, day)
        assert relayed(world, a_window(day).end + HOUR) == ["P1"]
    (story,) = pipeline.stories(world.monitor, world.resources)
    assert "acknowledged by ann on 2026-07-02 08:00 UTC: restarting it" in story.done
    lived(world, "2026-07-05", {})
    assert relayed(world, at("2026-07-06T02:00")) == ["P1", "resolved"]
    (deed,) = deeds([world.monitor], world.resources)
    assert deed.what.startswith("acknowledged latency_p95 ")


@pytest.mark.parametrize(("repeat", "count"), [({"P1": "0h"}, 1), ({"P0": "1h"}, 2), ({"P1": "3d"}, 1)])
def test_the_file_says_how_soon_and_whether_at_all(world: World, repeat: dict[str, str], count: int) -> None:
    alerts = {"email": ["risk-ml@example.com"], "repeat": repeat}
    world.declare(**FILE | {"alerts": alerts})
    lived(world, "2026-07-01")
    lived(world, "2026-07-02")
    assert relayed(world, at("2026-07-03T01:00")) == ["P1"] * count


def test_what_recovers_or_is_no_longer_judged_is_not_repeated(world: World) -> None:
    for day, bad in (("2026-07-01", {"operations.volume_ratio": [""]}), ("2026-07-02", {})):
        lived(world, day, bad)
    assert world.states("volume") == [State.RECOVERING]
    assert relayed(world, at("2026-07-03T01:00")) == ["P1"]
    lived(world, "2026-07-03")
    assert relayed(world, at("2026-07-20")) == ["P1", "P1"]  # the DAG stands still: that is told by the maintenance


def test_what_is_a_notice_is_told_once(world: World) -> None:
    for day in days("2026-07-01", 4):
        lived(world, day, {"quality.null_rate": ["amount"]})
        digest(world, f"{at(day) + DAY:%Y-%m-%d}")
    assert relayed(world, at("2026-07-05T02:00")) == ["P2"]


def test_mail_that_could_not_be_sent_for_days_is_sent_once_as_it_stands(world: World) -> None:
    world.inbox.always["RCPT"] = "450 4.2.0 greylisted"
    for day in days("2026-07-01", 3):
        lived(world, day)
        relayed(world, a_window(day).end + HOUR)
    world.inbox.always.clear()
    assert relayed(world, at("2026-07-04T12:00")) == ["P1"]


def test_what_labels_tell_is_repeated_too_though_newer_windows_still_wait(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path) as labelled:
        for day in days("2026-09-01", 4):
            labelled.log(day, right=0.4).run(day)
        told = []
        for night in days("2026-09-05", 3):
            labelled.night(night)
            told.append(relayed(labelled, at(f"{night}T03:00")).count("P0"))
    assert told == [1, 2, 3]


def test_a_case_is_one_reminder_a_day_and_one_acknowledgement_covers_all_of_it(world: World) -> None:
    grave = [{"id": "news", "enabled": False}, {"id": "drift", "severity": "P1"}, {"id": "null_rate", "severity": "P1"}]
    world.declare(**FILE | {"rules": grave})
    bad = {"drift.drifted": ["amount"]}
    lived(world, "2026-07-01", bad)
    lived(world, "2026-07-02", bad | {"quality.null_rate": ["region"], "drift.drifted": ["amount", "region"]})
    before = len(relayed(world, at("2026-07-03T02:00")))
    for hour in range(3, 24):
        assert len(relayed(world, at(f"2026-07-03T{hour:02}:00"))) == before
    lived(world, "2026-07-03", bad)
    (case,) = {one.case for one in world.incidents("drift") if one.stands}
    acknowledge(world.resources.ledger, "credit", Acknowledgement(case, at("2026-07-03T23:30"), "ann"))
    lived(world, "2026-07-04", bad)
    told = [one.case for one in world.incidents() if one.heard and one.heard.at and one.heard.at > at("2026-07-04")]
    relayed(world, at("2026-07-05T12:00"))
    assert case not in told


# The command


def test_a_person_acknowledges_by_the_beginning_of_an_id(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    lived(world, "2026-07-01")
    (one,) = world.incidents("latency_p95")
    assert typed("ack", "credit", one.id[:5], "--comment", "on it") == 0
    assert "on it" in capsys.readouterr().out
    assert typed("ack", "credit", "zzzz") == 1
    assert "no such incident of credit has the id 'zzzz'" in capsys.readouterr().err
    assert typed("ack", "credit", one.id[:3]) == 1
    assert typed("incidents", "credit") == 0
    assert one.id[:8] in capsys.readouterr().out


def test_the_timeline_of_a_case_is_written_as_markdown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    lived(world, "2026-07-01")
    acknowledged(world, "2026-07-02T08:00")
    lived(world, "2026-07-02", {})
    (one,) = world.incidents("latency_p95")
    assert typed("incidents", "credit", "--postmortem", one.id[:6]) == 0
    said = capsys.readouterr().out
    assert said.startswith("# credit: latency p95 900 ms, over 300 ms\n")
    assert "  - 2026-07-01 00:00: latency_p95_ms was 900 on 1,000 rows, at or above the threshold 300" in said
    timeline = said.partition("## Timeline (UTC)")[2].partition("##")[0].strip().splitlines()
    assert [line[19:45] for line in timeline] == [
        "latency_p95 is open",
        "told to risk-ml@example.co",
        "ann acknowledged latency_p",
        "latency_p95 is resolved",
        "told to risk-ml@example.co",
    ]
    assert typed("incidents", "--postmortem", one.id) == 1
