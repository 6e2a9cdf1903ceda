"""Runs that judged and have not told yet, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hindsight.ledger import undelivered
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.undelivered import KEPT
from tests.builders import at

NOW = at("2026-09-10")
RUN = "scheduled__2026-09-09T00:00:00+00:00"


@pytest.fixture
def ledger(database_url: sa.URL) -> Iterator[Ledger]:
    ledger = Ledger(open_engine(database_url))
    ledger.create()
    yield ledger
    ledger.engine.dispose()


def test_a_run_is_noted_until_it_has_told_and_no_other_with_it(ledger: Ledger) -> None:
    assert not undelivered.is_noted(ledger, "credit", RUN)
    for _ in range(2):  # a process that died after the first time does it again
        undelivered.note(ledger, "credit", RUN, NOW)
    undelivered.note(ledger, "other", RUN, NOW)
    assert undelivered.is_noted(ledger, "credit", RUN)
    assert not undelivered.is_noted(ledger, "credit", "manual__1")
    undelivered.forget(ledger, "credit", RUN)
    assert not undelivered.is_noted(ledger, "credit", RUN)
    assert undelivered.is_noted(ledger, "other", RUN)


def test_what_nobody_tried_again_is_forgotten(ledger: Ledger) -> None:
    undelivered.note(ledger, "credit", RUN, NOW)
    undelivered.note(ledger, "credit", "manual__1", NOW + KEPT)
    assert undelivered.is_noted(ledger, "credit", RUN)
    undelivered.note(ledger, "credit", "manual__2", NOW + KEPT + timedelta(seconds=1))
    assert not undelivered.is_noted(ledger, "credit", RUN)
    assert undelivered.is_noted(ledger, "credit", "manual__1")
