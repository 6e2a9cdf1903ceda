"""An upgrade tells nobody anything: what an older build told of is told again only when it breaches again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.verdicts.model import State
from tests.builders import at
from tests.pipeline.judge.facts import LEVELS, digest, judged, measured, subjects
from tests.pipeline.world import World, a_world, days

PAST = days("2026-06-16", 65)
SINCE = days("2026-08-20", 9)
FILE: dict[str, Any] = {"start": "2026-06-16", "reference": None}
AS_BEFORE: list[dict[str, Any]] = [  # rules as builds before cases had them: nothing waited for a week
    {"id": "volume", "keep_for": 1},
    {"id": "null_rate", "keep_for": 1},
    {"id": "accuracy_drop", "keep_for": 1},
    {"id": "drift", "keep_for": 1},
    {"id": "drift_share", "keep_for": 1, "severity": "P1"},
    {"id": "news", "enabled": False},
]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), rules=AS_BEFORE, alerts=None, **FILE) as made:
        yield made


def a_past(world: World, chosen: Sequence[str], *, calm: int = 1) -> None:
    """Judge a stretch in which each series breaches now and then, and every night tells; the last days are good.

    That is on record; the mails themselves, which cost most of it, are left out.
    """
    rng = random.Random(7)
    for number, day in enumerate(chosen):
        bad = {
            path: [column for column in ("", "amount", "region") if rng.random() < 0.5]
            for path in LEVELS
            if number < len(chosen) - calm
        }
        measured(world, day, bad)
        judged(world, day)
        digest(world, f"{at(day):%Y-%m-%d}T23:59")


def as_an_older_build_left_it(world: World) -> None:
    """Take out of the ledger what builds before did not write."""
    with world.resources.ledger.writing() as connection:
        connection.execute(sa.update(tables.incidents).values(case_id="", settled=None, heard=None))
    world.declare(rules=[{"id": "news", "enabled": False}], **FILE)


def test_a_hundred_past_incidents_are_no_news_to_the_new_rules(world: World) -> None:
    a_past(world, PAST)
    as_an_older_build_left_it(world)
    assert len(world.incidents()) > 100
    assert {incident.state for incident in world.incidents()} == {State.RESOLVED}
    before = subjects(world)

    for day in SINCE:
        measured(world, day, {})
        judged(world, day)
        digest(world, f"{day}T23:59")
    assert subjects(world) == before
    assert State.WITHDRAWN in world.states("drift")  # the rules did join what was told apart


def test_windows_of_the_past_that_are_judged_again_are_no_news_either(world: World) -> None:
    a_past(world, PAST[-25:])
    as_an_older_build_left_it(world)
    before, now = subjects(world), at("2026-08-20T01:00")
    for day in PAST[-20:]:
        judged(world, day, at=now)
    digest(world, "2026-08-20T02:00")
    assert subjects(world) == before


def test_what_was_open_and_told_is_told_once_more_when_it_is_over(world: World) -> None:
    bad = {path: ["", "amount"] for path in LEVELS}
    a_past(world, PAST[:10])
    for day in days("2026-06-26", 2):
        measured(world, day, bad)
        judged(world, day)
        digest(world, f"{day}T23:59")
    as_an_older_build_left_it(world)
    before = subjects(world)
    for day in days("2026-06-28", 9):
        measured(world, day, {})
        judged(world, day)
        digest(world, f"{day}T23:59")
    told = subjects(world)[len(before) :]
    assert told
    assert all(subject.startswith("[resolved]") for subject in told)
    assert not [incident for incident in world.incidents() if incident.stands]


def test_what_is_bad_again_after_the_upgrade_is_told(world: World) -> None:
    a_past(world, PAST[-15:])
    as_an_older_build_left_it(world)
    before = subjects(world)
    measured(world, SINCE[0], {"operations.volume_ratio": [""], "drift.drifted": ["amount"]})
    judged(world, SINCE[0])
    digest(world, f"{SINCE[0]}T23:59")
    told = " ".join(subjects(world)[len(before) :])
    assert "volume ratio" in told
    assert "amount drifted" in told
