"""Mails promised in a ledger, and a mailer for a scripted server."""

from __future__ import annotations

from hindsight.ledger.ledger import Ledger
from hindsight.messages.smtp_mailer import Security, SmtpMailer, SmtpSettings
from hindsight.vocabulary.letters import Letter, Message
from hindsight.vocabulary.severity import Severity
from tests.builders import at

NOW = at("2026-09-10")
CANARY = "canary-7f3a"


def a_mailer(port: int, timeout_s: float = 10.0, **rest) -> SmtpMailer:
    return SmtpMailer(
        SmtpSettings("127.0.0.1", port, "hindsight@example.com", Security.CLEAR, timeout_s=timeout_s, **rest)
    )


def promise(ledger: Ledger, *recipients: str, facts=(), severity=Severity.P0, subject="[P0] credit", when=NOW) -> None:
    message = Message(subject, "what happened", severity=severity)
    told = [
        Letter("credit", subject, recipient, message, tuple(facts)) for recipient in recipients or ("ann@example.com",)
    ]
    with ledger.locked("credit") as tx:
        tx.queue(told, when)
