"""The order in which windows are judged, and how many at once, changes no verdict, incident, case or mail."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.verdicts.model import State
from tests.builders import at
from tests.pipeline.judge.facts import LEVELS, digest, judged, measured
from tests.pipeline.world import World, a_world, days

DAYS = days("2026-07-01", 20)
NOW = at("2026-07-21T00:30")
SIXTY = days("2026-08-28", 60)
THEN = at("2026-10-27T00:30")
MILD = [path for path in LEVELS if not path.startswith("operations.")]  # what is told at once depends on when it came
LAST = {"quality.null_rate": ["region"], "drift.drifted": ["amount"]}
FILE: dict[str, Any] = {"start": DAYS[0], "reference": None, "rules": [{"id": "news", "enabled": False}]}
FILE["alerts"] = {"email": ["ann@example.com"], "max_age": "90d"}


def settled(folder: Path, order: Sequence[str], *, seed: int, at_once: int = 1) -> dict[str, Any]:
    """What is on record when the same windows were judged in this order, and all of it was told in one digest."""
    folder.mkdir()
    with a_world(sa.make_url(f"sqlite:///{folder}/w.db"), folder, days=(), **FILE) as world:
        rng = random.Random(seed)
        for day in DAYS:
            bad = {path: [c for c in ("", "amount", "region") if rng.random() < 0.25] for path in MILD}
            measured(world, day, LAST if day == DAYS[-1] else bad)
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda day: judged(world, day, at=NOW), order))
        digest(world, "2026-07-21T00:20", judged=NOW)
        return on_record(world)


def on_record(world: World) -> dict[str, Any]:
    """Verdicts, incidents, cases and mails by what they say: ids are those of the first recording."""
    standing = [one for one in world.incidents() if one.state is not State.WITHDRAWN]
    cases: dict[str, set[Any]] = defaultdict(set)
    for one in standing:
        cases[one.case].add((one.series, one.started))
    with world.resources.ledger.reading() as connection:
        verdicts = connection.execute(sa.select(*(c for c in tables.verdicts.c if c.name != "judged_at"))).all()
        mails = connection.execute(sa.select(tables.outbox.c.subject, tables.outbox.c.text)).all()
    return {
        "verdicts": sorted(map(repr, verdicts)),
        "incidents": {(o.series, o.started, o.ended, o.state, o.severity, o.breaches, o.told) for o in standing},
        "cases": {frozenset(members) for members in cases.values()},
        "mails": mails,
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_windows_judged_in_any_order_and_four_at_a_time_say_the_same(seed: int, tmp_path: Path) -> None:
    in_order = settled(tmp_path / "a", DAYS, seed=seed)
    assert len(in_order["incidents"]) > len(in_order["cases"]) > 1
    assert in_order["mails"]
    shuffled = random.Random(seed).sample(DAYS, len(DAYS))
    assert settled(tmp_path / "b", shuffled, seed=seed) == in_order
    assert settled(tmp_path / "c", shuffled[::-1], seed=seed, at_once=4) == in_order


FAULTS: dict[str, dict[str, Any]] = {
    **{day: {"region": lambda i: "EU"} for day in SIXTY[30:33]},
    **{day: {"amount": lambda i: None if i % 3 else 100.0 + i % 40} for day in SIXTY[40:42]},
    **{day: {"amount": lambda i: 180.0 + i % 40} for day in SIXTY[50:]},
}
# what is told at once depends on when a window came: nothing is
ASIDE = [
    {"id": "accuracy_drop", "enabled": False},
    {"id": "volume", "severity": "P2"},
    {"id": "schema", "severity": "P2"},
]


def settled_with_news(folder: Path, order: Sequence[str], *, at_once: int = 1) -> dict[str, Any]:
    """What is on record when sixty real windows were run in this order, weekly cycle, faults, news and all."""
    folder.mkdir()
    file = FILE | {"start": SIXTY[0], "reference": {"start": "2026-08-25", "end": "2026-08-28"}, "rules": ASIDE}
    with a_world(sa.make_url(f"sqlite:///{folder}/w.db"), folder, **file) as world:
        for day in SIXTY:
            world.log(day, n=300 + at(day).weekday() * 20, seed=3, **FAULTS.get(day, {}))
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda day: world.run(day, judged=THEN), order))
        digest(world, "2026-10-27T00:20", judged=THEN)
        return on_record(world)


@pytest.mark.heavy
def test_sixty_real_windows_with_their_news_in_any_order_and_four_at_a_time_say_the_same(tmp_path: Path) -> None:
    in_order = settled_with_news(tmp_path / "a", SIXTY)
    assert {"news", "null_rate", "drift"} <= {series.rule for series, *_ in in_order["incidents"]}
    assert in_order["mails"]
    shuffled = random.Random(5).sample(SIXTY, len(SIXTY))
    assert settled_with_news(tmp_path / "b", shuffled) == in_order
    assert settled_with_news(tmp_path / "c", shuffled[::-1], at_once=4) == in_order
