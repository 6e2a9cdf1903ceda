"""Histories of all that people, clocks, servers and relays may do: what is told is right, and told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from hindsight import pipeline
from hindsight.vocabulary.measurement import Kind
from tests.builders import HOUR, a_measurement, a_window
from tests.faults.history import FILE, FIRST, RECEIVERS, SLOW, History, settle_accounts, tellings
from tests.messages.smtp_server import DROP
from tests.pipeline.judge.facts import digest, judged, measured, write
from tests.pipeline.world import days

AWAY = "421 4.3.2 closed for repairs"


class Histories(RuleBasedStateMachine):
    """Whatever happens in whatever order, the accounts are right once the servers are well."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History()

    @rule(bad=st.booleans())
    def a_day_passes(self, bad: bool) -> None:
        self.history.live(bad=bad)
        self.history.relay()

    @rule(back=st.integers(0, 3))
    def a_task_is_cleared(self, back: int) -> None:
        self.history.run_again(back)

    @rule(bad=st.booleans())
    def late_rows_come(self, bad: bool) -> None:
        self.history.revise(bad=bad)

    @precondition(lambda self: len(self.history.lived) < 6)
    @rule(month=st.integers(2, 4))
    def history_is_filled_in(self, month: int) -> None:
        self.history.fill_back(month)

    @rule(for_days=st.integers(1, 3))
    def somebody_silences(self, for_days: int) -> None:
        self.history.silence(for_days)

    @rule()
    def somebody_acknowledges(self) -> None:
        self.history.acknowledge()

    @rule()
    def the_relay_ticks(self) -> None:
        self.history.relay()

    @rule()
    def two_relays_tick(self) -> None:
        self.history.relay_twice()

    @rule(statement=st.integers(1, 40))
    def a_relay_dies(self, statement: int) -> None:
        self.history.relay_and_die(statement)

    @rule(step=st.sampled_from(["MAIL", "RCPT", "DATA", "DOT"]), answer=st.sampled_from(["451 4.3.0 later", DROP]))
    def the_mail_server_stumbles(self, step: str, answer: str) -> None:
        self.history.world.inbox.answers[step] = [answer]

    @rule(up=st.booleans())
    def the_mail_server_goes_or_comes(self, up: bool) -> None:
        always = self.history.world.inbox.always
        if up:
            always.pop("CONNECT", None)
        else:
            always["CONNECT"] = AWAY

    @rule(status=st.sampled_from([200, 500]))
    def the_webhook_goes_or_comes(self, status: int) -> None:
        self.history.hook.always = status

    def teardown(self) -> None:
        try:
            self.history.heal()
            settle_accounts(self.history)
        finally:
            self.history.close()


RIGHT = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


class TestHistories(Histories.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=5, stateful_step_count=15, **RIGHT)


@pytest.mark.heavy
class TestMoreHistories(Histories.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=60, stateful_step_count=40, **RIGHT)


@pytest.fixture
def history() -> Iterator[History]:
    made = History()
    yield made
    made.close()


def test_one_cause_is_one_notice_and_one_end_for_each_receiver(history: History) -> None:
    for bad in (False, True, True, True, False, False):
        history.live(bad=bad)
        history.relay()
        history.relay_twice()
    (incident,) = history.ledger.incidents("credit")
    assert tellings(history) == {(incident.id, receiver): ["open", "resolved"] for receiver in RECEIVERS}
    assert len(history.world.inbox.accepted) == 4
    assert len(history.hook.posts) == 2


def test_a_server_that_is_away_for_three_days_hears_the_state_of_things_once(history: History) -> None:
    history.world.inbox.always["CONNECT"] = AWAY
    for bad in (True, False, True):
        history.live(bad=bad)
        for _ in range(3):
            history.relay()
    assert history.world.inbox.accepted == []
    history.heal()
    settle_accounts(history)
    assert [str(mail["Subject"])[:4] for mail in history.world.inbox.accepted] == ["[P1]", "[P1]"]


def test_ninety_days_filled_in_page_nobody(history: History) -> None:
    history.live(bad=False)
    for day in days("2026-03-01", 90):
        measured(history.world, day, SLOW)
        judged(history.world, day, at=history.now)
    history.heal()
    assert history.ledger.outbox() == []
    assert history.ledger.incidents("credit") != []


def test_a_death_between_the_answer_and_its_record_repeats_a_mail_once_with_the_same_name(history: History) -> None:
    history.live(bad=True)
    statement = 0
    while not history.world.inbox.accepted:
        statement += 1
        history.relay_and_die(statement)
    history.heal()
    settle_accounts(history)
    copies = [str(mail["Message-ID"]) for mail in history.world.inbox.accepted]
    assert len(set(copies)) == 2
    assert len(copies) <= 3


def test_what_comes_and_goes_is_told_as_often_as_it_is_over_for_good() -> None:
    history = History(rules=[*FILE["rules"], {"id": "latency_p95", "keep_for": 3}])
    try:
        for bad in (True, False) * 5:
            history.live(bad=bad)
            history.relay()
        assert [str(mail["Subject"])[:4] for mail in history.world.inbox.accepted] == ["[P1]", "[P1]"]
        for _ in range(3):
            history.live(bad=False)
            history.relay()
        settle_accounts(history)
        assert len(history.world.inbox.accepted) == 4
    finally:
        history.close()


def test_five_hundred_failing_checks_are_three_messages_at_most(history: History) -> None:
    columns = [f"c{number}" for number in range(500)]
    history.world.declare(**FILE | {"features": dict.fromkeys(columns, "numeric"), "labels": {"matures_after": "3d"}})
    facts = [a_measurement("null_rate", 0.4, n=1000, feature=column) for column in columns]
    rows = [a_measurement("total_requests", 1000, n=1000)]
    write(history.world, FIRST, {Kind.QUALITY: facts, Kind.OPERATIONS: rows})
    judged(history.world, FIRST)
    digest(history.world, "2026-07-02")
    pipeline.deliver(history.world.resources, now=a_window(FIRST).end + HOUR)
    told = Counter(str(mail["To"]) for mail in history.world.inbox.accepted)
    told["hook"] = len(history.hook.posts)
    assert len(history.ledger.incidents("credit")) == 500
    assert {receiver: 1 <= times <= 3 for receiver, times in told.items()} == dict.fromkeys(RECEIVERS, True)
