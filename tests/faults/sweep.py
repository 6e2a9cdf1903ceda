"""The crash sweep: each operation of a scenario fails once by kill -9 and once by an error, and all is run again."""

from __future__ import annotations

import hashlib
import pickle
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from hindsight import pipeline
from tests.builders import HOUR
from tests.faults.children import Ending, forked
from tests.faults.edges import Edges, watch
from tests.faults.invariants import Rows, Undisturbed, broken_at_once, broken_in_the_end, onlooker, sight, told
from tests.faults.scenarios import Scenario
from tests.faults.stage import Stage, staged

SOON = timedelta(minutes=1)


@dataclass(frozen=True)
class Case:
    """One fault: which operation of a scenario failed how, what was violated, and how long it took."""

    scenario: str
    number: int
    operation: str
    killed: bool
    run_again: bool
    violations: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        how = "kill" if self.killed else "error"
        return f"{self.scenario} {how} at {self.number} ({self.operation}): " + "; ".join(self.violations)


def undisturbed(stage: Stage) -> Undisturbed:
    """Play a scenario twice without a fault; a second time changes nothing but moments, which the cases rely on."""
    stage.reset()
    first = sight(stage)
    ending = forked(lambda: _recorded(stage), stage.log)
    assert ending.result, ending
    points, moments = ending.result
    again = run_again(stage)
    assert again == [], again
    return Undisturbed(points, moments, first, sight(stage), told(stage))


def _recorded(stage: Stage) -> tuple[tuple[str, ...], tuple[Rows, ...]]:
    """Play a scenario; return what was asked for, and what the ledger held before each commit and in the end."""
    moments: list[Rows] = []
    looking = onlooker(stage)

    class Recording(Edges):
        def fails(self, operation: str, *rest: object) -> bool:
            if operation == "ledger commit":
                moments.append(looking.ledger())
            return super().fails(operation)

    edges = Recording()
    play(stage, edges)
    return tuple(edges.seen), (*moments, looking.ledger())


def play(stage: Stage, edges: Edges) -> None:
    """Play a scenario under watch."""
    resources = stage.world.resources
    watch(edges, resources.ledger.engine, resources.warehouse("warehouse"))
    stage.scenario.act(stage.world, timedelta())


def run_again(stage: Stage) -> list[str]:
    """Run everything again, send what waits, and run an older window: return what is wrong with any of it."""
    ending = forked(lambda: _again(stage), stage.log)
    return ending.result if ending.result is not None else [f"running again failed: {ending}"]


def _again(stage: Stage) -> list[str]:
    scenario, world = stage.scenario, stage.world
    scenario.act(world, SOON)
    for hours in (1, 2):
        pipeline.deliver(world.resources, now=scenario.now + hours * HOUR)
    newer = world.incidents()
    scenario.older(world)
    pipeline.deliver(world.resources, now=scenario.now + 3 * HOUR)
    return ["I6 an older window moved an incident"] if world.incidents() != newer else []


def cases(stage: Stage, calm: Undisturbed, points: Iterable[tuple[int, bool]]) -> Iterator[Case]:
    """Let these operations fail, by a kill where the second of each is True, and say what came of each.

    What a fault left is run again once: from the same files, ledger and mail the same follows.
    """
    followed: dict[bytes, tuple[str, ...]] = {}
    for number, killing in points:
        began, known = time.monotonic(), len(followed)
        violations = tuple(_disturbed(stage, calm, number, followed, killing=killing))
        fault = stage.scenario.name, number, calm.points[number], killing
        yield Case(*fault, len(followed) > known, violations, time.monotonic() - began)


def _disturbed(
    stage: Stage, calm: Undisturbed, number: int, followed: dict[bytes, tuple[str, ...]], *, killing: bool
) -> Iterator[str]:
    stage.reset()
    ending = forked(lambda: play(stage, Edges(number, killing)), stage.log)
    left = sight(stage)
    yield from _ended_wrongly(ending, killing=killing)
    yield from broken_at_once(stage, calm, left, killed=killing)
    fault = calm.points[number]
    state = hashlib.sha256(pickle.dumps((left, told(stage), fault == "channel answer"))).digest()
    if state not in followed:
        again = run_again(stage)
        followed[state] = (*again, *broken_in_the_end(stage, calm, fault=fault))
    yield from followed[state]


def _ended_wrongly(ending: Ending, *, killing: bool) -> Iterator[str]:
    if killing and ending.by_signal != signal.SIGKILL:
        yield f"was to be killed and ended with {ending}"
    if not killing and (ending.by_signal or ending.foreign):
        yield f"ended with what is no error of ours: {ending}"


def all_points(calm: Undisturbed) -> list[tuple[int, bool]]:
    """Every operation, to fail by a kill and by an error; in such an order that each n-th is now this, now that."""
    return [(number, (number + turn) % 2 == 0) for number in range(len(calm.points)) for turn in (0, 1)]


def swept(scenario: Scenario, every: int = 1) -> list[Case]:
    """Every case of one scenario, or each n-th; what is violated is said on standard error as it is found."""
    found = []
    with staged(scenario) as stage:
        calm = undisturbed(stage)
        for case in cases(stage, calm, all_points(calm)[::every]):
            found.append(case)
            if case.violations:
                print(case, file=sys.stderr, flush=True)
    print(f"{scenario.name}: {len(found):,} of {2 * len(calm.points):,} faults", file=sys.stderr, flush=True)
    return found
