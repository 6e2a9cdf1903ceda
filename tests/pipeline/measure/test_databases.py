"""The same log gives the same numbers on every database, and a window is read over a handful of connections."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.training.registry import Registry
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_window, at
from tests.pipeline.world import REFERENCE, World, a_world

DAYS = (*REFERENCE, "2026-09-01", "2026-09-02")
KPIS = {"right": {"count": "request_id", "where": {"labels.label": 1}}, "spent": {"sum": "amount"}}


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that is not in UTC, whatever zone the server is in."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()


def measured(url: sa.URL, folder: Path) -> dict[tuple[str, ...], Measurement]:
    """Every number of two windows and of a night."""
    with a_world(url, folder, days=DAYS, segments=["region"], kpis=KPIS) as world:
        for day in DAYS[-2:]:
            pipeline.run_window(world.monitor, a_window(day), world.resources, read_at=at("2026-09-03"))
        windows = pipeline.find_windows(world.monitor, at("2026-09-05"), world.resources)
        pipeline.revise_windows(world.monitor, windows, at("2026-09-05"), world.resources)
        return {
            (day, kind, m.model_version, m.segment, m.metric, m.feature, m.bin): m
            for day in DAYS[-2:]
            for kind in Kind
            for m in world.measured(kind, day)
        }


@pytest.mark.parametrize("database", ["postgres", "duckdb", "mariadb"])
@pytest.mark.usefixtures("far_away")
def test_the_same_log_gives_the_same_numbers(
    request: pytest.FixtureRequest, sqlite_url: sa.URL, tmp_path: Path, database: str
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    expected = measured(sqlite_url, here)
    found = measured(request.getfixturevalue(f"{database}_url"), there)
    assert len(expected) > 180
    assert found.keys() == expected.keys()
    for key, number in expected.items():
        assert (found[key].n, found[key].note) == (number.n, number.note), key
        for one, other in zip(_values(found[key]), _values(number), strict=True):
            assert one == (other if other is None else pytest.approx(other, rel=1e-9, abs=1e-12)), key


def _values(m: Measurement) -> tuple[float | None, ...]:
    return m.value, m.lower, m.upper, m.reference


def connections(url: sa.URL) -> int:
    """How many sessions there have been in a database, this one included; counted once they are over."""
    activity = sa.table("pg_stat_database", sa.column("sessions"), sa.column("datname"))
    query = sa.select(activity.c.sessions).where(activity.c.datname == url.database)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    time.sleep(1.2)  # a session tells at most once a second
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def test_a_window_is_read_over_no_more_than_four_connections(postgres_url: sa.URL, tmp_path: Path) -> None:
    with a_world(postgres_url, tmp_path, days=DAYS, segments=["region"], kpis=KPIS) as world:
        world = _with_its_ledger_elsewhere(world, tmp_path)
        counts = [connections(postgres_url)]
        for day in DAYS[-2:]:
            pipeline.run_window(world.monitor, a_window(day), world.resources, read_at=at("2026-09-03"))
            counts.append(connections(postgres_url))
    with_baseline, without = (now - before - 1 for before, now in pairwise(counts))  # one of them is the counter's
    assert 1 <= with_baseline <= 4
    assert 1 <= without <= 4


def test_a_suite_that_runs_as_sql_needs_no_fifth(postgres_url: sa.URL, tmp_path: Path) -> None:
    unique = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "request_id"}}
    typed = {"type": "expect_column_values_to_be_of_type", "kwargs": {"column": "region", "type_": "VARCHAR(20)"}}
    suite = tmp_path / "great_expectations" / "expectations" / "credit.json"
    suite.parent.mkdir(parents=True)
    suite.write_text(json.dumps({"name": "credit", "expectations": [unique, typed]}))
    with a_world(postgres_url, tmp_path, days=DAYS, quality={"suite": "credit"}) as world:
        world = _with_its_ledger_elsewhere(world, tmp_path).log("2026-09-01")  # every id once more
        before = connections(postgres_url)
        pipeline.run_window(world.monitor, a_window("2026-09-01"), world.resources, read_at=at("2026-09-03"))
        used = connections(postgres_url) - before - 1  # one of them is the counter's
        found = world.measured(Kind.QUALITY, "2026-09-01")
    assert {m.feature: m.value for m in found if m.metric == "expectation_success"} == {"request_id": 0, "region": 1}
    assert 1 <= used <= 4


def _with_its_ledger_elsewhere(world: World, folder: Path) -> World:
    ledger = Ledger(open_engine(sa.URL.create("sqlite", database=str(folder / "aside.db"))))
    ledger.create()
    registry = Registry(ledger.engine)
    registry.create()
    world.resources = replace(world.resources, ledger=ledger, registry=registry)
    return world
