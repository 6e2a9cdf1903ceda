"""The replay of the season bench: a small log through the product itself, clean, with a fault, and judged by nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.seasons_clean import Clean, clean_run
from benchmarks.seasons_runs import faulty_run, lasting_run
from benchmarks.seasons_series import Series
from benchmarks.seasons_warehouse import Warehouse

DAYS, A_DAY, WINDOWS = 16, 60, 6
NULLS, LABELS = ("nulls", "strong", "whole"), ("labels_flipped", "strong", "whole")


def a_series() -> Series:
    rng = np.random.default_rng(7)
    n = DAYS * A_DAY
    at = pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(np.arange(n) * (86_400 // A_DAY), unit="s")
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(n)], "predicted_at": at.as_unit("us")})
    frame["amount"], frame["age"] = rng.normal(50, 10, n), rng.normal(40, 5, n)
    frame["region"] = rng.choice(["north", "south"], n)
    frame["score"] = rng.uniform(size=n)
    frame["prediction"] = (frame["score"] > 0.5).astype(int)
    frame["label"] = (rng.uniform(size=n) < frame["score"]).astype(int)
    frame["labeled_at"] = (frame["predicted_at"] + pd.Timedelta(hours=3)).dt.as_unit("us")
    return Series("small", "binary", frame, "drawn", "none", "1d")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seasons")


@pytest.fixture(scope="module")
def clean(place: Path) -> Clean:
    return clean_run(a_series(), place / "clean", windows=WINDOWS)


@pytest.fixture(scope="module")
def warehouse(place: Path) -> Warehouse:
    return Warehouse(a_series(), place / "warehouse.duckdb")


def test_a_clean_run_keeps_points_of_departure_and_tells_next_to_nothing(clean: Clean) -> None:
    assert [onset.share for onset in clean.onsets] == [0.25, 0.5, 0.75]
    assert (clean.end - clean.start).days == WINDOWS
    assert not [one for one in clean.told if "null_rate" in one.rules]


def test_a_planted_fault_is_found_from_a_copy_of_the_clean_run(
    clean: Clean, warehouse: Warehouse, tmp_path: Path
) -> None:
    result = faulty_run(clean, a_series(), clean.onsets[0], NULLS, warehouse, tmp_path, with_peers=False)
    assert result["found"] is result["oracle"] is True
    assert any("null_rate" in line for line in result["told"])
    assert not list(tmp_path.iterdir())  # and nothing stays behind
    lasting = lasting_run(clean, a_series(), clean.onsets[0], NULLS, warehouse, tmp_path, windows=2)
    assert lasting is not None
    assert lasting["cases"] >= 1


def test_a_monitor_without_rules_finds_nothing(clean: Clean, warehouse: Warehouse, tmp_path: Path) -> None:
    deaf = replace(clean, monitor=clean.monitor.model_copy(update={"rules": ()}))
    result = faulty_run(deaf, a_series(), clean.onsets[0], NULLS, warehouse, tmp_path, with_peers=False)
    assert (result["found"], result["told"], result["oracle"]) == (False, [], True)


def test_flipped_labels_are_waited_for_until_they_mature(clean: Clean, warehouse: Warehouse, tmp_path: Path) -> None:
    result = faulty_run(clean, a_series(), clean.onsets[0], LABELS, warehouse, tmp_path, with_peers=False)
    assert "left_out" not in result
    late = faulty_run(clean, a_series(), clean.onsets[2], LABELS, warehouse, tmp_path, with_peers=False)
    assert late["left_out"] == "its time is longer than the rest of the stretch"


def test_a_planted_log_takes_the_place_of_its_span_only(warehouse: Warehouse) -> None:
    import duckdb

    log = a_series().frame
    start, end = log["predicted_at"].iloc[A_DAY], log["predicted_at"].iloc[3 * A_DAY]
    rows = log[(log["predicted_at"] >= start) & (log["predicted_at"] < end)].iloc[::2]
    warehouse.plant(rows, start, end)
    with duckdb.connect(str(warehouse.path), read_only=True) as db:
        counts = [db.execute(f'SELECT count(*) FROM "{view}"').fetchone() for view in warehouse.names]
    warehouse.restore()
    assert counts == [(len(log) - A_DAY,), (len(log) - A_DAY,)]
