"""What windows were measured by is on record in the ledger; files are opened where it knows nothing, and are right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger import tables
from hindsight.pipeline.act.folding import fold_snapshots, renew_snapshots
from hindsight.pipeline.measure import definition
from hindsight.pipeline.measure.definition import outdated
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, at
from tests.pipeline.world import REFERENCE, World, a_copy, a_world, days, sqlite

DAYS = days("2026-09-01", 3)
CORRECTED: dict[str, Any] = {"model": {"name": "credit", "task": "binary", "positive_label": 0}}
LATER = at("2026-12-01")


@contextmanager
def three_windows(url: sa.URL, folder: Path) -> Iterator[World]:
    with a_world(url, folder, REFERENCE) as made:
        for day in DAYS:
            made.log(day, n=40).run(day)
        yield made


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three windows that were run, each by the file as it was."""
    folder = tmp_path_factory.mktemp("three")
    with three_windows(sqlite(folder), folder):
        return folder


@pytest.fixture(params=["postgres", "sqlite"])
def world(request: pytest.FixtureRequest, lived: Path, tmp_path: Path) -> Iterator[World]:
    """Those windows, for this test alone; once on PostgreSQL and once on SQLite."""
    if request.param == "sqlite":
        with a_copy(lived, tmp_path) as made:
            yield made
        return
    with three_windows(request.getfixturevalue("postgres_url"), tmp_path) as made:
        yield made


def late(world: World, kind: Kind = Kind.OPERATIONS) -> list[str]:
    return [f"{start:%Y-%m-%d}" for start in outdated(world.monitor, kind, world.resources)]


def lose_the_record(world: World) -> None:
    with world.resources.ledger.writing() as connection:
        connection.execute(sa.delete(tables.definitions))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many snapshots' descriptions were read from files, question by question."""
    counts: list[int] = []
    described, fold = SnapshotStore.described, SnapshotStore.fold

    def counted(self: SnapshotStore, places: Any) -> Any:
        counts.append(len(places))
        return described(self, places)

    def folded(self: SnapshotStore, name: Any) -> Any:
        counts.append(1)
        return fold(self, name)

    monkeypatch.setattr(SnapshotStore, "described", counted)
    monkeypatch.setattr(SnapshotStore, "fold", folded)
    return counts


@pytest.mark.parametrize("folded", [False, True])
def test_no_file_is_opened_to_ask(world: World, opened: list[int], folded: bool) -> None:
    if folded:
        fold_snapshots("credit", world.resources, now=LATER)
    opened.clear()
    assert late(world) == []
    assert late(world.declare(**CORRECTED)) == DAYS
    assert sum(opened) == 0


@pytest.mark.parametrize("folded", [False, True])
def test_without_a_record_the_files_say_it(world: World, folded: bool) -> None:
    if folded:
        fold_snapshots("credit", world.resources, now=LATER)
    lose_the_record(world)
    assert late(world) == []
    assert late(world.declare(**CORRECTED)) == DAYS


@pytest.mark.parametrize("learn", [fold_snapshots, renew_snapshots])
def test_a_lost_record_is_made_again_of_the_files(world: World, opened: list[int], learn: Any) -> None:
    lose_the_record(world)
    learn("credit", world.resources, now=LATER)
    opened.clear()
    assert late(world.declare(**CORRECTED)) == DAYS
    assert sum(opened) == 0


def test_a_window_measured_again_is_no_longer_outdated(world: World) -> None:
    fold_snapshots("credit", world.resources, now=LATER)
    world.declare(**CORRECTED).run(DAYS[1])
    assert late(world) == [day for day in DAYS if day != DAYS[1]]
    fold_snapshots("credit", world.resources, now=LATER)
    assert late(world) == [day for day in DAYS if day != DAYS[1]]


def test_a_run_that_broke_off_before_the_record_was_kept_is_not_called_outdated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was written, and the transaction of the ledger rolled back."""

    def broken(*_: Any) -> None:
        raise RuntimeError("killed")

    world.declare(**CORRECTED)
    with monkeypatch.context() as patch:
        patch.setattr("hindsight.pipeline.measure.windows.remember", broken)
        with pytest.raises(RuntimeError, match="killed"):
            world.run(DAYS[0])
    assert late(world) == DAYS[1:]
    fold_snapshots("credit", world.resources, now=LATER)
    assert late(world) == DAYS[1:]


def test_an_older_night_that_is_run_again_changes_nothing_newer(world: World) -> None:
    world.night("2026-09-05")
    world.night("2026-09-08")
    newest = late(world.declare(**CORRECTED), Kind.LABELS)
    assert DAYS[0] in newest
    world.night("2026-09-08")
    known = late(world, Kind.LABELS)
    world.declare()
    windows = pipeline.find_windows(world.monitor, at("2026-09-05"), world.resources, everything=True)
    pipeline.revise_windows(world.monitor, windows[: len(DAYS)], at("2026-09-05"), world.resources)
    assert late(world.declare(**CORRECTED), Kind.LABELS) == known


def test_windows_that_no_file_holds_are_not_spoken_of(world: World) -> None:
    for path in world.resources.store.files.listing():
        if "kind=operations" in path:
            world.resources.store.files.remove(path)
    assert late(world.declare(**CORRECTED)) == []


def test_what_no_longer_says_what_measured_it_is_not_called_outdated(world: World) -> None:
    moment: datetime = at("2026-09-20")
    window = world.monitor.grid.window_at(moment)
    world.resources.store.write("credit", Kind.OPERATIONS, window, moment + DAY, [])
    assert late(world) == []
    assert definition.definition(world.monitor)
    assert f"{window.start:%Y-%m-%d}" not in late(world.declare(**CORRECTED))
