"""Folding in processes of their own: killed anywhere, or two at once, while others read the past, which stays as it
was to the last bit.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.errors import StoreError
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.local import LocalFiles
from hindsight.snapshots.names import FoldName
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_measurement, at
from tests.pipeline.act.folding_processes import differing, fold, known, look, plainly_known, resources_at

START = at("2026-09-01")
MOMENTS = [START + hours * HOUR for hours in (2, 30, 51, 150)]
HALF = timedelta(minutes=30)
OTHERS = multiprocessing.get_context("forkserver")
OTHERS.set_forkserver_preload(["tests.pipeline.act.folding_processes"])


def write_day(resources: Resources, day: int, rng: random.Random) -> None:
    """Windows known twice, the second time otherwise; some measured again as of the same moment, some with nothing."""
    for number in range(4):
        window = Window(START + day * DAY + number * HALF, START + day * DAY + (number + 1) * HALF)
        for kind in (Kind.DRIFT, Kind.LABELS):
            for as_of in (window.end, window.end, window.end + DAY)[rng.randrange(2) :]:
                measure(resources, kind, window, as_of, rng)


def revise_late(resources: Resources, as_of: datetime, rng: random.Random) -> None:
    """Revise windows of the first days that are folded already, as of a moment after all that are asked for."""
    for number in range(4):
        begin = START + rng.randrange(3) * DAY + number * HALF
        measure(resources, Kind.LABELS, Window(begin, begin + HALF), as_of, rng)


def measure(resources: Resources, kind: Kind, window: Window, as_of: datetime, rng: random.Random) -> None:
    some = [a_measurement("psi", rng.random(), feature=name) for name in ("amount", "income", "zip")]
    with resources.ledger.locked("credit"):
        resources.store.write("credit", kind, window, as_of, some[: rng.randrange(4)], definition="v1")


@pytest.fixture
def resources(sqlite_url: sa.URL, tmp_path: Path) -> Resources:
    made = resources_at(sqlite_url, tmp_path)
    rng = random.Random(0)
    for day in range(3):
        write_day(made, day, rng)
    return made


def fold_to_the_end(resources: Resources) -> list[str]:
    """Fold long after as often as there is anything to do; return what went wrong."""
    runs = [fold_snapshots("credit", resources, now=START + 60 * DAY + hours * HOUR) for hours in range(4)]
    return [fault for run in runs for fault in run["faults"]]


def a_fold(resources: Resources, now: datetime, steps: int | None = None, answer: Any = None) -> Any:
    """A process that folds; it ends by SIGKILL before so many steps are taken, where they are given."""
    where = (resources.ledger.engine.url, resources.settings.root, now, steps, answer)
    process = OTHERS.Process(target=fold, args=where)
    process.start()
    return process


def end_of(process: Any, within: float = 60) -> bool:
    """Wait for a process, and kill it where it takes longer; say whether it was killed."""
    process.join(within)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return bool(process.exitcode)


@contextmanager
def readers(data: str) -> Iterator[dict[bool, tuple[int, list[str]]]]:
    """Two processes that ask for the past in a loop, one of them by plain Parquet; what they say when it is over."""
    over, found = OTHERS.Event(), dict[bool, tuple[int, list[str]]]()
    told = {plainly: OTHERS.Queue() for plainly in (False, True)}
    began = {plainly: OTHERS.Event() for plainly in told}
    for plainly, queue in told.items():
        where = (data, MOMENTS, began[plainly], over, queue)
        OTHERS.Process(target=look, args=where, kwargs={"plainly": plainly}, daemon=True).start()
    try:
        assert all(event.wait(60) for event in began.values())
        yield found
    finally:
        over.set()
    found |= {plainly: queue.get(timeout=60) for plainly, queue in told.items()}


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.heavy)])
def test_whoever_reads_beside_a_fold_that_is_killed_sees_the_past_as_it_was(resources: Resources, rounds: int) -> None:
    data, rng = resources.settings.data, random.Random(1)
    before, plain = known(data, MOMENTS), plainly_known(data, MOMENTS)
    killed = 0
    with readers(data) as seen:
        for number in range(rounds):
            now = START + (10 + number) * DAY
            for steps, within in ((rng.randrange(20), 60), (rng.randrange(100), 60), (None, rng.random() / 5)):
                killed += end_of(a_fold(resources, now, steps), within)
                assert differing(known(data, MOMENTS), before) == []
                assert differing(plainly_known(data, MOMENTS), plain) == []
            assert not end_of(a_fold(resources, now))
            assert differing(known(data, MOMENTS), before) == []
            assert differing(plainly_known(data, MOMENTS), plain) == []
            write_day(resources, 7 + number, rng)
            revise_late(resources, now, rng)
    assert killed >= rounds
    assert [wrong for _, wrong in seen.values()] == [[], []]
    assert min(times for times, _ in seen.values()) >= rounds


def test_two_processes_that_fold_at_once_leave_the_same_numbers_and_no_fault(resources: Resources) -> None:
    data = resources.settings.data
    before, plain = known(data, MOMENTS), plainly_known(data, MOMENTS)
    files = len(list(resources.store.names("credit")))
    answers = [OTHERS.Queue() for _ in range(2)]
    processes = [a_fold(resources, START + 60 * DAY, answer=answer) for answer in answers]
    found = [answer.get(timeout=60) for answer in answers]
    assert not any(map(end_of, processes))
    assert [one["faults"] for one in found] == [[], []]
    assert sum(one["folded"] for one in found) >= files
    fold_to_the_end(resources)
    assert len(list(resources.store.names("credit"))) == 2  # a month of each kind
    assert differing(known(data, MOMENTS), before) == []
    assert differing(plainly_known(data, MOMENTS), plain) == []


def test_a_clock_that_jumps_ahead_and_back_gives_no_number_another_value(resources: Resources) -> None:
    data, rng = resources.settings.data, random.Random(2)
    before = known(data, MOMENTS)
    fold_snapshots("credit", resources, now=START + 9000 * DAY)
    write_day(resources, 7, rng)
    revise_late(resources, START + 9 * DAY, rng)
    now = known(data, [START + 9000 * DAY])
    there = resources.files.listing("snapshots")
    assert fold_snapshots("credit", resources, now=START) == {"folded": 0, "removed": 0, "faults": []}
    assert resources.files.listing("snapshots") == there
    fold_to_the_end(resources)
    assert len(resources.files.listing("snapshots")) == 2
    assert differing(known(data, [START + 9000 * DAY]), now) == []
    assert differing(known(data, MOMENTS), before) == []


def test_where_nothing_may_be_deleted_it_is_said_and_nothing_more_is_folded(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, rng = resources.settings.data, random.Random(3)
    before, plain = known(data, MOMENTS), plainly_known(data, MOMENTS)

    def refuse(_: LocalFiles, path: str) -> None:
        raise StoreError(f"{path}: could not delete: not allowed")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "remove", refuse)
        fold_snapshots("credit", resources, now=START + 20 * DAY)
        assert fold_snapshots("credit", resources, now=START + 20 * DAY + HOUR)["faults"]
        folds = [name for name in resources.store.names("credit") if isinstance(name, FoldName)]
        for night in range(21, 25):
            revise_late(resources, START + night * DAY, rng)
            there = resources.files.listing("snapshots")
            found = fold_snapshots("credit", resources, now=START + night * DAY)
            assert all("not allowed" in fault for fault in found["faults"])
            assert (found["folded"], resources.files.listing("snapshots")) == (0, there)
        folds = [name for name in resources.store.names("credit") if isinstance(name, FoldName)]
    assert {one.generation for one in folds} == {1}
    assert differing(known(data, MOMENTS), before) == []
    assert differing(plainly_known(data, MOMENTS), plain) == []
    assert fold_to_the_end(resources) == []
    assert len(resources.files.listing("snapshots")) == 2
    assert differing(known(data, MOMENTS), before) == []
