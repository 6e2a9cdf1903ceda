"""Rules against a window before: the same verdicts whichever window comes first, and after revisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.verdicts.model import Status
from hindsight.vocabulary.measurement import Kind
from tests.builders import a_measurement, a_window, at
from tests.pipeline.judge.facts import ROWS, judged, measured, subjects, write
from tests.pipeline.world import World, a_world, days

DAYS = days("2026-09-01", 9)
REQUESTS = dict(zip(DAYS, (100, 110, 60, 70, 65, 80, 90, 40, 100), strict=True))
RULES = [
    {"id": "sudden", "metric": "operations.total_requests", "drops_by": "30%", "against": "previous"},
    {"id": "weekly", "metric": "operations.total_requests", "drops_by": "30%", "against": "same_weekday"},
]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), start=DAYS[0], rules=RULES) as made:
        yield made


def lived(world: World, day: str, requests: float) -> None:
    write(world, day, {Kind.OPERATIONS: [a_measurement("total_requests", requests, n=int(requests))]})
    judged(world, day)


def breaches(world: World, rule: str) -> list[str]:
    with world.resources.ledger.locked("credit") as tx:
        found = tx.of_windows([a_window(day).start for day in DAYS], [rule])
    return sorted(f"{one.window.start:%Y-%m-%d}" for one in found if one.status is Status.BREACH)


@pytest.mark.parametrize("order", [range(9), reversed(range(9)), (2, 8, 1, 7, 0, 6, 3, 5, 4)])
def test_whichever_window_comes_first_the_same_ones_breach(world: World, order: Iterable[int]) -> None:
    for k in order:
        lived(world, DAYS[k], REQUESTS[DAYS[k]])
    assert breaches(world, "sudden") == ["2026-09-03", "2026-09-08"]
    assert breaches(world, "weekly") == ["2026-09-08"]
    assert [(i.started.day, i.state) for i in world.incidents("weekly")] == [(8, "resolved")]


def test_a_window_that_is_measured_again_changes_what_is_said_of_the_next(world: World) -> None:
    for day in DAYS[:3]:
        lived(world, day, REQUESTS[day])
    assert breaches(world, "sudden") == ["2026-09-03"]
    lived(world, DAYS[1], 60)
    assert breaches(world, "sudden") == ["2026-09-02"]


SLOW = {"operations.latency_p95_ms": [""]}


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0)])
def test_what_else_was_said_of_a_later_window_stands(world: World, order: Iterable[int]) -> None:
    """A window that comes late changes what looks back on it, and nothing else."""
    for k in order:
        measured(world, DAYS[k], SLOW if k == 2 else {})
        judged(world, DAYS[k], at=at("2026-09-04T00:20"))
    assert [i.state for i in world.incidents("latency_p95")] == ["open"]
    assert not [subject for subject in subjects(world) if "withdrawn" in subject]
    assert {v.note for v in world.verdicts(DAYS[2])} & {"no longer measured"} == set()


def test_an_older_night_that_is_held_again_compares_with_what_is_known_since(world: World) -> None:
    world.declare(start=DAYS[0], rules=[{"id": "fell", "metric": "performance.accuracy", "drops_by": "10%"} | BEFORE])
    night(world, "2026-09-03", {DAYS[0]: 0.80})
    night(world, "2026-09-04", {DAYS[0]: 0.92, DAYS[1]: 0.80})
    night(world, "2026-09-03", {})
    assert [(i.started.day, i.state) for i in world.incidents("fell")] == [(2, "open")]


BEFORE = {"against": "previous"}


def night(world: World, day: str, accuracies: dict[str, float]) -> None:
    """A night that measured the accuracy of some days, and judges those and the first."""
    for each, value in accuracies.items():
        labels = [a_measurement(name, 1.0, n=ROWS) for name in ("coverage", "mature")]
        facts = {Kind.LABELS: labels, Kind.PERFORMANCE: [a_measurement("accuracy", value, n=ROWS)]}
        for kind, some in facts.items():
            world.resources.store.write("credit", kind, a_window(each), at(day), some)
    windows = [a_window(each) for each in accuracies or [DAYS[0]]]
    judged_at = at(day) + 2 * (at("2026-09-03") - at("2026-09-02"))
    pipeline.judge_night(world.monitor, at(day), windows, world.resources, judged_at=judged_at)


def test_a_window_that_lost_its_number_is_nothing_to_compare_with(world: World) -> None:
    lived(world, DAYS[0], 100)
    lived(world, DAYS[1], 60)
    assert breaches(world, "sudden") == [DAYS[1]]
    write(world, DAYS[0], {Kind.OPERATIONS: [a_measurement("latency_p95_ms", 50.0, n=ROWS)]})
    judged(world, DAYS[0])
    assert breaches(world, "sudden") == []


def test_the_hours_after_an_outage_are_compared_with_nothing(world: World) -> None:
    world.declare(
        start=DAYS[0], rules=[{"id": "more", "metric": "operations.total_requests", "rises_by": "50%"} | BEFORE]
    )
    for day, requests in zip(DAYS, (100, 0, 100), strict=False):
        lived(world, day, requests)
    assert breaches(world, "more") == []


def test_bad_data_and_no_data_mute_a_comparison_as_any_other_rule(world: World) -> None:
    rules = [
        {"id": "fewer", "metric": "operations.volume_ratio", "drops_by": "40%"},
        {"id": "moved", "metric": "drift.psi", "rises_by": "50%", "severity": "P1"},
    ]
    world.declare(start=DAYS[0], rules=[rule | BEFORE for rule in rules])
    for day, psi, nulls, requests in ((DAYS[0], 0.1, 0.0, 100.0), (DAYS[1], 0.9, 0.5, 0.0), (DAYS[2], 0.9, 0.5, 100.0)):
        ratio = 1.0 if requests else 0.0
        operations = [a_measurement("total_requests", requests, n=100), a_measurement("volume_ratio", ratio, n=100)]
        quality = [a_measurement("null_rate", nulls, n=100, feature="amount", reference=0.0)]
        drift = [a_measurement("psi", psi, n=100, feature="amount")]
        write(world, day, {Kind.OPERATIONS: operations, Kind.QUALITY: quality, Kind.DRIFT: drift})
        judged(world, day)
    said = {(v.series.rule, v.window.start.day): (v.status, v.note) for d in DAYS[:3] for v in world.verdicts(d)}
    assert said["fewer", 2] == (Status.MUTED, "no_data explains it")
    assert said["moved", 2][0] is Status.MUTED
