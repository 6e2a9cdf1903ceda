"""The record: everything that was judged, told, promoted and done, with who, when, why and by what numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.ledger.forgetting import forget_verdicts
from hindsight.ledger.revisions import Revision, revisions
from hindsight.pipeline.show.audit import deeds, record
from hindsight.verdicts.model import Series, Status
from tests.builders import at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.world import World, a_world

BAD, NEXT = "2026-08-29", "2026-08-30"


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A day that was bad by its labels, and good by those that came later."""
    with a_world(sqlite_url, tmp_path, start=BAD) as made:
        reached_by_commands(made, monkeypatch)
        made.resources.registry.create()
        made.log(BAD, right=0.5).run(BAD)
        made.night("2026-09-02")
        made.deliver(at("2026-09-02T01:00"))
        made.correct(BAD, at("2026-09-02T12:00"), right=0.9)
        made.night("2026-09-03")
        yield made


def revised(world: World) -> list[Revision]:
    with world.resources.ledger.reading() as connection:
        return revisions(connection, "credit")


def test_what_was_said_before_later_labels_is_kept(world: World) -> None:
    (one,) = [one for one in revised(world) if one.said.series == Series("accuracy_drop")]
    assert (one.said.status, one.became) == (Status.BREACH, Status.OK)
    assert one.said.value == pytest.approx(0.5)
    assert one.said.as_of == at("2026-09-02")
    assert one.at > at("2026-09-03")


def test_what_comes_to_the_same_is_not(world: World) -> None:
    before = revised(world)
    world.night("2026-09-03", judged=at("2026-09-03T05:00"))
    assert revised(world) == before


def test_it_is_forgotten_with_its_window(world: World) -> None:
    with world.resources.ledger.locked("credit") as tx:
        forget_verdicts(tx, [(Series("accuracy_drop"), (at(BAD), at(NEXT)))])
    assert [one for one in revised(world) if one.said.series.rule == "accuracy_drop"] == []


def test_the_record_says_what_opened_what_was_told_and_what_was_undone(world: World) -> None:
    said = [deed for deed in record([world.monitor], world.resources) if "accuracy" in deed.what]
    assert said == sorted(said)
    (opened,) = [deed for deed in said if "accuracy_drop open" in deed.what]
    assert opened.who == "the rules"
    assert "0.5" in opened.why
    assert [deed for deed in said if deed.what.startswith("told risk-ml@example.com: [P0] credit")]
    (undone,) = [deed for deed in said if "is ok now" in deed.what]
    assert "breach (0.5 on 300)" in undone.what
    assert undone.why == "judged by what was known at 2026-09-02 00:00 UTC"


def test_people_alone_can_be_asked_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("silence", "credit", "--rule", "volume", "--lasting", "2h", "--comment", "a sale") == 0
    capsys.readouterr()
    assert typed("audit", "credit", "--people", "--json") == 0
    assert [deed["why"] for deed in json.loads(capsys.readouterr().out)] == ["a sale"]
    assert [deed.why for deed in deeds([world.monitor], world.resources)] == ["a sale"]
    assert typed("audit", "credit") == 0
    assert "the rules" in capsys.readouterr().out
