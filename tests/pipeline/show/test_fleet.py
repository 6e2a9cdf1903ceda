"""The list of monitors comes of the ledger alone: its window, health, worst incident and how late its labels are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from hindsight import pipeline
from hindsight.reports.pages import MonitorCard
from hindsight.verdicts.model import Series, Status, Verdict
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_measurement, a_window, at
from tests.pipeline.judge.facts import judged, measured, write
from tests.pipeline.world import World, a_world, days, file_of_the_world

FIRST = "2026-09-01"


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, days=(), start=FIRST) as made:
        yield made


def card(world: World, name: str = "credit") -> MonitorCard:
    [found] = [c for c in pipeline.overview_cards(world.resources, now=at("2026-09-20")) if c.name == name]
    return found


def day(world: World, day: str, *, health: float = 0.0, slow: bool = False) -> None:
    operations = [a_measurement("health", health, n=300), a_measurement("total_requests", 300.0, n=300)]
    operations += [a_measurement("latency_p95_ms", 900.0 if slow else 50.0, n=300)]
    write(world, day, {Kind.OPERATIONS: operations})
    judged(world, day)


def settled(world: World, day: str) -> None:
    """Put on record that the labels of a day were judged, as a night does."""
    window, moment = a_window(day), at("2026-09-05")
    good = Verdict(Series("accuracy_drop"), window, moment, moment, Status.OK, 0.9, 0.7, 300)
    with world.resources.ledger.locked("credit") as tx:
        tx.save_verdicts([good], moment)


def test_without_a_window_it_says_so(world: World) -> None:
    found = card(world)
    assert (found.last_window, found.health, found.worst, found.labels.said) == (None, "unknown", None, "no window yet")


def test_it_has_the_newest_window_its_health_and_the_worst_incident(world: World) -> None:
    day(world, FIRST)
    assert card(world).health == "healthy"
    day(world, "2026-09-02", slow=True)
    found = card(world)
    assert found.last_window is not None
    assert found.last_window.start == at("2026-09-02")
    assert (found.health, found.open, found.since) == ("warning", {Severity.P1: 1}, at("2026-09-02"))
    assert found.worst is not None
    assert found.worst.text == "latency_p95"
    assert found.worst.href == f"monitors/credit/cases/{world.incidents()[0].case}"


def test_it_is_never_healthy_beside_a_p0_nor_milder_than_its_service(world: World) -> None:
    day(world, FIRST, health=1.0)
    assert card(world).health == "warning"
    day(world, "2026-09-02", health=2.0)
    assert card(world).health == "critical"
    day(world, "2026-09-03")
    found = card(world)
    assert (found.health, found.recovering) in {("critical", 0), ("healthy", 1), ("healthy", 0)}
    assert (found.health == "healthy") == (Severity.P0 not in found.open)


def test_labels_are_late_by_the_windows_beyond_those_that_may_wait(world: World) -> None:
    for one in days(FIRST, 3):
        day(world, one)
    assert card(world).labels.said == "none judged yet"
    settled(world, FIRST)
    said = card(world).labels
    assert (said.judged, said.late, said.said) == (at(FIRST), 0, "as expected")  # they mature after three days
    for one in days("2026-09-04", 3):
        day(world, one)
    assert (card(world).labels.late, card(world).labels.said) == (2, "2 windows late")


def test_a_monitor_without_labels_says_so(world: World) -> None:
    source = {key: value for key, value in file_of_the_world()["source"].items() if key != "labels"}
    world.declare(start=FIRST, source=source, labels=None)
    assert card(world).labels.said == "no labels"


def test_many_monitors_are_two_statements_and_no_snapshot(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        file = file_of_the_world(name=f"other_{number}", start=FIRST)
        YAML().dump(file, world.resources.settings.monitors / f"other_{number}.yml")
    measured(world, FIRST, {})
    judged(world, FIRST)
    asked: list[str] = []
    sa.event.listen(world.resources.ledger.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    monkeypatch.setattr("hindsight.snapshots.store.SnapshotStore.names", None)
    found = pipeline.overview_cards(world.resources, now=at(FIRST) + DAY)
    assert len(found) == 21
    assert len([one for one in asked if "FROM" in one]) == 2
    assert [one.name for one in found if one.last_window] == ["credit"]
