"""Real data with known answers: what the command line computes equals what others computed by other means."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from benchmarks import cases
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
        cases.load(case, postgres_url)
        for key, value in cases.prepare([case], postgres_url, tmp_path).items():
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
    cases.run(case)
    cases.night(case)
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
        cases.night(case, as_of)
    cases.night(case)

    pairs = [pair for k in days for pair in cases.compare_as_of(case, data(), some, k)]
    assert off(pairs) == []
    assert len(pairs) >= len(some) * len(days) * 9
    known = {k: sum(p.found or 0 for p in pairs if p.where.endswith(f"_asof_{k}d")) for k in days}
    assert known[days[0]] != known[days[-1]]
