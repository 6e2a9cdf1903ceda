"""One conversation with a mail server: its name for us, many mails on it, its limits, and how long it may think."""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import replace
from email import message_from_bytes, policy

import aiosmtplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.errors import ConfigError
from hindsight.messages import smtp_mailer
from hindsight.messages.mime import as_email, dotted, without_chart
from hindsight.messages.smtp_answers import Step, fate
from hindsight.messages.smtp_mailer import Security, SmtpMailer, SmtpSettings, own_name, settings_from
from hindsight.vocabulary.letters import Envelope, Fate, Message
from tests.builders import at
from tests.messages.smtp_server import DROP, SILENT, Script, running

ENVELOPE = Envelope("<k@credit.hindsight>", "ann@example.com", at("2026-09-10"), Message("subject", "text"))
CHART = Message(
    "subject", "text", '<p>so</p><img src="cid:chart" width="9" alt="a &gt; b">', b"\x89PNG" + b"x" * 40_000
)


def mailer(port: int, **rest) -> SmtpMailer:
    return SmtpMailer(SmtpSettings("127.0.0.1", port, "hindsight@example.com", Security.CLEAR, timeout_s=10, **rest))


def connection(**extra) -> SmtpSettings:
    extra = {"from_email": "hindsight@example.com"} | extra
    return settings_from(host="h", port=25, login="", password="", extra=extra, connection="hindsight_smtp")


def test_ten_mails_go_over_one_connection() -> None:
    script = Script()
    with running(script) as port, mailer(port).session() as session:
        fates = [session.send(replace(ENVELOPE, recipient=f"p{n}@example.com")).fate for n in range(30)]
    assert fates == [Fate.SENT] * 30
    assert (script.commands.count("CONNECT"), script.commands.count("EHLO"), script.commands.count("QUIT")) == (3, 3, 3)
    assert len(script.accepted) == 30


@pytest.mark.parametrize("command", ["RCPT", "DATA", "DOT"])
def test_a_refused_mail_does_not_spoil_the_connection(command) -> None:
    script = Script(answers={command: ["550 no"]})
    with running(script) as port, mailer(port).session() as session:
        assert [session.send(ENVELOPE).fate for _ in range(2)] == [Fate.DOUBTFUL, Fate.SENT]
    assert script.commands.count("CONNECT") == 1


@pytest.mark.parametrize("worn_out", ["421 too many mails", "452 4.3.2 too many messages sent", DROP])
def test_a_connection_the_server_has_had_enough_of_is_opened_again(worn_out) -> None:
    script = Script(answers={"MAIL": [None, None, worn_out]})
    with running(script) as port, mailer(port).session() as session:
        assert [session.send(ENVELOPE).fate for _ in range(4)] == [Fate.SENT] * 4
    assert script.commands.count("CONNECT") == 2
    assert len(script.accepted) == 4


def test_a_server_that_sends_everybody_away_is_not_asked_for_ever() -> None:
    script = Script(always={"MAIL": "421 go away"})
    with running(script) as port, mailer(port).session() as session:
        assert session.send(ENVELOPE).fate is Fate.UNREACHABLE
    assert script.commands.count("CONNECT") == 1


def test_the_name_in_ehlo_is_a_full_one_and_can_be_set() -> None:
    script = Script()
    with running(script) as port:
        mailer(port).send(ENVELOPE)
        mailer(port, helo="jobs.example.net").send(ENVELOPE)
    assert script.names[0] == own_name("hindsight@example.com")
    assert "." in script.names[0]
    assert script.names[1] == "jobs.example.net"


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("worker.example.org", "worker.example.org"),
        ("localhost", "example.com"),
        ("d34db33f1234", "example.com"),
        ("worker-0.pods.cluster.local", "example.com"),
        ("node.localdomain", "example.com"),
        ("1.0.0.127.in-addr.arpa", "example.com"),
        ("10.0.0.7", "example.com"),
        ("under_score.example.org", "example.com"),
    ],
)
def test_a_machine_without_a_name_of_its_own_says_the_senders_domain(monkeypatch, machine, name) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: machine)
    smtp_mailer._machine.cache_clear()
    assert own_name("hindsight@example.com") == name
    smtp_mailer._machine.cache_clear()


def test_a_connection_sets_the_name_and_a_wrong_one_is_refused() -> None:
    assert connection(helo=" jobs.example.net ").helo == "jobs.example.net"
    assert connection(helo="[192.0.2.7]").helo == "[192.0.2.7]"
    assert connection().helo == ""
    for wrong in ("jobs", "a b.example.com", "x.example.com\r\nMAIL", "-a.example.com"):
        with pytest.raises(ConfigError, match="helo"):
            connection(helo=wrong)


def test_after_the_final_dot_the_server_may_think_for_ten_minutes() -> None:
    assert connection().after_dot_s == 600
    script = Script(answers={"DOT": [SILENT]})
    with running(script) as port:
        began = time.monotonic()
        slow = SmtpMailer(
            SmtpSettings("127.0.0.1", port, "h@example.com", Security.CLEAR, timeout_s=0.5, after_dot_s=1.5)
        )
        attempt = slow.send(ENVELOPE)
    assert time.monotonic() - began >= 1.5
    assert attempt.fate is Fate.UNSURE


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_every_other_answer_keeps_its_own_time_limit(command) -> None:
    with running(Script(answers={command: [SILENT]})) as port:
        quick = SmtpMailer(SmtpSettings("127.0.0.1", port, "h@example.com", Security.CLEAR, timeout_s=0.5))
        assert quick.send(ENVELOPE).fate is Fate.UNREACHABLE


def test_tls_to_a_port_that_speaks_none_is_said_to_be_just_that() -> None:
    with running(Script()) as port:
        tls = SmtpMailer(SmtpSettings("127.0.0.1", port, "h@example.com", Security.TLS, timeout_s=10))
        attempt = tls.send(ENVELOPE)
    assert attempt.fate is Fate.MISCONFIGURED
    assert "does not speak TLS" in attempt.detail
    assert "disable_ssl" in attempt.detail


def test_a_handshake_that_breaks_otherwise_may_pass() -> None:
    assert fate(Step.CONNECT, ssl.SSLError("EOF occurred")) is Fate.UNREACHABLE


def test_a_chart_too_large_for_the_server_is_left_out_before_it_is_sent() -> None:
    script = Script(size=20_000)
    with running(script) as port:
        assert mailer(port).send(replace(ENVELOPE, message=CHART)).fate is Fate.SENT
    (got,) = script.accepted
    assert [part.get_content_type() for part in got.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    html = got.get_body(("html",)).get_content()
    assert "cid:chart" not in html
    assert "left out" in html
    assert script.commands.count("MAIL") == 1


@pytest.mark.parametrize("refused", [{"MAIL": ["552 too much"]}, {"DOT": ["554 5.3.4 too large"]}], ids=str)
def test_a_mail_refused_for_its_size_is_sent_without_its_chart(refused) -> None:
    script = Script(answers=refused)
    with running(script) as port:
        assert mailer(port).send(replace(ENVELOPE, message=CHART)).fate is Fate.SENT
    (got,) = script.accepted
    assert "image/png" not in [part.get_content_type() for part in got.walk()]


def test_a_mail_that_fits_keeps_its_chart_and_one_that_never_fits_is_refused() -> None:
    script = Script(size=100_000)
    with running(script) as port:
        assert mailer(port).send(replace(ENVELOPE, message=CHART)).fate is Fate.SENT
    assert "image/png" in [part.get_content_type() for part in script.accepted[0].walk()]
    with running(Script(size=200)) as port:
        assert mailer(port).send(replace(ENVELOPE, message=CHART)).fate is Fate.REFUSED


@pytest.mark.parametrize(
    "message", [CHART, replace(CHART, png=None), Message("subject", "text")], ids=["chart", "html", "text"]
)
def test_a_mail_sent_again_is_the_same_byte_for_byte(message) -> None:
    envelope = replace(ENVELOPE, message=message)
    first, second = (as_email(envelope, "h@example.com").as_bytes() for _ in range(2))
    assert first == second


def test_a_mail_without_its_chart_stays_the_same_mail() -> None:
    envelope = replace(ENVELOPE, message=CHART)
    whole, bare = (as_email(one, "h@example.com") for one in (envelope, without_chart(envelope)))
    assert whole.items()[:6] == bare.items()[:6]
    assert whole.get_body(("plain",)).get_content() == bare.get_body(("plain",)).get_content()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x17F), min_size=1, max_size=200))
def test_no_header_begins_with_an_empty_line(subject) -> None:
    email = as_email(replace(ENVELOPE, message=Message(f"x{subject}", "text")), "h@example.com")
    lines = email.as_bytes().partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert not [line for line in lines if re.fullmatch(rb"[\w-]+:\s*", line)]
    read = message_from_bytes(email.as_bytes(), policy=policy.default)
    assert read["Subject"] == email["Subject"]


@pytest.mark.parametrize("length", range(66, 82))
def test_subjects_about_as_long_as_a_line_are_folded_at_a_blank(length) -> None:
    subject = ("[P1] credit_default: " + "word " * 20)[:length].rstrip() + "x"
    raw = as_email(replace(ENVELOPE, message=Message(subject, "text")), "h@example.com").as_bytes()
    first = raw.partition(b"\r\n")[0]
    assert first.startswith(b"Subject: [P1] credit_default")
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject


@given(st.binary(max_size=200))
def test_no_text_ends_the_mail_before_its_end(text) -> None:
    assert dotted(text).endswith(b".\r\n")
    body = dotted(text)[:-3]
    assert b"\r\n.\r\n" not in b"\r\n" + body
    assert body.replace(b"\r\n", b"").count(b"\n") == 0


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        (550, "5.1.1 <a@b.c>: Recipient address rejected: User unknown", Fate.REFUSED),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", Fate.REFUSED),
        (550, "5.2.1 mailbox disabled", Fate.REFUSED),
        (552, "5.2.2 over quota", Fate.REFUSED),
        (556, "domain does not accept mail", Fate.REFUSED),
        (550, "no such user here", Fate.DOUBTFUL),
        (550, "Invalid recipient", Fate.DOUBTFUL),
        (550, "5.5.0 mailbox unavailable", Fate.DOUBTFUL),
        (550, "5.1.0 address rejected", Fate.DOUBTFUL),
        (553, "sorry, that domain isn't in my list of allowed rcpthosts", Fate.DOUBTFUL),
        (550, "<relay@example.com> no such user", Fate.DOUBTFUL),
        (554, "5.7.1 <a@b.c>: Relay access denied", Fate.FORBIDDEN),
        (550, "5.7.26 unauthenticated mail from example.com", Fate.FORBIDDEN),
        (550, "relay not permitted", Fate.FORBIDDEN),
        (550, "Sender verify failed", Fate.FORBIDDEN),
        (550, "5.1.0 <h@x>: Sender address rejected: not ours", Fate.FORBIDDEN),
        (550, "5.1.8 sender domain not found", Fate.FORBIDDEN),
        (504, "5.5.2 <box>: Helo command rejected: need fully-qualified hostname", Fate.FORBIDDEN),
        (503, "5.5.1 bad sequence of commands", Fate.FORBIDDEN),
        (530, "5.7.0 authentication required", Fate.MISCONFIGURED),
    ],
)
def test_a_refused_recipient_is_told_from_refused_rules(code, said, expected) -> None:
    assert fate(Step.RECIPIENT, aiosmtplib.SMTPResponseException(code, said)) is expected
