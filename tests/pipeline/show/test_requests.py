"""How often an object store is asked: a run, what is shown and a page cost a few requests, however long the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline import resources
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.pipeline.measure import baselines
from hindsight.pipeline.measure.definition import advice, definition
from hindsight.pipeline.measure.windows import keep
from hindsight.pipeline.show.pages import monitor_view
from hindsight.pipeline.show.state import standing
from hindsight.snapshots import remote
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_measurement, at
from tests.pipeline.world import REFERENCE, World, a_world
from tests.snapshots.counting import Counting

FIRST = at("2026-09-01")
KINDS = (Kind.OPERATIONS, Kind.DRIFT, Kind.LABELS)

METRICS = {Kind.OPERATIONS: "total_requests", Kind.LABELS: "mature"}
SAID = {kind: [a_measurement(METRICS.get(kind, "drift_share"), value=0.5)] for kind in KINDS}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """A world whose data lie on a store that counts."""
    with a_world(sqlite_url, tmp_path, REFERENCE) as made:
        settings = replace(made.resources.settings, data=f"/{uuid4().hex}")
        made.resources = replace(made.resources, settings=settings, fs=Counting())
        yield made


def afresh(world: World) -> Counter[str]:
    """Begin as a process does that has just started; return the counts of what is asked for from now on."""
    for known in (resources._store, resources._baselines, baselines._load):
        known.cache_clear()
    remote._probed.clear()
    assert isinstance(world.resources.fs, Counting)
    world.resources.fs.requests.clear()
    return world.resources.fs.requests


def filled(world: World, windows: int, *, unfolded: int) -> None:
    """Hourly windows of a monitor, all of them folded but the last ones."""
    world.declare(window="1h")
    made, by = [Window(FIRST + k * HOUR, FIRST + (k + 1) * HOUR) for k in range(windows)], definition(world.monitor)
    with world.resources.remembering("credit"):
        for window in made[: windows - unfolded]:
            for kind in KINDS:
                world.resources.store.write("credit", kind, window, window.end, SAID[kind], definition=by)
    for hours in range(2):
        fold_snapshots("credit", world.resources, now=made[-1].end + 40 * DAY + hours * HOUR)
    for window in made[windows - unfolded :]:
        keep(world.monitor, window, window.end, SAID, world.resources)


def show(world: World) -> list[str]:
    """What `hindsight show` asks for."""
    with world.resources.remembering("credit"):
        pipeline.state_of(world.monitor, world.resources)
        standing(world.monitor, pipeline.stories(world.monitor, world.resources), world.resources, None)
        return list(advice(world.monitor, world.resources, "credit"))


def test_a_run_of_one_window(world: World) -> None:
    world.log("2026-09-01").log("2026-09-02").run("2026-09-01")
    asked = afresh(world)
    with world.resources.remembering("credit"):
        world.run("2026-09-02")
    assert asked["PUT"] == 7  # five kinds, and a probe of two
    assert asked.total() <= 25


@pytest.mark.parametrize("windows", [100, 300])
def test_what_is_shown_of_a_monitor(world: World, windows: int) -> None:
    filled(world, windows, unfolded=10)
    asked = afresh(world)
    assert show(world) == []
    assert +asked == {"LIST": 2, "GET": len(KINDS)}  # the newest window of each kind


def test_what_is_shown_of_a_monitor_whose_file_was_corrected(world: World) -> None:
    filled(world, 100, unfolded=10)
    world.declare(window="1h", model={"name": "credit", "task": "binary", "positive_label": 0})
    asked = afresh(world)
    (line,) = show(world)
    assert line.startswith("100 windows were measured by an earlier version of the monitor file")
    assert +asked == {"LIST": 2, "GET": len(KINDS)}


def test_a_page(world: World) -> None:
    filled(world, 150, unfolded=2)
    asked = afresh(world)
    view = monitor_view("credit", world.resources, now=FIRST + 150 * HOUR)
    assert view is not None
    assert len(view.charts[0].points) > 80
    assert asked["LIST"] == 2  # twice: what is folded meanwhile is in one of them
    assert asked.total() <= 40
