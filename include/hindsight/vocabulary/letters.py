"""Letters: what is promised to one recipient, the key under which it is promised once, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hindsight.vocabulary.severity import Severity

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Message:
    """What a mail says; `html` may be empty and `png` is the chart the HTML shows as cid:chart."""

    subject: str
    text: str
    html: str = ""
    png: bytes | None = None
    severity: Severity = Severity.P2


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to one recipient; `facts` are the (incident id, state) pairs it tells.

    `nth` says of each fact the how manieth telling of its incident it is; `about` stands for the subject where that
    may change.
    """

    monitor: str
    cause: str
    recipient: str
    message: Message
    facts: tuple[Fact, ...] = ()
    nth: tuple[int, ...] = ()
    about: str = ""

    @property
    def dedup_key(self) -> str:
        """Hash of monitor, cause, recipient and what is told, and for which time: the same promise has the same key."""
        nth: Sequence[tuple[int, ...]] = [(n,) for n in self.nth] or [()] * len(self.facts)
        told: object = sorted((id, str(state), *n) for (id, state), n in zip(self.facts, nth, strict=True))
        told = told or self.about or self.message.subject
        return hashlib.sha256(json.dumps([self.monitor, self.cause, self.recipient, told]).encode()).hexdigest()

    @property
    def message_id(self) -> str:
        """The Message-ID, derived from the key, by which a mail sent twice is seen to be one."""
        return f"<{self.dedup_key[:32]}@{self.monitor}.hindsight>"


def letters(
    message: Message,
    *,
    monitor: str,
    cause: str,
    recipients: Iterable[str],
    facts: Iterable[Fact] = (),
    nth: Iterable[int] = (),
) -> list[Letter]:
    """Address one message to each recipient, the same address once."""
    told, times = tuple(facts), tuple(nth)
    return [Letter(monitor, cause, recipient, message, told, times) for recipient in dict.fromkeys(recipients)]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A promised message as the outbox hands it to a mailer; sending it again gives the same mail, byte for byte."""

    message_id: str
    recipient: str
    promised_at: datetime
    message: Message


class Fate(StrEnum):
    """What became of one attempt to send one mail."""

    SENT = "sent"
    LATER = "later"  # this mail again later, others may go on
    UNREACHABLE = "unreachable"  # surely not sent, and no other mail would fare better now
    UNSURE = "unsure"  # the server's last reply was lost: it may have been sent
    REFUSED = "refused"  # never to this recipient, or never this mail
    DOUBTFUL = "doubtful"  # refused for good, by the recipient's fault or by ours: what other recipients get tells
    FORBIDDEN = "forbidden"  # the server's rules are against us: a person must look, others may fare better meanwhile
    MISCONFIGURED = "misconfigured"  # a person must look at the connection; nothing more is tried


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of an attempt, and what the server or the network said; `taken` is that it took the recipient."""

    fate: Fate
    detail: str = ""
    taken: bool = False
