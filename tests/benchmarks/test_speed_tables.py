"""Tables of the speed bench: ratios are those of one run, goals are met or missed, and what was left out is said."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks import speed, speed_rows, speed_tables

ROOT = Path(__file__).parents[2]
MILLION = {
    "fetch_and_write": {"seconds": 4.0, "rss_mb": 200.0},
    "window_job": {"seconds": 6.0, "rss_mb": 260.0},
    "drift": {"seconds": 1.0, "rss_mb": 1000.0},
    "evidently_default": {"seconds": 50.0, "rss_mb": 2000.0},
    "nannyml": None,
}


def found(**rows: Any) -> dict[str, Any]:
    measured = {"1000000": MILLION} | rows
    return speed.about() | speed.summary(measured) | {"rows": measured}


def test_ratios_are_those_of_a_million_rows_and_none_without_the_peer() -> None:
    numbers = found()
    assert numbers["evidently_default_ratio"] == 50
    assert numbers["window_job_over_fetch_and_write"] == 1.5
    assert numbers["rss_mb_1m"] == 260
    assert (numbers["nannyml_ratio"], numbers["evidently_psi_ratio"], numbers["rss_mb_10m"]) == (None, None, None)


def test_goals_say_what_is_met_missed_and_not_measured() -> None:
    states = {what: state for what, _, _, state in speed_tables.goals(found())}
    assert states["Evidently's default tests over our drift"] == "missed"
    assert states["the window job over the bare fetch and write"] == "met"
    assert states["one method of NannyML over our drift"] == "not measured"


def test_the_documents_get_the_numbers_between_their_marks_and_keep_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/benchmarks.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(speed_tables, "ROOT", tmp_path)
    speed_tables.write_tables(found())
    once = (tmp_path / "README.md").read_text()
    speed_tables.write_tables(found())
    assert (tmp_path / "README.md").read_text() == once
    assert "| Evidently `DataDriftPreset()` | 50.00 | 2,000 | 50.0 × ours |" in once
    assert "| not there |" in (tmp_path / "docs" / "benchmarks.md").read_text()
    for name in ("README.md", "docs/benchmarks.md"):
        before = (ROOT / name).read_text()
        now = (tmp_path / name).read_text()
        assert now.partition(speed_tables.BEGIN)[0] == before.partition(speed_tables.BEGIN)[0]
        assert now.partition(speed_tables.END)[2] == before.partition(speed_tables.END)[2]


def test_rows_are_the_same_however_often_they_are_made_and_the_window_has_moved() -> None:
    reference, window = (next(speed_rows.features(2000, side)) for side in speed_rows.SIDES)
    assert reference.equals(next(speed_rows.features(2000, "reference")))
    assert reference.num_columns == 28
    moved = window.column("x1").to_numpy().mean() - reference.column("x1").to_numpy().mean()
    assert moved == pytest.approx(0.1, abs=0.2)
