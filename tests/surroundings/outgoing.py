"""Mail on its way: the connection a user would declare, what is promised in the outbox, and what became of it."""

from __future__ import annotations

import json

import pytest

from hindsight.airflow.connections import mailer
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.messages.smtp_mailer import Mailer
from hindsight.vocabulary.letters import Letter, Message
from tests.pipeline.act.outbox import NOW
from tests.surroundings.servers import MailServer


def connected(patch: pytest.MonkeyPatch, server: MailServer, *, starttls: bool = False) -> Mailer:
    """Declare the connection hindsight_smtp to a server and return what the product makes of it."""
    extra = {"from_email": "hindsight@example.com", "disable_ssl": True, "disable_tls": not starttls}
    fields = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
    patch.setenv("AIRFLOW_CONN_HINDSIGHT_SMTP", json.dumps(fields))
    made = mailer()
    assert made is not None
    return made


def promise(ledger: Ledger, message: Message, *people: str) -> None:
    """Promise a message to people, given by the address or the part of it before example.com."""
    to = [who if "@" in who else f"{who}@example.com" for who in people or ("ann",)]
    with ledger.locked("credit") as tx:
        tx.queue([Letter("credit", message.subject, one, message) for one in to], NOW)


def fates(ledger: Ledger) -> dict[str, MailState]:
    """Where the mail to each recipient stands."""
    return {mail.recipient.removesuffix("@example.com"): mail.state for mail in ledger.outbox()}


def reason(ledger: Ledger, who: str) -> str:
    """Why the mail to a person was not sent."""
    (mail,) = (mail for mail in ledger.outbox() if mail.recipient.removesuffix("@example.com") == who)
    return mail.last_error
