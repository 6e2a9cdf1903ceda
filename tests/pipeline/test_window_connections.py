"""What a window holds open: databases allow only so many connections, and every task of every monitor needs some."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from hindsight import pipeline
from tests.builders import HOUR, a_window, at
from tests.pipeline.world import REFERENCE, a_world


def test_a_window_holds_one_connection_to_each_database(database_url: sa.URL, tmp_path: Path) -> None:
    with a_world(database_url, tmp_path, [*REFERENCE, "2026-09-01"], features={"amount": "numeric"}) as world:
        resources, held = world.resources, {}
        for name, engine in {"ledger": resources.ledger.engine, "warehouse": resources.warehouse("warehouse")}.items():
            engine.dispose()
            held[name] = _watched(engine)
        window = a_window("2026-09-01")
        pipeline.run_window(world.monitor, window, resources, read_at=window.end + HOUR)
        pipeline.judge_window(world.monitor, window, resources, judged_at=window.end + HOUR)
        pipeline.note_judged("credit", "a run", resources, at=at("2026-09-02T01:00"))
        pipeline.deliver(resources, now=window.end + HOUR, monitor="credit")
        pipeline.delivered("credit", "a run", resources)

    assert {name: max(counts) for name, counts in held.items()} == {"ledger": 1, "warehouse": 1}


def _watched(engine: sa.Engine) -> list[int]:
    """How many connections were in use, each time that changed."""
    counts = [0]
    sa.event.listen(engine, "checkout", lambda *_: counts.append(counts[-1] + 1))
    sa.event.listen(engine, "checkin", lambda *_: counts.append(counts[-1] - 1))
    return counts
