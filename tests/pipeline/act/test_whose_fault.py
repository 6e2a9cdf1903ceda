"""Whose fault a refusal is, decided over the mails of one drain: ours keeps them and is loud, theirs gives them up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hindsight.errors import DeliveryError
from hindsight.ledger import claims, holds
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.messages.smtp_mailer import LONGEST_S, SmtpMailer
from hindsight.pipeline.act import delivery
from hindsight.pipeline.act.delivery import drain
from tests.builders import DAY, HOUR
from tests.messages.smtp_server import DROP, SILENT, Script, running
from tests.pipeline.act.outbox import CANARY, NOW, a_mailer, promise

MINUTE = timedelta(minutes=1)
ABC = ("a@example.com", "b@example.com", "c@example.com")


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


def states(ledger: Ledger) -> list[MailState]:
    return [mail.state for mail in ledger.outbox()]


def tried_in_an_hour(ledger: Ledger, mailer: SmtpMailer) -> int:
    """Drain as the relay does, every two minutes for an hour, and count the drains that failed loudly."""
    loud = 0
    for minute in range(0, 60, 2):
        try:
            drain(ledger, mailer, now=NOW + minute * MINUTE)
        except DeliveryError:
            loud += 1
    return loud


OURS = {
    "login missing, Postfix": {"RCPT": "554 5.7.1 <x>: Relay access denied"},
    "relaying denied, Exim": {"RCPT": "550 relay not permitted"},
    "relaying denied, OpenSMTPD": {"RCPT": "550 Invalid recipient: <x>"},
    "helo refused, Postfix": {"RCPT": "504 5.5.2 <box>: Helo command rejected: need fully-qualified hostname"},
    "helo refused, OpenSMTPD": {"EHLO": "550 Invalid command: EHLO hostname is bad"},
    "sender refused, Postfix": {"RCPT": "550 5.1.0 <h@x>: Sender address rejected: not ours"},
    "sender refused, Exim": {"RCPT": "550 Sender verify failed"},
    "sender refused, OpenSMTPD": {"MAIL": "550 sender refused"},
    "client blocked, Postfix": {"RCPT": "554 5.7.1 Client host rejected: Access denied"},
    "client blocked, Exim": {"CONNECT": "554 SMTP service not available"},
    "policy, at the dot": {"DOT": "550 5.7.26 unauthenticated mail"},
    "spam, all of it": {"DOT": "554 no"},
}


@pytest.mark.parametrize("always", OURS.values(), ids=OURS.keys())
def test_what_is_our_fault_keeps_every_mail_and_is_loud(ledger, mailer, script, always) -> None:
    script.always = always
    promise(ledger, *ABC)
    with pytest.raises(DeliveryError, match=r"hindsight_smtp.*3 mails wait.*hindsight outbox") as caught:
        drain(ledger, mailer, now=NOW)
    assert not caught.value.transient
    assert next(iter(always.values())).split()[-1] in str(caught.value)
    assert states(ledger) == [MailState.PENDING] * 3
    script.always = {}
    assert drain(ledger, mailer, now=NOW + 2 * HOUR).sent == 3


@pytest.mark.parametrize("refusal", [{"RCPT": "550 nobody"}, {"RCPT": "554 5.7.1 Relay access denied"}], ids=str)
def test_one_recipient_alone_is_no_proof_that_it_is_at_fault(ledger, mailer, script, refusal) -> None:
    script.always = refusal
    promise(ledger)
    with pytest.raises(DeliveryError, match=r"ann@example\.com"):
        drain(ledger, mailer, now=NOW)
    assert states(ledger) == [MailState.PENDING]


def test_one_alone_is_at_fault_where_the_server_takes_the_postmaster_of_its_domain(ledger, mailer, script) -> None:
    script.answers = {"RCPT": ["550 nobody"]}
    promise(ledger)
    assert drain(ledger, mailer, now=NOW).dead == 1
    assert script.recipients[-1] == "TO:<postmaster@example.com>"
    assert script.accepted == []


def test_a_recipient_refused_beside_others_is_given_up_whichever_comes_first(ledger, mailer, script) -> None:
    script.answers = {"RCPT": ["550 nobody"]}
    promise(ledger, *ABC)
    done = drain(ledger, mailer, now=NOW)
    assert (done.sent, done.retried, done.dead, done.pending) == (2, 0, 1, 0)
    assert states(ledger) == [MailState.DEAD, MailState.SENT, MailState.SENT]


def test_a_domain_the_server_does_not_relay_to_is_our_fault_though_its_own_are_taken(ledger, mailer, script) -> None:
    script.answers = {"RCPT": [None, "550 Invalid recipient", None, "550 Invalid recipient"]}
    promise(ledger, "a@example.com", "boss@example.org", "c@example.com")
    with pytest.raises(DeliveryError, match=r"boss@example\.org"):
        drain(ledger, mailer, now=NOW)
    assert states(ledger) == [MailState.SENT, MailState.PENDING, MailState.SENT]
    assert script.recipients[-1] == "TO:<postmaster@example.org>"
    assert len(script.accepted) == 2


def test_a_recipient_refused_for_sure_is_given_up_even_alone(ledger, mailer, script) -> None:
    script.always = {"RCPT": "550 5.1.1 unknown user"}
    promise(ledger)
    assert drain(ledger, mailer, now=NOW).dead == 1
    assert len(script.recipients) == 1


def test_relaying_denied_to_one_of_several_is_kept_and_the_others_are_told(ledger, mailer, script) -> None:
    script.answers = {"RCPT": ["554 5.7.1 Relay access denied"]}
    promise(ledger, *ABC)
    with pytest.raises(DeliveryError, match=r"mail to a@example\.com.*1 mail waits"):
        drain(ledger, mailer, now=NOW)
    assert states(ledger) == [MailState.PENDING, MailState.SENT, MailState.SENT]
    assert holds.find(ledger, mailer.connection) is None


def test_a_recipient_refused_is_asked_for_once_a_drain_however_many_mails_wait_for_them(ledger, mailer, script) -> None:
    script.always = {"RCPT": "554 5.7.1 Relay access denied"}
    for number in range(60):
        promise(ledger, subject=f"mail {number}")
    assert 1 <= tried_in_an_hour(ledger, mailer) <= 7
    assert len(script.recipients) <= 7
    assert states(ledger) == [MailState.PENDING] * 60


def test_no_more_than_a_few_recipients_are_tried_where_all_are_refused(ledger, mailer, script) -> None:
    script.always = {"RCPT": "550 nobody"}
    promise(ledger, *(f"p{number}@example.com" for number in range(60)))
    with pytest.raises(DeliveryError, match="60 mails wait"):
        drain(ledger, mailer, now=NOW)
    assert len(script.recipients) == 5


def test_sixty_mails_try_a_wrong_password_a_few_times_an_hour(ledger, script) -> None:
    script.always = {"AUTH": "535 5.7.8 wrong"}
    promise(ledger, *(f"p{number}@example.com" for number in range(60)))
    with running(script) as port:
        assert tried_in_an_hour(ledger, a_mailer(port, login="ann", password=CANARY)) == script.commands.count("AUTH")
    assert 4 <= script.commands.count("AUTH") <= 7
    assert states(ledger) == [MailState.PENDING] * 60


def test_a_held_connection_says_until_when_and_why_and_a_success_ends_it(ledger, mailer, script) -> None:
    script.answers = {"CONNECT": ["421 busy"]}
    promise(ledger, *ABC)
    drain(ledger, mailer, now=NOW)
    held = drain(ledger, mailer, now=NOW + MINUTE / 2)
    assert (held.pending, script.commands.count("CONNECT")) == (3, 1)
    assert "hindsight_smtp is not tried before 2026-09-10 00:01 UTC: connect: 421 busy" in held.held
    assert drain(ledger, mailer, now=NOW + 2 * MINUTE).sent == 3
    assert holds.find(ledger, mailer.connection) is None


def test_a_server_out_of_reach_for_long_is_found_again_within_minutes(ledger, mailer) -> None:
    promise(ledger, *(f"p{number}@example.com" for number in range(60)))
    for minute in range(0, 240, 2):
        drain(ledger, a_mailer(9), now=NOW + minute * MINUTE)
    promise(ledger, subject="fresh", when=NOW + 4 * HOUR)
    assert drain(ledger, mailer, now=NOW + 4 * HOUR + 10 * MINUTE).sent > 0


@pytest.mark.parametrize("never", [DROP, SILENT])
def test_copies_of_a_mail_whose_end_is_never_answered_are_capped(ledger, script, never, caplog) -> None:
    script.always = {"DOT": never}
    promise(ledger)
    with running(script) as port:
        mailer = a_mailer(port, after_dot_s=0.3)
        complaints = [c for hour in range(1, 9) for c in drain(ledger, mailer, now=NOW + hour * HOUR * 2).complaints]
    assert script.commands.count("DOT") == 3
    assert states(ledger) == [MailState.DEAD]
    assert "sent 3 times without an answer" in complaints[0]
    assert "mail given up" in caplog.text


@pytest.mark.parametrize("after", [{"MAIL": [None, "550 not your address"]}, {"MAIL": [None, "421 bye", "421 bye"]}])
def test_a_mail_given_up_is_logged_whatever_follows(ledger, mailer, script, after, caplog) -> None:
    script.answers = {"RCPT": ["550 5.1.1 nobody"]} | after
    promise(ledger, *ABC)
    with suppress(DeliveryError):
        drain(ledger, mailer, now=NOW)
    assert "mail given up '[P0] credit' to a@example.com" in caplog.text
    assert states(ledger)[1:] == [MailState.PENDING] * 2


def test_a_lease_outlasts_the_longest_drain() -> None:
    assert claims.LEASE.total_seconds() >= delivery.DRAIN_S + LONGEST_S


def test_a_mail_a_person_asked_for_again_starts_anew(ledger, mailer, script) -> None:
    promise(ledger)
    drain(ledger, mailer, now=NOW + 8 * DAY)
    (mail,) = ledger.outbox()
    assert mail.state is MailState.DEAD
    assert claims.ask_again(ledger, mail.id, by="ann", at=NOW + 9 * DAY)
    assert drain(ledger, mailer, now=NOW + 9 * DAY).sent == 1
    assert not claims.ask_again(ledger, mail.id, by="ann", at=NOW + 9 * DAY)
    assert len(script.accepted) == 1
