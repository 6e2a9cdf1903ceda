"""A cap on the messages of a day: what is beyond it is on record and not sent, P0 aside, and people know of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.claims import drop
from hindsight.ledger.records import MailState
from hindsight.pipeline.show.state import stories
from hindsight.vocabulary.letters import Message
from tests.builders import DAY, HOUR, at
from tests.pipeline.judge.facts import Bad, judged, measured
from tests.pipeline.world import World, a_world, days

SLOW: Bad = {"operations.latency_p95_ms": [""]}
DOWN: Bad = {"operations.health": [""]}
DAYS = days("2026-09-01", 9)
NOON = at("2026-09-10T12:00")
ANN, BEA = "ann@example.com", "bea@example.com"


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    alerts = {"email": [ANN, BEA], "cap": 3, "max_age": "30d"}
    with a_world(sqlite_url, tmp_path, days=(), start=DAYS[0], alerts=alerts) as made:
        yield made


def lived(world: World, windows: list[Bad], since: datetime = NOON, first: int = 0) -> None:
    """Judge windows one after the other, a minute apart."""
    for k, bad in enumerate(windows):
        measured(world, DAYS[first + k], bad)
        judged(world, DAYS[first + k], at=since + timedelta(minutes=k))


def sent_to(world: World, who: str, *, unsent: bool = False) -> list[str]:
    mails = [mail for mail in world.resources.ledger.outbox("credit") if mail.recipient == who]
    return [mail.subject for mail in mails if (mail.state is MailState.SUPPRESSED) is unsent]


def test_beyond_the_cap_messages_are_on_record_and_it_is_said_once(world: World) -> None:
    lived(world, [{}, SLOW, {}, SLOW, {}, SLOW, {}])
    for who in (ANN, BEA):
        subjects = sent_to(world, who)
        assert len(subjects) == 4
        assert subjects[-1] == "[P1] credit: more than 3 messages on 2026-09-10"
        assert len(sent_to(world, who, unsent=True)) == 3
    said = [story.done for story in stories(world.monitor, world.resources)]
    assert any("suppressed (beyond alerts.cap: 3 messages that day)" in one for one in said)


def test_what_wakes_somebody_goes_out_all_the_same(world: World) -> None:
    lived(world, [{}, SLOW, {}, SLOW, {}, SLOW, {}, DOWN])
    assert sent_to(world, ANN)[-1].startswith("[P0] credit")


def test_the_next_day_is_a_new_one_and_begins_with_how_many_there_were(world: World) -> None:
    lived(world, [{}, SLOW, {}, SLOW, {}, SLOW])
    held = len(sent_to(world, ANN, unsent=True))
    for hour in range(3):
        pipeline.maintain([world.monitor], world.resources, now=at("2026-09-11") + hour * HOUR)
    assert sent_to(world, ANN).count(f"[P2] credit: and {held} more on 2026-09-10") == 1
    before = len(sent_to(world, ANN))
    lived(world, [{}], since=NOON + DAY, first=6)
    assert len(sent_to(world, ANN)) == before + 1


def test_a_place_that_was_not_needed_goes_to_what_was_held_back(world: World) -> None:
    """The mail server was away: what was promised first is over, what came after it lasts."""
    lived(world, [{}, SLOW, {}, SLOW, {}, SLOW])
    assert len(sent_to(world, ANN, unsent=True)) == 2
    told = [s for s in world.deliver(NOON + HOUR) if s.startswith("[P1] credit: latency")]
    assert len(told) == 2  # to each of the two


def test_a_reminder_beyond_the_cap_does_not_take_the_first_word_with_it(world: World) -> None:
    alerts = {"email": [ANN], "cap": 1, "max_age": "30d", "repeat": {"P1": "2h"}}
    world.declare(start=DAYS[0], alerts=alerts)
    lived(world, [{}, SLOW])
    pipeline.tell_what_lasts([world.monitor], world.resources, now=NOON + 3 * HOUR)
    assert len(sent_to(world, ANN, unsent=True)) == 1
    assert [s for s in world.deliver(NOON + 4 * HOUR) if s.startswith("[P1] credit: latency")]


def test_a_mail_that_somebody_dropped_leaves_the_one_before_it(world: World) -> None:
    world.declare(start=DAYS[0], alerts={"email": [ANN], "max_age": "30d", "repeat": {"P1": "2h"}})
    lived(world, [{}, SLOW])
    pipeline.tell_what_lasts([world.monitor], world.resources, now=NOON + 3 * HOUR)
    _, reminder = (mail.id for mail in world.resources.ledger.outbox("credit"))
    assert drop(world.resources.ledger, reminder, by="ann", at=NOON + 3 * HOUR)
    assert len(world.deliver(NOON + 4 * HOUR)) == 1


def test_what_was_held_back_is_said_when_maintenance_is_back_and_names_what_lasts(world: World) -> None:
    lived(world, [{}, SLOW, {}, SLOW, {}, SLOW, {}, DOWN | SLOW])
    world.deliver(NOON)
    held = len(sent_to(world, ANN, unsent=True))
    pipeline.maintain([world.monitor], world.resources, now=NOON + 4 * DAY)
    said = [mail for mail in world.resources.ledger.outbox("credit") if mail.subject.endswith("more on 2026-09-10")]
    assert [(mail.recipient, mail.subject) for mail in said] == [
        (who, f"[P2] credit: and {held} more on 2026-09-10") for who in (ANN, BEA)
    ]


def test_what_lasts_of_what_was_held_back_is_named_the_day_after(world: World) -> None:
    world.declare(start=DAYS[0], alerts={"email": [ANN], "cap": 1, "max_age": "30d", "repeat": "0h"})
    lived(world, [{}, SLOW, {}, SLOW])
    pipeline.maintain([world.monitor], world.resources, now=NOON + DAY)
    world.deliver(NOON + DAY)
    (mail,) = [mail for mail in world.inbox.accepted if "more on" in str(mail["Subject"])]
    assert "What they told and lasts:" in str(mail.get_body(("plain",)).get_content())


def test_messages_about_no_incident_use_up_no_place(world: World) -> None:
    for k in range(5):
        pipeline.promise(world.monitor, f"dag {k}", Message("[P1] a dag", "x"), world.resources, NOON)
    lived(world, [{}, SLOW])
    assert sent_to(world, ANN, unsent=True) == []
