"""Alert load: known counts of messages and cases, and the command that shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.ledger.records import Mail, MailState
from hindsight.pipeline.act.answers import Said, expect, look_after
from hindsight.pipeline.show.alert_load import answers, load
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.judge.facts import digest, judged, measured
from tests.pipeline.world import World, a_world

NOW = at("2026-09-11")


def a_mail(to: str, sent: datetime | None, state: MailState = MailState.SENT) -> Mail:
    return Mail(1, "k", "credit", "c", to, Severity.P1, "s", state, 1, 0, NOW, "", NOW, sent)


def test_the_load_is_what_was_sent_a_day_and_on_the_worst_day() -> None:
    mails = [
        *(a_mail("ann", at("2026-09-02") + timedelta(hours=h)) for h in range(4)),
        a_mail("ann", at("2026-09-09")),
        a_mail("bea", at("2026-09-09")),
        a_mail("bea", at("2026-08-31T23:59")),
        a_mail("bea", NOW),
        a_mail("bea", None, MailState.PENDING),
        a_mail("bea", None, MailState.DEAD),
    ]
    found = load(mails, since=at("2026-09-01"), until=NOW)
    assert [(one.receiver, one.messages, one.a_day, one.worst) for one in found] == [
        ("ann", 5, 0.5, 4),
        ("bea", 1, 0.1, 1),
    ]
    assert load([], since=at("2026-09-01"), until=NOW) == []


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two days on which answers were slow, each over by the next, and one on which a column drifted."""
    with a_world(sqlite_url, tmp_path, days=(), start="2026-09-01") as made:
        slow = {"operations.latency_p95_ms": [""]}
        for day, bad in (("01", {}), ("02", slow), ("03", {}), ("04", slow), ("05", {"drift.drifted": ["amount"]})):
            measured(made, f"2026-09-{day}", bad)
            judged(made, f"2026-09-{day}")
            made.deliver(at(f"2026-09-{day}") + DAY + timedelta(hours=1))
            if bad == slow and day == "02":
                [slowness] = made.incidents("latency_p95")
                look_after(made.monitor, slowness.case, Said("ann", at("2026-09-03T02:00")), made.resources)
        digest(made, "2026-09-06")
        made.deliver(at("2026-09-06T01:00"))
        yield reached_by_commands(made, monkeypatch)


def test_precision_is_the_share_of_cases_that_somebody_made_something_of(world: World) -> None:
    [drift] = world.incidents("drift")
    expect(world.monitor, drift.case, None, Said("bea", NOW, "campaign"), world.resources)
    found = answers(world.monitor, world.resources, now=NOW, days=30)
    assert [(one.rule, one.told, one.acted, one.expected) for one in found] == [
        ("drift", 1, 0, 1),
        ("latency_p95", 2, 1, 0),
    ]
    assert [one.precision for one in found] == [0.0, 0.5]
    assert answers(world.monitor, world.resources, now=NOW + 40 * DAY, days=30) == []


def test_the_command_shows_both(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("alerts", "credit", "--days", "366") == 0
    shown = capsys.readouterr().out
    assert "risk-ml@example.com" in shown
    assert "latency_p95" in shown
    assert typed("alerts", "--days", "366", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["days"] == 366
    assert {one["rule"] for one in told["rules"]} == {"drift", "latency_p95"}


def test_the_audit_begins_where_it_is_asked_to(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("audit", "credit", "--people", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
    assert typed("audit", "credit", "--people", "--since", "2026-09-04", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
