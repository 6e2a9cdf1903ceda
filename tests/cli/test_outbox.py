"""`hindsight outbox`: what mail waits or was given up, and what a person can do about it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hindsight.errors import DeliveryError
from hindsight.ledger.records import MailState
from hindsight.messages.smtp_mailer import Security, SmtpMailer, SmtpSettings
from hindsight.pipeline.act.delivery import drain
from hindsight.vocabulary.letters import Letter, Message
from tests.builders import DAY, HOUR
from tests.cli.said import Say
from tests.messages.smtp_server import Script, running
from tests.pipeline.world import World

NOW = datetime.now(UTC)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def smtp(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpMailer]:
    """A server that the environment leads to as hindsight_smtp."""
    with running(script) as port:
        extra = "disable_ssl=true&disable_tls=true&from_email=hindsight%40example.com"
        monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_SMTP", f"smtp://127.0.0.1:{port}/?{extra}")
        yield SmtpMailer(SmtpSettings("127.0.0.1", port, "hindsight@example.com", Security.CLEAR, timeout_s=10))


@pytest.fixture
def refused(world: World, script: Script, smtp: SmtpMailer) -> World:
    """Mail 1 was given up for its unknown recipient, mail 2 waits because relaying to it is denied; 3 was sent."""
    script.answers = {"RCPT": ["550 5.1.1 unknown user", "554 5.7.1 Relay access denied"]}
    people = ("gone@example.com", "boss@example.org", "ann@example.com")
    message = Message("[P1] credit: accuracy 0.71", "what happened")
    with world.resources.ledger.locked("credit") as tx:
        tx.queue([Letter("credit", "window", one, message) for one in people], NOW - HOUR)
    with pytest.raises(DeliveryError, match="Relay access denied"):
        drain(world.resources.ledger, smtp, now=NOW - HOUR)
    return world


def states(world: World) -> list[MailState]:
    return [mail.state for mail in world.resources.ledger.outbox()]


def test_what_waits_or_was_given_up_is_listed_with_the_reason(refused: World, say: Say) -> None:
    said = say("outbox")
    text = " ".join(said.out.split())
    assert said.code == 0
    for part in ("gone@example.com", "given up", "5.1.1", "boss@example.org", "tried 1 ×", "5.7.1", "[P1] credit:"):
        assert part in text
    assert "ann@example.com" not in text
    first, second = say("outbox", "credit", "--json").json
    assert first["subject"] == "[P1] credit: accuracy 0.71"
    assert (first["id"], first["state"], first["why"]) == (1, "dead", "recipient: 550 5.1.1 unknown user")
    assert (second["recipient"], second["state"], second["attempts"]) == ("boss@example.org", "pending", 1)


def test_an_empty_outbox_says_so(world: World, say: Say) -> None:
    assert say("outbox").out == "no mail waits, and none was given up\n"
    assert say("outbox", "--json").json == []


def test_a_mail_that_was_given_up_is_sent_when_asked_for_again(
    refused: World, script: Script, say: Say, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    said = say("outbox", "--retry", "1")
    assert (said.code, said.out) == (0, "1 mail to be sent again\n")
    assert "2 mails sent" in said.err or "1 mail sent" in said.err
    assert states(refused)[0] is MailState.SENT
    assert "audit outbox action=retry mail=1 monitor=credit recipient=gone@example.com by=" in caplog.text


@pytest.mark.parametrize("words", [("--retry", "all"), ("--retry", "--all"), ("--all",), ("credit", "--all")])
def test_all_are_sent_when_all_are_asked_for_again(refused: World, say: Say, words: tuple[str, ...]) -> None:
    said = say("outbox", *words)
    assert (said.code, said.out) == (0, "2 mails to be sent again\n")
    assert states(refused) == [MailState.SENT] * 3


def test_a_retry_does_not_wait_for_a_connection_that_is_held(
    world: World, script: Script, smtp: SmtpMailer, say: Say
) -> None:
    script.answers = {"MAIL": ["550 sender refused"]}
    message = Message("subject", "text")
    ledger = world.resources.ledger
    with ledger.locked("credit") as tx:
        tx.queue([Letter("credit", "window", "ann@example.com", message)], NOW)
    with pytest.raises(DeliveryError):
        drain(ledger, smtp, now=datetime.now(UTC))
    assert "hindsight_smtp is not tried before" in say("outbox").err
    assert say("outbox", "--all").code == 0
    assert states(world) == [MailState.SENT]


def test_a_retry_that_fails_says_why_and_keeps_the_mail(refused: World, script: Script, say: Say) -> None:
    script.always = {"RCPT": "554 5.7.1 Relay access denied"}
    said = say("outbox", "--retry", "2")
    assert said.code == 1
    assert "Relay access denied" in said.err
    assert states(refused)[1] is MailState.PENDING


def test_a_dropped_mail_is_never_sent(refused: World, say: Say) -> None:
    assert say("outbox", "--drop", "2").out == "1 mail dropped\n"
    assert [mail["id"] for mail in say("outbox", "--json").json] == [1]
    say("outbox", "--retry", "all")
    assert states(refused) == [MailState.SENT, MailState.DROPPED, MailState.SENT]
    assert refused.resources.ledger.outbox()[1].last_error.startswith("dropped by ")


def test_what_cannot_be_is_said_in_words(refused: World, say: Say) -> None:
    for words, answer in (
        (("--retry", "99"), "there is no mail 99"),
        (("--drop", "3"), "mail 3 to ann@example.com was sent"),
        (("--retry", "3"), "mail 3 to ann@example.com was sent"),
        (("--retry", "some"), "neither the number of a mail nor all"),
        (("--retry", "1", "--drop", "2"), "two commands"),
        (("nothing", "--all"), "nothing"),
    ):
        said = say("outbox", *words)
        assert said.code == 1
        assert answer in said.err
    assert states(refused) == [MailState.DEAD, MailState.PENDING, MailState.SENT]


def test_a_mail_whose_text_was_forgotten_is_not_sent_empty(refused: World, say: Say) -> None:
    refused.resources.ledger.forget_bodies(NOW + DAY)
    assert "forgotten" in say("outbox", "--retry", "1").err
    assert states(refused)[0] is MailState.DEAD


def test_show_warns_of_mail_that_is_stuck(refused: World, say: Say) -> None:
    assert "mail: 1 could not be sent yet, 1 given up" in say("show").err
    say("outbox", "--all")
    assert "mail:" not in say("show").err


def test_an_incident_says_that_its_mail_was_dropped(world: World, say: Say) -> None:
    world.run("2026-09-02")
    ids = [str(mail["id"]) for mail in say("outbox", "--json").json]
    assert ids
    say("outbox", *(word for id in ids for word in ("--drop", id)))
    done = [story["done"] for story in say("incidents", "credit", "--json").json]
    assert any("dropped (dropped by " in one for one in done)
