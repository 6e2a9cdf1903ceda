"""A channel takes a message or it does not: only a success counts, nothing is raised, and no token is ever shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from hindsight.messages.apprise_channel import LONGEST, AppriseChannel, body_of
from hindsight.messages.incident_mail import PROMISE
from hindsight.vocabulary.letters import Attempt, Envelope, Fate, Message
from hindsight.vocabulary.severity import Severity
from tests.builders import at
from tests.messages.webhook import Hook, hooked

TOKEN = "s3cr3tt0k3n"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as made:
        yield made


def sent(url: str, message: Message) -> Attempt:
    with AppriseChannel("slack_ml", url).session() as session:
        return session.send(Envelope("<1@x>", "slack_ml", at("2026-09-01"), message))


def a_message(severity: Severity = Severity.P0, text: str = "subject\n\nOpen\n  P0  accuracy 0.7\n") -> Message:
    return Message("subject", text, "<p>html</p>", b"png", severity)


def test_a_message_arrives_with_its_subject_as_title_and_how_grave_it_is(hook: Hook) -> None:
    assert sent(f"json://127.0.0.1:{hook.port}/{TOKEN}", a_message()) == Attempt(Fate.SENT)
    (post,) = hook.posts
    assert (post["title"], post["message"], post["type"]) == ("subject", "Open\n  P0  accuracy 0.7", "failure")
    sent(f"json://127.0.0.1:{hook.port}", a_message(Severity.P2))
    assert hook.posts[1]["type"] == "info"


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_what_the_service_does_not_take_is_not_sent(hook: Hook, status: int) -> None:
    hook.always = status
    assert sent(f"json://127.0.0.1:{hook.port}", a_message()).fate is Fate.UNREACHABLE
    assert hook.posts == []


def test_nobody_there_is_no_error() -> None:
    assert sent("json://127.0.0.1:9", a_message()).fate is Fate.UNREACHABLE


@pytest.mark.parametrize("url", ["nothing://x", f"slack://{TOKEN}", "json://", "", "https//x"])
def test_an_address_that_is_none_is_a_persons_to_mend_and_not_shown(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    attempt = sent(url, a_message())
    assert attempt.fate is Fate.MISCONFIGURED
    seen = attempt.detail + caplog.text + "".join(capfd.readouterr())
    assert "connection slack_ml" in attempt.detail
    assert TOKEN not in seen


def test_no_log_line_holds_a_token_whatever_the_level(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hook.answers = [500]
    for _ in range(2):
        sent(f"json://127.0.0.1:{hook.port}/{TOKEN}", a_message())
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(AppriseChannel("slack_ml", f"json://{TOKEN}"))
    assert not logging.getLogger("urllib3.connectionpool").disabled


def test_a_long_text_is_cut_where_a_chat_would() -> None:
    body = body_of("subject\n\n" + "x" * 2 * LONGEST, "subject")
    assert (len(body), body[-1]) == (LONGEST, "…")


def test_what_a_mail_says_of_mails_and_pictures_from_elsewhere_are_left_out(hook: Hook) -> None:
    sent(f"json://127.0.0.1:{hook.port}/", a_message(text=f"subject\n\nOpen\n\n{PROMISE}\n"))
    assert hook.posts[-1]["message"] == "Open"
    assert "http" not in json.dumps(hook.posts[-1])


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is posted to services that have one host only, which nobody may reach from a test."""
    import requests

    found: list[str] = []

    def post(*args: object, data: str = "", **rest: object) -> requests.Response:
        found.append(data)
        answer = requests.Response()
        answer.status_code, answer._content = 200, b"ok"
        return answer

    monkeypatch.setattr(requests.Session, "request", post)
    return found


def test_names_and_notes_are_no_markup_of_the_service(posts: list[str]) -> None:
    text = "subject\n\nsegment <!channel> <https://evil.example.com|click> of 1 < 2"
    sent("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ml", a_message(text=text))
    assert posts
    assert "<!channel>" not in posts[0]
    assert "<https://evil" not in posts[0]


@pytest.mark.parametrize(
    "url",
    [
        f"workflows://prod-1.westeurope.logic.azure.com:443/{'a' * 32}/{'b' * 30}",
        f"wxteams://{'a' * 80}",
        "gchat://workspace/key/token",
    ],
)
def test_links_arrive_whole_where_the_service_reads_markdown(posts: list[str], url: str) -> None:
    link = "https://air.example/hindsight/credit_default/cases/a_b-1?from=2026-09-01"
    assert sent(url, a_message(text=f"subject\n\na_*b* drifted\nIn Airflow: {link}\n")).fate is Fate.SENT
    assert f"<{link}>" in posts[0]
    assert r"a\\_\\*b\\*" in posts[0]


def test_a_long_text_is_cut_and_its_markup_is_not(posts: list[str]) -> None:
    sent(f"wxteams://{'a' * 80}", a_message(text="subject\n\n" + "_" * LONGEST))
    (body,) = [json.loads(post)["markdown"] for post in posts]
    assert len(body) <= LONGEST + len("# subject\n")
    assert body.endswith(r"\_…")
