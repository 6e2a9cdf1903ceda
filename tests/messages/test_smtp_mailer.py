from __future__ import annotations

import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy

import aiosmtplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.errors import ConfigError
from hindsight.messages.smtp_answers import Step, fate
from hindsight.messages.smtp_mailer import Security, SmtpMailer, SmtpSettings, as_email, is_address, settings_from
from hindsight.messages.wording import clean
from hindsight.vocabulary.letters import Envelope, Fate, Message
from tests.builders import at
from tests.messages.smtp_server import DROP, Script, certificate, running

CANARY = "canary-7f3a"
ENVELOPE = Envelope("<k@credit.hindsight>", "ann@example.com", at("2026-09-10"), Message("subject", "text"))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    return certificate(tmp_path_factory.mktemp("tls"))


def settings(port: int = 25, security: Security = Security.STARTTLS, **rest) -> SmtpSettings:
    return SmtpSettings("127.0.0.1", port, "hindsight@example.com", security, timeout_s=10, **rest)


def connection(**fields):
    given = {"host": "mail.example.com", "port": 587, "login": "", "password": "", "connection": "hindsight_smtp"}
    extra = {"from_email": "hindsight@example.com"} | fields.pop("extra", {})
    return settings_from(**given | fields, extra=extra)


def test_starttls_and_a_login_deliver(tls) -> None:
    server, client = tls
    script = Script(login=("ann", CANARY))
    with running(script, tls=server) as port:
        mailer = SmtpMailer(settings(port, login="ann", password=CANARY), tls=client)
        assert mailer.send(ENVELOPE).fate is Fate.SENT
    assert script.accepted[0]["Message-ID"] == "<k@credit.hindsight>"
    assert script.commands.count("EHLO") == 2


def test_tls_from_the_first_byte_delivers(tls) -> None:
    server, client = tls
    with running(Script(), tls=server, implicit=True) as port:
        assert SmtpMailer(settings(port, Security.TLS), tls=client).send(ENVELOPE).fate is Fate.SENT


def test_a_server_whose_starttls_was_stripped_gets_neither_password_nor_mail() -> None:
    script = Script(login=("ann", CANARY))
    with running(script) as port:
        attempt = SmtpMailer(settings(port, login="ann", password=CANARY)).send(ENVELOPE)
    assert attempt.fate is Fate.MISCONFIGURED
    assert "STARTTLS" in attempt.detail
    assert not {"AUTH", "MAIL", "DATA"} & set(script.commands)


@pytest.mark.parametrize("implicit", [True, False])
def test_a_certificate_nobody_vouches_for_is_refused(tls, implicit) -> None:
    script = Script()
    security = Security.TLS if implicit else Security.STARTTLS
    with running(script, tls=tls[0], implicit=implicit) as port:
        attempt = SmtpMailer(settings(port, security)).send(ENVELOPE)
    assert attempt.fate is Fate.MISCONFIGURED
    assert "certificate" in attempt.detail
    assert "MAIL" not in script.commands


def test_a_goodbye_that_fails_undoes_nothing() -> None:
    script = Script(answers={"QUIT": [DROP]})
    with running(script) as port:
        assert SmtpMailer(settings(port, Security.CLEAR)).send(ENVELOPE).fate is Fate.SENT


REPLY = aiosmtplib.SMTPResponseException
LOST = aiosmtplib.SMTPServerDisconnected("lost")


@pytest.mark.parametrize(
    ("step", "error", "expected"),
    [
        (Step.CONNECT, REPLY(421, "busy"), Fate.UNREACHABLE),
        (Step.CONNECT, REPLY(554, "no"), Fate.MISCONFIGURED),
        (Step.CONNECT, ConnectionRefusedError(), Fate.UNREACHABLE),
        (Step.CONNECT, OSError("name or service not known"), Fate.UNREACHABLE),
        (Step.SECURE, ssl.SSLError("handshake"), Fate.UNREACHABLE),
        (Step.SECURE, ssl.SSLCertVerificationError(), Fate.MISCONFIGURED),
        (Step.SECURE, REPLY(454, "not now"), Fate.UNREACHABLE),
        (Step.LOGIN, REPLY(454, "not now"), Fate.UNREACHABLE),
        (Step.LOGIN, REPLY(535, "no"), Fate.MISCONFIGURED),
        (Step.LOGIN, aiosmtplib.SMTPNotSupported("no AUTH"), Fate.MISCONFIGURED),
        (Step.SENDER, REPLY(451, "later"), Fate.LATER),
        (Step.SENDER, REPLY(530, "log in"), Fate.MISCONFIGURED),
        (Step.SENDER, REPLY(550, "not your address"), Fate.MISCONFIGURED),
        (Step.RECIPIENT, REPLY(450, "greylisted"), Fate.LATER),
        (Step.RECIPIENT, REPLY(421, "bye"), Fate.UNREACHABLE),
        (Step.RECIPIENT, REPLY(550, "5.1.1 unknown"), Fate.REFUSED),
        (Step.RECIPIENT, REPLY(550, "unknown"), Fate.DOUBTFUL),
        (Step.RECIPIENT, REPLY(530, "log in"), Fate.MISCONFIGURED),
        (Step.RECIPIENT, LOST, Fate.UNREACHABLE),
        (Step.RECIPIENT, TimeoutError(), Fate.UNREACHABLE),
        (Step.DOT, REPLY(452, "full"), Fate.LATER),
        (Step.DOT, REPLY(554, "spam"), Fate.DOUBTFUL),
        (Step.DOT, REPLY(251, "forwarded"), Fate.SENT),
        (Step.DOT, REPLY(-1, "garbage"), Fate.UNSURE),
        (Step.DOT, LOST, Fate.UNSURE),
        (Step.DOT, TimeoutError(), Fate.UNSURE),
        (Step.DATA, LOST, Fate.UNREACHABLE),
    ],
)
def test_every_answer_of_a_server_means_one_thing(step, error, expected) -> None:
    assert fate(step, error) is expected


@given(st.sampled_from(Step), st.integers(400, 599))
def test_a_refusal_is_never_taken_for_success_nor_a_passing_one_for_good(step, code) -> None:
    meaning = fate(step, REPLY(code, ""))
    assert meaning is not Fate.SENT
    if code < 500:
        assert meaning in (Fate.LATER, Fate.UNREACHABLE)


def test_the_fields_of_an_airflow_connection_are_read() -> None:
    assert connection().security is Security.STARTTLS
    assert connection(port=465).security is Security.TLS
    assert connection(port=None).port == 465
    assert connection(port=2525).security is Security.TLS
    assert connection(port=2525, extra={"disable_ssl": True}).security is Security.STARTTLS
    assert connection(extra={"disable_ssl": "true", "disable_tls": "True"}).security is Security.CLEAR
    assert connection(extra={"timeout": 5}).timeout_s == 5
    assert connection(extra={"timeout": 9999}).timeout_s == 120
    assert connection(login="ann@example.com", extra={"from_email": None}).from_email == "ann@example.com"


def test_a_password_never_goes_out_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="in the clear") as caught:
        connection(login="ann", password=CANARY, extra={"disable_ssl": True, "disable_tls": True})
    assert CANARY not in str(caught.value)
    for host in ("localhost", "127.0.0.1", "::1"):
        connection(host=host, password=CANARY, extra={"disable_ssl": True, "disable_tls": True})


def test_a_sender_that_is_no_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="from_email"):
        connection(extra={"from_email": "Hindsight <h@example.com>"})
    with pytest.raises(ConfigError, match="from_email"):
        connection(extra={"from_email": ""})


NO_ADDRESSES = ["", "ann", "ann@", "@example.com", "a b@example.com", "jürgen@example.com", "ann@exämple.com", "a@b>"]
INJECTED = ["a@b.c\n", "a@b.c\r\nRCPT TO:<d@e.f>", "ann@example.com,bob@example.com", "a" * 250 + "@example.com"]


@pytest.mark.parametrize("text", [*NO_ADDRESSES, *INJECTED])
def test_what_is_no_plain_address_is_refused(text) -> None:
    assert not is_address(text)


def test_a_plain_address_is_accepted() -> None:
    assert is_address("risk-ml+alerts@mail.example.co.uk")
    assert is_address("root@localhost")


@given(st.text(max_size=300))
def test_no_subject_can_add_a_header(subject) -> None:
    email = as_email(Envelope("<k@h>", "a@example.com", at("2026-09-10"), Message(subject, "text")), "h@example.com")
    parsed = message_from_bytes(email.as_bytes(), policy=policy.default)
    assert set(parsed.keys()) == {
        *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    }


@given(st.lists(st.sampled_from(["Größe", "収入", "доход", "–", "🙂", "credit:", "900 ms,", "x" * 30]), min_size=1))
def test_every_word_of_a_subject_and_every_space_arrives(words) -> None:
    subject = clean(" ".join(words), 200)
    email = as_email(Envelope("<k@h>", "a@example.com", at("2026-09-10"), Message(subject, "text")), "h@example.com")
    assert message_from_bytes(email.as_bytes(), policy=policy.default)["Subject"] == subject
    assert max(map(len, email.as_bytes().splitlines())) <= 78


def test_text_html_and_chart_arrive_as_they_were() -> None:
    message = Message("Größe", "Text — ü\n.dot\n" + "x" * 2000, '<img src="cid:chart">', b"\x89PNG")
    script = Script()
    with running(script) as port:
        SmtpMailer(settings(port, Security.CLEAR)).send(Envelope("<k@h>", "a@example.com", at("2026-09-10"), message))
    (mail,) = script.accepted
    assert mail["Subject"] == "Größe"
    assert mail.get_body(("plain",)).get_content().splitlines() == message.text.splitlines()
    assert "cid:chart" in mail.get_body(("html",)).get_content()
    (chart,) = (part for part in mail.walk() if part.get_content_type() == "image/png")
    assert (chart["Content-ID"], chart.get_content()) == ("<chart>", b"\x89PNG")
    assert max(map(len, mail.as_bytes().splitlines())) < 999
