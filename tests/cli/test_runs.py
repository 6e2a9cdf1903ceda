"""Windows run and nights measured from the command line: which, what is printed, and the exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hindsight.pipeline import read_snapshots
from tests.cli.said import LABELS, RUN, Say
from tests.pipeline.world import World, days


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
    assert (result["night"], result["windows"]) == ("2026-09-05T02:00:00+00:00", 3)  # the fourth has no label yet
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


def test_all_windows_are_measured_as_of_one_night_only(world: World, say: Say) -> None:
    assert "--as-of T" in say(*LABELS, "--all").err
