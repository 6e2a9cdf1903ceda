"""A page says which snapshot cannot be read and shows the rest; who judges is still refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline.show.state import state_of
from hindsight.reports.distribution import distribution_page
from hindsight.reports.pages import monitor_page
from hindsight.reports.selection import Selection
from hindsight.snapshots.parquet import DamagedError
from hindsight.vocabulary.measurement import Kind
from tests.builders import at
from tests.pipeline.world import World, a_world, days

NOW = at("2026-09-05")


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, start="2026-08-29") as made:
        made.resources.registry.create()
        for day in days("2026-08-29", 3):
            made.log(day).run(day)
        made.night("2026-09-03")
        yield made


def cut(world: World, kind: Kind) -> str:
    """Cut the newest file of a kind in half; return its name."""
    path = Path(max(name for name in world.files() if f"kind={kind}/" in name))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path.name


@pytest.mark.parametrize("kind", [Kind.OPERATIONS, Kind.DRIFT, Kind.PERFORMANCE, Kind.LABELS, Kind.QUALITY])
def test_the_page_names_what_is_damaged_and_shows_the_rest(world: World, kind: Kind) -> None:
    whole = pipeline.monitor_view("credit", world.resources, now=NOW)
    assert whole is not None
    assert whole.damaged == ()
    name = cut(world, kind)
    view = pipeline.monitor_view("credit", world.resources, now=NOW)
    assert view is not None
    assert [name in one for one in view.damaged] == [True]
    assert name in monitor_page(view)
    assert len(view.charts) >= len(whole.charts) - 2
    assert len(view.numbers) > 0


def test_several_are_all_named(world: World) -> None:
    names = {cut(world, kind) for kind in (Kind.OPERATIONS, Kind.DRIFT)}
    view = pipeline.monitor_view("credit", world.resources, now=NOW)
    assert view is not None
    assert len(view.damaged) == 2
    assert all(any(name in one for one in view.damaged) for name in names)


def test_a_damaged_fold_is_named_as_well(world: World) -> None:
    pipeline.maintain([world.monitor], world.resources, now=at("2026-09-20"))
    pipeline.maintain([world.monitor], world.resources, now=at("2026-09-20T02:00"))
    name = cut(world, Kind.OPERATIONS)
    view = pipeline.monitor_view("credit", world.resources, now=NOW)
    assert view is not None
    assert [name in one for one in view.damaged] == [True]


def test_a_distribution_without_the_file_of_its_drift_is_shown_and_the_file_named(world: World) -> None:
    name = cut(world, Kind.DRIFT)
    asked = Selection(feature="amount")
    view = pipeline.distribution_view("credit", asked, world.resources, now=NOW)
    assert view is not None
    assert view.bins
    assert name in distribution_page(view)


def test_outside_a_page_damage_is_an_error_as_ever(world: World) -> None:
    name = cut(world, Kind.OPERATIONS)
    assert pipeline.monitor_view("credit", world.resources, now=NOW) is not None
    with pytest.raises(DamagedError, match=name):
        state_of(world.monitor, world.resources)
