"""Notices follow the state of an incident: a table of every state, what was told before and whether it is news."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hindsight.verdicts.model import Incident, Series, State, Status, Verdict
from hindsight.verdicts.notices import is_stale, needs_notice
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_window, at

OPEN, RESOLVED, WITHDRAWN = State.OPEN, State.RESOLVED, State.WITHDRAWN


def an_incident(state: State, told: State | None) -> Incident:
    start = at("2026-09-01")
    ended = None if state is OPEN else start + DAY
    return Incident("a1", "credit", Series("r"), Severity.P0, state, start, ended, (start,), 0.7, 0.8, told)


@pytest.mark.parametrize(
    ("state", "told", "expected"),
    [
        (OPEN, None, OPEN),
        (OPEN, OPEN, None),
        (OPEN, RESOLVED, OPEN),
        (OPEN, WITHDRAWN, OPEN),
        (RESOLVED, None, None),
        (RESOLVED, OPEN, RESOLVED),
        (RESOLVED, RESOLVED, None),
        (RESOLVED, WITHDRAWN, None),
        (WITHDRAWN, None, None),
        (WITHDRAWN, OPEN, WITHDRAWN),
        (WITHDRAWN, RESOLVED, None),
        (WITHDRAWN, WITHDRAWN, None),
    ],
)
def test_a_notice_is_due_when_the_told_state_is_not_the_state(
    state: State, told: State | None, expected: State | None
) -> None:
    assert needs_notice(an_incident(state, told), fresh=True) is expected
    assert needs_notice(an_incident(state, told), fresh=False) is None


@pytest.mark.parametrize(("after", "stale"), [(-DAY, False), (2 * DAY, False), (2 * DAY + timedelta(seconds=1), True)])
def test_a_verdict_is_stale_when_judged_longer_than_max_age_after_it_was_due(after: timedelta, stale: bool) -> None:
    window = a_window()
    verdict = Verdict(Series("r"), window, window.end, window.end + DAY, Status.BREACH, 1.0, 1.0, 10)
    assert is_stale(verdict, max_age=2 * DAY, judged_at=verdict.due + after) is stale
