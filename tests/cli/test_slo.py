"""SLOs by the command line: errors rise in a real warehouse, one case is told and ends, a rerun changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from hindsight.ledger import tables
from hindsight.pipeline.show.pages import monitor_view
from hindsight.reports.pages import monitor_page
from hindsight.verdicts.model import State
from tests.builders import at
from tests.cli.said import Say
from tests.pipeline.commands import reached_by_commands
from tests.pipeline.world import World, a_world, days

DAYS = days("2026-09-01", 7)
SLOS = {
    "availability": {"target": "99%", "period": "7d", "long": "5d"},
    "latency": {"below": 300, "target": "50%", "period": "7d", "long": "5d"},
}
QUIET = ("health_warning", "health_critical", "news", "misdated")
FILE: dict[str, Any] = {
    "slos": SLOS,
    "reference": None,
    "start": DAYS[0],
    "rules": [{"id": id, "enabled": False} for id in QUIET],
    "alerts": {"email": ["ann@example.com"], "max_age": "3650d"},
}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A week of a warehouse in which one request in twenty failed on two days."""
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        for day in DAYS:
            failing = day in DAYS[3:5]
            made.log(day, status_code=lambda i, bad=failing: 503 if bad and i % 20 == 0 else 200)
        yield reached_by_commands(made, monkeypatch)


def run(say: Say, first: str, last: str) -> None:
    assert say("run", "credit", "--start", first, "--end", last).code == 0


def test_rising_errors_are_one_case_that_is_told_and_ends(world: World, say: Say) -> None:
    for day, after in pairwise(DAYS[:6]):
        run(say, day, after)
    (incident,) = world.incidents("slo_burn")
    assert (incident.series.feature, incident.state) == ("availability", State.OPEN)
    with world.resources.ledger.reading() as connection:
        mails = connection.execute(sa.select(tables.outbox)).all()
    (mail,) = [one for one in mails if "burns its budget" in one.subject]
    assert mail.subject.startswith(
        "[P1] credit: availability burns its budget 5 times as fast as it may: 30 of 600 requ"
    )
    assert "failed in the last 2d; nothing of the budget of 7d is left" in mail.text
    assert "What to do: More goes wrong than was promised." in mail.text
    shown = say("slo", "credit").out
    assert "99 % of 7d" in shown
    assert "5 × in 2d" in shown
    assert "2026-09-05" in shown
    run(say, DAYS[5], "2026-09-08")
    (incident,) = world.incidents("slo_burn")
    assert (incident.state, incident.told) == (State.RESOLVED, State.RESOLVED)


def test_a_rerun_changes_nothing(world: World, say: Say) -> None:
    run(say, DAYS[0], "2026-09-08")
    before = world.ledger("judged_at", "changed_at"), world.files()
    run(say, DAYS[0], "2026-09-08")
    assert (world.ledger("judged_at", "changed_at"), world.files()) == before


def test_the_numbers_are_there_for_machines_and_for_other_tools(world: World, say: Say) -> None:
    run(say, DAYS[0], DAYS[5])
    availability, latency = json.loads(say("slo", "credit", "--json").out)
    assert availability["burn_short"] == pytest.approx(5)
    assert availability["left"] == pytest.approx(1 - 30 / 1500 / 0.01)
    assert (availability["window"][:10], availability["since"][:10]) == ("2026-09-05", "2026-09-04")
    assert (latency["left"], latency["burn_short"], latency["since"]) == (1, 0, None)
    documents = list(YAML(typ="safe").load_all(say("slo", "credit", "--openslo").out))
    assert [one["kind"] for one in documents] == ["Service", "SLO", "SLO"]


def test_the_page_has_them_in_a_table_and_escapes_what_it_shows(world: World, say: Say) -> None:
    run(say, DAYS[0], DAYS[5])
    view = monitor_view("credit", world.resources, now=at("2026-09-06"))
    assert view is not None
    page = monitor_page(view)
    assert "Service levels" in page
    assert "<th>availability</th><td>operations.availability</td><td>99 % of 7d</td>" in page
    assert "5 × in 2d" in page
    odd = replace(view, slos=(replace(view.slos[0], name="<script>"),))
    assert "<script>" not in monitor_page(odd)


def test_a_rehearsal_tells_what_they_would_have_told(world: World, say: Say) -> None:
    run(say, DAYS[0], "2026-09-08")
    before = world.ledger()
    rehearsed = say("rehearse", "credit", "--start", DAYS[0], "--end", "2026-09-08")
    assert rehearsed.code == 0
    assert "slo_burn" in rehearsed.out
    assert world.ledger() == before


def test_before_the_first_window_and_without_any_it_says_so(world: World, say: Say) -> None:
    assert "nothing yet" in say("slo", "credit").out
    world.declare(start=DAYS[0])
    assert say("slo", "credit").out == "credit declares no slos\n"
    assert say("slo", "credit", "--openslo").out == ""


def test_a_silence_may_be_about_one(world: World, say: Say) -> None:
    words = ("--lasting", "2h", "--comment", "load test")
    assert say("silence", "credit", "--feature", "availability", *words).code == 0
    assert "did you mean 'availability'" in say("silence", "credit", "--feature", "availabilty", *words).err
