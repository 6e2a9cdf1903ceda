from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hindsight.errors import DeliveryError
from hindsight.ledger import claims
from hindsight.ledger.claims import LEASE, Telling, is_live
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.messages.smtp_mailer import SmtpMailer
from hindsight.pipeline.act import delivery
from hindsight.pipeline.act.delivery import drain, wait
from hindsight.verdicts.model import Incident, Series, State
from hindsight.vocabulary.letters import Letter, Message
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, HOUR
from tests.messages.smtp_server import DRIP, DROP, SILENT, Script, running
from tests.pipeline.act.outbox import CANARY, NOW, a_mailer, promise


@pytest.fixture
def ledger(sqlite_url: sa.URL) -> Iterator[Ledger]:
    ledger = Ledger(open_engine(sqlite_url))
    ledger.create()
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def mailer(script: Script) -> Iterator[SmtpMailer]:
    with running(script) as port:
        yield a_mailer(port)


def record(ledger: Ledger, state: State, id: str = "i1", severity: Severity = Severity.P0) -> None:
    start = NOW - DAY
    incident = Incident(id, "credit", Series("slow"), severity, state, start, None, (start,), 1.0, 0.5)
    with ledger.locked("credit") as tx:
        tx.save_incidents([incident], NOW)


def the_mail(ledger: Ledger):
    (mail,) = ledger.outbox()
    return mail


def test_a_promised_mail_is_delivered_once(ledger, mailer, script) -> None:
    promise(ledger)
    assert drain(ledger, mailer, now=NOW) == delivery.Delivery(sent=1)
    assert drain(ledger, mailer, now=NOW + DAY) == delivery.Delivery()
    (mail,) = script.accepted
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "[P0] credit")
    assert (the_mail(ledger).state, the_mail(ledger).sent_at) == (MailState.SENT, NOW)


@pytest.mark.parametrize(
    "answers",
    [
        {"CONNECT": ["421 too busy"]},
        {"CONNECT": [DROP]},
        {"EHLO": [DROP]},
        {"MAIL": ["451 later"]},
        {"RCPT": ["450 greylisted"]},
        {"RCPT": ["452 too many recipients"]},
        {"DATA": ["451 later"]},
        {"DOT": ["451 later"]},
        {"DOT": ["452 disk full"]},
    ],
    ids=str,
)
def test_a_passing_failure_is_tried_again_on_the_same_row(ledger, mailer, script, answers) -> None:
    script.answers = answers
    promise(ledger)
    assert drain(ledger, mailer, now=NOW) == delivery.Delivery(retried=1, pending=1)
    assert drain(ledger, mailer, now=NOW + HOUR / 120).retried == 0
    assert drain(ledger, mailer, now=NOW + HOUR) == delivery.Delivery(sent=1)
    assert len(script.accepted) == 1
    assert (the_mail(ledger).attempts, the_mail(ledger).ambiguous) == (2, 0)


def test_a_third_recipient_refused_for_now_holds_up_nobody(ledger, mailer, script) -> None:
    script.answers = {"RCPT": [None, None, "452 too many"]}
    promise(ledger, "a@example.com", "b@example.com", "c@example.com", "d@example.com")
    assert drain(ledger, mailer, now=NOW) == delivery.Delivery(sent=3, retried=1, pending=1)
    assert drain(ledger, mailer, now=NOW + HOUR).sent == 1
    assert sorted(mail["To"] for mail in script.accepted) == [f"{x}@example.com" for x in "abcd"]


def test_one_unknown_recipient_of_three_is_given_up_loudly_and_two_are_told(ledger, mailer, script, caplog) -> None:
    script.answers = {"RCPT": [None, "550 no such user"]}
    promise(ledger, "a@example.com", "b@example.com", "c@example.com")
    done = drain(ledger, mailer, now=NOW)
    assert (done.sent, done.dead, done.pending) == (2, 1, 0)
    assert "b@example.com" in done.complaints[0]
    assert "550 no such user" in caplog.text
    assert drain(ledger, mailer, now=NOW + DAY) == delivery.Delivery()


@pytest.mark.parametrize("answers", [{"DOT": ["554 spam"]}, {"DATA": ["554 no"]}, {"RCPT": ["553 who"]}], ids=str)
def test_a_refusal_for_good_is_not_tried_again(ledger, mailer, script, answers) -> None:
    script.answers = answers
    promise(ledger)
    assert drain(ledger, mailer, now=NOW).dead == 1
    assert drain(ledger, mailer, now=NOW + DAY) == delivery.Delivery()
    assert script.commands.count("MAIL") == 1


def test_an_address_that_is_none_reaches_no_server(ledger, mailer, script) -> None:
    promise(ledger, "jürgen@example.com")
    promise(ledger, "a@example.com>\r\nRCPT TO:<b@example.com", subject="second")
    assert drain(ledger, mailer, now=NOW).dead == 2
    assert script.commands == []


@pytest.mark.parametrize("after", [DROP, SILENT])
def test_a_lost_last_reply_is_sent_again_under_the_same_message_id(ledger, script, after) -> None:
    script.answers = {"DOT": [after]}
    promise(ledger)
    with running(script) as port:
        mailer = a_mailer(port, after_dot_s=1)
        assert drain(ledger, mailer, now=NOW) == delivery.Delivery(retried=1, pending=1)
        assert the_mail(ledger).ambiguous == 1
        assert drain(ledger, mailer, now=NOW + HOUR).sent == 1
    assert len({mail["Message-ID"] for mail in script.accepted}) == 1
    assert len({mail.as_bytes() for mail in script.accepted}) == 1
    assert the_mail(ledger).ambiguous == 1


def test_a_wrong_password_stops_everything_after_one_attempt(ledger, script) -> None:
    script.answers = {"AUTH": [f"535 wrong: {CANARY}", f"535 wrong: {CANARY}"]}
    promise(ledger, "a@example.com", "b@example.com")
    with running(script) as port, pytest.raises(DeliveryError, match=r"hindsight_smtp.*2 mails wait") as caught:
        drain(ledger, a_mailer(port, login="ann", password=CANARY), now=NOW)
    assert not caught.value.transient
    assert script.commands.count("AUTH") == 1
    assert [mail.state for mail in ledger.outbox()] == [MailState.PENDING] * 2
    assert CANARY not in str(caught.value) + str(ledger.outbox())


def test_the_password_is_in_no_log_error_or_row(ledger, script, caplog) -> None:
    caplog.set_level(logging.DEBUG, logger="hindsight")
    encoded = "AGFubgBjYW5hcnktN2YzYQ=="
    script.answers = {"AUTH": [f"454 {CANARY} {encoded}"]}
    promise(ledger)
    with running(script) as port:
        mailer = a_mailer(port, login="ann", password=CANARY)
        drain(ledger, mailer, now=NOW)
    ours = caplog.text + str(ledger.outbox()) + repr(mailer) + repr(mailer._settings)
    assert CANARY not in ours
    assert encoded not in ours
    assert "***" in the_mail(ledger).last_error


@pytest.mark.parametrize("answers", [{"CONNECT": [SILENT]}, {"EHLO": [DRIP]}, {"RCPT": [SILENT]}], ids=str)
def test_a_server_that_never_finishes_meets_the_deadline(ledger, script, answers) -> None:
    script.answers = answers
    promise(ledger)
    with running(script) as port:
        assert drain(ledger, a_mailer(port, timeout_s=0.5), now=NOW) == delivery.Delivery(retried=1, pending=1)
    assert (the_mail(ledger).state, the_mail(ledger).ambiguous) == (MailState.PENDING, 0)


def test_a_server_out_of_reach_is_asked_once_a_drain(ledger, caplog) -> None:
    promise(ledger, "a@example.com", "b@example.com", "c@example.com")
    assert drain(ledger, a_mailer(9), now=NOW) == delivery.Delivery(retried=1, pending=3)
    assert sum(mail.attempts for mail in ledger.outbox()) == 1
    assert "out of reach" in caplog.text


def test_a_sender_that_died_costs_at_most_one_duplicate(ledger, mailer, script) -> None:
    promise(ledger)
    claim = claims.claim(ledger, now=NOW, monitor=None)
    mailer.send(claim.envelope)
    assert drain(ledger, mailer, now=NOW + LEASE / 2) == delivery.Delivery(pending=1)
    assert drain(ledger, mailer, now=NOW + 2 * LEASE) == delivery.Delivery(sent=1)
    assert len(script.accepted) == 2
    assert len({mail["Message-ID"] for mail in script.accepted}) == 1
    assert the_mail(ledger).ambiguous == 1


def test_a_late_sender_takes_back_nothing_another_has_settled(ledger) -> None:
    promise(ledger)
    slow = claims.claim(ledger, now=NOW, monitor=None)
    quick = claims.claim(ledger, now=NOW + 2 * LEASE, monitor=None)
    claims.settle(ledger, quick, state=MailState.SENT, sent_at=NOW)
    claims.settle(ledger, slow, state=MailState.PENDING, unsure=True)
    assert the_mail(ledger).state is MailState.SENT


def test_many_relays_at_once_send_each_mail_once(database_url, mailer, script) -> None:
    ledgers = [Ledger(open_engine(database_url)) for _ in range(3)]
    ledgers[0].create()
    promise(ledgers[0], *(f"person{number}@example.com" for number in range(20)))
    threads = [threading.Thread(target=drain, args=(one, mailer), kwargs={"now": NOW}) for one in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(mail["To"] for mail in script.accepted) == sorted(f"person{n}@example.com" for n in range(20))
    for ledger in ledgers:
        ledger.engine.dispose()


def test_a_chart_survives_the_ledger(database_url, mailer, script) -> None:
    ledger = Ledger(open_engine(database_url))
    ledger.create()
    message = Message("subject", "text", '<img src="cid:chart">', b"\x89PNG\0\xff")
    with ledger.locked("credit") as tx:
        tx.queue([Letter("credit", "night", "ann@example.com", message)], NOW)
    drain(ledger, mailer, now=NOW)
    (chart,) = (part for part in script.accepted[0].walk() if part.get_content_type() == "image/png")
    assert chart.get_content() == b"\x89PNG\0\xff"
    assert ledger.forget_bodies(NOW + DAY) == 1
    assert ledger.forget_bodies(NOW + DAY) == 0
    ledger.engine.dispose()


def test_the_most_severe_goes_first_and_the_limit_holds(ledger, mailer, script) -> None:
    promise(ledger, subject="digest", severity=Severity.P2)
    promise(ledger, subject="outage", severity=Severity.P0)
    assert drain(ledger, mailer, now=NOW, limit=1) == delivery.Delivery(sent=1, pending=1)
    assert script.accepted[0]["Subject"] == "outage"


def test_one_monitors_mail_can_be_sent_alone(ledger, mailer) -> None:
    promise(ledger)
    assert drain(ledger, mailer, now=NOW, monitor="churn") == delivery.Delivery()
    assert drain(ledger, mailer, now=NOW, monitor="credit").sent == 1


def test_a_mail_too_old_is_given_up_loudly_and_never_sent(ledger, mailer, script, caplog) -> None:
    promise(ledger)
    delivery = drain(ledger, mailer, now=NOW + 8 * DAY)
    assert (delivery.dead, delivery.pending) == (1, 0)
    assert "not delivered within 7 days" in delivery.complaints[0]
    assert "never tried" in caplog.text
    assert script.accepted == []


def test_without_a_mailer_mail_waits_and_one_warning_is_given(ledger, monkeypatch, caplog) -> None:
    monkeypatch.setattr(delivery, "_warned", set())
    promise(ledger)
    for _ in range(3):
        assert drain(ledger, None, now=NOW + 30 * DAY) == delivery.Delivery(pending=1)
    assert caplog.text.count("hindsight_smtp") == 1


def test_of_incidents_over_before_anyone_was_told_only_the_end_of_a_p0_is_mailed(ledger, mailer, script) -> None:
    for id, severity in (("i0", Severity.P0), ("i1", Severity.P1)):
        for state, subject in ((State.OPEN, f"{severity} opened"), (State.RESOLVED, f"{severity} resolved")):
            record(ledger, state, id, severity)
            promise(ledger, facts=[(id, state)], subject=subject)
    drain(ledger, mailer, now=NOW)
    assert [mail["Subject"] for mail in script.accepted] == ["P0 resolved"]
    assert Counter(mail.state for mail in ledger.outbox()) == {MailState.SUPPRESSED: 3, MailState.SENT: 1}
    record(ledger, State.WITHDRAWN, "i2")
    promise(ledger, facts=[("i2", State.WITHDRAWN)], subject="withdrawn")
    assert drain(ledger, mailer, now=NOW) == delivery.Delivery()


def test_an_incident_resolved_after_the_first_mail_is_mailed_once_more(ledger, mailer, script) -> None:
    record(ledger, State.OPEN)
    promise(ledger, facts=[("i1", State.OPEN)], subject="opened")
    drain(ledger, mailer, now=NOW)
    record(ledger, State.RESOLVED)
    promise(ledger, facts=[("i1", State.RESOLVED)], subject="resolved")
    drain(ledger, mailer, now=NOW)
    assert [mail["Subject"] for mail in script.accepted] == ["opened", "resolved"]


def test_after_days_without_a_server_only_the_present_is_told(ledger, mailer, script) -> None:
    for hour in range(0, 72, 2):
        when = NOW + hour * HOUR
        for state, subject in ((State.OPEN, "opened"), (State.RESOLVED, "resolved")):
            record(ledger, state)
            promise(ledger, facts=[("i1", state)], subject=f"{subject} {hour}", when=when)
        drain(ledger, a_mailer(9), now=when)
    record(ledger, State.OPEN)
    promise(ledger, facts=[("i1", State.OPEN)], subject="opened last", when=NOW + 3 * DAY)
    assert drain(ledger, mailer, now=NOW + 4 * DAY).sent == 1
    assert [mail["Subject"] for mail in script.accepted] == ["opened last"]


def test_a_digest_with_one_thing_still_true_is_sent(ledger, mailer) -> None:
    record(ledger, State.RESOLVED)
    record(ledger, State.OPEN, "i2")
    promise(ledger, facts=[("i1", State.OPEN), ("i2", State.OPEN)])
    assert drain(ledger, mailer, now=NOW).sent == 1


def test_an_end_is_told_to_one_who_may_have_read_of_the_beginning(ledger, mailer, script) -> None:
    script.answers = {"DOT": [DROP]}
    record(ledger, State.OPEN)
    promise(ledger, facts=[("i1", State.OPEN)], subject="opened")
    drain(ledger, mailer, now=NOW)
    record(ledger, State.WITHDRAWN)
    promise(ledger, facts=[("i1", State.WITHDRAWN)], subject="withdrawn")
    drain(ledger, mailer, now=NOW + HOUR)
    assert [mail["Subject"] for mail in script.accepted] == ["opened", "withdrawn"]


OPEN = Telling(5, "i1", State.OPEN, maybe_sent=False)
ENDED = Telling(7, "i1", State.RESOLVED, maybe_sent=False)


@pytest.mark.parametrize(
    ("telling", "now_is", "others", "live"),
    [
        (OPEN, State.OPEN, [], True),
        (OPEN, None, [], True),
        (OPEN, State.RESOLVED, [], False),
        (OPEN, State.OPEN, [replace(OPEN, mail=9)], False),
        (OPEN, State.OPEN, [replace(OPEN, mail=3)], True),
        (OPEN, State.OPEN, [replace(OPEN, mail=9, incident="i2")], True),
        (ENDED, State.RESOLVED, [OPEN], False),
        (ENDED, State.RESOLVED, [replace(OPEN, maybe_sent=True)], True),
        (ENDED, State.OPEN, [replace(OPEN, maybe_sent=True)], False),
    ],
)
def test_what_is_still_news(telling, now_is, others, live) -> None:
    assert is_live(telling, now_is, [telling, *others]) is live


@given(st.text(max_size=64), st.integers(1, 10_000))
def test_waits_grow_to_an_hour_and_never_differ_for_one_row(key, attempts) -> None:
    whole = min(60 * 2 ** min(attempts - 1, 16), 3600)
    assert 0.75 * whole <= wait(key, attempts).total_seconds() <= 1.25 * whole
    assert wait(key, attempts) == wait(key, attempts)
