"""A retraining is asked for when every required rule is open, fresh and sound verdicts say so, and not too often."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from hindsight.monitors.model import Monitor
from hindsight.verdicts.model import Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.verdicts.retraining import Refusal, decide
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_monitor, a_window, at

NOW = at("2026-10-01")
RETRAIN = {"train": "lending:train", "require": ["drift_share", "accuracy_drop"]}


def a_retrained_monitor(**changes: Any) -> Monitor:
    return a_monitor(retrain=RETRAIN | changes)


def an_incident(rule: str, id: str = "", state: State = State.OPEN, **series: str) -> Incident:
    start = at("2026-09-20")
    about = Series(rule, **series)
    return Incident(id or rule, "credit", about, Severity.P0, state, start, None, (start,), 0.7, 0.8)


def a_breach(rule: str, day: str = "2026-09-29", status: Status = Status.BREACH, **series: str) -> Verdict:
    window = a_window(day)
    return Verdict(Series(rule, **series), window, NOW, window.end, status, 0.7, 0.8, 500)


BOTH = [an_incident("drift_share"), an_incident("accuracy_drop")]
FRESH = [a_breach("accuracy_drop")]


def decided(
    incidents: list[Incident] = BOTH,
    verdicts: list[Verdict] = FRESH,
    past: list[RetrainRequest] | None = None,
    *,
    monitor: Monitor | None = None,
    as_of: datetime = NOW,
) -> RetrainRequest | Refusal:
    return decide(monitor or a_retrained_monitor(), incidents, verdicts, past or [], as_of=as_of, decided_at=as_of)


def a_past_request(before: float, key: str = "k") -> RetrainRequest:
    return RetrainRequest(key, "credit", "d", (), NOW - before * DAY, NOW - before * DAY, approval=True)


def refused(*args: Any, **rest: Any) -> str:
    decision = decided(*args, **rest)
    assert isinstance(decision, Refusal)
    return decision.reason


def test_a_request_names_its_incidents_and_its_one_run() -> None:
    request = decided()
    assert isinstance(request, RetrainRequest)
    assert request.incidents == ("accuracy_drop", "drift_share")
    assert (request.dag, request.as_of, request.requested_at, request.approval) == (
        "retrain__credit",
        NOW,
        NOW,
        True,
    )
    assert request.run_id == f"retrain__credit__{request.key}"
    assert len(request.key) == 16


def test_the_key_depends_on_the_incidents_and_the_monitor_alone() -> None:
    keys = [
        decided(BOTH[::-1], as_of=NOW + DAY),
        decided([*BOTH, an_incident("volume")]),
        decided([*BOTH, an_incident("drift_share", "another")]),
        decided(monitor=a_monitor(name="churn", retrain=RETRAIN)),
    ]
    same, with_others, with_more, of_another = [key.key for key in keys if isinstance(key, RetrainRequest)]
    assert same == with_others
    assert len({same, with_more, of_another}) == 3


def test_the_file_names_the_dag_and_whether_people_agree() -> None:
    request = decided(monitor=a_retrained_monitor(dag="train_all", approval=False))
    assert isinstance(request, RetrainRequest)
    assert (request.dag, request.approval) == ("train_all", False)


def test_a_monitor_without_a_retrain_section_asks_for_none() -> None:
    assert refused(monitor=a_monitor()) == "credit has no retrain section"


@pytest.mark.parametrize(
    "second",
    [
        an_incident("volume"),
        an_incident("drift_share", state=State.RESOLVED),
        an_incident("drift_share", state=State.WITHDRAWN),
        an_incident("drift_share", segment="region=EU"),
        an_incident("drift_share", model_version="2"),
    ],
)
def test_every_required_rule_must_be_open_for_all_rows(second: Incident) -> None:
    assert refused([BOTH[1], second]) == "not every required rule is open: drift_share"


def test_a_rule_about_features_is_open_when_one_of_them_is() -> None:
    monitor = a_retrained_monitor(require=["drift"])
    incidents = [an_incident("drift", feature="amount")]
    assert isinstance(decided(incidents, [a_breach("drift", feature="amount")], monitor=monitor), RetrainRequest)


def test_old_news_ask_for_nothing() -> None:
    assert refused(verdicts=[a_breach("accuracy_drop", "2026-09-01")]) == "its breaches are old news"
    assert isinstance(decided(verdicts=[*FRESH, a_breach("accuracy_drop", "2026-09-01")]), RetrainRequest)


@pytest.mark.parametrize(
    "verdicts",
    [
        [],
        [a_breach("volume")],
        [a_breach("accuracy_drop", status=Status.IMMATURE)],
        [a_breach("accuracy_drop", segment="region=EU")],
    ],
)
def test_something_required_must_have_been_breached_just_now(verdicts: list[Verdict]) -> None:
    assert refused(verdicts=verdicts) == "no required rule was breached just now"


def test_bad_data_block_retraining_on_their_window() -> None:
    bad = a_breach("null_rate", feature="amount")
    assert refused(verdicts=[*FRESH, bad]) == (
        "null_rate breaches: the data of 2026-09-29T00:00Z/2026-09-30T00:00Z are not sound"
    )
    assert refused(verdicts=[*FRESH, a_breach("quality"), a_breach("drift_share", "2026-09-30")])
    assert isinstance(decided(verdicts=[*FRESH, bad, a_breach("accuracy_drop", "2026-09-30")]), RetrainRequest)
    elsewhere = [replace(bad, window=a_window("2026-09-30")), a_breach("null_rate", status=Status.OK)]
    assert isinstance(decided(verdicts=[*FRESH, *elsewhere]), RetrainRequest)


def test_the_same_incidents_are_answered_once() -> None:
    request = decided()
    assert isinstance(request, RetrainRequest)
    assert refused(past=[request], as_of=NOW) == "a retraining was already requested for these incidents"


@pytest.mark.parametrize("before", [0, 6.9, -6.9])
def test_retraining_cools_down_whichever_night_is_run_first(before: float) -> None:
    assert "the cooldown is 7 days" in refused(past=[a_past_request(before)])


def test_after_the_cooldown_the_budget_still_holds() -> None:
    assert isinstance(decided(past=[a_past_request(7)]), RetrainRequest)
    assert refused(past=[a_past_request(7), a_past_request(29)]) == (
        "the budget of 2 retrainings per 30 days, 0:00:00 is used up"
    )
    assert isinstance(decided(past=[a_past_request(7), a_past_request(30)]), RetrainRequest)
