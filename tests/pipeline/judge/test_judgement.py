"""Acting: what follows from a verdict is written in one transaction, told once, and told only while it is news."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.verdicts.model import RetrainRequest, State, Status
from tests.builders import HOUR, a_window, at
from tests.pipeline.world import World, a_world, days

LATE = at("2026-12-01")
SLOW: dict[str, Any] = {"latency_ms": 900.0}
PATCHY: dict[str, Any] = {"amount": lambda i: None if i % 4 == 0 else 60.25 + i % 80}
RETRAIN = {"train": "lending.models:train", "require": ["accuracy_drop"], "cooldown": "7d"}
TWO = {"email": ["ann@example.com", "bob@example.com"]}


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made


# What is told, to whom and when


def test_each_recipient_gets_one_mail_however_often_a_window_is_run(world: World) -> None:
    world.declare(alerts=TWO).log("2026-09-01", **SLOW)
    for _ in range(3):
        world.run("2026-09-01")
        world.deliver(at("2026-09-02T01:00"))

    assert sorted(str(mail["To"]) for mail in world.inbox.accepted) == ["ann@example.com", "bob@example.com"]
    assert len({str(mail["Message-ID"]) for mail in world.inbox.accepted}) == 2


def test_two_workers_on_one_window_send_one_mail(world: World) -> None:
    world.log("2026-09-01", **SLOW)
    gate = threading.Barrier(2)

    def work() -> int:
        gate.wait(20)
        return len(world.run("2026-09-01").breaches)

    with ThreadPoolExecutor(2) as pool:
        assert [worker.result() for worker in [pool.submit(work), pool.submit(work)]] == [2, 2]
    assert len(world.deliver(at("2026-09-02T01:00"))) == 1


def test_severe_incidents_are_told_at_once_and_mild_ones_in_the_digest(world: World) -> None:
    world.log("2026-09-01", **SLOW, **PATCHY).run("2026-09-01")
    (at_once,) = world.deliver(at("2026-09-02T00:30"))
    assert at_once.startswith("[P1] credit")
    assert {i.series.rule for i in world.incidents() if i.told is None} == {"null_rate"}

    world.night("2026-09-02T02:00")
    subjects = world.deliver(at("2026-09-02T03:00"))
    assert len(subjects) == 2
    assert subjects[1].startswith("[P2] credit")
    world.night("2026-09-03T02:00")
    assert world.deliver(at("2026-09-03T03:00")) == subjects


def test_a_monitor_without_labels_has_its_digest_with_the_last_window_of_the_day(small: World) -> None:
    source = small.monitor.source.model_dump(exclude_none=True)
    del source["labels"]
    small.declare(source=source, labels=None, window="12h").log("2026-09-01", **PATCHY)
    noon = a_window("2026-09-01T12:00", 12 * HOUR)
    for window in (a_window("2026-09-01", 12 * HOUR), noon):
        assert small.deliver(window.end) == []
        pipeline.run_window(small.monitor, window, small.resources)
        pipeline.judge_window(small.monitor, window, small.resources, judged_at=window.end + HOUR)

    (subject,) = small.deliver(at("2026-09-02T02:00"))
    assert subject.startswith("[P2] credit")
    assert pipeline.find_windows(small.monitor, at("2026-09-05"), small.resources) == []


def test_history_is_judged_silently_and_what_is_still_open_is_told_once_when_it_is_news(small: World) -> None:
    for day in days("2026-09-01", 3):
        small.log(day, **SLOW, right=0.4).run(day, judged=LATE)
    small.night("2026-09-07", judged=LATE)
    assert {str(i.state) for i in small.incidents()} == {"open"}
    assert small.deliver(LATE) == []

    small.log("2026-09-04", **SLOW)
    assert len(small.run("2026-09-04").told) == 2
    (subject,) = small.deliver(at("2026-09-05T01:00"))
    assert "since 2026-09-01" in subject
    small.log("2026-09-05", **SLOW).run("2026-09-05")
    assert small.deliver(at("2026-09-06T01:00")) == [subject]


def test_an_incident_that_ends_is_told_to_those_who_heard_of_it(small: World) -> None:
    small.log("2026-09-01", **SLOW).run("2026-09-01")
    small.deliver(at("2026-09-02T01:00"))
    small.log("2026-09-02").run("2026-09-02")
    subjects = small.deliver(at("2026-09-03T01:00"))

    assert small.states("latency_p95") == [State.RESOLVED]
    assert len(subjects) == 2
    assert subjects[1].startswith("[resolved] credit")


def test_bad_data_in_the_same_window_is_named_in_the_mail_about_accuracy(small: World) -> None:
    small.log("2026-09-01", right=0.4, **PATCHY).run("2026-09-01")
    small.night("2026-09-05")
    small.deliver(at("2026-09-05T01:00"))
    text = "".join(mail.get_body(("plain",)).get_content() for mail in small.inbox.accepted)

    assert "bad data in the same window: null_rate on amount" in " ".join(text.split())


def test_mail_waits_where_no_server_is_declared(small: World) -> None:
    small.log("2026-09-01", **SLOW).run("2026-09-01")
    small.resources = replace(small.resources, mailer=None)
    delivery = pipeline.deliver(small.resources, now=at("2026-09-02T01:00"))

    assert (delivery.sent, delivery.pending) == (0, 1)


def test_a_monitor_that_fell_silent_is_told_once_a_day(small: World) -> None:
    small.log("2026-09-01").run("2026-09-01")
    monitors = [small.monitor]
    assert pipeline.maintain(monitors, small.resources, now=at("2026-09-04"))["silent"] == []
    for hour in (1, 2, 23, 25):
        found = pipeline.maintain(monitors, small.resources, now=at("2026-09-04T12:00") + hour * HOUR)
        assert found["silent"] == ["credit"]
    told = [subject for subject in small.deliver(at("2026-09-06")) if "has not reported" in subject]
    assert len(told) == 2  # one on the 4th and one on the 5th
    paused = monitors[0].model_copy(update={"state": "paused"})
    assert pipeline.maintain([paused], small.resources, now=at("2026-09-06"))["silent"] == []


# Rules that come and go


def test_an_incident_of_a_rule_that_was_removed_is_closed_and_nobody_is_told(world: World) -> None:
    world.log("2026-09-01", **SLOW, **PATCHY).run("2026-09-01")
    told = world.deliver(at("2026-09-02T01:00"))
    off = [{"id": rule, "enabled": False} for rule in ("latency_p95", "null_rate", "drift")]
    world.declare(rules=off).log("2026-09-02", **SLOW, **PATCHY).run("2026-09-02")

    assert (world.states("latency_p95"), world.states("null_rate")) == ([State.WITHDRAWN], [State.WITHDRAWN])
    assert world.incidents("null_rate")[0].reason == "the monitor file no longer has its rule"
    assert world.states("health_warning") == [State.OPEN]
    world.night("2026-09-03T02:00")
    assert world.deliver(at("2026-09-04")) == told


def test_a_mild_incident_that_ended_untold_does_not_outlive_its_rule(world: World) -> None:
    world.declare(rules=[{"id": "null_rate", "keep_for": 1}]).log("2026-09-01", **PATCHY).run("2026-09-01")
    world.night("2026-09-02T02:00")
    assert len(world.deliver(at("2026-09-02T03:00"))) == 1
    world.log("2026-09-02").run("2026-09-02")  # resolved, to be told in the next digest
    world.declare(rules=[{"id": "null_rate", "enabled": False}]).night("2026-09-03T02:00")

    assert world.states("null_rate") == [State.RESOLVED]
    assert len(world.deliver(at("2026-09-03T03:00"))) == 1


# Requests


def test_an_incident_asks_once_for_the_dag_its_rule_names(world: World) -> None:
    world.declare(rules=[{"id": "latency_p95", "then": ["email", "dag:restart_lending_api"]}])
    for day in ("2026-09-01", "2026-09-01", "2026-09-02"):
        if day not in {f"{v.window.start:%Y-%m-%d}" for v in world.verdicts(day)}:
            world.log(day, **SLOW)
        world.run(day)

    (start,) = pipeline.pending_starts(world.resources)
    assert (start["dag_id"], start["conf"]["rule"]) == ("restart_lending_api", "latency_p95")
    pipeline.mark_started(world.resources, start["run_id"], at=at("2026-09-03"))
    world.run("2026-09-02")
    assert pipeline.pending_starts(world.resources) == []


def test_two_breaching_windows_make_one_retraining_request(world: World) -> None:
    world.declare(retrain=RETRAIN)
    for day in days("2026-09-01", 2):
        world.log(day, right=0.4)
    first = world.night("2026-09-05")
    again = [world.night("2026-09-05"), world.night("2026-09-06"), world.night("2026-09-07")]

    assert isinstance(first.retraining, RetrainRequest)
    assert not any(isinstance(judged.retraining, RetrainRequest) for judged in again)
    (start,) = pipeline.pending_starts(world.resources)
    key = first.retraining.key
    assert start == {
        "dag_id": "retrain__credit",
        "run_id": f"retrain__credit__{key}",
        "conf": {"request": key, "as_of": "2026-09-05T00:00:00+00:00"},
    }
    assert f"starts retrain__credit__{key}" in told(world)


def test_a_new_episode_within_the_cooldown_asks_for_nothing(world: World) -> None:
    world.declare(retrain=RETRAIN, rules=[{"id": "accuracy_drop", "keep_for": 1}])
    for day, right in zip(days("2026-09-01", 3), (0.4, 0.9, 0.4), strict=True):
        world.log(day, right=right)
    judged = [world.night(night) for night in days("2026-09-05", 3)]

    assert world.states("accuracy_drop") == [State.RESOLVED, State.OPEN]
    assert len(world.resources.ledger.requests("credit")) == 1
    assert "cooldown" in judged[-1].retraining.reason  # type: ignore[union-attr]
    assert "No retraining was requested" in told(world)


def test_unsound_data_and_old_news_ask_for_nothing(small: World) -> None:
    small.declare(retrain=RETRAIN).log("2026-09-01", right=0.4, **PATCHY).run("2026-09-01")
    judged = small.night("2026-09-05")
    assert "null_rate breaches" in judged.retraining.reason  # type: ignore[union-attr]
    small.log("2026-09-02", right=0.4)
    judged = small.night("2026-09-07", judged=LATE)
    assert "old news" in judged.retraining.reason  # type: ignore[union-attr]
    assert small.resources.ledger.requests() == []


def test_a_request_is_claimed_by_one_run_only(world: World) -> None:
    world.declare(retrain=RETRAIN).log("2026-09-01", right=0.4)
    key = world.night("2026-09-05").retraining.key  # type: ignore[union-attr]
    gate = threading.Barrier(4)

    def claim(run: str) -> bool:
        gate.wait(20)
        return pipeline.claim(world.monitor, key, world.resources, by=run)

    runs = [f"run{k}" for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        won = [run for run, is_mine in zip(runs, pool.map(claim, runs), strict=True) if is_mine]
    assert len(won) == 1
    assert pipeline.claim(world.monitor, key, world.resources, by=won[0])  # a retry of the same run goes on
    assert not pipeline.claim(world.monitor, key, world.resources, by="another")
    assert pipeline.pending_starts(world.resources) == []


# All or nothing


def test_a_dry_run_judges_and_writes_nothing(world: World) -> None:
    world.declare(retrain=RETRAIN, rules=[{"id": "latency_p95", "then": ["email", "dag:restart"]}])
    world.log("2026-09-01", right=0.4, **SLOW)
    before = world.ledger()
    window, night = world.run("2026-09-01", dry_run=True), world.night("2026-09-05", dry_run=True)

    assert {v.series.rule for v in window.breaches} == {"health_warning", "latency_p95"}
    assert (len(window.told), len(night.told)) == (2, 1)
    assert isinstance(night.retraining, RetrainRequest)
    after = world.ledger()
    for kept in ("definitions", "summaries"):  # measured they are: snapshots and what is known of them stay
        assert after.pop(kept) != before.pop(kept)
    assert after == before
    assert world.deliver(at("2026-09-06")) == []
    assert world.run("2026-09-01").told == window.told


class KilledError(BaseException):
    """What a test raises in place of a statement; like a death, nothing that catches errors catches it."""


@contextmanager
def killed_at(engine: sa.Engine, statement: int) -> Iterator[list[int]]:
    """Raise KilledError in place of a statement of the engine; gives how many were run."""
    count = [0]

    def before(*_: Any) -> None:
        count[0] += 1
        if count[0] == statement:
            raise KilledError

    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield count
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


def the_window(world: World) -> None:
    window = a_window("2026-09-01")
    pipeline.judge_window(world.monitor, window, world.resources, judged_at=window.end + HOUR)


def the_night(world: World) -> None:
    windows = [a_window("2026-09-01")]
    pipeline.judge_night(world.monitor, at("2026-09-05"), windows, world.resources, judged_at=at("2026-09-05") + HOUR)


@pytest.mark.parametrize("judge", [the_window, the_night])
def test_a_death_between_any_two_statements_leaves_nothing_behind(world: World, judge: Callable[[World], None]) -> None:
    world.declare(retrain=RETRAIN, alerts=TWO, rules=[{"id": "latency_p95", "then": ["email", "dag:restart"]}])
    world.log("2026-09-01", right=0.4, **SLOW)
    pipeline.run_window(world.monitor, a_window("2026-09-01"), world.resources)
    pipeline.revise_windows(world.monitor, [a_window("2026-09-01")], at("2026-09-05"), world.resources)
    before = world.ledger()
    deaths = 0
    while True:
        with killed_at(world.resources.ledger.engine, deaths + 1) as count:
            try:
                judge(world)
            except KilledError:
                deaths += 1
            else:
                break
        assert world.ledger() == before, f"killed at statement {deaths}"
    assert deaths == count[0] >= 10
    assert world.ledger() != before
    assert len(world.deliver(at("2026-09-05T02:00"))) == 2


def test_verdicts_of_a_window_are_kept_with_what_they_say(small: World) -> None:
    small.log("2026-09-01", **SLOW).run("2026-09-01")
    found = {v.series.rule: v for v in small.verdicts("2026-09-01") if not v.series.feature}

    assert (found["latency_p95"].status, found["latency_p95"].value) == (Status.BREACH, 900.0)
    assert found["latency_p95"].threshold == 300
    assert found["no_data"].status is Status.OK
    assert found["volume"].status is Status.OK


def told(world: World) -> str:
    """The text of all mail that was promised."""
    pipeline.deliver(world.resources, now=at("2026-09-10"))
    return " ".join(" ".join(mail.get_body(("plain",)).get_content().split()) for mail in world.inbox.accepted)
