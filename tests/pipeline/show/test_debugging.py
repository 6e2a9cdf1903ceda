"""What is there to debug a monitor by: labels by age, cohorts, distributions, what has no value and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from hindsight import pipeline
from hindsight.pipeline.show.debugging import debug_view
from hindsight.reports.debug import Cell, DebugView
from hindsight.vocabulary.letters import Letter, Message
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, a_measurement, at
from tests.pipeline.show.test_monitor_page import FIRST, write
from tests.pipeline.world import World, a_world, sqlite

NOW = FIRST + 10 * DAY


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A monitor whose labels mature after three days, without a window."""
    folder = tmp_path_factory.mktemp("debug")
    with a_world(sqlite(folder), folder) as made:
        yield made


def labels(world: World, day: int, known: datetime, *, labelled: int, accuracy: float, final: float = 0.9) -> None:
    """Put on record what was known of the hundred predictions of a day at a moment."""
    window = Window(FIRST + day * DAY, FIRST + (day + 1) * DAY)
    said = {"n_labeled": labelled, "n_unlabeled": 100 - labelled, "coverage": labelled / 100}
    found = [Measurement(name, float(value), 100) for name, value in said.items()]
    found.append(Measurement("expected_final_coverage", final, 100))
    world.resources.store.write("credit", Kind.LABELS, window, known, found)
    world.resources.store.write("credit", Kind.PERFORMANCE, window, known, [a_measurement("accuracy", accuracy)])


def seen(world: World) -> DebugView:
    found = debug_view("credit", world.resources, now=NOW)
    assert found is not None
    return found


def test_labels_are_counted_by_the_age_of_their_window(world: World) -> None:
    for day in range(10):
        write(world, Kind.OPERATIONS, day, [a_measurement()])
        age = 9 - day  # days since the end of the window
        labels(world, day, NOW, labelled=min(30 * (age + 1), 90), accuracy=0.8)
    view = seen(world)

    assert [(one.upto, one.windows, one.labelled, one.missing) for one in view.backlog] == [
        (DAY, 2, 30 + 60, 110),
        (2 * DAY, 1, 90, 10),
        (3 * DAY, 1, 90, 10),
        (None, 6, 540, 60),
    ]
    assert [one.to_come and round(one.to_come, 9) for one in view.backlog] == [60 + 30, 0, 0, 0]
    assert view.labels == ""


def test_a_window_is_shown_as_it_was_known_at_each_age(world: World) -> None:
    end = FIRST + DAY
    write(world, Kind.OPERATIONS, 0, [a_measurement()])
    for days, labelled, accuracy in ((1, 20, 0.5), (2, 60, 0.7), (5, 90, 0.8)):
        labels(world, 0, end + days * DAY, labelled=labelled, accuracy=accuracy)
    (cohort,) = seen(world).cohorts

    assert seen(world).ages == (DAY, 2 * DAY, 3 * DAY)
    assert cohort.start == FIRST
    assert cohort.cells == (Cell(0.2, 0.5), Cell(0.6, 0.7), Cell(0.6, 0.7))


def test_an_age_that_is_still_to_come_is_empty(world: World) -> None:
    write(world, Kind.OPERATIONS, 8, [a_measurement()])
    labels(world, 8, NOW, labelled=10, accuracy=0.5)

    assert seen(world).cohorts[0].cells == (Cell(0.1, 0.5), None, None)


def test_windows_no_night_has_looked_at_are_counted(world: World) -> None:
    for day in range(4):
        write(world, Kind.OPERATIONS, day, [a_measurement()])
    assert seen(world).labels == "no night has looked at labels yet"
    labels(world, 1, NOW, labelled=10, accuracy=0.5)

    assert seen(world).labels == "2 newer windows no night has looked at yet"


def test_columns_are_drawn_the_one_that_moved_most_first(world: World) -> None:
    write(world, Kind.DRIFT, 0, [a_measurement("psi", value, feature=name) for name, value in MOVED.items()])
    counts = [
        a_measurement("bin_count", 5.0, feature=name, bin=bin, reference=4.0) for name in MOVED for bin in ("a", "b")
    ]
    write(world, Kind.PROFILE, 0, [*counts, a_measurement("bin_count", 1.0, feature="region", bin="a", segment="x=y")])
    view = seen(world)

    assert [one.column.text for one in view.histograms] == ["region", "amount"]
    assert view.histograms[0].column.href == "../credit/feature?feature=region&from=2026-09-01T00%3A00Z"
    assert [bar.said[1] for bar in view.histograms[0].bars] == ["50 %", "50 %"]


MOVED = {"amount": 0.1, "region": 0.4}


def test_what_has_no_value_is_told_by_its_reason(world: World) -> None:
    why = "no labels yet"
    write(world, Kind.PERFORMANCE, 0, [Measurement(name, None, note=why) for name in ("accuracy", "f1")])
    write(world, Kind.KPI, 0, [Measurement("lost", None, note="too large to be summed"), a_measurement("won", 1.0)])
    write(
        world, Kind.QUALITY, 0, [a_measurement("expectation_success", 0.0, bin="values_in_set region", note="3 % off")]
    )
    view = seen(world)

    assert {one.why: one.metrics for one in view.unanswered} == {
        why: ("performance.accuracy", "performance.f1"),
        "too large to be summed": ("kpi.lost",),
    }
    assert view.expectations == ("values_in_set region - 3 % off",)


def test_messages_that_wait_are_told_without_whom_they_are_for(world: World) -> None:
    letter = Letter("credit", "night", "ann@example.com", Message("[P1] credit", "text", severity=Severity.P1))
    with world.resources.ledger.locked("credit") as tx:
        tx.queue([letter], NOW)
    (one,) = seen(world).unsent

    assert (one.subject, one.state, one.when) == ("[P1] credit", "pending", NOW)
    assert "ann@example.com" not in repr(seen(world))


def test_without_anything_measured_there_is_nothing_and_no_error(world: World) -> None:
    view = seen(world)

    assert (view.window, view.backlog, view.cohorts, view.histograms, view.unanswered) == (None, (), (), (), ())
    assert debug_view("nobody", world.resources, now=NOW) is None


def test_a_monitor_without_labels_says_so(world: World) -> None:
    source = {"predictions": {"table": "log", "id": "id", "timestamp": "at", "prediction": "p"}}
    world.declare(source=source, labels=None)
    write(world, Kind.OPERATIONS, 0, [a_measurement()])

    assert seen(world).labels == "the file names no table of labels"


def test_a_snapshot_that_cannot_be_read_is_named_and_the_rest_is_shown(world: World) -> None:
    write(world, Kind.OPERATIONS, 0, [a_measurement()])
    labels(world, 0, NOW, labelled=10, accuracy=0.5)
    write(world, Kind.KPI, 0, [a_measurement("won", 1.0)])
    (broken,) = (world.folder / "data").rglob("kind=kpi/**/*.parquet")
    broken.write_bytes(b"torn")
    view = pipeline.debug_view("credit", world.resources, now=at("2026-09-11"))

    assert view is not None
    assert any(str(broken) in one for one in view.damaged)
    assert view.backlog
