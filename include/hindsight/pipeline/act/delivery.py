"""Outbox: nothing promised is lost, and nothing is sent twice unless the server's last reply was."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.errors import DeliveryError
from hindsight.ledger import claims
from hindsight.ledger.claims import Claim
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.messages.mail import Mailer
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.letters import Attempt, Fate, Message, letters

logger = logging.getLogger(__name__)
MAX_AGE = timedelta(days=7)
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_DRAIN_S = 240.0  # with one more mail's deadline well under the lease, whose end is counted from the drain's start
_warned: set[str] = set()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one drain did; `pending` is what still waits, `complaints` a line for every mail given up."""

    sent: int = 0
    retried: int = 0
    dead: int = 0
    pending: int = 0
    complaints: tuple[str, ...] = ()


def deliver(resources: Resources, *, now: datetime, monitor: str | None = None) -> Delivery:
    """Send the mail that is due; what cannot be sent stays promised."""
    return drain(resources.ledger, resources.mailer, now=now, monitor=monitor)


def promise(monitor: Monitor, cause: str, message: Message, resources: Resources, at: datetime) -> None:
    """Promise one message about a monitor to all its recipients."""
    with resources.ledger.locked(monitor.name) as tx:
        tx.queue(letters(message, monitor=monitor.name, cause=cause, recipients=monitor.alerts.email), at)


def drain(
    ledger: Ledger,
    mailer: Mailer | None,
    *,
    now: datetime,
    monitor: str | None = None,
    limit: int = 200,
    max_age: timedelta = MAX_AGE,
) -> Delivery:
    """Send what is due, the most severe first, at most `limit` mails; any number of processes may do so at once.

    Without a mailer all stays pending. Raises DeliveryError, not transient, where the connection is configured wrong:
    one attempt is made and everything is kept. A server out of reach ends the drain without an error.
    """
    if mailer is None:
        return _wait_for_a_mailer(ledger, monitor)
    complaints = claims.expire(ledger, now=now, max_age=max_age, monitor=monitor)
    done = Counter(dead=len(complaints))
    stop_at = time.monotonic() + _DRAIN_S
    for _ in range(limit):
        claim = claims.claim(ledger, now=now, monitor=monitor) if time.monotonic() < stop_at else None
        if claim is None:
            break
        attempt = mailer.send(claim.envelope)
        done[_settle(ledger, claim, attempt, now)] += 1
        if attempt.fate is Fate.REFUSED:
            complaints.append(f"{claim.envelope.message.subject!r} to {claim.envelope.recipient}: {attempt.detail}")
        if attempt.fate is Fate.MISCONFIGURED:
            raise _misconfigured(mailer, attempt, claims.waiting(ledger, monitor))
        if attempt.fate is Fate.UNREACHABLE:
            logger.warning("mail server out of reach connection=%s %s", mailer.connection, attempt.detail)
            break
    for complaint in complaints:
        logger.error("mail given up %s", complaint)
    return Delivery(done["sent"], done["retried"], done["dead"], claims.waiting(ledger, monitor), tuple(complaints))


def _settle(ledger: Ledger, claim: Claim, attempt: Attempt, now: datetime) -> str:
    """Write what became of the mail and return under which number of the Delivery it counts."""
    if attempt.fate is Fate.SENT:
        claims.settle(ledger, claim, state=MailState.SENT, sent_at=now, last_error="")
        return "sent"
    if attempt.fate is Fate.REFUSED:
        claims.settle(ledger, claim, state=MailState.DEAD, last_error=attempt.detail)
        return "dead"
    claims.settle(
        ledger,
        claim,
        unsure=attempt.fate is Fate.UNSURE,
        state=MailState.PENDING,
        next_at=now + wait(claim.dedup_key, claim.attempts),
        last_error=attempt.detail,
    )
    return "retried"


def wait(dedup_key: str, attempts: int) -> timedelta:
    """Return how long to wait after this many attempts: 1, 2, 4 … 60 minutes, each ± 25 % by a hash of key and count.

    The same row always waits the same; different rows spread out.
    """
    whole = min(_FIRST_WAIT * (1 << min(attempts - 1, 16)), _LONGEST_WAIT)
    digest = hashlib.sha256(f"{dedup_key}:{attempts}".encode()).digest()
    return whole * (0.75 + int.from_bytes(digest[:4]) / 2**33)


def _wait_for_a_mailer(ledger: Ledger, monitor: str | None) -> Delivery:
    pending = claims.waiting(ledger, monitor)
    if pending and "no mailer" not in _warned:
        _warned.add("no mailer")
        logger.warning("no connection hindsight_smtp: %d mails wait in the outbox", pending)
    return Delivery(pending=pending)


def _misconfigured(mailer: Mailer, attempt: Attempt, waiting: int) -> DeliveryError:
    return DeliveryError(
        f"connection {mailer.connection}: {attempt.detail} - correct the connection; {waiting} mails wait until then",
        transient=False,
    )
