"""The outbox's rows as one sender takes and settles them: a row is under one lease at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.caps import give_place
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState, series_of
from hindsight.verdicts.model import Series, State
from hindsight.vocabulary.letters import Envelope, Message
from hindsight.vocabulary.severity import Severity

LEASE = timedelta(minutes=35)  # of a drain's start: it outlasts the drain and the slowest server's last answer
MAX_COPIES = 3  # a server that never answers the final dot may have delivered each
RETRIABLE = (MailState.PENDING, MailState.DEAD, MailState.DROPPED)
NEVER = (MailState.SUPPRESSED, MailState.DEAD, MailState.DROPPED)
DROPPABLE = (MailState.PENDING, MailState.DEAD)
HELD = "silenced until"  # how the last word of mail begins that a silence holds
EMAIL = "email"  # the channel of all recipients that are addresses; any other recipient is the connection of one
_OUTBOX = tables.outbox


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail this process may send until the lease ends; `attempts` counts this one."""

    id: int
    dedup_key: str
    attempts: int
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Due:
    """A mail that may be sent now, and the series of the incidents it tells."""

    id: int
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """That a mail to a recipient tells a state of an incident, and whether it may have arrived, or never will."""

    mail: int
    incident: str
    state: State
    maybe_sent: bool
    is_gone: bool = False


def claim(
    ledger: Ledger, *, now: datetime, monitor: str | None, but: Collection[str] = (), channel: str = EMAIL
) -> Claim | None:
    """Take the most urgent mail that is due on a channel, or None; none to the recipients `but`.

    Mails whose news is over are suppressed on the way.

    A lease that ended unsettled means its sender died: the mail may have gone out, which counts as ambiguous.
    """
    with ledger.writing() as connection:
        while (row := connection.execute(_due(now, monitor, but, channel)).first()) is not None:
            if _is_moot(connection, row):
                _set(connection, row.id, state=MailState.SUPPRESSED, last_error="over before it could be told")
                give_place(connection, row)
                continue
            died = row.state == MailState.SENDING
            _set(
                connection,
                row.id,
                state=MailState.SENDING,
                attempts=row.attempts + 1,
                ambiguous=row.ambiguous + died,
                lease_until=now + LEASE,
            )
            return Claim(row.id, row.dedup_key, row.attempts + 1, _envelope(row))
    return None


def due(ledger: Ledger, *, now: datetime, monitor: str | None) -> dict[str, list[Due]]:
    """Return by monitor the mails that may be sent now and tell of incidents."""
    told, incidents = tables.outbox_incidents, tables.incidents
    query = (
        sa.select(_OUTBOX.c.id.label("mail"), incidents)
        .join(told, told.c.mail == _OUTBOX.c.id)
        .join(incidents, incidents.c.id == told.c.incident)
        .where(_OUTBOX.c.state == str(MailState.PENDING), _OUTBOX.c.next_at <= now)
    )
    found: dict[str, dict[int, list[Series]]] = defaultdict(lambda: defaultdict(list))
    with ledger.reading() as connection:
        for row in connection.execute(_of(query, monitor)):
            found[row.monitor][row.mail].append(series_of(row))
    return {name: [Due(mail, tuple(series)) for mail, series in mails.items()] for name, mails in found.items()}


def hold(ledger: Ledger, mail: int, until: datetime) -> bool:
    """Let a mail that is due wait because all it tells is silenced; False where it is on its way.

    Its age counts from the end of the silence.
    """
    fields = {"next_at": until, "retried_at": until, "last_error": f"{HELD} {until:%Y-%m-%d %H:%M} UTC"}
    return _change(ledger, mail, (MailState.PENDING,), fields)


def release(connection: sa.Connection, monitor: str, at: datetime) -> None:
    """Let what is held of a monitor be due at a moment: who sends it holds again what another silence is about."""
    held = sa.and_(_OUTBOX.c.monitor == monitor, _OUTBOX.c.last_error.startswith(HELD), _OUTBOX.c.next_at > at)
    still = _OUTBOX.c.state == str(MailState.PENDING)
    connection.execute(sa.update(_OUTBOX).where(held, still).values(next_at=at, retried_at=at))


def settle(ledger: Ledger, claim: Claim, *, unsure: bool = False, **fields: Any) -> None:
    """Write what became of a claimed mail; one that another sender settled as sent stays sent."""
    with ledger.writing() as connection:
        _set(connection, claim.id, lease_until=None, ambiguous=_OUTBOX.c.ambiguous + int(unsure), **fields)


def postpone(ledger: Ledger, recipient: str, until: datetime) -> None:
    """Let all that waits for a recipient wait until a moment: one mail tells what the server thinks of them."""
    waits = sa.and_(_OUTBOX.c.recipient == recipient, _OUTBOX.c.state == str(MailState.PENDING))
    with ledger.writing() as connection:
        connection.execute(sa.update(_OUTBOX).where(waits, _OUTBOX.c.next_at < until).values(next_at=until))


def channels(ledger: Ledger, *, now: datetime, monitor: str | None) -> list[str]:
    """Return the channels, other than mail, on which something is due."""
    due = sa.and_(_waiting(now), _OUTBOX.c.next_at <= now, ~_by(EMAIL))
    with ledger.reading() as connection:
        query = _of(sa.select(_OUTBOX.c.recipient).distinct(), monitor).where(due)
        return sorted(connection.execute(query).scalars())


def expire(
    ledger: Ledger, *, now: datetime, max_age: timedelta, monitor: str | None, channel: str = EMAIL
) -> list[str]:
    """Give up mails promised, or asked for again, longer ago than `max_age`, and those that may have arrived MAX_COPIES
    times; return a line about each for the log."""
    old = sa.func.coalesce(_OUTBOX.c.retried_at, _OUTBOX.c.created_at) < now - max_age
    copied = _OUTBOX.c.ambiguous >= MAX_COPIES
    query = _of(sa.select(_OUTBOX), monitor).where(_waiting(now), sa.or_(old, copied), _by(channel))
    lines = []
    with ledger.writing() as connection:
        for row in connection.execute(query.with_for_update(skip_locked=True)).all():
            late = f"not delivered within {max_age.days} days"
            unsure = f"sent {row.ambiguous} times without an answer: it may have arrived, and is not sent again"
            why = f"{unsure if row.ambiguous >= MAX_COPIES else late}; last: {row.last_error or 'never tried'}"
            _set(connection, row.id, state=MailState.DEAD, last_error=why, lease_until=None)
            lines.append(f"{row.subject!r} to {row.recipient}: {why}")
    return lines


def ask_again(ledger: Ledger, mail: int, *, by: str, at: datetime) -> bool:
    """Make a mail that waits or was given up due at once, as if promised now; False where its text is forgotten.

    One that may have arrived already keeps that one mark, and so gets one copy less than a new one.
    """
    fields = {
        "state": str(MailState.PENDING),
        "attempts": 0,
        "ambiguous": sa.case((_OUTBOX.c.ambiguous > 0, 1), else_=0),
        "next_at": at,
        "retried_at": at,
        "last_error": sa.literal(f"asked for again by {by}; before: ") + _OUTBOX.c.last_error,
    }
    return _change(ledger, mail, RETRIABLE, fields, _OUTBOX.c.text != "")


def drop(ledger: Ledger, mail: int, *, by: str, at: datetime) -> bool:
    """Never send a mail that waits or was given up; False where it does neither any more."""
    why = f"dropped by {by} at {at:%Y-%m-%d %H:%M} UTC"
    return _change(ledger, mail, DROPPABLE, {"state": str(MailState.DROPPED), "last_error": why})


def _change(
    ledger: Ledger, mail: int, states: Collection[MailState], fields: dict[str, Any], *where: sa.ColumnElement[bool]
) -> bool:
    still = sa.and_(_OUTBOX.c.id == mail, _OUTBOX.c.state.in_([str(state) for state in states]), *where)
    with ledger.writing() as connection:
        return connection.execute(sa.update(_OUTBOX).where(still).values(fields)).rowcount == 1


def sent_since(connection: sa.Connection, monitor: str, since: datetime) -> set[str]:
    """Return the ids of the incidents of a monitor that a message sent since then tells of."""
    told = tables.outbox_incidents
    query = sa.select(told.c.incident).distinct().join(_OUTBOX, _OUTBOX.c.id == told.c.mail)
    sent = sa.and_(_OUTBOX.c.state == str(MailState.SENT), _OUTBOX.c.sent_at >= since)
    return set(connection.execute(query.where(_OUTBOX.c.monitor == monitor, sent)).scalars())


def waiting(ledger: Ledger, monitor: str | None) -> int:
    """Return how many mails are promised and not settled."""
    unsettled = [str(MailState.PENDING), str(MailState.SENDING)]
    query = sa.select(sa.func.count()).select_from(_OUTBOX).where(_OUTBOX.c.state.in_(unsettled))
    with ledger.reading() as connection:
        return int(connection.execute(_of(query, monitor)).scalar_one())


def is_live(
    telling: Telling, now_is: State | None, others: Iterable[Telling], *, severity: Severity = Severity.P2
) -> bool:
    """Whether it is still news to the recipient that the incident is in this state.

    Not if the incident has moved on, if a later mail that may arrive tells the same, or if an end is told to whom no
    beginning was: only the end of a P0 is, for it says what was. An incident the ledger does not know is taken at the
    mail's word.
    """
    if now_is is None:
        return True
    same = [other for other in others if other.incident == telling.incident]
    later = [other for other in same if other.mail > telling.mail and not other.is_gone]
    told_later = any(other.state == telling.state for other in later)
    began = telling.state is State.OPEN or any(o.state is State.OPEN and o.maybe_sent for o in same)
    began |= telling.state is State.RESOLVED and severity is Severity.P0
    return (State.OPEN if now_is is State.RECOVERING else now_is) == telling.state and began and not told_later


def _is_moot(connection: sa.Connection, row: sa.Row[Any]) -> bool:
    told = tables.outbox_incidents
    mine = sa.select(told.c.incident).where(told.c.mail == row.id)
    query = (
        sa.select(told.c.mail, told.c.incident, told.c.state, _OUTBOX.c.state, _OUTBOX.c.ambiguous)
        .join(_OUTBOX, _OUTBOX.c.id == told.c.mail)
        .where(_OUTBOX.c.recipient == row.recipient, told.c.incident.in_(mine))
    )
    tellings = [_telling(*found) for found in connection.execute(query)]
    incidents = tables.incidents
    states = sa.select(incidents.c.id, incidents.c.state, incidents.c.severity).where(incidents.c.id.in_(mine))
    current = {found.id: (State(found.state), Severity(found.severity)) for found in connection.execute(states)}
    own = [telling for telling in tellings if telling.mail == row.id]
    return bool(own) and not any(_is_live_now(telling, current, tellings) for telling in own)


def _is_live_now(telling: Telling, current: Mapping[str, tuple[State, Severity]], others: Iterable[Telling]) -> bool:
    now_is, severity = current.get(telling.incident, (None, Severity.P2))
    return is_live(telling, now_is, others, severity=severity)


def _telling(mail: int, incident: str, state: str, mail_state: str, ambiguous: int) -> Telling:
    maybe_sent = mail_state in (MailState.SENT, MailState.SENDING) or ambiguous > 0
    return Telling(mail, incident, State(state), maybe_sent, not maybe_sent and mail_state in NEVER)


def _waiting(now: datetime) -> sa.ColumnElement[bool]:
    pending = _OUTBOX.c.state == str(MailState.PENDING)
    abandoned = sa.and_(_OUTBOX.c.state == str(MailState.SENDING), _OUTBOX.c.lease_until < now)
    return sa.or_(pending, abandoned)


def _due(now: datetime, monitor: str | None, but: Collection[str], channel: str) -> sa.Select[Any]:
    query = _of(sa.select(_OUTBOX), monitor).where(_waiting(now), _OUTBOX.c.next_at <= now, _by(channel))
    if but:
        query = query.where(_OUTBOX.c.recipient.not_in(but))
    return query.order_by(_OUTBOX.c.severity, _OUTBOX.c.id).limit(1).with_for_update(skip_locked=True)


def _by(channel: str) -> sa.ColumnElement[bool]:
    return _OUTBOX.c.recipient.contains("@") if channel == EMAIL else _OUTBOX.c.recipient == channel


def _of(query: sa.Select[Any], monitor: str | None) -> sa.Select[Any]:
    return query if monitor is None else query.where(_OUTBOX.c.monitor == monitor)


def _set(connection: sa.Connection, id: int, **fields: Any) -> None:
    sent = _OUTBOX.c.state == str(MailState.SENT)
    connection.execute(sa.update(_OUTBOX).where(_OUTBOX.c.id == id, ~sent).values(**fields))


def _envelope(row: sa.Row[Any]) -> Envelope:
    message = Message(row.subject, row.text, row.html, row.png, Severity(row.severity))
    return Envelope(row.message_id, row.recipient, row.created_at, message)
