"""A real server refuses: for a mail's size, for now, one of several, for want of TLS; nothing is lost or told twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from hindsight.errors import DeliveryError
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.pipeline.act.delivery import Delivery, drain
from hindsight.vocabulary.letters import Message
from tests.builders import DAY, HOUR
from tests.messages.smtp_server import certificate
from tests.pipeline.act.outbox import NOW
from tests.surroundings.configurations import Rules
from tests.surroundings.outgoing import connected, fates, promise, reason
from tests.surroundings.servers import MailServer, Serve, skip_unless_fetched

skip_unless_fetched()
SENT, DEAD, PENDING = MailState.SENT, MailState.DEAD, MailState.PENDING
SHORT = Message("short", "text")


@pytest.fixture(params=[True, False], ids=["said", "unsaid"])
def small(serve: Serve, request: pytest.FixtureRequest) -> MailServer:
    """A mail server that takes 60 kB at most, and says so in its answer to EHLO or does not."""
    server = serve(Rules(largest=60_000, says_size=request.param))
    if (int(server.offers().get("size") or 0) > 0) is not request.param:
        pytest.skip(f"{server.name} always says how large a mail may be")
    return server


@pytest.fixture
def secured(serve: Serve, tmp_path: Path) -> MailServer:
    """A mail server that takes nothing in the clear; its certificate is in server.pem."""
    certificate(tmp_path)
    return serve(Rules(certificate=(tmp_path / "server.pem").read_text()))


def test_a_mail_too_large_arrives_without_its_chart(
    small: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, Message("charted", "text", '<p>so</p><img src="cid:chart">', bytes(100_000)), "ann", "bob")
    assert drain(ledger, connected(monkeypatch, small), now=NOW) == Delivery(sent=2)
    for who in ("ann", "bob"):
        (mail,) = small.mails(who)
        kinds = [part.get_content_type() for part in mail.walk()]
        assert kinds == ["multipart/alternative", "text/plain", "text/html"]
        assert "The chart was left out" in mail.get_body().get_content()


def test_a_mail_too_large_without_a_chart_is_given_up_in_the_servers_words(
    small: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, Message("long", "text\n" * 40_000, "<p>so</p>", b"png"), "bob")
    promise(ledger, SHORT, "ann")
    done = drain(ledger, connected(monkeypatch, small), now=NOW)
    assert (done.sent, done.dead, done.pending) == (1, 1, 0)
    assert fates(ledger) == {"bob": DEAD, "ann": SENT}
    assert any(code in reason(ledger, "bob") for code in ("552", "554 5.3.4"))
    assert (len(small.mailbox("ann")), small.mailbox("bob")) == (1, [])


def test_whom_a_server_refuses_at_first_gets_it_once_with_the_next_drain(
    serve: Serve, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(Rules(greylists=True))
    promise(ledger, SHORT, "ann", "bob")
    mailer = connected(monkeypatch, server)
    assert drain(ledger, mailer, now=NOW) == Delivery(retried=2, pending=2)
    assert "450" in reason(ledger, "ann")
    assert drain(ledger, mailer, now=NOW + HOUR) == Delivery(sent=2)
    assert drain(ledger, mailer, now=NOW + DAY) == Delivery()
    assert [len(server.mailbox(who)) for who in ("ann", "bob")] == [1, 1]


def test_one_unknown_among_several_is_given_up_in_the_servers_words(
    server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, SHORT, "ann", "ghost", "bob")
    done = drain(ledger, connected(monkeypatch, server), now=NOW)
    assert (done.sent, done.dead, done.pending) == (2, 1, 0)
    assert fates(ledger) == {"ann": SENT, "ghost": DEAD, "bob": SENT}
    assert reason(ledger, "ghost").startswith("recipient: 550 ")
    assert reason(ledger, "ghost") in done.complaints[0]
    assert [len(server.mailbox(who)) for who in ("ann", "bob")] == [1, 1]


def test_an_unknown_one_alone_is_told_from_a_fault_of_ours_by_the_postmaster(
    server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, SHORT, "ghost")
    assert drain(ledger, connected(monkeypatch, server), now=NOW).dead == 1
    assert server.mailbox("postmaster") == []


def test_a_domain_the_server_does_not_relay_to_is_a_fault_of_ours_and_the_mail_kept(
    server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, SHORT, "ann", "cy@example.net")
    with pytest.raises(DeliveryError, match=r"rules refuse mail to cy@example\.net: recipient: 55"):
        drain(ledger, connected(monkeypatch, server), now=NOW)
    assert fates(ledger) == {"ann": SENT, "cy@example.net": PENDING}
    assert len(server.mailbox("ann")) == 1


def test_where_tls_is_required_nothing_goes_in_the_clear_nor_to_whom_nobody_vouches_for(
    secured: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, SHORT, "ann", "bob")
    with pytest.raises(DeliveryError, match=r"hindsight_smtp: sender: 530 .*correct the connection; 2 mails wait"):
        drain(ledger, connected(monkeypatch, secured), now=NOW)
    with pytest.raises(DeliveryError, match=r"certificate verify failed.*correct the connection; 2 mails wait"):
        drain(ledger, connected(monkeypatch, secured, starttls=True), now=NOW + 2 * HOUR)
    assert fates(ledger) == {"ann": PENDING, "bob": PENDING}
    assert secured.mailbox("ann") == []


def test_over_starttls_with_a_certificate_trusted_all_that_waits_arrives(
    secured: MailServer, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(ledger, SHORT, "ann", "bob")
    with pytest.raises(DeliveryError):
        drain(ledger, connected(monkeypatch, secured), now=NOW)
    if not secured.can_tls():
        assert secured.name == "opensmtpd"
        pytest.skip("this OpenSMTPD breaks off every handshake: before 7.0 it cannot do TLS with OpenSSL 3")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    assert drain(ledger, connected(monkeypatch, secured, starttls=True), now=NOW + 2 * HOUR) == Delivery(sent=2)
    assert [len(secured.mailbox(who)) for who in ("ann", "bob")] == [1, 1]


def test_what_is_promised_while_a_server_is_away_arrives_once_it_is_back(
    server: MailServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer = connected(monkeypatch, server)
    promise(ledger, SHORT, "ann", "bob")
    assert drain(ledger, mailer, now=NOW, limit=1) == Delivery(sent=1, pending=1)
    assert len(server.mailbox("ann")) == 1
    server.stop()
    promise(ledger, Message("meanwhile", "text"), "ann", "bob")
    assert drain(ledger, mailer, now=NOW + HOUR) == Delivery(retried=1, pending=3)
    server.start()
    assert drain(ledger, mailer, now=NOW + 2 * HOUR) == Delivery(sent=3)
    assert drain(ledger, mailer, now=NOW + DAY) == Delivery()
    for who in ("ann", "bob"):
        assert sorted(mail["Subject"] for mail in server.mails(who)) == ["meanwhile", "short"]
