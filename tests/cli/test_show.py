"""What the command line shows of a monitor: its state now and as it was known, its incidents, its reports."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hindsight.verdicts.model import State
from tests.builders import at
from tests.cli.said import LABELS, RUN, Say
from tests.pipeline.world import World

# Showing


def test_what_is_shown_can_be_read_in_a_hundred_columns(world: World, say: Say) -> None:
    say(*RUN)
    say(*LABELS)
    said = say("show", "credit")

    assert max(map(len, said.out.splitlines())) <= 100
    head, nights, _, _, incident, *_ = said.out.splitlines()
    assert head == "credit  active  ● healthy  last window 2026-09-03  open 1 P0"
    assert nights == f"nights of labels begin by {world.monitor.night_schedule} (cron, UTC)"
    assert re.split(r"\s{2,}", incident.strip()) == [
        "● P0",
        "open",
        "accuracy 0.3, 67\N{NO-BREAK SPACE}% below reference",
        "2026-09-03 →",
        f"recorded silently: {(datetime.now(UTC) - at('2026-09-07')).days} days late",
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
    lines = [re.split(r"\s{2,}", line.strip()) for line in said.out.splitlines()[1:]]
    rows = [line for line in lines if len(line) == 5]  # what was done may go on in the next line
    assert [(mark, state, done.partition(":")[0]) for mark, state, _, _, done in rows] == [
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


def test_history_under_an_earlier_name_is_not_taken_for_none(world: World, say: Say) -> None:
    say(*RUN)
    world.declare(name="credit_v2", renamed_from="credit")
    for command in (["show"], ["show", "credit_v2"], ["incidents", "credit_v2"], ["baseline", "credit_v2"]):
        assert "credit_v2: its history still lies under credit" in " ".join(say(*command).err.split()), command
    assert say(RUN[0], "credit_v2", *RUN[2:]).code == 0
    assert "earlier" not in (after := say("incidents", "credit_v2")).err
    assert "still lies" not in after.err
    assert "no incidents" not in after.out
