"""The crash sweep in short: a sample of the faults of each scenario, and proof that a broken step would be found."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from hindsight.ledger import claims
from hindsight.ledger.records import MailState
from hindsight.ledger.transaction import Transaction
from hindsight.snapshots import local
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.stage import Stage, staged
from tests.faults.sweep import all_points, cases, undisturbed

pytestmark = pytest.mark.alone
SAMPLE = 4
ROLLBACK = SCENARIOS[-1]


@pytest.fixture(scope="module")
def rollback() -> Iterator[Stage]:
    with staged(ROLLBACK) as stage:
        yield stage


def violations(stage: Stage, chosen: Callable[[list[tuple[int, bool, str]]], list[tuple[int, bool, str]]]) -> list[str]:
    """What is violated where some of the faults happen, chosen by number, whether it kills, and operation."""
    calm = undisturbed(stage)
    points = [(number, killing, calm.points[number]) for number, killing in all_points(calm)]
    found = cases(stage, calm, [(number, killing) for number, killing, _ in chosen(points)])
    return [str(case) for case in found if case.violations]


@pytest.mark.parametrize("scenario", SCENARIOS[:-1], ids=lambda one: one.name)
def test_whatever_fails_nothing_is_lost_or_told_twice(scenario: Scenario) -> None:
    with staged(scenario) as stage:
        assert violations(stage, lambda points: random.Random(scenario.name).sample(points, SAMPLE)) == []


def test_whatever_fails_in_a_rollback_it_is_made_and_told_once(rollback: Stage) -> None:
    assert violations(rollback, lambda points: random.Random(0).sample(points, SAMPLE)) == []


def written_in_place(target: str, data: bytes) -> bool:
    with local.open(target, "xb") as file:  # type: ignore[attr-defined]
        file.write(data)
    return True


def queued_apart(tx: Transaction, letters: Any, at: datetime, unsent: str = "") -> int:
    tx.connection.exec_driver_sql("COMMIT")
    tx.connection.exec_driver_sql("BEGIN IMMEDIATE")
    return sum(tx._promise(letter, at, unsent) for letter in letters)


def settled_before_it_is_sent(*args: Any, **rest: Any) -> claims.Claim | None:
    claimed = CLAIM(*args, **rest)
    if claimed is not None:
        claims.settle(args[0], claimed, state=MailState.SENT)
    return claimed


CLAIM = claims.claim
BROKEN = {
    "I1": (local, "_create", written_in_place, "store write"),
    "I3": (Transaction, "queue", queued_apart, "ledger write"),
    "I4": (claims, "claim", settled_before_it_is_sent, "mail send"),
}


@pytest.mark.parametrize("invariant", BROKEN)
def test_a_broken_step_is_found(rollback: Stage, monkeypatch: pytest.MonkeyPatch, invariant: str) -> None:
    where, name, broken, operation = BROKEN[invariant]
    monkeypatch.setattr(where, name, broken)
    found = violations(rollback, lambda points: [p for p in points if p[1] and p[2] == operation][:8])
    assert any(f"{invariant} " in said for said in found), found
