"""What users may rely on is written down, and the code has just that: nothing more, and nothing less."""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer

import hindsight
from hindsight.cli import app
from hindsight.snapshots.tables import SCHEMA

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "interface.md").read_text()
COMMANDS = set(typer.main.get_command(app).commands)


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


def test_the_package_offers_what_is_written_down() -> None:
    assert {f"hindsight.{name}" for name in hindsight.__all__} == set(re.findall(r"hindsight\.\w+", section("Python")))


def test_every_command_is_written_down_and_in_the_readme() -> None:
    assert set(re.findall(r"^\| `hindsight ([a-z]+)", section("Commands"), re.M)) == COMMANDS
    readme = (ROOT / "README.md").read_text()
    assert {name for name in COMMANDS if f"hindsight {name}" not in readme} == set()


def test_every_command_says_what_it_does() -> None:
    for name, command in typer.main.get_command(app).commands.items():
        assert command.help, name


def test_the_keys_of_a_monitor_file_are_written_down() -> None:
    schema = json.loads((ROOT / "include" / "monitors" / "schema.json").read_text())
    assert quoted(section("The monitor file").partition(". All")[0]) == set(schema["properties"])


def test_the_columns_of_the_table_are_written_down() -> None:
    _, _, columns = section("The snapshot table").partition("; columns")
    assert quoted(columns) == {*SCHEMA.names, "revision"}
