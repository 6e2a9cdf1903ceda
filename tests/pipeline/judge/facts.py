"""Windows whose numbers are written down instead of measured: a day costs milliseconds, the judging is the real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from hindsight import pipeline
from hindsight.pipeline import Judgement
from hindsight.pipeline.measure.windows import as_of_run
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, a_window, at
from tests.pipeline.world import SOON, World

ROWS = 1000
LEVELS = {  # by metric, what it is in a bad window and in a good one
    "operations.volume_ratio": (0.2, 1.0),
    "operations.health": (2.0, 0.0),
    "operations.latency_p95_ms": (900.0, 50.0),
    "quality.null_rate": (0.4, 0.0),
    "drift.drifted": (1.0, 0.0),
    "drift.drift_share": (0.9, 0.1),
}
Bad = Mapping[str, Iterable[str]]  # by metric, the columns that are bad; "" for one that is about no column


def measured(world: World, day: str, bad: Bad) -> None:
    """Write down the numbers of the window of a day: of each metric, those of the columns named are bad."""
    facts: dict[Kind, list[Measurement]] = {}
    for path, levels in LEVELS.items():
        kind, _, metric = path.partition(".")
        columns = ("amount", "region") if metric in ("null_rate", "drifted") else ("",)
        facts.setdefault(Kind(kind), []).extend(
            a_measurement(metric, levels[column not in bad.get(path, ())], n=ROWS, feature=column) for column in columns
        )
    facts[Kind.OPERATIONS].append(a_measurement("total_requests", ROWS, n=ROWS))
    write(world, day, facts)


def write(world: World, day: str, facts: Mapping[Kind, Iterable[Measurement]]) -> None:
    """Write these numbers down as what a run of the window of a day measured."""
    window = a_window(day)
    for kind, some in facts.items():
        world.resources.store.write("credit", kind, window, as_of_run(world.monitor, window), some)


def judged(world: World, day: str, *, at: datetime | None = None) -> Judgement:
    """Judge the window of a day, as soon as it has ended unless said otherwise."""
    window = a_window(day)
    return pipeline.judge_window(world.monitor, window, world.resources, judged_at=at or window.end + SOON)


def digest(world: World, day: str, *, judged: datetime | None = None) -> Judgement:
    """The night as `day` begins, without labels: it tells what waits."""
    moment = at(day)
    return pipeline.judge_night(world.monitor, moment, [], world.resources, judged_at=judged or moment + SOON)


def subjects(world: World) -> list[str]:
    """What every mail promised says in its subject, oldest first."""
    return [mail.subject for mail in world.resources.ledger.outbox("credit")]
