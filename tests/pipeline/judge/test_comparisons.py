"""Rules against a window before: the same verdicts whichever window comes first, and after revisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.verdicts.model import Status
from hindsight.vocabulary.measurement import Kind
from tests.builders import a_measurement, a_window
from tests.pipeline.judge.facts import judged, write
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
