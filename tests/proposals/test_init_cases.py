"""hindsight init on real data: the guesses are those the data's makers wrote down, and the files run as they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks import case_runs
from benchmarks.case import Case
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from tests.builders import DAY

PLACE = Path(os.environ.get("HINDSIGHT_CASES", ""))
pytestmark = pytest.mark.skipif(not (PLACE / "elec2").is_dir(), reason="HINDSIGHT_CASES names no folder of cases")
Propose = Callable[[str], tuple[Case, Monitor, list[str]]]


@pytest.fixture
def propose(postgres_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Propose:
    """Load a case, let its monitor be proposed, and return that with what to type next."""

    def made(name: str) -> tuple[Case, Monitor, list[str]]:
        case = Case(PLACE / name)
        case_runs.load(case, postgres_url)
        for key, value in case_runs.prepare([], postgres_url, tmp_path).items():
            monkeypatch.setenv(key, value)
        said = case_runs.hindsight("init", "--connection", "warehouse", "--table", name)
        commands = [line.strip() for line in said.splitlines() if line.strip().startswith("hindsight ")]
        return case, load_monitor(name, tmp_path / "monitors"), commands

    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    return made


@pytest.mark.parametrize(
    ("name", "matures_after"), [("elec2", 17), ("hotel_booking", 357), ("bike_sharing", 2), ("insects_gradual", 8)]
)
def test_the_guesses_are_what_the_case_says(propose: Propose, name: str, matures_after: int) -> None:
    case, monitor, _ = propose(name)
    known = case.monitor_file()
    predictions = monitor.source.predictions.model_dump(exclude_none=True)
    assert {key: predictions.get(key) for key in known["source"]["predictions"]} == known["source"]["predictions"]
    assert monitor.source.labels is not None
    assert monitor.source.labels.model_dump() == known["source"]["labels"]
    assert monitor.model.task == known["model"]["task"]
    assert monitor.model.positive_label == known["model"].get("positive_label", 1)
    assert monitor.window == case.size
    assert abs(monitor.labels.matures_after - matures_after * DAY) <= DAY
    assert set(monitor.features) == set(known["features"])
    wrong = {key: kind.type for key, kind in monitor.features.items() if kind.type != known["features"][key]}
    assert not wrong


@pytest.mark.parametrize("name", ["elec2", "bike_sharing"])
def test_what_is_proposed_runs_as_it_is(propose: Propose, name: str) -> None:
    _, _, commands = propose(name)
    assert [command.split()[1] for command in commands] == ["lint", "run", "labels"]
    for command in commands:
        case_runs.hindsight(*command.split()[1:])
    assert "accuracy" in case_runs.hindsight("show", name) or "mae" in case_runs.hindsight("show", name)


def test_where_nothing_happens_the_proposal_is_silent(propose: Propose) -> None:
    _, monitor, _ = propose("control_elec2_shuffled")
    assert monitor.start is not None
    end = monitor.start + 12 * monitor.window
    case_runs.hindsight("run", monitor.name, "--start", monitor.start.isoformat(), "--end", end.isoformat())
    case_runs.hindsight("labels", monitor.name, "--as-of", (end + monitor.labels.matures_after).isoformat())
    assert case_runs.hindsight("incidents", monitor.name) == "no incidents\n"
