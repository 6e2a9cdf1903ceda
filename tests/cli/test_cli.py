"""The command line: what it prints, what it says when something is wrong, and how it exits."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from hindsight import cli
from hindsight.pipeline import read_snapshots
from hindsight.verdicts.model import State
from tests.builders import at
from tests.pipeline.world import REFERENCE, World, a_world, days

ROOT = Path(__file__).parents[2]
SLOW: dict[str, Any] = {"latency_ms": 900.0}


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON; anything JSON has no word for is refused."""
        return json.loads(self.out, parse_constant=pytest.fail)


Say = Callable[..., Said]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three days of a warehouse that the environment leads to; the second is slow, the third hardly right."""
    with a_world(sqlite_url, tmp_path, REFERENCE) as made:
        monkeypatch.delenv("AIRFLOW_HOME", raising=False)
        monkeypatch.setenv("HINDSIGHT_DATA", made.resources.settings.data)
        monkeypatch.setenv("HINDSIGHT_MONITORS", str(made.resources.settings.monitors))
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"sqlite:///{sqlite_url.database}")
        monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
        made.log("2026-09-01").log("2026-09-02", **SLOW).log("2026-09-03", right=0.3)
        yield made


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a command in this process; the terminal is 100 columns wide."""
    monkeypatch.setattr(cli, "out", Console(width=100, highlight=False))

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        printed = capsys.readouterr()
        return Said(int(left.value.code or 0), printed.out, printed.err)

    return run


RUN = ("run", "credit", "--start", "2026-09-01", "--end", "2026-09-04")
LABELS = ("labels", "credit", "--start", "2026-09-01", "--end", "2026-09-07")


# Running


def test_a_range_is_run_and_said_in_a_line(world: World, say: Say) -> None:
    said = say(*RUN)
    assert said.code == 0
    assert re.fullmatch(r"credit: 3 windows, \d+ new snapshots, 2 incidents touched, 0 told\n", said.out)
    assert say(*RUN).out == "credit: 3 windows, 0 new snapshots, 0 incidents touched, 0 told\n"


def test_a_run_answers_in_json_for_machines(world: World, say: Say) -> None:
    results = say(*RUN, "--json").json
    assert [result["rows"] for result in results] == [300, 300, 300]
    assert [result["breaches"] for result in results] == [0, 2, 0]
    assert [result["window"] for result in results] == [f"{day}T00:00:00+00:00" for day in days("2026-09-01", 3)]
    assert all(Path(uri).is_file() for result in results for uri in result["snapshots"])


def test_windows_are_those_that_start_in_the_range(world: World, say: Say) -> None:
    said = say("run", "credit", "--start", "2026-09-01T00:00:01", "--end", "2026-09-03T00:00:01", "--json")
    assert [result["window"][:10] for result in said.json] == ["2026-09-02", "2026-09-03"]
    swapped = say("run", "credit", "--start", "2026-09-03", "--end", "2026-09-01")
    assert (swapped.code, "--start 2026-09-03 must be before --end 2026-09-01" in swapped.err) == (1, True)


def test_nights_are_every_midnight_after_the_start_up_to_the_end(world: World, say: Say) -> None:
    def nights(start: str, end: str) -> list[str]:
        asked = say("labels", "credit", "--start", start, "--end", end, "--json", "--dry-run").json
        return [result["night"].removesuffix(":00+00:00") for result in asked]

    assert nights("2026-09-01", "2026-09-04") == [f"{day}T00:00" for day in days("2026-09-02", 3)]
    assert nights("2026-09-01T05:00", "2026-09-03T23:59") == ["2026-09-02T00:00", "2026-09-03T00:00"]
    assert nights("2026-08-31T23:59", "2026-09-01") == ["2026-09-01T00:00"]
    assert nights("2026-09-01", "2026-09-01T23:00") == []
    assert nights("2026-09-01T00:00+02:00", "2026-09-02T00:00+02:00") == ["2026-09-01T00:00"]


def test_one_night_may_be_any_moment(world: World, say: Say) -> None:
    (result,) = say("labels", "credit", "--as-of", "2026-09-05T02:00", "--json").json
    assert (result["night"], result["windows"]) == ("2026-09-05T02:00:00+00:00", 3 + 1)
    frame = read_snapshots("credit", "2026-09-05T01:59", data=world.resources.settings.data)
    assert frame.empty


def test_counts_of_one_are_singular(world: World, say: Say) -> None:
    said = say("run", "credit", "--start", "2026-09-01", "--end", "2026-09-02", "--dry-run").out
    assert re.fullmatch(r"credit: 1 window, \d+ new snapshots, 0 incidents touched, 0 told\n", said)
    assert say("labels", "credit", "--as-of", "2026-09-02").out.startswith("credit: 1 night, ")


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        (
            ("labels", "credit", "--as-of", "2999-01-01"),
            "warning: 1 night in the future, the first 2999-01-01 00:00 UTC",
        ),
        (("labels", "credit", "--start", "2998-12-30", "--end", "2999-01-01"), "warning: 2 nights in the future, "),
        (
            ("run", "credit", "--start", "2999-01-01", "--end", "2999-01-02"),
            "warning: 1 window not over yet, the first",
        ),
    ],
)
def test_the_future_is_computed_with_a_warning(world: World, say: Say, command: tuple[str, ...], warning: str) -> None:
    world.declare(end="2026-09-04")
    said = say(*command, "--json")
    assert (said.code, said.err.startswith(warning), bool(said.json)) == (0, True, True)


def test_the_past_is_computed_without_one(world: World, say: Say) -> None:
    assert say("labels", "credit", "--as-of", "2020-01-01", "--json").err == ""


@pytest.mark.parametrize("command", [("lint",), ("show",), ("show", "credit"), RUN, LABELS, ("incidents",)])
def test_a_folder_that_is_not_there_is_the_same_error_everywhere(
    world: World, say: Say, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = world.folder / "nowhere"
    monkeypatch.setenv("HINDSIGHT_MONITORS", str(nowhere))
    said = say(*command)
    assert said.code == 1
    assert said.err.startswith(f"hindsight: no folder {nowhere} of monitor files; set HINDSIGHT_MONITORS, or ")


def test_a_dry_run_keeps_numbers_but_no_incident(world: World, say: Say) -> None:
    assert "2 incidents touched" in say(*RUN, "--dry-run").out
    assert say("incidents").out == "no incidents\n"
    assert not read_snapshots("credit", data=world.resources.settings.data).empty


def test_a_monitor_may_be_named_by_its_file(world: World, say: Say) -> None:
    path = world.resources.settings.monitors / "credit.yml"
    assert say("run", str(path), "--start", "2026-09-01", "--end", "2026-09-02").code == 0


@pytest.mark.parametrize(("severity", "code"), [("P0", 0), ("P1", 2), ("P2", 2)])
def test_fail_on_tells_a_script_of_open_incidents(world: World, say: Say, severity: str, code: int) -> None:
    slow = ("run", "credit", "--start", "2026-09-02", "--end", "2026-09-03", "--fail-on", severity)
    assert say(*slow).code == code
    assert say("show", "--fail-on", severity).code == code
    assert say("run", "credit", "--start", "2026-09-03", "--end", "2026-09-04", "--fail-on", severity).code == 0


def test_fail_on_a_bad_night(world: World, say: Say) -> None:
    assert say(*LABELS, "--fail-on", "P0").code == 2
    assert say(*LABELS).code == 0


# Showing


def test_what_is_shown_can_be_read_in_a_hundred_columns(world: World, say: Say) -> None:
    say(*RUN)
    say(*LABELS)
    said = say("show", "credit")

    assert max(map(len, said.out.splitlines())) <= 100
    head, _, _, incident, *_ = said.out.splitlines()
    assert head == "credit  active  ● healthy  last window 2026-09-03  open 1 P0"
    assert re.split(r"\s{2,}", incident.strip()) == [
        "● P0",
        "open",
        "accuracy 0.3, 67\N{NO-BREAK SPACE}% below reference",
        "2026-09-03 →",
        "recorded silently",
    ]
    shown = {tuple(re.split(r"\s{2,}", line.strip())) for line in said.out.splitlines()}
    assert ("accuracy", "0.3", "0.9", "300") in shown
    assert ("total_requests", "300", "300") in shown
    assert not any("null_rate" in line for line in said.out.splitlines())
    everything = say("show", "credit", "--all").out
    assert "null_rate" in everything
    assert "more numbers" not in everything


def test_all_monitors_are_shown_a_line_each(world: World, say: Say) -> None:
    say(*RUN)
    text = (world.resources.settings.monitors / "credit.yml").read_text()
    for name, state in (("billing", "active"), ("retired", "archived")):
        other = text.replace("name: credit\nstart", f"name: {name}\nstate: {state}\nstart")
        (world.resources.settings.monitors / f"{name}.yml").write_text(other)

    lines = [re.split(r"\s{2,}", line.strip()) for line in say("show").out.splitlines()]
    assert lines == [
        ["monitor", "state", "health", "last window", "open incidents", "quality"],
        ["billing", "active", "● unknown", "nothing yet", "none"],
        ["credit", "active", "● healthy", "2026-09-03", "none"],
    ]
    assert [state["name"] for state in say("show", "--all", "--json").json] == ["billing", "credit", "retired"]


def test_the_past_is_shown_as_it_was_known(world: World, say: Say) -> None:
    say(*RUN)
    say(*LABELS)

    def known(as_of: str) -> Any:
        (state,) = say("show", "credit", "--as-of", as_of, "--json").json
        numbers = {(n["metric"], n["about"]): n for n in state["numbers"]}
        return state["health"], state["open"], numbers.get(("performance.accuracy", ""), {}).get("window")

    assert known("2026-09-01T23:00") == ("unknown", {}, None)
    assert known("2026-09-02T12:00") == ("healthy", {}, "2026-09-01T00:00:00+00:00")
    assert known("2026-09-03T00:05") == ("healthy", {}, "2026-09-02T00:00:00+00:00")
    assert known("2026-09-03T12:00") == ("warning", {"P1": 2}, "2026-09-02T00:00:00+00:00")
    assert known("2026-09-04T12:00") == ("healthy", {}, "2026-09-03T00:00:00+00:00")
    assert known("2026-09-07T12:00") == ("healthy", {"P0": 1}, "2026-09-03T00:00:00+00:00")
    assert "open 2 P1" in say("show", "credit", "--as-of", "2026-09-03T12:00").out


def test_an_incident_withdrawn_since_is_shown_open_while_it_was(world: World, say: Say) -> None:
    say(*LABELS)
    world.correct("2026-09-03", at("2026-09-08T12:00"), right=0.95)
    say("labels", "credit", "--as-of", "2026-09-09")

    assert world.states("accuracy_drop") == [State.WITHDRAWN]
    then = {day: say("show", "credit", "--as-of", day).out for day in ("2026-09-05", "2026-09-08T23:00", "2026-09-09")}
    assert ["● P0  open" in out for out in then.values()] == [False, True, False]
    assert ["accuracy 0.3" in out for out in then.values()] == [False, True, False]


def test_incidents_are_listed_with_what_was_done(world: World, say: Say) -> None:
    world.run("2026-09-02")
    world.deliver(at("2026-09-03T01:00"))
    say(*RUN)
    say(*LABELS)
    said = say("incidents")

    assert max(map(len, said.out.splitlines())) <= 100
    rows = [re.split(r"\s{2,}", line.strip()) for line in said.out.splitlines()[1:]]
    assert [(mark, state, done) for mark, state, _, _, done in rows] == [
        ("● P0", "open", "recorded silently"),
        ("○ P1", "resolved", "1 mail sent"),
        ("○ P1", "resolved", "1 mail sent"),
    ]
    assert rows[2][2:4] == ["latency p95 900 ms, over 300 ms", "2026-09-02 → 09-04"]
    found = say("incidents", "credit", "--json").json
    assert {one["series"]["rule"] for one in found} == {"accuracy_drop", "health_warning", "latency_p95"}
    assert found[0]["what"] == "accuracy 0.3, 67 % below reference"


def test_nothing_in_a_window_is_no_nan_in_json(world: World, say: Say) -> None:
    say("run", "credit", "--start", "2026-09-20", "--end", "2026-09-21")
    (state,) = say("show", "credit", "--json").json
    known = {n["metric"] for n in state["numbers"] if n["value"] is not None}
    assert {metric for metric in known if metric.startswith("drift.")} == {"drift.reference_age_days"}
    assert state["open"] == {"P1": 1}
    assert "no predictions logged" in say("show", "credit").out


def test_names_in_data_are_no_markup(world: World, say: Say) -> None:
    world.log("2026-09-04", latency_ms=900.0, region=lambda i: "[red]EU[/]" if i % 2 else "[/nonsense]")
    assert say("run", "credit", "--start", "2026-09-04", "--end", "2026-09-05").code == 0
    assert say("show", "credit", "--all").code == 0


# What is wrong


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
    assert words in said.err
    assert said.err.startswith("hindsight: ")
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == 1


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


# Reports


def test_the_report_of_any_night_is_made_again(world: World, say: Say, tmp_path: Path) -> None:
    say(*LABELS)
    newest, past = say("report", "credit"), say("report", "credit", "--as-of", "2026-09-05T12:00")
    again, file = say("report", "credit", "--as-of", "2026-09-05"), tmp_path / "night.html"

    assert newest.out.startswith("credit: night of 2026-09-07 00:00 UTC, ")
    assert past.out == again.out
    page = Path(past.out.strip().rpartition(" ")[2]).read_text()
    assert say("report", "credit", "--as-of", "2026-09-05", "--out", str(file)).out.endswith(f", {file}\n")
    assert "night of 2026-09-05 UTC" in page
    assert "../monitors/credit" in page
    assert "<a " not in file.read_text()


def test_a_report_that_cannot_be_made_says_why(world: World, say: Say, tmp_path: Path) -> None:
    assert "no night is on record up to 2026-09-01 00:00 UTC" in say("report", "credit", "--as-of", "2026-09-01").err
    say(*LABELS)
    said = say("report", "credit", "--out", str(tmp_path / "no" / "folder.html"))
    assert (said.code, "cannot be written: No such file or directory" in said.err) == (1, True)


def test_numbers_of_an_earlier_file_are_said_to_be_so_until_they_are_measured_again(world: World, say: Say) -> None:
    say(*RUN)
    say(*LABELS)
    world.declare(model={"name": "credit", "task": "binary", "positive_label": 0})
    again = "hindsight labels credit --as-of 2026-09-07 --all"
    assert again in say("show", "credit").err
    assert "hindsight run credit --start 2026-09-01 --end 2026-09-04" in say(*again.split()[1:]).err
    assert say(*RUN).err == ""
    assert say("show", "credit").err == ""


def test_all_windows_are_measured_as_of_one_night_only(world: World, say: Say) -> None:
    assert "--as-of T" in say(*LABELS, "--all").err


def test_help_names_every_command_in_a_whole_sentence(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    asked, nothing = say("--help"), say()
    assert (asked.code, nothing.code, nothing.out) == (0, 0, asked.out)
    commands = [line for line in asked.out.partition("Commands:")[2].splitlines() if line]
    assert len(commands) == 8
    assert all(line.endswith(".") and "..." not in line for line in commands)
