"""A label feed that ends is told within days, and what is expected of labels stays what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, HOUR, at
from tests.pipeline.world import World, a_day, a_world, days

RULE = "labels_stopped"
Arrival = Callable[[datetime], datetime]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """A log without a reference: what is expected is learnt from the labels alone."""
    with a_world(sqlite_url, tmp_path, [], reference=None, labels={"matures_after": "6d", "overlap": "1d"}) as made:
        yield made


def next_day(made: datetime) -> datetime:
    return made + 26 * HOUR


def monday(made: datetime) -> datetime:
    """The morning of the next working day."""
    day = made.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    while day.weekday() > 4:
        day += DAY
    return day + 6 * HOUR


def log(world: World, first: str, count: int, *, arrival: Arrival = next_day, until: str = "2027-01-01") -> None:
    """Log days of 40 predictions, nine in ten of which get a label, if it comes before `until`."""
    for day in days(first, count):
        predictions, labels = a_day(day, n=40)
        world.insert("inference_log", predictions)
        came = [
            label | {"labeled_at": arrival(row["predicted_at"])}
            for row, label in zip(predictions[:36], labels[:36], strict=True)
        ]
        world.insert("ground_truth", [label for label in came if label["labeled_at"] < at(until)])


def nights(world: World, first: str, count: int, *, every: int = 1) -> None:
    """Nights in a row, or every so many of them; each catches up on what came since the one before."""
    for night in days(first, count)[::every]:
        world.night(night)


def expected(world: World, day: str) -> float | None:
    found = {m.metric: m.value for m in world.measured(Kind.LABELS, day) if not (m.model_version or m.segment)}
    return found["expected_final_coverage"]


def test_a_feed_that_ends_is_told_in_days_and_not_learnt(world: World) -> None:
    log(world, "2026-09-01", 45, until="2026-09-20")
    nights(world, "2026-09-12", 8)
    assert world.incidents() == []
    nights(world, "2026-09-20", 5)
    (incident,) = world.incidents(RULE)
    assert (incident.state, incident.severity) == (State.OPEN, "P1")
    assert at("2026-09-18") <= incident.started <= at("2026-09-20")
    assert "labels of 0% of the predictions are in, of every window before " in incident.reason

    nights(world, "2026-09-26", 19, every=3)
    assert world.states(RULE) == [State.OPEN]
    assert expected(world, "2026-10-07") == pytest.approx(0.9)
    log(world, "2026-10-16", 10)
    nights(world, "2026-10-17", 16, every=3)
    assert world.states(RULE) == [State.RESOLVED]
    assert expected(world, "2026-10-25") == pytest.approx(0.9)


def test_labels_that_come_after_all_withdraw_it(world: World) -> None:
    log(world, "2026-09-01", 24, arrival=lambda made: at("2026-09-25") if made > at("2026-09-16") else next_day(made))
    nights(world, "2026-09-12", 12)
    assert world.states(RULE) == [State.OPEN]
    nights(world, "2026-09-24", 4)
    assert world.states(RULE) == [State.WITHDRAWN]


def test_a_few_labels_that_trickle_on_do_not_hide_it(world: World) -> None:
    log(world, "2026-09-01", 24, until="2026-09-18")
    for day in days("2026-09-17", 8):
        rows = [row | {"labeled_at": at(day) + 30 * HOUR} for row in a_day(day, n=40)[1][:2]]
        world.insert("ground_truth", rows)
    nights(world, "2026-09-12", 14)
    assert world.states(RULE) == [State.OPEN]


def test_weekends_raise_nothing(world: World) -> None:
    log(world, "2026-09-01", 30, arrival=monday)
    nights(world, "2026-09-12", 19)
    assert world.states(RULE) == []


def test_a_monthly_feed_raises_nothing(sqlite_url: sa.URL, tmp_path: Path) -> None:
    def first_of_month(made: datetime) -> datetime:
        return (made.replace(day=1, hour=3, minute=0, second=0, microsecond=0) + 32 * DAY).replace(day=1)

    with a_world(sqlite_url, tmp_path, [], reference=None, labels={"matures_after": "33d"}) as world:
        log(world, "2026-09-01", 100, arrival=first_of_month)
        for night in days("2026-10-25", 46)[::3]:
            world.night(night)
        assert world.states(RULE) == []


def test_days_without_predictions_need_no_labels(world: World) -> None:
    log(world, "2026-09-01", 16)
    nights(world, "2026-09-12", 18)
    assert world.states(RULE) == []


def test_a_young_monitor_raises_nothing(world: World) -> None:
    log(world, "2026-09-01", 12, until="2026-09-05")
    nights(world, "2026-09-02", 12)
    assert world.states(RULE) == []


def test_labels_under_other_ids_are_told_as_that_alone(world: World) -> None:
    log(world, "2026-09-01", 16)
    for day in days("2026-09-17", 6):
        predictions, labels = a_day(day, n=40)
        world.insert("inference_log", [row | {"request_id": f"id-{row['request_id']}"} for row in predictions])
        late = [row | {"request_id": f"ID-{row['request_id']}", "labeled_at": at(day) + 30 * HOUR} for row in labels]
        world.insert("ground_truth", late)
    nights(world, "2026-09-12", 14)
    assert (world.states(RULE), world.states("ids_do_not_match")) == ([], [State.OPEN])
    assert expected(world, "2026-09-18") == pytest.approx(0.9)
