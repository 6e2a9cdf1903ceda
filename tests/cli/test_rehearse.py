"""Rehearsals from the command line: what is printed, the exit code for a pipeline, and what is missing."""

from __future__ import annotations

from tests.cli.said import RUN, Say
from tests.pipeline.world import World

REHEARSE = ("rehearse", "credit", "--start", "2026-09-01", "--end", "2026-09-04")


def test_a_rehearsal_counts_pages_and_notices_against_the_budget(world: World, say: Say) -> None:
    world.declare(alerts={"budget": "0 pages and 2 notices per 30d"})
    say(*RUN)
    said = say(*REHEARSE)
    assert said.code == 0
    assert "3 of 3 windows from 2026-09-01 to 2026-09-04 are stored, 0.1 model-months" in said.out
    assert "over the budget: 2 pages, 0 agreed to" in said.out
    assert "latency_p95" in said.out
    found = say(*REHEARSE, "--json").json
    assert (found["pages"], found["windows"], found["pages_per_month"]) == (2, 3, 20.0)
    assert found["over_budget"] == ["2 pages, 0 agreed to"]
    assert say(*REHEARSE, "--fail-over-budget").code == 2
    world.declare(rules=[{"id": "latency_p95", "above": 2000}, {"id": "health_warning", "enabled": False}])
    calm = say(*REHEARSE, "--fail-over-budget", "--json")
    assert (calm.code, calm.json["pages"]) == (0, 0)


def test_a_range_that_is_not_stored_is_one_clear_line(world: World, say: Say) -> None:
    said = say(*REHEARSE)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("hindsight: credit: no window that starts between 2026-09-01")
    assert "hindsight run credit --start 2026-09-01" in said.err
