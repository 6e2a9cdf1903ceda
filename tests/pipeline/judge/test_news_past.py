"""A past that holds incidents: a fault of days, of weeks and for good, and the return from each, on summaries alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from hindsight.checks.news.coordinates import Coordinate
from hindsight.checks.news.numbers import part, written
from hindsight.ledger.summaries import Summary, note_summaries
from hindsight.pipeline.judge.news import news_of_run
from hindsight.verdicts.model import Status
from hindsight.vocabulary.windows import Window
from tests.builders import at
from tests.pipeline.world import World, a_world

DAY, FIRST, ONSET = timedelta(days=1), at("2026-09-01"), 40


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made.declare(start="2026-09-01")


def news_days(world: World, shifts: dict[int, float], days: int) -> list[int]:
    """Judge days of a calm column, some of them shifted; return the numbers of those that were news."""
    rng, told = np.random.default_rng(4), []
    for day in range(days):
        value = rng.normal(0, 0.1) + shifts.get(day, 0.0)
        noise = {(f"other{k}", "location", 1): Coordinate(rng.normal(0, 0.1), 1e-4, 300) for k in range(3)}
        numbers = written({"": part({("amount", "location", 1): Coordinate(value, 1e-4, 300), **noise}, 300)})
        start = FIRST + day * DAY
        with world.resources.ledger.locked("credit") as tx:
            kept = Summary(start, start + DAY, 1, numbers.rows, numbers.layout, numbers.numbers)
            note_summaries(tx, [kept])
            found = news_of_run(world.monitor, Window(start, start + DAY), tx, world.resources)
            tx.save_verdicts(found, start + 2 * DAY)
        told += [day for v in found if v.status is Status.BREACH and v.series.feature == "amount"]
    return told


def lasting(days: int) -> dict[int, float]:
    return dict.fromkeys(range(ONSET, ONSET + days), 2.0)


def test_a_fault_of_three_days_is_news_while_it_lasts_and_its_end_is_none(world: World) -> None:
    assert news_days(world, lasting(3), ONSET + 20) == [ONSET + 1, ONSET + 2]


def test_the_same_fault_a_month_later_is_news_again(world: World) -> None:
    again = {day + 30: shift for day, shift in lasting(3).items()}
    found = news_days(world, lasting(3) | again, ONSET + 36)
    assert {ONSET + 1, ONSET + 2, ONSET + 31, ONSET + 32} <= set(found)
    assert all(day - 1 in found or day in (ONSET + 1, ONSET + 31) for day in found)


def test_a_fault_of_three_weeks_becomes_the_level_and_the_return_from_it_is_no_news(world: World) -> None:
    found = news_days(world, lasting(21), ONSET + 40)
    assert found[:13] == list(range(ONSET + 1, ONSET + 14))
    assert found[-1] < ONSET + 18


def test_a_fault_for_good_becomes_the_level_and_what_is_new_on_top_of_it_is_news(world: World) -> None:
    on_top = dict.fromkeys(range(ONSET + 45, ONSET + 48), 4.0)
    found = news_days(world, lasting(60) | on_top, ONSET + 60)
    assert [day for day in found if day >= ONSET + 18] == [ONSET + 46, ONSET + 47]
