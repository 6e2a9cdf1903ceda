"""A history of a monitor and its people, step by step, with servers that fail and relays that die; then the account."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger import tables
from hindsight.ledger.acknowledgements import Acknowledgement, acknowledge
from hindsight.ledger.silences import add_silence
from hindsight.messages.apprise_channel import AppriseChannel
from hindsight.verdicts.model import State
from hindsight.verdicts.silence import Silence
from tests.builders import DAY, HOUR, a_window, at
from tests.faults.stage import MEMORY
from tests.messages.webhook import hooked
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import SOON, a_world, sqlite

FIRST = "2026-07-01"
SLOW = {"operations.latency_p95_ms": [""]}
RECEIVERS = {"ann@example.com", "bob@example.com", "hook"}
FILE: dict[str, Any] = {
    "start": "2026-01-01",
    "rules": [{"id": "news", "enabled": False}],
    "alerts": {
        "email": ["ann@example.com", "bob@example.com"],
        "routes": [{"to": ["hook", "email"]}],
        "repeat": {"P0": "0h", "P1": "0h"},
    },
}


class KilledError(BaseException):
    """What ends a relay as a kill would: nothing that catches errors catches it."""


class History:
    """One monitor, three receivers and a clock that only goes forward."""

    def __init__(self, **changes: Any) -> None:
        self._open = ExitStack()
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)))
        self.hook = self._open.enter_context(hooked())
        self.world = self._open.enter_context(a_world(sqlite(folder), folder, days=(), **FILE | changes))
        channel = partial(AppriseChannel, url=f"json://127.0.0.1:{self.hook.port}")
        self.world.resources = replace(self.world.resources, channel=channel)
        self.ledger = self.world.resources.ledger
        self.now = at(FIRST)
        self.lived: list[str] = []
        self.silences: list[Silence] = []

    def close(self) -> None:
        """End it."""
        self._open.close()

    def live(self, *, bad: bool) -> None:
        """A day passes and its window is measured and judged."""
        day = f"{self.now:%Y-%m-%d}"
        self.now = a_window(day).end + SOON
        measured(self.world, day, SLOW if bad else {})
        judged(self.world, day, at=self.now)
        self.lived.append(day)

    def run_again(self, back: int) -> None:
        """A window of the last days is judged again."""
        if self.lived:
            judged(self.world, self.lived[-1 - back % len(self.lived)], at=self.now)

    def revise(self, *, bad: bool) -> None:
        """The last window turns out otherwise: what came late is counted in it."""
        if self.lived:
            measured(self.world, self.lived[-1], SLOW if bad else {})
            judged(self.world, self.lived[-1], at=self.now)

    def fill_back(self, month: int) -> None:
        """A bad week of long ago is measured and judged now."""
        for day in range(1, 8):
            measured(self.world, f"2026-{month:02}-{day:02}", SLOW)
            judged(self.world, f"2026-{month:02}-{day:02}", at=self.now)

    def silence(self, days: int) -> None:
        """Somebody silences everything for some days."""
        asked = Silence(self.now, self.now + days * DAY, "ann", "we move house", asked_at=self.now)
        add_silence(self.ledger, "credit", asked)
        self.silences.append(asked)

    def acknowledge(self) -> None:
        """Somebody looks after what is open."""
        for one in self.ledger.incidents("credit", open_only=True):
            acknowledge(self.ledger, "credit", Acknowledgement(one.case or one.id, self.now, "bob"))

    def relay(self) -> None:
        """What a tick of the relay does."""
        self.now += HOUR
        self._tick()

    def _tick(self) -> None:
        pipeline.tell_what_lasts([self.world.monitor], self.world.resources, now=self.now)
        pipeline.deliver(self.world.resources, now=self.now)

    def relay_twice(self) -> None:
        """Two relays tick at once."""
        self.now += HOUR
        both = [Thread(target=self._tick) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()

    def relay_and_die(self, statement: int) -> None:
        """A relay is killed before one of its statements; its leases run out."""
        self.now += HOUR
        with _killed_at(self.ledger.engine, statement):
            try:
                self._tick()
            except KilledError:
                self.now += HOUR

    def heal(self) -> None:
        """The servers are well again, what is silenced is silenced no longer, and the relay ticks until all is sent."""
        self.world.inbox.answers.clear()
        self.world.inbox.always.clear()
        self.hook.answers.clear()
        self.hook.always = 200
        self.now = max([self.now, *(one.until for one in self.silences)])
        for _ in range(6):
            self.relay()


@contextmanager
def _killed_at(engine: sa.Engine, statement: int) -> Iterator[None]:
    left = [statement]

    def before(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KilledError

    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


def settle_accounts(history: History) -> None:
    """Assert what people may rely on, of a history whose servers are well again."""
    _nothing_waits(history)
    _sent_once(history)
    _one_notice_and_one_end(history)
    _what_is_open_is_known(history)
    _the_past_pages_nobody(history)
    _silent_throughout_is_never_told(history)


def _nothing_waits(history: History) -> None:
    states = Counter(str(mail.state) for mail in history.ledger.outbox())
    assert states.keys() <= {"sent", "suppressed"}, states


def _sent_once(history: History) -> None:
    """Each mail arrived once; again only where its sender died or its answer was lost, which is counted."""
    copies = Counter(str(mail["Message-ID"]) for mail in history.world.inbox.accepted)
    assert set(copies) == {mail.message_id for mail in _by_mail(history) if str(mail.state) == "sent"} | {
        mail.message_id for mail in _by_mail(history) if copies[mail.message_id]
    }
    for mail in _by_mail(history):
        assert copies[mail.message_id] <= 1 + mail.ambiguous, mail
        assert copies[mail.message_id] >= (str(mail.state) == "sent"), mail


def _by_mail(history: History) -> list[Any]:
    query = sa.select(tables.outbox).where(tables.outbox.c.recipient.contains("@"))
    with history.ledger.reading() as connection:
        return list(connection.execute(query))


def tellings(history: History) -> dict[tuple[str, str], list[str]]:
    """By incident and receiver, the states that were told and sent, in their order."""
    told, box = tables.outbox_incidents, tables.outbox
    query = sa.select(told.c.incident, told.c.state, box.c.recipient).join(box, box.c.id == told.c.mail)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    with history.ledger.reading() as connection:
        for row in connection.execute(query.where(box.c.state == "sent").order_by(box.c.id)):
            found[row.incident, row.recipient].append(row.state)
    return found


def _one_notice_and_one_end(history: History) -> None:
    over = ("resolved", "withdrawn")
    for key, states in tellings(history).items():
        for before, state in zip(["", *states], states, strict=False):
            assert state != before, f"{key} was told {states}"
        assert states[0] == "open", f"{key} heard of an end without a beginning: {states}"
        assert not (states.count("open") > 1 and not set(states) & set(over)), f"{key} was told {states}"


def _what_is_open_is_known(history: History) -> None:
    """What is open when all are well is known to everybody, and what is over is open to nobody."""
    told = tellings(history)
    for incident in history.ledger.incidents("credit"):
        if incident.started < at(FIRST):
            continue
        last = {receiver: (told[incident.id, receiver] or [""])[-1] for receiver in RECEIVERS}
        if incident.told is not None:
            is_open = incident.state in (State.OPEN, State.RECOVERING)
            allowed = {"open"} if is_open else {"", "resolved", "withdrawn"}
            assert set(last.values()) <= allowed, (incident, last)


def _the_past_pages_nobody(history: History) -> None:
    old = {incident.id for incident in history.ledger.incidents("credit") if incident.started < at(FIRST)}
    assert not {incident for incident, _ in tellings(history)} & old


def _silent_throughout_is_never_told(history: History) -> None:
    heard = {incident for incident, _ in tellings(history)}
    for incident in history.ledger.incidents("credit"):
        moments = [event.at for event in history.ledger.events(incident.id)]
        if not incident.stands and any(_covers(one, moments) for one in history.silences):
            assert incident.id not in heard, incident


def _covers(silence: Silence, moments: list[datetime]) -> bool:
    return all(silence.holds_at(moment) for moment in moments)
