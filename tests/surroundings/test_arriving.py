"""What Hindsight mails lies once and intact in a mailbox of a real server, in plain ASCII on the way."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.pipeline.act.delivery import Delivery, drain
from hindsight.vocabulary.letters import Message
from tests.builders import DAY, at
from tests.pipeline.act.outbox import NOW
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import a_world
from tests.surroundings.outgoing import connected, fates, promise, reason
from tests.surroundings.servers import MailServer, skip_unless_fetched

skip_unless_fetched()
SLOW = {"operations.latency_p95_ms": [""]}
LONG = "x" * 5000 + "\n" + "Größe " * 400 + "\n.\n..two dots\nFrom here on\n" + "word " * 300 + "\nend\n"


def part(mail: EmailMessage, kind: str) -> EmailMessage:
    """The only part of a mail of a kind."""
    (found,) = (part for part in mail.walk() if part.get_content_type() == kind)
    return found


def text(mail: EmailMessage, kind: str) -> str:
    """The text of that part, its lines ended as ours: mail ends them with CRLF."""
    return str(part(mail, kind).get_content()).replace("\r\n", "\n")


def test_an_incident_is_told_once_with_its_chart(
    server: MailServer, sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"owner": "Büro Größe", "alerts": {"email": ["ann@example.com", "bob@example.com"]}}
    with a_world(sqlite_url, tmp_path, days=(), start="2026-07-01", **told) as world:
        world.resources = replace(world.resources, mailer=connected(monkeypatch, server))
        for day, bad in (("2026-07-01", {}), ("2026-07-02", SLOW)):
            measured(world, day, bad)
            judged(world, day)
        for days in (2, 3):
            pipeline.deliver(world.resources, now=at("2026-07-01") + days * DAY)
        for who in ("ann", "bob"):
            (mail,) = server.mails(who)
            assert "latency p95 900 ms" in mail["Subject"]
            assert part(mail, "image/png").get_content().startswith(b"\x89PNG")
            assert "Büro Größe" in text(mail, "text/plain")
        assert fates(world.resources.ledger) == {"ann": MailState.SENT, "bob": MailState.SENT}


def test_every_letter_of_a_mail_arrives(server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    png = bytes(range(256)) * 200
    subject = "[P0] Größe, 収入 und доход – " + "sehr lang " * 14 + "🙂"
    promise(ledger, Message(subject, LONG, f'<img src="cid:chart"><p>{LONG}</p>', png))
    assert drain(ledger, connected(monkeypatch, server), now=NOW) == Delivery(sent=1)
    assert drain(ledger, connected(monkeypatch, server), now=NOW + DAY) == Delivery()
    (mail,) = server.mails("ann")
    assert mail["Subject"] == subject
    assert text(mail, "text/plain") == LONG
    assert LONG in text(mail, "text/html")
    assert part(mail, "image/png").get_content() == png


def test_no_line_on_the_way_is_too_long_or_needs_more_than_ascii(
    server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "smtputf8" not in server.offers()
    promise(ledger, Message("Größe", LONG, f"<p>{LONG}</p>"))
    drain(ledger, connected(monkeypatch, server), now=NOW)
    (mail,) = server.mailbox("ann")
    assert mail.isascii()
    assert max(map(len, mail.splitlines())) <= 998  # RFC 5322, 2.1.1


def test_an_address_of_more_than_ascii_is_given_up_and_holds_up_nobody(
    server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, Message("subject", "text"), "jürgen", "ann")
    done = drain(ledger, connected(monkeypatch, server), now=NOW)
    assert (done.sent, done.dead, done.pending) == (1, 1, 0)
    assert fates(ledger) == {"jürgen": MailState.DEAD, "ann": MailState.SENT}
    assert "is not an ASCII address" in reason(ledger, "jürgen")
    assert len(server.mailbox("ann")) == 1


def test_all_of_many_mails_are_delivered_at_once(
    server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exim leaves the eleventh on one connection, and what follows, to its next queue run."""
    for number in range(24):
        promise(ledger, Message(f"mail {number}", "text"))
    assert drain(ledger, connected(monkeypatch, server), now=NOW) == Delivery(sent=24)
    assert sorted(mail["Subject"] for mail in server.mails("ann")) == sorted(f"mail {n}" for n in range(24))
