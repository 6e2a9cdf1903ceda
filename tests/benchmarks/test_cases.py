"""Real data with known answers: what the command line computes equals what others computed by other means."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks import case_runs, cases, replay
from benchmarks.cases import Case, Pair

PLACE = Path(os.environ.get("HINDSIGHT_CASES", ""))
pytestmark = pytest.mark.skipif(not (PLACE / "elec2").is_dir(), reason="HINDSIGHT_CASES names no folder of cases")
ROUNDED = 1e-5  # the truth has six digits
Watch = Callable[[str, int | None], Case]


@pytest.fixture
def watch(postgres_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Load a case, or its first windows, and write its monitor file; settings are those of this test."""

    def load(name: str, windows: int | None) -> Case:
        case = Case(PLACE / name, windows)
        case_runs.load(case, postgres_url)
        for key, value in case_runs.prepare([case], postgres_url, tmp_path).items():
            monkeypatch.setenv(key, value)
        return case

    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    return load


def data() -> str:
    return os.environ["HINDSIGHT_DATA"]


def off(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.deviation > ROUNDED]


@pytest.mark.parametrize(
    ("name", "windows", "least"), [("elec2", 18, 850), ("hotel_booking", 15, 1350), ("schema_break", None, 2400)]
)
def test_every_number_of_a_case_is_the_known_one(watch: Watch, name: str, windows: int | None, least: int) -> None:
    case = watch(name, windows)
    case_runs.run(case)
    case_runs.night(case)
    pairs = list(cases.compare(case, data()))

    assert off(pairs) == []
    assert len(pairs) >= least
    counts = [pair for pair in pairs if pair.metric.endswith(("n_labeled", "n_scored", "total_requests", "rows_raw"))]
    assert all(pair.expected == pair.found for pair in counts)
    beyond = [pair for pair in pairs if (pair.expected or 0) > cases.ASTRONOMICAL]
    assert bool(beyond) == (name == "elec2")  # distances over the deviation of a constant
    assert all(pair.found is None and pair.note for pair in beyond)


@pytest.mark.parametrize(("name", "days"), [("elec2", (0, 1, 7)), ("hotel_booking", (0, 1, 7, 30))])
def test_every_number_is_known_again_as_it_was_at_a_moment(watch: Watch, name: str, days: tuple[int, ...]) -> None:
    case = watch(name, 12)
    some = case.truth[2::4]
    ends = [cases.moment(row["window_start"]) + case.size for row in some]
    for as_of in sorted(end + timedelta(days=k) for end in ends for k in days):
        case_runs.night(case, as_of)
    case_runs.night(case)

    pairs = [pair for k in days for pair in cases.compare_as_of(case, data(), some, k)]
    assert off(pairs) == []
    assert len(pairs) >= len(some) * len(days) * 9
    known = {k: sum(p.found or 0 for p in pairs if p.where.endswith(f"_asof_{k}d")) for k in days}
    assert known[days[0]] != known[days[-1]]


PARTIAL = {("volume", "2024-04-14")}  # the last day of the case holds 42 requests, which is a drop


def found_in(watch: Watch, url: sa.URL, way: replay.Way, days: set[str] | None) -> tuple[Case, list[dict[str, Any]]]:
    case = watch("schema_break", None)
    found = replay.replay(case, url, way, days)
    assert {incident["severity"] for incident in found} <= {"P1", "P2"}
    return case, found


def test_a_feed_whose_table_changes_is_told_of_every_breakage_and_of_nothing_else(
    watch: Watch, postgres_url: sa.URL
) -> None:
    case, found = found_in(watch, postgres_url, "alter", None)
    known = replay.planted(case)
    assert replay.missed(known, found) == []
    beyond = replay.beyond(known, found)
    assert {(one["series"]["rule"], one["started"][:10]) for one in beyond} == PARTIAL
    said = {one["series"]["feature"]: one["what"] for one in found if one["series"]["rule"] == "schema"}
    assert said["education_num"].endswith("is missing - is it now 'educationNum'?")
    assert said["capital_loss"].endswith("retyped: expected numeric (double), found string")


CHANGES = {f"2024-03-{day}" for day in range(20, 25)} | {f"2024-04-0{day}" for day in range(2, 8)}


@pytest.mark.parametrize("way", ["widen", "replace"])
def test_however_the_table_came_to_hold_the_feed(watch: Watch, postgres_url: sa.URL, way: replay.Way) -> None:
    case, found = found_in(watch, postgres_url, way, CHANGES)
    known = [one for one in replay.planted(case) if f"{one.start:%Y-%m-%d}" in CHANGES]
    assert replay.missed(known, found) == []
    assert replay.beyond(replay.planted(case), found) == []


def test_windows_run_again_after_the_table_changed_still_run(watch: Watch, postgres_url: sa.URL) -> None:
    case, _ = found_in(watch, postgres_url, "widen", {"2024-03-04"})
    case_runs.hindsight("run", case.name, "--start", "2024-03-01", "--end", "2024-03-04", "--json")
    incidents = json.loads(case_runs.hindsight("incidents", case.name, "--json"))
    assert {one["series"]["feature"] for one in incidents} == {"capital_loss"}  # which is text by now
