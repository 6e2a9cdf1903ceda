"""What people expect of a command line: help where it is needed, progress, and answers that nothing mixes with."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hindsight
from hindsight.commands import chosen, console
from tests.cli.said import LABELS, RUN, Say
from tests.pipeline.world import World

NOISE = "noise of a library"
ASK_ALL = (
    ("lint",),
    ("show",),
    ("show", "credit"),
    ("incidents",),
    ("baseline", "credit"),
    ("models", "credit"),
    ("slo", "credit"),
    ("audit",),
    ("alerts",),
    ("review",),
    ("outbox",),
    ("doctor",),
    ("expire", "--dry-run"),
    ("upgrade",),
    ("rehearse", "credit", "--start", "2026-09-01", "--end", "2026-09-02"),
    ("retrain", "credit", "--why", "x"),
    ("silence", "credit"),
    ("open", "credit"),
)
NOISY = '''
"""A trainer whose library prints and logs on standard output, whatever anybody asked for."""
import logging, os, sys
print("noise of a library")
logging.getLogger("azure.core").addHandler(logging.StreamHandler(sys.stdout))
logging.getLogger("azure.core").warning("noise of a library")
os.write(sys.stdout.fileno(), b"")
def train(rows, as_of): ...
'''


def noisy(name: str, *args: object, **rest: object) -> None:
    """Print and log on what is standard output now, as a library does that is asked anything."""
    print(NOISE)
    handler = logging.StreamHandler(sys.stdout)
    logging.getLogger("noisy").addHandler(handler)
    logging.getLogger("noisy").warning(NOISE)
    logging.getLogger("noisy").removeHandler(handler)


@pytest.fixture
def noise(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command opens something that makes a noise."""
    from hindsight.airflow import connections

    find = connections.find

    def found(id: str) -> object:
        noisy(id)
        return find(id)

    monkeypatch.setattr(connections, "find", found)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/af/")


def test_what_is_asked_for_as_json_is_json_and_nothing_else(world: World, say: Say, noise: None) -> None:
    said = [say(*RUN, "--json"), say(*LABELS, "--json"), *(say(*command, "--json") for command in ASK_ALL)]

    assert sum(one.code != 0 for one in said) <= 3  # an error is no answer
    assert all(isinstance(one.json, list | dict) for one in said if one.code == 0 or one.out)
    assert sum(NOISE in one.err for one in said) >= len(ASK_ALL) - 3  # a few open nothing


def test_every_command_that_has_json_was_asked() -> None:
    import typer

    from hindsight.cli import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    have = {name for name, one in commands.items() if any("--json" in option.opts for option in one.params)}
    writing = {"init", "run", "labels", "backup", "restore", "ack", "rollback", "dags"}  # through the same console
    assert have - writing == {command[0] for command in ASK_ALL}


def test_a_module_that_prints_when_it_is_imported_does_not_mix_with_the_answer(world: World) -> None:
    (world.folder / "noisy_lending.py").write_text(NOISY)
    world.declare(retrain={"train": "noisy_lending:train", "approval": False})
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(world.folder)])}
    command = [sys.executable, "-m", "hindsight", "lint", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert isinstance(json.loads(done.stdout), list)
    assert NOISE in done.stderr


def test_the_version_is_said(say: Say) -> None:
    assert (say("--version").code, say("--version").out) == (0, f"hindsight {hindsight.__version__}\n")


def test_h_is_help_everywhere(say: Say) -> None:
    assert say("-h").out == say("--help").out != ""
    assert say("run", "-h").out == say("run", "--help").out
    assert "--start" in say("run", "-h").out


@pytest.mark.parametrize(
    ("typed", "wrong"), [(("run", "credit", "--begin", "x"), "No such option: --begin"), (("show", "a", "b"), "b")]
)
def test_wrong_arguments_show_how_their_command_is_used_and_last_what_was_wrong(
    say: Say, typed: tuple[str, ...], wrong: str
) -> None:
    said = say(*typed)
    *help, last = said.err.rstrip("\n").splitlines()

    assert (said.code, said.out) == (1, "")
    assert last.startswith("hindsight: ")
    assert wrong in last
    assert any(f"hindsight {typed[0]} [OPTIONS]" in line for line in help)


def test_the_address_of_a_page_is_printed(world: World, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/af/")
    assert say("open", "credit").out == "https://airflow.example.com/af/hindsight/monitors/credit\n"

    monkeypatch.delenv("AIRFLOW__API__BASE_URL")
    assert "AIRFLOW__API__BASE_URL" in say("open", "credit").err


def test_shells_complete_the_names_of_monitors(world: World) -> None:
    assert chosen.complete("cr") == ["credit"]
    assert chosen.complete("x") == []


def test_progress_says_how_many_are_done_and_how_long_the_others_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 1000, 7))
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    assert list(console.steps("abcd", "credit: windows")) == list("abcd")
    said = capsys.readouterr()

    assert said.out == ""
    assert said.err == "credit: windows: 1/4 done, 0:00:42 left\ncredit: windows: 3/4 done, 0:00:09 left\n"
    assert list(console.steps("abcd", "credit: windows", quiet=True)) == list("abcd")
    assert capsys.readouterr().err == ""


def test_tables_in_a_pipe_fit_eighty_columns(world: World, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    say(*RUN)
    tables = [("show",), ("show", "credit"), ("incidents",), ("baseline", "credit"), ("audit",), ("doctor",)]
    shown = {command: say(*command).out for command in tables}

    assert [line for text in shown.values() for line in text.splitlines() if len(line) > 80] == []
    assert "credit" in shown["show",]
    Path(os.environ.get("HINDSIGHT_LOOK", os.devnull)).write_text("\n\n".join(shown.values()))
