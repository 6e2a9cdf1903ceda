"""A level that a person accepts ends as an incident, from then on; who said so is on record and seen in the audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.verdicts.model import State
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world, days

FILE: dict[str, Any] = {"start": "2026-07-01", "rules": [{"id": "news", "enabled": False}]}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        reached_by_commands(made, monkeypatch)
        yield made


def test_what_is_accepted_is_over_and_what_never_is_stays(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    far = {"drift.drifted": ["amount", "region"]}
    for day in days("2026-07-01", 2):
        measured(world, day, far)
        judged(world, day)
    said = ("baseline", "credit", "--accept", "--as-of", "2026-07-03T01:00", "--feature", "amount")
    assert typed(*said) == 1
    assert typed(*said, "--rule", "null_rate", "--comment", "x") == 1
    assert typed(*said, "--comment", "a new product") == 0
    for day in days("2026-07-03", 7):
        measured(world, day, far)
        judged(world, day)
    found = {one.series.feature: one.state for one in world.incidents("drift")}
    assert found == {"amount": State.RESOLVED, "region": State.OPEN}
    judged(world, "2026-07-02")  # as of then nobody had said so
    assert {v.series.feature: v.status for v in world.verdicts("2026-07-02") if v.series.rule == "drift"} == {
        "amount": "breach",
        "region": "breach",
    }
    capsys.readouterr()
    assert typed("audit", "credit", "--people", "--json") == 0
    (deed,) = json.loads(capsys.readouterr().out)
    assert (deed["what"], deed["why"]) == ("drift and news of amount accepted as usual", "a new product")
    assert deed["at"].startswith("2026-07-03T01:00")
