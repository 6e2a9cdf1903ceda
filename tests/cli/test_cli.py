"""The command line: what it says when something is wrong, how it exits, and that it explains itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from hindsight.cli import app
from tests.cli.said import LABELS, RUN, Say
from tests.pipeline.world import World

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("command", [("lint",), ("show",), ("show", "credit"), RUN, LABELS, ("incidents",)])
def test_a_folder_that_is_not_there_is_the_same_error_everywhere(
    world: World, say: Say, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = world.folder / "nowhere"
    monkeypatch.setenv("HINDSIGHT_MONITORS", str(nowhere))
    said = say(*command)
    assert said.code == 1
    assert said.err.startswith(f"hindsight: no folder {nowhere} of monitor files; set HINDSIGHT_MONITORS, or ")


def test_lint_lists_every_error_of_every_file(world: World, say: Say) -> None:
    folder = world.resources.settings.monitors
    (folder / "first.yml").write_text("name: first\nmodel: {name: m, task: binry}\nsorce: {}\n")
    (folder / "second.yml").write_text("name: 2nd\n")
    said = say("lint")

    assert said.code == 1
    assert f"{folder / 'first.yml'}:2 model.task: " in said.err
    assert f"{folder / 'first.yml'}:3 sorce: " in said.err
    assert "did you mean 'source'" in said.err
    assert f"{folder / 'second.yml'}:1 name: " in said.err
    machine = say("lint", "--json")
    assert machine.code == 1
    assert {(Path(p["file"]).name, p["line"], p["field"]) for p in machine.json} >= {
        ("first.yml", 2, "model.task"),
        ("first.yml", 3, "sorce"),
    }


def test_lint_says_when_all_is_well(world: World, say: Say) -> None:
    assert (say("lint").code, say("lint").out) == (0, "1 file, no errors\n")
    assert say("lint", str(world.resources.settings.monitors / "credit.yml")).code == 0
    assert say("lint", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "credits", "--start", "2026-09-01", "--end", "2026-09-02"), "did you mean 'credit'?"),
        (("show", "credti"), "did you mean 'credit'?"),
        (("run", "credit", "--start", "yesterday", "--end", "2026-09-02"), "--start: expected a time such as"),
        (("labels", "credit", "--as-of", "2026-13-01"), "--as-of: expected a time such as"),
        (("show", "--as-of", "noon"), "--as-of: expected a time such as"),
        (("labels", "credit"), "say which nights"),
        (("labels", "credit", "--as-of", "2026-09-01", "--end", "2026-09-02"), "say which nights"),
        (("labels", "credit", "--start", "2026-09-01"), "say which nights"),
        (("run", "credit", "--start", "2026-09-01"), "Missing option '--end'"),
        (("runn",), "No such command 'runn'"),
        (("show", "--fail-on", "P9"), "P9"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_clear_line(world: World, say: Say, arguments: tuple[str, ...], words: str) -> None:
    said = say(*arguments)
    assert (said.code, said.out) == (1, "")
    *usage, mistake = said.err.splitlines()
    assert words in mistake
    assert mistake.startswith("hindsight: ")
    assert "Traceback" not in said.err
    assert not usage or usage[0].startswith("Usage: hindsight ")


def test_a_missing_connection_says_how_to_make_one(world: World, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE")
    said = say(*RUN)
    assert said.code == 1
    assert "AIRFLOW_CONN_WAREHOUSE" in said.err


def test_a_broken_file_does_not_hide_the_others(world: World, say: Say) -> None:
    (world.resources.settings.monitors / "broken.yml").write_text("name: [\n")
    said = say("show")
    assert said.code == 0
    assert "credit" in said.out
    assert "broken.yml:" in said.err


def test_it_runs_as_a_process_of_its_own(world: World) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from hindsight.cli import main; main()", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "include", timeout=120)

    done = run(*RUN, "--json", "--fail-on", "P0")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)) == 3
    assert run("show", "nothing").returncode == 1
    assert "Usage" in run("--help").stdout


def test_help_names_every_command_in_a_whole_sentence(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    asked, nothing = say("--help"), say()
    assert (asked.code, nothing.code, nothing.out) == (0, 0, asked.out)
    commands = [line for line in asked.out.partition("Commands:")[2].splitlines() if line]
    assert len(commands) == len(typer.main.get_command(app).commands)
    assert all(line.endswith(".") and "..." not in line for line in commands)


def test_lint_warns_of_a_budget_that_cannot_be_kept_and_exits_well(world: World, say: Say) -> None:
    world.declare(alerts={"budget": "0 pages and 2 notices per 30d"})
    said = say("lint")
    assert (said.code, said.out) == (0, "1 file, no errors, 1 warning\n")
    assert said.err.startswith("warning: ")
    assert "alerts.budget: agrees to no page" in said.err
    (found,) = say("lint", "--json").json
    assert (found["level"], found["field"]) == ("warning", "alerts.budget")
