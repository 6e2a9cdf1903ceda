"""Outbox: nothing promised is lost, and nothing is sent twice unless the server's last reply was."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hindsight.errors import ConfigError, DeliveryError
from hindsight.ledger import claims, holds
from hindsight.ledger.claims import Claim
from hindsight.ledger.holds import Hold
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState
from hindsight.messages.smtp_mailer import Mailer, Session
from hindsight.monitors.model import Monitor
from hindsight.pipeline.act.silences import hold_silenced
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.letters import Attempt, Fate, Message, letters

logger = logging.getLogger(__name__)
MAX_AGE = timedelta(days=7)
DRAIN_S = 240.0  # no mail is begun later; with the longest one it ends before its lease does
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_LONGEST_HOLD = timedelta(minutes=10)  # of a server that may be back any moment; a wrong password waits the hour
_ALIKE = 5  # so many recipients refused and none taken: the next would be, too
_TAKEN = (Fate.SENT, Fate.UNSURE)
_REFUSED = (Fate.DOUBTFUL, Fate.FORBIDDEN)
_BROKEN = (Fate.MISCONFIGURED, Fate.UNREACHABLE)
_warned: set[str] = set()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one drain did; `pending` is what still waits, `complaints` a line for every mail given up.

    `held` says why and until when nothing was tried.
    """

    sent: int = 0
    retried: int = 0
    dead: int = 0
    pending: int = 0
    complaints: tuple[str, ...] = ()
    held: str = ""


@dataclass(slots=True)
class _Seen:
    """What a drain has seen so far: whom the server took mail for, whom it refused for good, and what broke."""

    done: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    refused: dict[str, tuple[Claim, Attempt]] = field(default_factory=dict)
    broken: Attempt | None = None

    @property
    def is_over(self) -> bool:
        """Whether no other mail would fare better."""
        return self.broken is not None or (len(self.refused) >= _ALIKE and not self.taken)

    def give_up(self, complaint: str) -> None:
        """Note, and log at once, whatever follows, that a mail is never sent."""
        self.done["dead"] += 1
        self.complaints.append(complaint)
        logger.error("mail given up %s", complaint)


def deliver(resources: Resources, *, now: datetime, monitor: str | None = None) -> Delivery:
    """Send what is due and tells more than what is silenced, by mail and on channels; what cannot be sent is kept.

    A channel that fails blocks no other. Raises DeliveryError, not transient, where a connection is configured wrong.
    """
    hold_silenced(resources, now=now, monitor=monitor)
    done: list[Delivery] = []
    wrong: list[str] = []
    for channel in (claims.EMAIL, *claims.channels(resources.ledger, now=now, monitor=monitor)):
        try:
            mailer = resources.mailer if channel == claims.EMAIL else resources.channel(channel)
            done.append(drain(resources.ledger, mailer, now=now, monitor=monitor, channel=channel))
        except DeliveryError as exc:
            wrong.append(str(exc))
        except ConfigError as exc:
            gone = claims.expire(resources.ledger, now=now, max_age=MAX_AGE, monitor=monitor, channel=channel)
            wrong += [str(exc), *gone]
    if wrong:
        raise DeliveryError("; ".join(wrong), transient=False)
    return _together(done)


def _together(done: Sequence[Delivery]) -> Delivery:
    return Delivery(
        sent=sum(one.sent for one in done),
        retried=sum(one.retried for one in done),
        dead=sum(one.dead for one in done),
        pending=done[-1].pending,
        complaints=tuple(complaint for one in done for complaint in one.complaints),
        held="; ".join(one.held for one in done if one.held),
    )


def promise(monitor: Monitor, cause: str, message: Message, resources: Resources, at: datetime) -> None:
    """Promise one message about a monitor to all its recipients."""
    to = monitor.receivers(message.severity)
    with resources.ledger.locked(monitor.name) as tx:
        tx.queue(letters(message, monitor=monitor.name, cause=cause, recipients=to), at)


def drain(
    ledger: Ledger,
    mailer: Mailer | None,
    *,
    now: datetime,
    monitor: str | None = None,
    limit: int = 200,
    max_age: timedelta = MAX_AGE,
    channel: str = claims.EMAIL,
) -> Delivery:
    """Send what is due on a channel, the most severe first, at most `limit` mails; any number of processes may do so.

    Without a mailer all stays pending, and while its connection is held after a failure. Raises DeliveryError, not
    transient, where the connection is configured wrong or the server's rules are against us: everything is kept. A
    server out of reach ends the drain without an error.
    """
    if mailer is None:
        return _wait_for_a_mailer(ledger, monitor)
    hold = holds.find(ledger, mailer.connection)
    if hold and now < hold.until:
        return _wait_for(hold, claims.waiting(ledger, monitor))
    seen = _Seen()
    for complaint in claims.expire(ledger, now=now, max_age=max_age, monitor=monitor, channel=channel):
        seen.give_up(complaint)
    with mailer.session() as session:
        for claim in _claims(ledger, now, monitor, channel, limit, seen):
            _note(ledger, claim, session.send(claim.envelope), now, seen)
        ours = _faults_of_ours(seen, session)
    _give_up_the_rest(ledger, ours, seen)
    _keep_hold(ledger, mailer, hold, seen, ours, now)
    pending = claims.waiting(ledger, monitor)
    _complain(mailer, seen, ours, pending)
    return Delivery(seen.done["sent"], seen.done["retried"], seen.done["dead"], pending, tuple(seen.complaints))


def _claims(
    ledger: Ledger, now: datetime, monitor: str | None, channel: str, limit: int, seen: _Seen
) -> Iterator[Claim]:
    """Take one mail after the other, none to a recipient who was refused, until no other would fare better."""
    stop_at = time.monotonic() + DRAIN_S
    for _ in range(limit):
        if seen.is_over or time.monotonic() >= stop_at:
            return
        claim = claims.claim(ledger, now=now, monitor=monitor, but=list(seen.refused), channel=channel)
        if claim is None:
            return
        yield claim


def _note(ledger: Ledger, claim: Claim, attempt: Attempt, now: datetime, seen: _Seen) -> None:
    """Write what became of the mail, and note what it tells of the others."""
    recipient = claim.envelope.recipient
    if attempt.fate in _TAKEN:  # an unanswered dot comes after a recipient who was taken
        seen.taken.add(recipient)
    if attempt.fate in _REFUSED:
        seen.refused[recipient] = (claim, attempt)
    if attempt.fate in _BROKEN:
        seen.broken = attempt
    if attempt.fate is Fate.SENT:
        claims.settle(ledger, claim, state=MailState.SENT, sent_at=now, last_error="")
        seen.done["sent"] += 1
    elif attempt.fate is Fate.REFUSED:
        _give_up(ledger, claim, attempt, seen)
    else:
        _put_off(ledger, claim, attempt, now)
        seen.done["retried"] += 1


def _put_off(ledger: Ledger, claim: Claim, attempt: Attempt, now: datetime) -> None:
    until = now + wait(claim.dedup_key, claim.attempts)
    unsure = attempt.fate is Fate.UNSURE
    claims.settle(ledger, claim, unsure=unsure, state=MailState.PENDING, next_at=until, last_error=attempt.detail)
    if attempt.fate in _REFUSED:
        claims.postpone(ledger, claim.envelope.recipient, until)


def _give_up(ledger: Ledger, claim: Claim, attempt: Attempt, seen: _Seen) -> None:
    claims.settle(ledger, claim, state=MailState.DEAD, last_error=attempt.detail)
    seen.give_up(f"{claim.envelope.message.subject!r} to {claim.envelope.recipient}: {attempt.detail}")


def _faults_of_ours(seen: _Seen, session: Session) -> set[str]:
    """Return the recipients whose refusal is our fault."""
    return {
        recipient for recipient, (_, attempt) in seen.refused.items() if _is_ours(recipient, attempt, seen, session)
    }


def _is_ours(recipient: str, attempt: Attempt, seen: _Seen, session: Session) -> bool:
    """Whether a refusal is our fault; SMTP has no better way to tell an unknown user from a missing login.

    Refused alike with all others of this drain it is. Beside another of its domain whose mail was taken it is not.
    Where no other of its domain was, the server is asked for that domain's postmaster: it may merely not relay there.
    """
    alone = len(seen.refused) == 1
    if attempt.fate is Fate.FORBIDDEN or not (seen.taken or alone):
        return True
    if attempt.taken or _domain(recipient) in map(_domain, seen.taken):
        return False
    return not session.takes_postmaster_of(recipient)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _give_up_the_rest(ledger: Ledger, ours: set[str], seen: _Seen) -> None:
    for recipient, (claim, attempt) in seen.refused.items():
        if recipient not in ours:
            seen.done["retried"] -= 1
            _give_up(ledger, claim, attempt, seen)


def _keep_hold(ledger: Ledger, mailer: Mailer, hold: Hold | None, seen: _Seen, ours: set[str], now: datetime) -> None:
    """Hold the connection where all mail would fail alike, for 1, 2, 4 … minutes; release it where some went well."""
    broken = seen.broken or (seen.refused[min(ours)][1] if len(ours) > 1 and not seen.taken else None)
    if broken is not None:
        failures = (hold.failures if hold else 0) + 1
        longest = _LONGEST_WAIT if broken.fate is Fate.MISCONFIGURED else _LONGEST_HOLD
        until = now + min(wait(mailer.connection, failures), longest)
        holds.put(ledger, Hold(mailer.connection, failures, until, broken.detail))
    elif hold and (seen.done or seen.refused):
        holds.release(ledger, mailer.connection)


def _complain(mailer: Mailer, seen: _Seen, ours: set[str], pending: int) -> None:
    """Say what a person must look at: raise DeliveryError; log a server that is merely out of reach."""
    broken = seen.broken
    if broken is not None and broken.fate is Fate.MISCONFIGURED:
        what, then = broken.detail, "correct the connection"
    elif ours:
        who = ", ".join(sorted(ours)) if seen.taken or len(ours) == 1 else f"{len(ours)} recipients alike"
        what = f"the server's rules refuse mail to {who}: {seen.refused[min(ours)][1].detail}"
        then = "see that the login, the sender, helo and relaying are allowed"
    else:
        if broken is not None:
            logger.warning("mail server out of reach connection=%s %s", mailer.connection, broken.detail)
        return
    waits = f"{pending} mail waits" if pending == 1 else f"{pending} mails wait"
    raise DeliveryError(
        f"connection {mailer.connection}: {what} - {then}; {waits} until then (hindsight outbox)",
        transient=False,
    )


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


def _wait_for(hold: Hold, pending: int) -> Delivery:
    held = f"connection {hold.connection} is not tried before {hold.until:%Y-%m-%d %H:%M} UTC: {hold.why}"
    if pending:
        logger.warning("%d mails wait: %s", pending, held)
    return Delivery(pending=pending, held=held)
