"""Nights in any order, and four at once as a back-fill holds them, come to what nights in order come to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.vocabulary.measurement import Kind
from tests.builders import HOUR, at
from tests.pipeline.judge.test_order_of_windows import on_record
from tests.pipeline.world import REFERENCE, World, a_world, days

WINDOWS = days("2026-09-01", 5)
NIGHTS = days("2026-09-02", 8)
THEN = at("2026-09-10T03:00")
RIGHT = {"2026-09-02": 0.6, "2026-09-03": 0.6}
FILE: dict[str, Any] = {"alerts": {"email": ["ann@example.com"], "max_age": "90d"}}
LEARNT = "expected_final_coverage"  # from windows that nights before have found mature: held at once they know of fewer


def in_order(hold: Callable[[str], Any]) -> None:
    for night in NIGHTS:
        hold(night)


def backwards(hold: Callable[[str], Any]) -> None:
    for night in reversed(NIGHTS):
        hold(night)


def four_at_once(hold: Callable[[str], Any]) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(hold, NIGHTS))


def lived(url: sa.URL, folder: Path, how: Callable[[Callable[[str], Any]], None]) -> dict[str, Any]:
    """What is known when five days, two of them bad and one corrected late, were labelled by nights held like this."""
    folder.mkdir()
    with a_world(url, folder, REFERENCE, **FILE) as world:
        for day in WINDOWS:
            world.log(day, n=200, right=RIGHT.get(day, 0.9)).run(day, judged=THEN - HOUR)
        world.correct("2026-09-01", at("2026-09-05T12:00"), right=0.7)
        how(lambda night: world.night(night, judged=THEN))
        return facts(world)


def facts(world: World) -> dict[str, Any]:
    """The newest numbers, verdicts and incidents, which nights were held, how often a state was told."""
    verdict = [c for c in tables.verdicts.c if c.name not in ("judged_at", "as_of")]
    told = tables.outbox_incidents
    telling = sa.select(told.c.incident, told.c.state, sa.func.count()).group_by(told.c.incident, told.c.state)
    with world.resources.ledger.reading() as connection:
        verdicts = sorted(map(repr, connection.execute(sa.select(*verdict))))
        nights = sorted(connection.execute(sa.select(tables.nights.c.as_of)).scalars())
        most = max(count for *_, count in connection.execute(telling))
    table = world.resources.store.read("credit", kinds=[Kind.PERFORMANCE, Kind.LABELS])
    rows = table.drop_columns(["as_of", "revision"]).to_pylist()
    numbers = sorted(repr(row) for row in rows if row["metric"] != LEARNT)
    incidents = {key: value for key, value in on_record(world).items() if key in ("incidents", "cases")}
    return incidents | {"verdicts": verdicts, "nights": nights, "numbers": numbers, "told at most": most}


@pytest.mark.heavy  # three worlds of five days
@pytest.mark.parametrize("how", [four_at_once, backwards])
def test_nights_in_any_order_say_the_same(
    how: Callable[[Callable[[str], Any]], None], postgres_url: sa.URL, sqlite_url: sa.URL, tmp_path: Path
) -> None:
    expected = lived(sqlite_url, tmp_path / "in order", in_order)
    assert len(expected["nights"]) == len(NIGHTS)
    assert expected["incidents"]
    assert expected["told at most"] == 1
    assert lived(postgres_url, tmp_path / "otherwise", how) == expected
