"""Channels: messages to chats, pagers and webhooks through Apprise; its addresses hold tokens and are shown nowhere."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hindsight.messages.incident_mail import PROMISE
from hindsight.messages.markdown import as_markdown
from hindsight.vocabulary.letters import Attempt, Envelope, Fate, Message
from hindsight.vocabulary.severity import Severity

if TYPE_CHECKING:
    from apprise import Apprise

TALKATIVE = ("apprise", "urllib3", "requests_oauthlib", "httpx")  # loggers that write addresses, tokens and all
LONGEST = 3000  # characters of a text: what is read in a chat
ROOM = 100  # characters that a service adds by escaping and line ends
_KINDS = {Severity.P0: "failure", Severity.P1: "warning", Severity.P2: "info"}


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """One channel, as the connection of an id describes it; `url` is Apprise's address of it, with its token."""

    connection: str
    url: str = field(repr=False)

    @contextmanager
    def session(self) -> Iterator[AppriseSession]:
        """Hand over messages one by one; nothing is kept open between them."""
        yield AppriseSession(self.connection, self.url)


@dataclass(frozen=True, slots=True)
class AppriseSession:
    """Hands messages to one channel; only what Apprise calls a success counts as sent."""

    connection: str
    url: str = field(repr=False)

    def send(self, envelope: Envelope) -> Attempt:
        """Try once. Named boundary: whatever a service's module raises is said by its type, and blocks no other.

        A slow service may have taken a message although it is called failed: it may come twice.
        """
        with quiet():
            target = _target(self.url)
            if target is None:
                said = "its password is no address that Apprise knows, such as slack://… - see docs/alerts.md"
                return Attempt(Fate.MISCONFIGURED, f"connection {self.connection}: {said}")
        with quiet():  # again: the service's own module, and what it logs by, was imported only now
            try:
                taken = _notify(target, envelope)
            except Exception as exc:  # noqa: BLE001 - a traceback would show the address
                return Attempt(Fate.UNREACHABLE, f"{self.connection} failed: {type(exc).__name__}")
        return Attempt(Fate.SENT) if taken else Attempt(Fate.UNREACHABLE, f"{self.connection} did not take it")

    def takes_postmaster_of(self, recipient: str) -> bool:
        """No channel has a postmaster."""
        return False


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the loggers that write addresses silent, whatever their level, and the warnings of what Apprise imports."""
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if _is_talkative(name)]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _is_talkative(name: str) -> bool:
    return name.partition(".")[0] in TALKATIVE


def _target(url: str) -> Apprise | None:
    """Return the one target of an address; None for an address that is none. Nothing is written to disk."""
    from apprise import Apprise, AppriseAsset
    from apprise.common import PersistentStoreMode

    asset = AppriseAsset(
        app_id="Hindsight",
        storage_mode=PersistentStoreMode.MEMORY,
        result_log_disk_size=0,
        result_log_memory_size=0,
        secure_logging=True,
        allow_templates=False,
        image_url_mask="",  # else each message would make people's clients fetch a picture from elsewhere
        image_url_logo="",
    )
    target = Apprise(asset=asset)
    return target if target.add(url) and len(target) == 1 else None


def _notify(target: Apprise, envelope: Envelope) -> bool:
    from apprise import AppriseResultStatus, NotifyFormat, NotifyType

    message, service = envelope.message, target[0]
    of_service = NotifyFormat.MARKDOWN if service.notify_format == NotifyFormat.MARKDOWN else NotifyFormat.TEXT
    written = as_markdown if of_service is NotifyFormat.MARKDOWN else str  # a text Apprise would escape, addresses too
    title = written(message.subject)
    most = min(LONGEST, int(getattr(service, "body_maxlen", LONGEST)) - len(title) - ROOM)
    result = target.notify(
        body=_within(most, written, message),
        title=title,
        notify_type=NotifyType(_KINDS[message.severity]),
        body_format=of_service,  # without it names and notes would be taken for the service's own markup
    )
    return bool(result.status is AppriseResultStatus.SUCCESS)


def _within(most: int, written: Callable[[str], str], message: Message) -> str:
    """Return the body as it is written for a service, of at most `most` characters: the text is cut, not its markup."""
    room = most
    while len(body := written(body_of(message.text, message.subject, room))) > most and room > 0:
        room = min(room - 1, room * most // len(body))
    return body


def body_of(text: str, subject: str, most: int = LONGEST) -> str:
    """Return the text of a message for a chat: not too long, without its subject, which is the title there.

    What a mail promises of mails is left out too.
    """
    body = text.removeprefix(subject).strip().removesuffix(PROMISE).rstrip()
    return body if len(body) <= most else f"{body[: max(most - 1, 0)].rstrip()}…"
