"""A corrected monitor file: what an earlier one measured is said, and measured again when that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hindsight import pipeline
from hindsight.errors import ConfigError
from hindsight.ledger.forgetting import move_horizon
from hindsight.pipeline.measure.definition import advice, definition
from hindsight.pipeline.measure.on_record import doubts_of
from hindsight.reports.pages import monitor_page
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from tests.builders import a_monitor, at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.world import REFERENCE, World, a_copy, a_world, days, sqlite

CORRECTED: dict[str, Any] = {"model": {"name": "credit", "task": "binary", "positive_label": 0}}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three windows, run and measured by a night on which all have matured."""
    folder = tmp_path_factory.mktemp("three")
    with a_world(sqlite(folder), folder, REFERENCE) as made:
        for day in days("2026-09-01", 3):
            made.log(day, n=200, right=0.8).run(day)
        made.night("2026-09-07")
    return folder


@pytest.fixture
def world(lived: Path, tmp_path: Path) -> Iterator[World]:
    """Those windows, for this test alone."""
    with a_copy(lived, tmp_path) as made:
        yield made


def recall(world: World, day: str) -> float | None:
    return next(m.value for m in world.measured(Kind.PERFORMANCE, day) if m.metric == "recall" and not m.segment)


def said(world: World) -> list[str]:
    return list(advice(world.monitor, world.resources, "credit"))


def test_nothing_is_said_of_windows_that_the_file_as_it_is_measured(world: World) -> None:
    assert said(world) == []
    world.declare(description="for the auditors", features={"amount": "numeric"}, drift={"threshold": 0.2})
    assert said(world) == []


def test_a_corrected_class_is_said_with_the_commands_that_measure_again(world: World) -> None:
    world.declare(**CORRECTED)
    run, labels = said(world)
    assert run.startswith("3 windows were measured by an earlier version of the monitor file")
    assert run.endswith("hindsight run credit --start 2026-09-01 --end 2026-09-04")
    assert labels.endswith("hindsight labels credit --as-of 2026-09-07 --all")


def test_a_night_measures_all_windows_again_where_that_is_asked_for(world: World) -> None:
    before = recall(world, "2026-09-01")
    world.declare(**CORRECTED)
    assert "2026-09-01" not in world.found("2026-09-08")

    night = at("2026-09-07")
    windows = pipeline.find_windows(world.monitor, night, world.resources, everything=True)
    assert [f"{window.start:%Y-%m-%d}" for window in windows][:3] == days("2026-09-01", 3)
    pipeline.revise_windows(world.monitor, windows, night, world.resources)
    assert recall(world, "2026-09-01") != before
    (run,) = said(world)  # the labels are measured again, the runs are not
    assert "hindsight run" in run

    for day in days("2026-09-01", 3):
        world.run(day)
    assert said(world) == []


def test_windows_of_another_size_are_said_not_to_mix(world: World) -> None:
    world.declare(window="6h", **CORRECTED)
    assert said(world) == [
        "what is on record is of windows of 1d, and the file says 6h: the two do not mix, so give the monitor another "
        "name to begin anew"
    ]


def test_a_window_of_another_size_is_refused_and_nothing_is_written(world: World) -> None:
    world.declare(window="6h")
    files, ledger = world.files(), world.ledger()
    with pytest.raises(ConfigError, match="windows of 1d, and the file says 6h: the two do not mix"):
        pipeline.run_window(world.monitor, Window(at("2026-09-04"), at("2026-09-04T06:00")), world.resources)
    assert (world.files(), world.ledger()) == (files, ledger)
    world.declare().log("2026-09-04").run("2026-09-04")  # back to the size that is on record


def test_a_start_before_all_that_is_on_record_is_said_with_what_runs_it(world: World) -> None:
    world.declare(start="2026-09-01")
    assert said(world) == []
    world.declare(start="2026-08-30T12:00")
    [line] = said(world)
    assert line.startswith("the file starts at 2026-08-31, and nothing is on record before 2026-09-01")
    assert line.endswith("hindsight run credit --start 2026-08-31 --end 2026-09-01")
    with world.resources.ledger.locked("credit") as tx:
        move_horizon(tx, at("2026-09-01"), at("2026-09-10"))
    assert said(world) == []  # what has expired is not asked for


@pytest.mark.parametrize(
    ("changes", "field"), [({"window": "6h"}, "window"), ({"start": "2026-08-30"}, "start"), ({}, None)], ids=str
)
def test_lint_and_the_page_say_what_does_not_go_with_what_is_on_record(
    world: World, changes: dict[str, Any], field: str | None
) -> None:
    found = doubts_of([world.declare(**changes).resources.settings.monitors / "credit.yml"], world.resources)
    assert [problem.field for problem in found] == ([field] if field else [])
    view = pipeline.monitor_view("credit", world.resources, now=at("2026-09-10"))
    assert view is not None
    assert view.advice == tuple(said(world))
    html = monitor_page(view)
    assert ("do not mix" in html or "nothing is on record before" in html) == bool(field)


def test_lint_warns_of_it_where_it_may_connect(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reached_by_commands(world.declare(window="6h"), monkeypatch)
    assert typed("lint") == 0
    assert "do not mix" not in capsys.readouterr().err
    assert typed("lint", "--connect") == 0
    said_of_it = " ".join(capsys.readouterr().err.split())
    assert "warning:" in said_of_it
    assert "window: what is on record is of windows of 1d, and the file says 6h" in said_of_it


@pytest.mark.parametrize(
    "changes",
    [
        CORRECTED,
        {"drift": {"share": 0.9}},
        {"model": {"name": "risk", "task": "binary"}},
        {"reference": {"trailing": "2d"}},
        {"reference": {"trailing": "2d"}, "drift": {"share": 0.9}},
    ],
    ids=str,
)
def test_a_window_is_run_again_by_any_corrected_file(world: World, changes: dict[str, Any]) -> None:
    """Though what is frozen of the reference holds the same as before."""
    world.declare(**{key: value for key, value in changes.items() if key == "reference"}).run("2026-09-01")
    world.declare(**changes).run("2026-09-01")
    world.declare(**changes).run("2026-09-01")


def test_the_same_numbers_by_another_definition_are_on_record_as_such(world: World) -> None:
    """Else what was measured again, and came to the same, would be asked for again for ever."""
    world.declare(labels={"matures_after": "2d", "overlap": "1d"})
    for day in days("2026-09-01", 3):
        world.run(day)
    (labels,) = said(world)
    assert "hindsight labels" in labels


def test_a_default_that_is_written_out_changes_nothing() -> None:
    model = {"name": "credit", "task": "binary"}
    plain, spelt = (a_monitor(model=model | more) for more in ({}, {"positive_label": 1, "version": "all"}))
    assert definition(plain) == definition(spelt)
    assert definition(plain) != definition(a_monitor(model=model | {"positive_label": "yes"}))
