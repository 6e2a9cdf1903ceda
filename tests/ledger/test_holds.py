"""What the ledger keeps of a mail connection that fails, and what a person may change of a mail, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hindsight.ledger import claims, holds
from hindsight.ledger.connect import open_engine
from hindsight.ledger.holds import Hold
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.vocabulary.letters import Letter, Message
from tests.builders import DAY, HOUR, at

NOW = at("2026-09-10")
FIRST = Hold("hindsight_smtp", 1, NOW + HOUR, "login: 535 wrong")


@pytest.fixture
def ledger(database_url: sa.URL) -> Iterator[Ledger]:
    ledger = Ledger(open_engine(database_url))
    ledger.create()
    yield ledger
    ledger.engine.dispose()


def promise(ledger: Ledger, *recipients: str) -> None:
    with ledger.locked("credit") as tx:
        tx.queue([Letter("credit", "window", one, Message("subject", "text")) for one in recipients], NOW)


def test_the_newest_hold_of_a_connection_counts_until_it_is_released(ledger: Ledger) -> None:
    assert holds.find(ledger, "hindsight_smtp") is None
    later = Hold("hindsight_smtp", 2, NOW + 2 * HOUR, "login: 535 still wrong")
    other = Hold("another", 1, NOW, "")
    for hold in (FIRST, other, later):
        holds.put(ledger, hold)
    assert holds.find(ledger, "hindsight_smtp") == later
    assert sorted(one.connection for one in holds.every(ledger)) == ["another", "hindsight_smtp"]
    holds.release(ledger, "hindsight_smtp")
    assert holds.every(ledger) == [other]
    holds.release(ledger)
    assert holds.every(ledger) == []


def test_one_refused_mail_puts_off_all_that_waits_for_its_recipient(ledger: Ledger) -> None:
    promise(ledger, "ann@example.com", "bob@example.com")
    claims.postpone(ledger, "ann@example.com", NOW + HOUR)
    claims.postpone(ledger, "ann@example.com", NOW)  # never sooner
    assert [mail.next_at for mail in ledger.outbox()] == [NOW + HOUR, NOW]


def test_a_claim_passes_over_recipients_who_were_refused(ledger: Ledger) -> None:
    promise(ledger, "ann@example.com", "bob@example.com")
    claim = claims.claim(ledger, now=NOW, monitor=None, but=["ann@example.com"])
    assert claim is not None
    assert claim.envelope.recipient == "bob@example.com"
    assert claims.claim(ledger, now=NOW, monitor=None, but=["ann@example.com"]) is None


def test_a_mail_asked_for_again_counts_as_promised_now(ledger: Ledger) -> None:
    promise(ledger, "ann@example.com")
    late = NOW + 8 * DAY
    assert len(claims.expire(ledger, now=late, max_age=timedelta(days=7), monitor=None)) == 1
    (mail,) = ledger.outbox()
    assert claims.ask_again(ledger, mail.id, by="ann", at=late)
    assert claims.expire(ledger, now=late + DAY, max_age=timedelta(days=7), monitor=None) == []
    (again,) = ledger.outbox()
    assert (again.state, again.attempts, again.next_at) == (MailState.PENDING, 0, late)
    assert again.last_error.startswith("asked for again by ann; before: not delivered within 7 days")


def test_a_dropped_mail_stays_unsent_until_it_is_asked_for(ledger: Ledger) -> None:
    promise(ledger, "ann@example.com")
    (mail,) = ledger.outbox()
    assert claims.drop(ledger, mail.id, by="ann", at=NOW)
    assert not claims.drop(ledger, mail.id, by="ann", at=NOW)
    assert claims.claim(ledger, now=NOW, monitor=None) is None
    assert claims.ask_again(ledger, mail.id, by="ann", at=NOW)
    assert claims.claim(ledger, now=NOW, monitor=None) is not None
