"""HINDSIGHT_ENABLED=false takes all DAGs and pages away, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from hindsight.airflow.enabled import is_enabled
from hindsight.airflow.plugin import HindsightPlugin
from hindsight.errors import ConfigError
from tests.airflow.runs import Parse, Write
from tests.builders import monitor_file


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HINDSIGHT_ENABLED", "false")
    monkeypatch.setenv("HINDSIGHT_DRAFTS", str(tmp_path / "drafts"))


@pytest.mark.parametrize(
    ("said", "meant"),
    [("", True), ("true", True), (" Yes ", True), ("1", True), ("false", False), ("OFF", False), ("0", False)],
)
def test_it_is_there_unless_it_is_taken_away(said: str, meant: bool) -> None:
    assert is_enabled({"HINDSIGHT_ENABLED": said}) is meant
    assert is_enabled({})


def test_a_word_that_is_neither_is_refused() -> None:
    with pytest.raises(ConfigError, match="HINDSIGHT_ENABLED: expected true or false, found 'flase'"):
        is_enabled({"HINDSIGHT_ENABLED": "flase"})


def test_no_file_builds_a_dag_or_tells_of_errors(off: None, write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file())
    write_monitor("nonsense")
    bag = parse()

    assert bag.dags == {}
    assert bag.import_errors == {}


def test_a_written_dag_file_builds_nothing_either(off: None, write_monitor: Write, tmp_path: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    from hindsight.airflow.dag_files import carry_out, plan

    write_monitor(monitor_file())
    (tmp_path / "dags").mkdir()
    carry_out(plan(tmp_path / "dags", tmp_path / "monitors"))
    bag = DagBag(str(tmp_path / "dags"))

    assert (bag.dags, bag.import_errors) == ({}, {})


def test_there_are_no_pages_and_no_way_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    on = HindsightPlugin()
    assert (len(on.external_views), len(on.fastapi_apps)) == (3, 1)
    monkeypatch.setenv("HINDSIGHT_ENABLED", "false")
    without = HindsightPlugin()

    assert (without.external_views, without.fastapi_apps) == ([], [])
    assert without.timetables  # what is in Airflow's database names it
