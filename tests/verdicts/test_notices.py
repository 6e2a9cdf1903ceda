"""Notices follow the state of an incident: a table of every state, what was told before and whether it is news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident, Series, State, Status, Verdict, doubled
from hindsight.verdicts.notices import is_stale, needs_notice, told_now, why_silent
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_monitor, a_window, at

OPEN, RECOVERING, RESOLVED, WITHDRAWN = State.OPEN, State.RECOVERING, State.RESOLVED, State.WITHDRAWN


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
        (RECOVERING, None, None),
        (RECOVERING, OPEN, None),
        (RECOVERING, RESOLVED, None),
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


@pytest.mark.parametrize("severity", list(Severity))
def test_only_a_p0_that_is_just_over_is_told_when_nobody_had_heard_of_it(severity: Severity) -> None:
    for state, told in ((RESOLVED, None), (RESOLVED, WITHDRAWN), (WITHDRAWN, None), (RESOLVED, RESOLVED)):
        incident = replace(an_incident(state, told), severity=severity)
        due = RESOLVED if (severity, state, told) == (Severity.P0, RESOLVED, None) else None
        assert needs_notice(incident, fresh=True, just_over=True) is due
        assert needs_notice(incident, fresh=False, just_over=True) is None


@pytest.mark.parametrize(("severity", "again"), [(Severity.P2, [2, 3]), (Severity.P1, []), (Severity.P0, [])])
def test_what_grows_is_told_again_each_time_it_has_doubled_but_wakes_nobody(
    severity: Severity, again: list[int]
) -> None:
    told = told_now(replace(an_incident(OPEN, None), severity=severity, number=doubled(1)), at("2026-09-02"))
    news = [times for times in range(4) if needs_notice(replace(told, number=doubled(times)), fresh=True)]
    assert news == again
    large = told_now(replace(told, number=doubled(5)), at("2026-09-03"))
    assert not any(needs_notice(replace(large, number=doubled(times)), fresh=True) for times in range(6))


def test_every_silence_has_its_reason() -> None:
    monitor = a_monitor(rules=[{"id": "r", "metric": "operations.error_rate", "above": 1}])
    rule, now = monitor.rules[-1], at("2026-09-02T01:00")
    open_now = an_incident(OPEN, None)

    def why(incident: Incident, rule: Rule = rule, monitor: Monitor = monitor, **rest: Any) -> str:
        return why_silent(incident, rule, monitor, **({"judged_at": now} | rest))

    assert why(open_now, rule.model_copy(update={"then": ("dag:x",)})) == "its rule mails nobody"
    silent = monitor.model_copy(update={"alerts": monitor.alerts.model_copy(update={"email": ()})})
    assert why(open_now, monitor=silent) == "the monitor file names nobody to mail"
    assert why(an_incident(WITHDRAWN, None)) == "withdrawn before it was told"
    assert why(an_incident(RESOLVED, RESOLVED)) == "there was nobody to mail then"
    assert why(open_now, judged_at=at("2026-09-09")) == "6 days late"
    assert why(open_now, spokesman="worse") == "worse tells of it"
    assert why(replace(open_now, severity=Severity.P2)) == "waits for the digest"
    assert why(an_incident(RESOLVED, None)) == "over before it was told"


@pytest.mark.parametrize(("after", "stale"), [(-DAY, False), (2 * DAY, False), (2 * DAY + timedelta(seconds=1), True)])
def test_a_verdict_is_stale_when_judged_longer_than_max_age_after_it_was_due(after: timedelta, stale: bool) -> None:
    window = a_window()
    verdict = Verdict(Series("r"), window, window.end, window.end + DAY, Status.BREACH, 1.0, 1.0, 10)
    assert is_stale(verdict, max_age=2 * DAY, judged_at=verdict.due + after) is stale
