"""News on real windows: told when it lasts, found in whatever order windows come, and made again of the snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.records import series_of
from hindsight.verdicts.model import Series, State, Status, Verdict
from tests.builders import at
from tests.pipeline.world import REFERENCE, World, a_world, days

DAYS = days("2026-08-28", 19)
FAULTY = DAYS[-3:]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made.declare(start="2026-08-28")


def logged(world: World, chosen: Iterable[str]) -> None:
    for day in chosen:
        n = 300 + at(day).toordinal() % 7 * 10
        shift = {"region": lambda i: "EU"} if day in FAULTY else {}
        world.log(day, n=n, seed=3, **shift)


def verdicts(world: World) -> list[Verdict]:
    with world.resources.ledger.locked("credit") as tx:
        return sorted(
            (v for history in tx.histories(_series(world)).values() for v in history),
            key=lambda v: (v.window.start, v.series),
        )


def _series(world: World) -> set[Series]:
    table = tables.verdicts
    with world.resources.ledger.reading() as connection:
        rows = connection.execute(sa.select(table).where(table.c.rule == "news")).all()
    return {series_of(row) for row in rows}


def test_what_lasts_two_windows_is_told_with_what_was_expected(world: World) -> None:
    logged(world, DAYS)
    for day in DAYS:
        world.run(day)
    breaches = [v for v in verdicts(world) if v.status is Status.BREACH and v.series.feature == "region"]
    assert breaches[0].window.start == at(FAULTY[1])
    assert "100.0%" in breaches[0].note
    assert "expected" in breaches[0].note
    (incident,) = [i for i in world.incidents() if i.series.rule == "news" and i.series.feature == "region"]
    assert incident.state is State.OPEN


def test_the_order_windows_come_in_changes_no_verdict(world: World, tmp_path: Path) -> None:
    logged(world, DAYS)
    for day in DAYS:
        world.run(day)
    in_order = world.ledger("judged_at")["verdicts"]
    assert any("news" in row and "breach" in row for row in in_order)
    with a_world(sa.make_url(f"sqlite:///{tmp_path}/other.db"), tmp_path / "other") as other:
        other.declare(start="2026-08-28")
        logged(other, DAYS)
        for day in (*DAYS[1::2], *reversed(DAYS[::2])):
            other.run(day)
        assert other.ledger("judged_at")["verdicts"] == in_order


def test_summaries_that_are_lost_are_made_again_of_the_snapshots(world: World) -> None:
    logged(world, DAYS)
    for day in DAYS[:-1]:
        world.run(day)
    with world.resources.ledger.writing() as connection:
        before = connection.execute(sa.select(tables.summaries).order_by(tables.summaries.c.window_start)).all()
        connection.execute(sa.delete(tables.summaries))
    world.run(DAYS[-1])
    with world.resources.ledger.reading() as connection:
        after = connection.execute(sa.select(tables.summaries).order_by(tables.summaries.c.window_start)).all()
    assert [row.numbers for row in after[:-1]] == [row.numbers for row in before]


def test_a_short_past_is_being_learnt(world: World) -> None:
    logged(world, DAYS[:3])
    for day in DAYS[:3]:
        world.run(day)
    assert {v.status for v in verdicts(world)} == {Status.NO_DATA}
    assert all(v.note.startswith("learning: ") for v in verdicts(world))


@pytest.fixture
def by_region(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """A world whose reference holds the same amounts as the days to come."""
    with a_world(sqlite_url, tmp_path, ()) as made:
        made.declare(start="2026-08-28", segments=["region"], features={"amount": "numeric"})
        for day in REFERENCE:
            amounts_of(made, day)
        yield made


def amounts_of(world: World, day: str) -> World:
    """Log a day; on a faulty one the amounts of the EU, each third row, are three times as much."""
    by = 3.0 if day in FAULTY else 1.0
    amounts = [20.0 + i % 17 * (by if i % 3 == 0 else 1) for i in range(300)]
    return world.log(day, n=300, seed=at(day).toordinal(), amount=amounts.__getitem__)


def test_what_is_new_in_one_segment_names_it(by_region: World) -> None:
    for day in DAYS:
        amounts_of(by_region, day).run(day)
    told = {(i.series.segment, i.series.feature) for i in by_region.incidents("news")}
    assert ("region=EU", "amount") in told
    assert not {segment for segment, feature in told if feature == "amount"} & {"region=US", "region=APAC"}


def test_news_of_a_segment_is_over_when_it_was_calm_for_a_week(by_region: World) -> None:
    for day in days("2026-08-28", 27):
        amounts_of(by_region, day).run(day)
    states = {(i.series.segment, i.series.feature): i.state for i in by_region.incidents("news")}
    assert states["region=EU", "amount"] is State.RESOLVED
    ended = next(i.ended for i in by_region.incidents("news") if i.series.segment == "region=EU")
    assert ended is not None
    assert ended >= at("2026-09-16")


def test_the_windows_of_the_reference_are_a_past_from_the_first_day_on(world: World) -> None:
    world.declare(start=DAYS[16], reference={"start": DAYS[0], "end": DAYS[16]})
    logged(world, DAYS)
    for day in FAULTY:
        world.run(day)
    assert {v.window.start for v in verdicts(world) if v.status is Status.NO_DATA} == set()
    breaches = {v.window.start for v in verdicts(world) if v.status is Status.BREACH and v.series.feature == "region"}
    assert breaches == {at(day) for day in FAULTY[1:]}
