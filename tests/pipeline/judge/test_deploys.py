"""A new model version in the log is noted, and nobody is told of drift for some windows; what lasts is told then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger import tables
from hindsight.ledger.deploys import deploys
from hindsight.pipeline.show.audit import deeds
from hindsight.verdicts.model import State
from tests.builders import DAY, HOUR, at
from tests.pipeline.world import World, a_world, days

DAYS = days("2026-08-28", 6)
DEPLOYED = DAYS[2]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    loud = [{"id": id, "severity": "P1"} for id in ("drift", "null_rate")]  # not only at night
    with a_world(sqlite_url, tmp_path, start="2026-08-28", rules=loud) as made:
        yield made


def seen(world: World) -> list[tuple[str, str]]:
    with world.resources.ledger.reading() as connection:
        return [(one.version, f"{one.start:%Y-%m-%d}") for one in deploys(connection, "credit")]


def lived(world: World, day: str, **values: object) -> list[str]:
    """A day logged, run and told of; what people heard by its end."""
    world.log(day, **values)
    world.run(day)
    now = at(day) + DAY + HOUR
    pipeline.tell_what_lasts([world.monitor], world.resources, now=now)
    return world.deliver(now)


def test_drift_that_comes_with_a_version_is_told_when_it_outlasts_the_silence(world: World) -> None:
    heard = [len(lived(world, day)) for day in DAYS[:2]]
    moved = {"region": lambda i: "EU", "model_version": "v2", "latency_ms": 20.0}
    heard += [len(lived(world, day, **moved)) for day in DAYS[2:5]]
    assert seen(world) == [("v2", DEPLOYED)]
    assert heard == [0, 0, 0, 0, 1]
    assert [one.told for one in world.incidents("drift") if one.series.feature == "region"] == [State.OPEN]
    with world.resources.ledger.reading() as connection:
        text = connection.execute(sa.select(tables.outbox.c.text)).scalar_one()
    assert "by the deploy: version v2 is in the log since 2026-08-30" in text
    assert [deed.what for deed in deeds([world.monitor], world.resources)] == ["shows version v2 for the first time"]


def test_nulls_are_told_at_once_whatever_was_deployed(world: World) -> None:
    for day in DAYS[:2]:
        lived(world, day)
    assert lived(world, DEPLOYED, amount=None, model_version="v2")


def test_a_version_of_few_rows_is_no_deploy_and_the_earliest_window_counts(world: World) -> None:
    lived(world, DAYS[0])
    lived(world, DAYS[4], model_version="v2")
    lived(world, DAYS[3], model_version=lambda i: "v2" if i % 3 else "v1")
    lived(world, DAYS[1], model_version=lambda i: "v3" if i % 30 == 0 else "v1")
    assert seen(world) == [("v2", DAYS[3])]
