"""A window that the warehouse counts has the numbers of one whose rows were read, and no row of a feature leaves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_window, at, monitor_file
from tests.pipeline.world import World, a_world
from tests.warehouse.tables import writing

KINDS = (Kind.OPERATIONS, Kind.QUALITY, Kind.DRIFT, Kind.PROFILE, Kind.KPI)
BY_ROWS = {"unit_change", "score_mistaken"}
BOUNDS = {"ks", "wasserstein_normed"}


def source(**changes: Any) -> dict[str, Any]:
    return monitor_file()["source"] | changes


Found = dict[tuple[str, ...], Measurement]


def measured(world: World, day: str) -> Found:
    pipeline.run_window(world.monitor, a_window(day), world.resources, read_at=at("2026-09-03"))
    return {
        (kind, m.model_version, m.segment, m.metric, m.feature, m.bin): m
        for kind in KINDS
        for m in world.measured(kind, day)
    }


def both(url: sa.URL, folder: Path, then: Callable[[], object]) -> tuple[Found, Found]:
    """The numbers of a window that went wrong in many ways, read and counted."""
    odd = {
        "amount": lambda i: (None, -999.0, float("inf"), 1e9)[i % 4] if i % 10 == 0 else 130.0 + i % 7,
        "region": lambda i: ("EU", "eu", "", None, "MARS")[i % 5],
        "status_code": lambda i: (200, 200, 200, 500, 408)[i % 5],
        "prediction": lambda i: None if i % 5 > 2 else i % 2,
        "score": lambda i: None if i % 5 > 2 else 1.2 * math.sin(i) ** 2,
        "model_version": lambda i: ("v1", "v2", None)[i % 3],
        "latency_ms": lambda i: None if i % 50 == 0 else float(i),
        "cost_usd": lambda i: None if i % 40 == 0 else 0.25,
    }
    with a_world(url, folder, segments=["region"]) as world:
        world.log("2026-09-01", **odd)
        then()
        rows = measured(world, "2026-09-01")
        world.declare(segments=["region"], source=source(count_in="warehouse"))
        return rows, measured(world, "2026-09-01")


def as_parquet(url: sa.URL, folder: Path) -> None:
    """Make the log of a DuckDB database a view of Parquet files."""
    with writing(url) as connection:
        connection.execute(sa.DDL(f"COPY inference_log TO '{folder}' (FORMAT parquet, PER_THREAD_OUTPUT)"))
        connection.execute(sa.DDL("DROP TABLE inference_log"))
        connection.execute(sa.DDL(f"CREATE VIEW inference_log AS FROM read_parquet('{folder}/*.parquet')"))


@pytest.mark.parametrize("database", ["postgres", "sqlite", "duckdb", "parquet"])
def test_a_counted_window_has_the_numbers_of_its_rows(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    is_parquet = database == "parquet"
    url = request.getfixturevalue("duckdb_url" if is_parquet else f"{database}_url")
    rows, counted = both(url, tmp_path, then=lambda: as_parquet(url, tmp_path / "log") if is_parquet else None)
    assert counted.keys() == rows.keys()
    for key, there in rows.items():
        agree(key, there, counted[key])


def agree(key: tuple[str, ...], there: Measurement, here: Measurement) -> None:
    metric = key[3]
    if metric in BY_ROWS or "needs rows" in here.note:
        assert here.value is None, key
        assert "needs rows" in here.note or there.value is None
        assert metric in BY_ROWS | {"confidence"}
        return
    if metric in BOUNDS and there.value is not None:
        assert here.value is not None, key
        assert here.value <= there.value + 1e-9, key
        assert there.value <= float(here.note.rpartition("at most ")[2]) * 1.001, key
        return
    if metric == "p_value" and there.value is not None:
        assert here.value is not None
        assert here.value >= there.value * (1 - 1e-9), key
        return
    assert here.value == (None if there.value is None else pytest.approx(there.value, rel=1e-9, abs=1e-12)), key
    assert (here.n, here.reference, here.note) == (there.n, there.reference, there.note), key
    for ours, theirs in ((here.lower, there.lower), (here.upper, there.upper)):
        assert ours == (None if theirs is None else pytest.approx(theirs, rel=1e-7)), key


def one_score_a_class() -> dict[str, Any]:
    predictions = source()["predictions"] | {"score": {"0": "amount", "1": "score"}}
    return {"source": source(predictions=predictions), "model": {"name": "credit", "task": "multiclass"}}


def nothing_optional() -> dict[str, Any]:
    kept = ("table", "id", "timestamp", "prediction")
    predictions = {key: value for key, value in source()["predictions"].items() if key in kept}
    return {"source": source(predictions=predictions), "model": {"name": "credit", "task": "regression"}}


ODD_MONITORS: dict[str, dict[str, Any]] = {
    "no reference": {"reference": None},
    "a column that is not there": {"features": {"age": "numeric", "city": "categorical"}, "reference": None},
    "one version": {"model": {"name": "credit", "task": "binary", "version": "v1"}},
    "nothing optional": nothing_optional(),
    "resources": {"source": source(predictions=source()["predictions"] | {"resources": {"gpu": "cost_usd"}})},
    "a score for each class": one_score_a_class(),
    "the clock": {"features": {"amount": {"type": "numeric", "clock": True}, "region": "categorical"}},
    "js": {"drift": {"method": "js_distance", "threshold": "auto"}},
    "a KPI": {"kpis": {"spent": {"sum": "cost_usd"}}},
}


@pytest.mark.parametrize("case", ODD_MONITORS)
def test_whatever_the_file_says_the_numbers_are_those_of_the_rows(
    sqlite_url: sa.URL, tmp_path: Path, case: str
) -> None:
    changes = {"segments": ["region"]} | ODD_MONITORS[case]
    with a_world(sqlite_url, tmp_path, **changes) as world:
        world.log("2026-09-01", n=200, seed=3)
        rows = measured(world, "2026-09-01")
        world.declare(**changes | {"source": changes.get("source", source()) | {"count_in": "warehouse"}})
        counted = measured(world, "2026-09-01")
    left_out = {key for key in rows.keys() ^ counted.keys() if key[3] == "confidence"}
    assert rows.keys() - left_out == counted.keys() - left_out
    for key in rows.keys() - left_out:
        agree(key, rows[key], counted[key])


def test_an_empty_window_has_the_same_numbers(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, segments=["region"]) as world:
        rows = measured(world, "2026-09-01")
        world.declare(segments=["region"], source=source(count_in="warehouse"))
        counted = measured(world, "2026-09-01")
    assert counted.keys() == rows.keys()
    for key, there in rows.items():
        agree(key, there, counted[key])


def test_numbers_that_are_texts_are_said_not_to_be_counted(sqlite_url: sa.URL, tmp_path: Path) -> None:
    features = {"model_version": "numeric", "region": "categorical"}
    with a_world(sqlite_url, tmp_path, features=features, source=source(count_in="warehouse")) as world:
        world.log("2026-09-01")
        found = measured(world, "2026-09-01")
    (nulls,) = [m for m in found.values() if (m.metric, m.feature) == ("null_rate", "model_version")]
    assert nulls.value is None
    assert "cast them in a view" in nulls.note
