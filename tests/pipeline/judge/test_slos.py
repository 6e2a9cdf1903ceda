"""SLOs on stored windows: counted when judged, in whatever order windows, nights and revisions come."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight import pipeline
from hindsight.ledger import tables
from hindsight.pipeline.act.retention import expire
from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, a_measurement, a_window, at
from tests.pipeline.judge.facts import judged, subjects, write
from tests.pipeline.world import SOON, World, a_world, days

DAYS = days("2026-07-01", 14)
SLOS = {
    "availability": {"target": "99%", "period": "6d"},
    "accuracy": {"target": "90%", "period": "5d", "min_rows": 50},
}
FILE: dict[str, Any] = {"start": DAYS[0], "reference": None, "slos": SLOS, "labels": {"matures_after": "2d"}}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        yield made


def ran(world: World, day: str, failed: int = 0, n: int = 1000) -> None:
    """Write down what a run measured: so many of the requests failed."""
    rate = 1 - failed / n if n else None
    facts = [a_measurement("total_requests", n, n=n), a_measurement("availability", rate, n=n)]
    write(world, day, {Kind.OPERATIONS: facts})


def labelled(world: World, day: str, night: str, wrong: int, *, mature: bool = True, n: int = 200) -> None:
    """Write down what a night measured: so many of the labelled predictions were wrong."""
    facts = {
        Kind.PERFORMANCE: [a_measurement("accuracy", 1 - wrong / n, n=n)],
        Kind.LABELS: [a_measurement("mature", float(mature)), a_measurement("coverage", 1.0)],
    }
    for kind, some in facts.items():
        world.resources.store.write("credit", kind, a_window(day), at(night), some)


def night(world: World, moment: str, touched: Sequence[str]) -> None:
    windows = [a_window(day) for day in touched]
    pipeline.judge_night(world.monitor, at(moment), windows, world.resources, judged_at=at(moment) + SOON)


def said(world: World) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """What the rules on SLOs say, by rule, SLO and day."""
    with world.resources.ledger.locked("credit") as tx:
        found = [v for v in tx.of_windows([at(day) for day in DAYS]) if v.series.rule.startswith("slo_")]
    return {
        (v.series.rule, v.series.feature, f"{v.window.start:%m-%d}"): (v.status, v.value, v.n, v.note, v.due)
        for v in found
    }


def test_a_burst_over_two_windows_is_one_page_and_ends(world: World) -> None:
    for day, failed in zip(DAYS[:7], (0, 0, 0, 90, 90, 0, 0), strict=True):
        ran(world, day, failed)
        judged(world, day)
    (incident,) = world.incidents("slo_burn")
    assert (incident.series.feature, incident.state, incident.severity) == ("availability", State.RESOLVED, "P1")
    assert [f"{start:%m-%d}" for start in incident.breaches] == ["07-05"]
    told = [subject for subject in subjects(world) if "burn" in subject]
    assert told[0].startswith(
        "[P1] credit: availability burns its budget 9 times as fast as it may: 180 of 2,000 requests"
    )
    assert told[1:] == ["[resolved] credit: slo burn of availability is over (2026-07-05 to 2026-07-06)"]


def test_a_budget_that_is_spent_is_a_notice(world: World) -> None:
    for day, failed in zip(DAYS[:4], (0, 0, 30, 30), strict=True):
        ran(world, day, failed)
        judged(world, day)
    (incident,) = world.incidents("slo_budget")
    assert (incident.series.feature, incident.state, incident.severity) == ("availability", State.OPEN, "P2")
    assert incident.value == pytest.approx(-0.5)


def test_one_bad_window_is_no_page(world: World) -> None:
    for day, failed in zip(DAYS[:4], (0, 0, 0, 300), strict=True):
        ran(world, day, failed)
        judged(world, day)
    assert world.incidents("slo_burn") == []
    assert said(world)["slo_burn", "availability", "07-04"][3] == "in one window only"


def test_accuracy_is_counted_when_the_labels_of_a_window_are_in_and_told_then(world: World) -> None:
    for day in DAYS[:6]:
        ran(world, day)
        judged(world, day)
    for place, day in enumerate(DAYS[:3]):
        labelled(world, day, DAYS[place + 2], 20, mature=False)
        night(world, DAYS[place + 2], [day])
    assert not [series for series in said(world) if series[1] == "accuracy"]
    for place, day in enumerate(DAYS[:3]):
        labelled(world, day, DAYS[place + 3], 90)
        night(world, DAYS[place + 3], [day])
    assert said(world)["slo_burn", "accuracy", "07-02"][:3] == ("breach", pytest.approx(4.5), 400)
    (incident,) = world.incidents("slo_burn")
    assert (incident.series.feature, incident.told) == ("accuracy", State.OPEN)


def test_a_rerun_changes_nothing(world: World) -> None:
    for day, failed in zip(DAYS[:7], (0, 0, 0, 90, 90, 0, 0), strict=True):
        ran(world, day, failed)
        judged(world, day)
    before = world.ledger("judged_at", "changed_at")
    for day in DAYS[:7]:
        judged(world, day, at=at(DAYS[6]) + DAY + SOON)
    assert world.ledger("judged_at", "changed_at") == before


def test_a_revised_window_changes_the_verdicts_of_those_that_look_back_on_it(
    database_url: sa.URL, tmp_path: Path
) -> None:
    with a_world(database_url, tmp_path, days=(), **FILE) as world:
        _revise(world)


def _revise(world: World) -> None:
    for day in DAYS[:8]:
        ran(world, day)
        judged(world, day)
    ran(world, DAYS[2], 90)
    judged(world, DAYS[2])
    left = {day: said(world)["slo_budget", "availability", day[5:]][1] for day in DAYS[:8]}
    assert [left[day] for day in DAYS[:2]] == [1, 1]
    assert [left[day] for day in DAYS[2:8]] == pytest.approx([-2, -1.25, -0.8, -0.5, -0.5, -0.5])


def test_counts_are_made_again_of_the_snapshots_where_they_are_lost_or_of_another_file(world: World) -> None:
    for day in DAYS[:5]:
        ran(world, day, 5)
        judged(world, day)
    expected = said(world)["slo_budget", "availability", "07-05"]
    with world.resources.ledger.writing() as connection:
        connection.execute(sa.delete(tables.slo_counts))
    judged(world, DAYS[4])
    assert said(world)["slo_budget", "availability", "07-05"] == expected
    world.declare(
        **FILE | {"slos": {"availability": {"target": "99%", "period": "6d", "metric": "operations.error_rate"}}}
    )
    for day in DAYS[:5]:
        write(world, day, {Kind.OPERATIONS: [a_measurement("error_rate", 0.002, n=1000)]})
    judged(world, DAYS[4])
    assert said(world)["slo_budget", "availability", "07-05"][1] == pytest.approx(0.8)


def test_an_slo_the_file_no_longer_has_is_closed(world: World) -> None:
    for day in DAYS[:4]:
        ran(world, day, 90)
        judged(world, day)
    world.declare(**FILE | {"slos": {"accuracy": SLOS["accuracy"]}})
    ran(world, DAYS[4])
    judged(world, DAYS[4])
    assert world.states("slo_burn") == [State.WITHDRAWN]


def test_counts_expire_when_no_window_that_is_kept_looks_back_on_them(world: World) -> None:
    world.declare(**FILE | {"retention": {"snapshots": "7d"}})
    for day in DAYS:
        ran(world, day)
        judged(world, day)
    expire(world.monitor, world.resources, now=at("2026-07-15T03:00"))  # the horizon is the 8th
    with world.resources.ledger.reading() as connection:
        first = connection.execute(
            sa.select(sa.func.min(tables.slo_counts.c.window_start, type_=tables.Moment))
        ).scalar()
    assert first == at("2026-07-02")


def lived_through(order: Sequence[int], bad: Sequence[int]) -> dict[Any, Any]:
    """What is said in the end when runs and nights came in this order."""
    with (
        TemporaryDirectory() as folder,
        a_world(sa.make_url(f"sqlite:///{folder}/w.db"), Path(folder), days=(), **FILE) as world,
    ):
        for step in order:
            day = DAYS[step // 3]
            if step % 3 == 0:
                ran(world, day, bad[step], n=bad[step] and 1000)
                judged(world, day)
            else:
                moment = f"{at(day) + (step % 3 + 1) * DAY:%Y-%m-%d}"
                labelled(world, day, moment, bad[step], mature=step % 3 == 2)
                night(world, moment, [day])
        return said(world)


@settings(max_examples=4)
@given(st.lists(st.sampled_from((0, 5, 60, 150)), min_size=18, max_size=18), st.randoms(use_true_random=False))
def test_the_order_of_runs_and_nights_changes_no_verdict(bad: list[int], rng: random.Random) -> None:
    order = list(range(18))
    in_order = lived_through(order, bad)
    rng.shuffle(order)
    assert lived_through(order, bad) == in_order
