"""The outbox as people see it: what waits or was given up and why; to try again, or to drop."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from hindsight.errors import ConfigError
from hindsight.ledger import claims, holds
from hindsight.ledger.claims import DROPPABLE, RETRIABLE
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import Mail, MailState

logger = logging.getLogger(__name__)
UNSENT = (MailState.PENDING, MailState.SENDING, MailState.DEAD)
_NO_LONGER = {
    MailState.SENT: "was sent",
    MailState.SENDING: "is being sent right now",
    MailState.SUPPRESSED: "tells what was over before it could be told, or was one too many that day",
    MailState.DROPPED: "was dropped already",
}


def unsent(ledger: Ledger, monitor: str | None = None) -> list[Mail]:
    """Return the mails that wait or were given up, oldest first."""
    return [mail for mail in ledger.outbox(monitor) if mail.state in UNSENT]


def trouble(ledger: Ledger, monitor: str | None = None) -> str:
    """Say in a line how many mails are given up, or wait after a failed attempt, and why; "" where none is."""
    stuck = [mail for mail in unsent(ledger, monitor) if mail.last_error]
    if not stuck:
        return ""
    dead = sum(mail.state is MailState.DEAD for mail in stuck)
    return f"mail: {len(stuck) - dead} could not be sent yet, {dead} given up, the last: {stuck[-1].last_error}"


def held(ledger: Ledger, now: datetime) -> list[str]:
    """Return a line for each connection that is left alone for now, until when and why."""
    found = [hold for hold in holds.every(ledger) if hold.until > now]
    return [
        f"connection {one.connection} is not tried before {one.until:%Y-%m-%d %H:%M} UTC: {one.why}" for one in found
    ]


def retry(ledger: Ledger, monitor: str | None, ids: Iterable[int] | None, *, by: str, at: datetime) -> list[Mail]:
    """Make these mails due at once, as if promised now; all that wait or were given up where `ids` is None.

    The connection is tried again at once, too. Raises ConfigError, and changes nothing, for a mail that is not there or
    that there is no sending again.
    """
    mails = unsent(ledger, monitor) if ids is None else _named(ledger, monitor, ids, RETRIABLE)
    again = {mail.id for mail in mails if claims.ask_again(ledger, mail.id, by=by, at=at)}
    if ids is not None and (lost := [mail.id for mail in mails if mail.id not in again]):
        raise ConfigError(f"mail {lost[0]}: its text was forgotten meanwhile, or it is being sent")
    holds.release(ledger)
    return _done("retry", ledger, again, by)


def drop(ledger: Ledger, monitor: str | None, ids: Iterable[int], *, by: str, at: datetime) -> list[Mail]:
    """Never send these mails; raises ConfigError, and changes nothing, for one that was settled otherwise."""
    mails = _named(ledger, monitor, ids, DROPPABLE)
    dropped = {mail.id for mail in mails if claims.drop(ledger, mail.id, by=by, at=at)}
    return _done("drop", ledger, dropped, by)


def _named(ledger: Ledger, monitor: str | None, ids: Iterable[int], states: tuple[MailState, ...]) -> list[Mail]:
    there = {mail.id: mail for mail in ledger.outbox(monitor)}
    found = []
    for id in dict.fromkeys(ids):
        if id not in there:
            whose = f" of {monitor}" if monitor else ""
            raise ConfigError(f"there is no mail {id}{whose} - hindsight outbox lists what waits or was given up")
        if there[id].state not in states:
            raise ConfigError(f"mail {id} to {there[id].recipient} {_NO_LONGER[there[id].state]}")
        found.append(there[id])
    return found


def _done(what: str, ledger: Ledger, ids: set[int], by: str) -> list[Mail]:
    mails = [mail for mail in ledger.outbox() if mail.id in ids]
    for mail in mails:
        logger.warning(
            "audit outbox action=%s mail=%d monitor=%s recipient=%s by=%s",
            what,
            mail.id,
            mail.monitor,
            mail.recipient,
            by,
        )
    return mails
