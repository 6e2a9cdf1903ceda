"""The volume of the second week: a working day is no weekend, and a weekend is no alarm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.verdicts.model import Status
from tests.pipeline.world import World, a_world

OFFICE = (100, 98, 102, 99, 101, 22, 24)  # from Thursday 2026-10-01 on, its weekend on the 3rd and the 4th
WEEK = (OFFICE[0], OFFICE[1], OFFICE[5], OFFICE[6], *OFFICE[2:5])


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("day", "n", "status"),
    [
        ("2026-10-08", 24, Status.BREACH),  # a Thursday like a Sunday
        ("2026-10-08", 80, Status.OK),
        ("2026-10-10", 20, Status.OK),  # a Saturday
    ],
)
def test_a_quarter_of_the_same_weekday_is_told_in_the_second_week(
    world: World, day: str, n: int, status: Status
) -> None:
    world.delete("inference_log")
    for k, count in enumerate((*WEEK, *WEEK[:2])):
        if f"2026-10-{k + 1:02}" < day:
            world.log(f"2026-10-{k + 1:02}", n=count)
    judged = world.log(day, n=n).run(day)
    [verdict] = [v for v in judged.verdicts if v.series.rule == "volume"]
    assert verdict.status in ({Status.BREACH} if status is Status.BREACH else {Status.OK, Status.TOO_FEW})


@pytest.mark.parametrize(("n", "status"), [(24, Status.BREACH), (100, Status.OK)])
def test_after_a_week_without_a_request_the_one_known_is_compared_with(world: World, n: int, status: Status) -> None:
    world.delete("inference_log")
    judged = world.log("2026-10-03", n=100).log("2026-10-14", n=100).log("2026-10-17", n=n).run("2026-10-17")
    [verdict] = [v for v in judged.verdicts if v.series.rule == "volume"]
    assert verdict.status is status
