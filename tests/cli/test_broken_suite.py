"""A broken suite on the command line: said once, with exit 1, after all else was measured."""

from __future__ import annotations

from hindsight.pipeline import read_snapshots
from tests.cli.said import Say
from tests.pipeline.world import World


def test_a_run_with_a_broken_suite_keeps_the_rest_and_exits_with_one(world: World, say: Say) -> None:
    world.declare(quality={"suite": "none"})
    said = say("run", "credit", "--start", "2026-09-01", "--end", "2026-09-04", "--json")
    assert (said.code, said.err.count("no such suite")) == (1, 1)
    assert [result["rows"] for result in said.json] == [300, 300, 300]
    frame = read_snapshots("credit", data=world.resources.settings.data)
    assert {"operations", "quality", "drift"} <= set(frame["kind"])
    assert say("lint").code == 1
    assert say("lint", "--connect").err.count("no such suite") == 1
