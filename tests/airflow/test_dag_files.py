"""DAG files of monitors: what is written and removed, what each builds, and no DAG twice beside the shipped ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hindsight.airflow.dag_files import MARK, carry_out, plan
from hindsight.errors import ConfigError
from hindsight.monitors import loader
from hindsight.settings import read_settings
from tests.builders import monitor_file

ROOT = Path(__file__).parents[2]
UPKEEP = {"hindsight__relay", "hindsight__maintenance", "hindsight__review"}
Write = Callable[[dict[str, Any] | str], Path]


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    """A folder of DAGs with the shipped files."""
    shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "dags"


def written(dags: Path) -> Path:
    found = plan(dags, dags.parent / "monitors")
    carry_out(found)
    return found.folder


def parsed(folder: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(folder))


def built(folder: Path) -> dict[str, list[str]]:
    """The DAGs of each file below a folder, each file parsed by itself as the DAG processor does."""
    return {path.name: sorted(parsed(path).dags) for path in sorted(folder.rglob("*.py"))}


def test_each_monitor_gets_a_file_of_three_lines_that_builds_its_dags(write_monitor: Write, dags: Path) -> None:
    write_monitor(monitor_file())
    write_monitor(monitor_file(name="fraud", retrain={"train": "lending.models:train"}))
    folder = written(dags)
    found = built(folder)

    assert len((folder / "credit.py").read_text().splitlines()) == 3
    assert found["credit.py"] == ["labels__credit", "monitor__credit"]
    assert found["fraud.py"] == ["labels__fraud", "monitor__fraud", "retrain__fraud", "rollback__fraud"]
    assert set(found["hindsight__upkeep.py"]) == UPKEEP


def test_beside_the_shipped_files_no_dag_is_built_twice(write_monitor: Write, dags: Path) -> None:
    write_monitor(monitor_file())
    before = [dag for found in built(dags).values() for dag in found]
    written(dags)
    after = [dag for found in built(dags).values() for dag in found]

    assert sorted(before) == sorted(after) == sorted({"monitor__credit", "labels__credit"} | UPKEEP)


def test_a_monitor_that_came_since_is_built_with_the_rest(write_monitor: Write, dags: Path) -> None:
    write_monitor(monitor_file())
    folder = written(dags)
    write_monitor(monitor_file(name="fraud"))
    broken = write_monitor("name: [broken]\n")
    found = built(dags)

    assert found["hindsight__rest.py"] == ["labels__fraud", "monitor__fraud"]
    assert found["monitors.py"] == []
    (error,) = parsed(folder / "hindsight__errors.py").import_errors.values()
    assert str(broken) in error


def test_what_came_since_under_a_name_that_is_taken_is_left_out_and_said(write_monitor: Write, dags: Path) -> None:
    taken = write_monitor(monitor_file())
    folder = written(dags)
    taken.with_name("again.yml").write_text(taken.read_text())
    found = built(dags)

    assert (found["credit.py"], found["hindsight__rest.py"]) == (["labels__credit", "monitor__credit"], [])
    (error,) = parsed(folder / "hindsight__errors.py").import_errors.values()
    assert "names must differ" in error


def test_two_files_of_one_name_get_no_file(write_monitor: Write, dags: Path) -> None:
    first = write_monitor(monitor_file())
    first.with_name("again.yml").write_text(first.read_text())
    folder = written(dags)

    assert {path.name for path in folder.iterdir()} == {
        "hindsight__rest.py",
        "hindsight__errors.py",
        "hindsight__upkeep.py",
    }


def test_a_changed_monitor_is_written_again_alone(write_monitor: Write, dags: Path) -> None:
    write_monitor(monitor_file())
    changed = write_monitor(monitor_file(name="fraud"))
    folder = written(dags)
    os.utime(changed, (changed.stat().st_atime, (folder / "fraud.py").stat().st_mtime + 2))
    found = plan(dags, dags.parent / "monitors")

    assert (set(found.write), found.unchanged) == ({folder / "fraud.py"}, 4)


def test_a_changed_template_is_a_change_of_those_that_extend_it(write_monitor: Write, dags: Path) -> None:
    base = write_monitor("owner: risk\n")
    base = base.rename(base.with_name("base.yml"))
    write_monitor(monitor_file(extends="base.yml"))
    write_monitor(monitor_file(name="fraud"))
    folder = written(dags)
    os.utime(base, (base.stat().st_atime, (folder / "credit.py").stat().st_mtime + 2))

    assert set(plan(dags, dags.parent / "monitors").write) == {folder / "credit.py"}


def test_the_file_of_a_monitor_that_is_gone_is_removed_and_says_so_until_then(write_monitor: Write, dags: Path) -> None:
    gone = write_monitor(monitor_file())
    folder = written(dags)
    gone.unlink()
    (error,) = parsed(folder / "credit.py").import_errors.values()
    assert "hindsight dags --write removes its DAG file" in error

    mine = folder / "mine.py"
    mine.write_text("# my own DAG\n")
    written(dags)
    assert not (folder / "credit.py").exists()
    assert mine.read_text() == "# my own DAG\n"


def test_a_file_of_somebody_else_is_never_overwritten(write_monitor: Write, dags: Path) -> None:
    write_monitor(monitor_file())
    (dags / "hindsight_dags").mkdir()
    (dags / "hindsight_dags" / "credit.py").write_text(f"print(1)\n{MARK}\n")

    with pytest.raises(ConfigError, match="not written by hindsight dags"):
        plan(dags, dags.parent / "monitors")


def test_the_file_of_a_monitor_reads_no_other(
    write_monitor: Write, dags: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("credit", "fraud", "churn"):
        write_monitor(monitor_file(name=name))
    folder = written(dags)
    loader._read.clear()
    asked: list[str] = []
    read = loader.read_document
    monkeypatch.setattr(loader, "read_document", lambda path: asked.append(path.name) or read(path))
    parsed(folder / "fraud.py")
    parsed(folder / "hindsight__rest.py")
    parsed(folder / "hindsight__errors.py")

    assert asked == ["fraud.yml"]


def test_a_broken_template_under_fifty_monitors_is_fifty_import_errors(write_monitor: Write, dags: Path) -> None:
    base = write_monitor("owner: risk\ndrift: {method: psl}\n")
    base = base.rename(base.with_name("base.yml"))
    for k in range(50):
        write_monitor(monitor_file(name=f"credit_{k:02}", extends="base.yml"))
    write_monitor(monitor_file(name="fraud"))
    bag = parsed(written(dags))

    assert len(bag.import_errors) == 50
    assert all(error.count(f"{base}:2 drift.method") == 1 for error in bag.import_errors.values())
    assert set(bag.dags) == {"monitor__fraud", "labels__fraud"} | UPKEEP


@pytest.mark.parametrize("name", ["monitors.py", "upkeep.py"])
def test_a_missing_folder_is_an_import_error(
    dags: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HINDSIGHT_MONITORS", str(tmp_path / "nowhere"))
    (error,) = parsed(dags / name).import_errors.values()

    assert f"no folder {tmp_path / 'nowhere'} of monitor files" in error


def checkout(folder: Path, **keys: Any) -> Path:
    """A bundle as it is checked out: DAG files, monitors and suites below one folder."""
    import yaml

    (folder / "include" / "monitors").mkdir(parents=True)
    (folder / "great_expectations").mkdir()
    (folder / "include" / "monitors" / "credit.yml").write_text(yaml.safe_dump(monitor_file(**keys)))
    shutil.copytree(ROOT / "dags", folder / "dags", ignore=shutil.ignore_patterns("__pycache__", "hindsight_dags"))
    return folder


@pytest.mark.parametrize("own", [False, True])
def test_monitors_and_suites_are_those_of_the_version_that_was_checked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    monkeypatch.delenv("HINDSIGHT_MONITORS", raising=False)
    versions = [checkout(tmp_path / "first", lateness="10m"), checkout(tmp_path / "second", lateness="20m")]
    for version, minutes in zip(versions, (10, 20), strict=True):
        if own:
            carry_out(plan(version / "dags", version / "include" / "monitors"))
        bag = parsed(version / "dags" / ("hindsight_dags/credit.py" if own else "monitors.py"))
        dag = bag.dags["monitor__credit"]

        assert dag.timetable.lateness.total_seconds() == 60 * minutes
        assert read_settings().monitors == version / "include" / "monitors"
        assert read_settings().great_expectations == version / "great_expectations"
        assert loader.load_monitor("credit", read_settings().monitors).lateness.total_seconds() == 60 * minutes


def test_a_task_finds_the_monitor_of_its_dag_file(
    write_monitor: Write, dags: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hindsight.airflow.tasks import load

    write_monitor(monitor_file(owner="ours"))
    folder = written(dags)
    monkeypatch.setenv("HINDSIGHT_MONITORS", "/nowhere")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "labels__credit")

    assert set(parsed(folder / "credit.py").dags) == {"labels__credit"}
    assert load("credit").owner == "ours"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    from hindsight.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["dags", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


def test_the_command_lists_writes_and_is_content(
    write_monitor: Write, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_monitor(monitor_file())
    listed, text = said(capsys, str(dags))
    assert (listed, "+ credit.py" in text, (dags / "hindsight_dags").exists()) == (1, True, False)

    assert said(capsys, str(dags), "--write")[0] == 0
    assert (dags / "hindsight_dags" / "credit.py").exists()

    code, text = said(capsys, str(dags), "--json")
    assert (code, json.loads(text)["written"], json.loads(text)["unchanged"]) == (0, [], 4)


def test_without_a_folder_it_is_the_one_of_airflow(
    write_monitor: Write, capsys: pytest.CaptureFixture[str], airflow_environment: None
) -> None:
    write_monitor(monitor_file())
    _, text = said(capsys)

    assert f"{os.environ['AIRFLOW__CORE__DAGS_FOLDER']}/hindsight_dags: 4 files to write" in text


def test_a_draft_needs_no_file_written_and_shows_its_errors(
    write_monitor: Write, dags: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_monitor(monitor_file())
    folder = written(dags)
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    monkeypatch.setenv("HINDSIGHT_DRAFTS", str(drafts))
    (drafts / "credit.yml").write_text(yaml.safe_dump(monitor_file(name="fraud")))  # a file name that is taken
    (drafts / "bad.yml").write_text(yaml.safe_dump(monitor_file(name="bad", trusted=["os.PathLike"])))
    found = built(dags)

    assert plan(dags, tmp_path / "monitors").write == {}
    assert found["credit.py"] == ["labels__credit", "monitor__credit"]
    assert found["hindsight__rest.py"] == ["labels__fraud", "monitor__fraud"]
    assert found["hindsight__upkeep.py"] == sorted(UPKEEP | {"hindsight__propose"})
    (error,) = parsed(folder / "hindsight__errors.py").import_errors.values()
    assert f"{drafts / 'bad.yml'}" in error
