"""What is told goes to whom its route names, by mail and on channels, and one that fails blocks no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.airflow.connections import channel
from hindsight.errors import ConfigError, DeliveryError
from hindsight.pipeline.judge.alerts import _ways
from hindsight.verdicts.model import Heard, Incident, Series, State
from hindsight.vocabulary.severity import Severity
from tests.builders import HOUR, a_monitor, a_window, at
from tests.messages.webhook import Hook, hooked
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world

SLOW, SICK = {"operations.latency_p95_ms": [""]}, {"operations.health": [""]}
ROUTES = [{"severity": "P0", "to": ["pager", "email"]}, {"severity": "P1", "to": ["chat"]}]
FILE: dict[str, Any] = {
    "start": "2026-07-01",
    "rules": [{"id": "news", "enabled": False}],
    "alerts": {"email": ["risk-ml@example.com"], "routes": ROUTES, "repeat": {"P0": "0h", "P1": "0h"}},
}


@pytest.fixture
def hooks() -> Iterator[dict[str, Hook]]:
    with hooked() as pager, hooked() as chat:
        yield {"pager": pager, "chat": chat}


@pytest.fixture
def world(
    sqlite_url: sa.URL, tmp_path: Path, hooks: dict[str, Hook], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    for name, hook in hooks.items():
        url = f'{{"conn_type": "apprise", "password": "json://127.0.0.1:{hook.port}/x"}}'
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", url)
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        made.resources = replace(made.resources, channel=channel)
        yield made


def lived(world: World, day: str, bad: dict[str, list[str]]) -> datetime:
    measured(world, day, bad)
    judged(world, day)
    return a_window(day).end + HOUR


def titles(hook: Hook) -> list[str]:
    return [post["title"].partition("]")[0][1:] for post in hook.posts]


def test_each_goes_where_its_route_leads_and_its_end_too(world: World, hooks: dict[str, Hook]) -> None:
    world.deliver(lived(world, "2026-07-01", SLOW | SICK))
    mails = world.deliver(lived(world, "2026-07-02", {}))
    assert titles(hooks["pager"]) == ["P0", "resolved"]
    assert titles(hooks["chat"]) == ["P1", "resolved"]
    assert [subject.partition("]")[0][1:] for subject in mails] == ["P0", "resolved"]
    rows = {(mail.recipient, str(mail.state)) for mail in world.resources.ledger.outbox("credit")}
    assert rows == {("pager", "sent"), ("chat", "sent"), ("risk-ml@example.com", "sent")}


def test_a_channel_that_fails_blocks_no_other_and_is_told_later_once(world: World, hooks: dict[str, Hook]) -> None:
    hooks["pager"].always = 500
    now = lived(world, "2026-07-01", SLOW | SICK)
    assert len(world.deliver(now)) == 1
    assert (titles(hooks["pager"]), titles(hooks["chat"])) == ([], ["P1"])
    hooks["pager"].always = 200
    for hours in range(1, 4):
        assert len(world.deliver(now + hours * HOUR)) == 1
    assert (titles(hooks["pager"]), titles(hooks["chat"])) == (["P0"], ["P1"])


def test_mail_that_fails_blocks_no_channel(world: World, hooks: dict[str, Hook]) -> None:
    world.inbox.always["RCPT"] = "450 4.2.0 later"
    assert world.deliver(lived(world, "2026-07-01", SICK)) == []
    assert titles(hooks["pager"]) == ["P0"]


@pytest.mark.parametrize("wrong", [None, '{"conn_type": "apprise"}', '{"conn_type": "apprise", "password": "no://x"}'])
def test_a_connection_that_is_wrong_is_said_and_all_else_is_sent(
    world: World, hooks: dict[str, Hook], monkeypatch: pytest.MonkeyPatch, wrong: str | None
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PAGER") if wrong is None else monkeypatch.setenv("AIRFLOW_CONN_PAGER", wrong)
    now = lived(world, "2026-07-01", SLOW | SICK)
    with pytest.raises(DeliveryError, match=r"connection '?pager") as raised:
        pipeline.deliver(world.resources, now=now)
    assert not raised.value.transient
    assert titles(hooks["chat"]) == ["P1"]
    assert [str(mail["Subject"]).strip()[:4] for mail in world.inbox.accepted] == ["[P0]"]
    pending = [mail for mail in world.resources.ledger.outbox("credit") if str(mail.state) == "pending"]
    assert [mail.recipient for mail in pending] == ["pager"]


def test_a_channel_that_is_no_more_keeps_nothing_longer_than_mail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PAGER")
    now = lived(world, "2026-07-01", SICK)
    for days in (0, 8):
        with pytest.raises(DeliveryError, match="no connection 'pager'"):
            pipeline.deliver(world.resources, now=now + days * 24 * HOUR)
    states = {mail.recipient: str(mail.state) for mail in world.resources.ledger.outbox("credit")}
    assert states["pager"] == "dead"


def test_who_heard_that_it_became_graver_hears_what_becomes_of_it() -> None:
    routes = [{"severity": "P1", "to": ["chat"]}, {"severity": "P2", "to": ["jira"]}]
    monitor = a_monitor(alerts={"routes": routes})
    began = at("2026-07-01")
    heard = Heard(began, Severity.P1, 2)
    one = Incident(
        "i",
        "credit",
        Series("news", feature="x"),
        Severity.P2,
        State.WITHDRAWN,
        began,
        None,
        (began,),
        1.0,
        1.0,
        heard=heard,
    )
    rules = {rule.id: rule for rule in monitor.rules}
    assert _ways(monitor, [one], rules) == {("i",): ["chat", "jira"]}


def test_nobody_loses_the_report_of_a_night_because_its_news_goes_elsewhere(sqlite_url: sa.URL, tmp_path: Path) -> None:
    alerts = FILE["alerts"] | {"report": "nightly", "routes": [{"severity": "P0", "to": ["chat"]}]}
    with a_world(sqlite_url, tmp_path, alerts=alerts) as labelled:
        labelled.log("2026-09-01", right=0.4).night("2026-09-05")
        rows = {(mail.recipient, mail.subject[:8]) for mail in labelled.resources.ledger.outbox("credit")}
    assert rows == {("chat", "[P0] cre"), ("risk-ml@example.com", "[labels]")}


def test_no_connection_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    with pytest.raises(ConfigError, match="add one of type apprise"):
        channel("nowhere")
