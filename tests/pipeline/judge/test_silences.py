"""While something is silenced nobody is told of it and nothing is started; what lasts longer is told, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.silences import add_silence, end_silence
from hindsight.pipeline.show.audit import deeds
from hindsight.verdicts.model import State
from hindsight.verdicts.silence import Silence
from tests.builders import DAY, HOUR, a_window, at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.judge.facts import digest, judged, measured
from tests.pipeline.world import World, a_world, days

FILE: dict[str, Any] = {"start": "2026-07-01", "rules": [{"id": "news", "enabled": False}]}
SLOW, SICK, PATCHY = ({path: [column]} for path, column in (
    ("operations.latency_p95_ms", ""), ("operations.health", ""), ("quality.null_rate", "amount"))
)  # fmt: skip


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        reached_by_commands(made, monkeypatch)
        yield made


def silence(world: World, since: str, until: str, **rest: Any) -> int:
    asked = Silence(at(since), at(until), "ann", "we move house", asked_at=at(since), **rest)
    return add_silence(world.resources.ledger, "credit", asked)


def lived(world: World, day: str, bad: dict[str, list[str]]) -> None:
    measured(world, day, bad)
    judged(world, day)


def relayed(world: World, now: datetime) -> list[str]:
    """What a tick of the relay does; the subjects of all mail so far."""
    pipeline.tell_what_lasts([world.monitor], world.resources, now=now)
    return world.deliver(now)


def test_what_lasts_longer_than_its_silence_is_told_once_when_that_is_over(world: World) -> None:
    silence(world, "2026-07-02", "2026-07-04T12:00", rule="latency_p95")
    for day in days("2026-07-01", 3):
        lived(world, day, SLOW)
        assert relayed(world, a_window(day).end + HOUR) == []
    assert world.states("latency_p95") == [State.OPEN]
    (story,) = pipeline.stories(world.monitor, world.resources)
    assert story.silence == "silenced until 2026-07-04 12:00 UTC by ann: we move house"

    subjects = relayed(world, at("2026-07-04T12:02"))
    assert subjects == ["[P1] credit: latency p95 900 ms, over 300 ms (since 2026-07-01)"]
    text = str(world.inbox.accepted[0].get_body(("plain",)).get_content())
    assert "Why now: It was silent until 2026-07-04 12:00 UTC, by ann: we move house." in text
    assert relayed(world, at("2026-07-04T12:04")) == subjects
    lived(world, "2026-07-04", {})
    assert [subject.partition("]")[0] for subject in relayed(world, at("2026-07-05T01:00"))] == ["[P1", "[resolved"]


def test_what_began_and_ended_silenced_is_never_told(world: World) -> None:
    silence(world, "2026-07-02", "2026-07-04")
    lived(world, "2026-07-01", SICK)
    lived(world, "2026-07-02", {})
    assert world.states("health_critical") == [State.RESOLVED]
    assert relayed(world, at("2026-07-04T00:02")) == []
    lived(world, "2026-07-03", {})
    assert relayed(world, at("2026-07-04T02:00")) == []


def test_the_end_of_what_was_told_is_told_after_the_silence_it_came_in(world: World) -> None:
    lived(world, "2026-07-01", SICK)
    assert len(relayed(world, at("2026-07-02T01:00"))) == 1
    silence(world, "2026-07-02T12:00", "2026-07-03T12:00")
    lived(world, "2026-07-02", {})
    assert len(relayed(world, at("2026-07-03T12:02"))) == 1
    lived(world, "2026-07-03", {})
    assert [subject.partition("]")[0] for subject in relayed(world, at("2026-07-04T02:00"))] == ["[P0", "[resolved"]


def test_a_silence_of_something_else_silences_nothing(world: World) -> None:
    for about in ({"rule": "volume"}, {"segment": "region=EU"}, {"feature": "amount"}):
        silence(world, "2026-07-01", "2026-08-01", **about)
    lived(world, "2026-07-01", SLOW)
    assert len(relayed(world, at("2026-07-02T01:00"))) == 1


def test_a_notice_waits_for_the_first_digest_after_its_silence(world: World) -> None:
    silence(world, "2026-07-01", "2026-07-03T12:00", feature="amount")
    told = []
    for day in days("2026-07-02", 3):
        lived(world, f"{at(day) - DAY:%Y-%m-%d}", PATCHY)
        told.append(len(digest(world, day).told))
        relayed(world, at(f"{day}T13:00"))
    assert told == [0, 0, 1]


@pytest.mark.parametrize(("starts", "count"), [(False, 0), (True, 1)])
def test_a_silence_starts_no_dag_unless_it_says_so(world: World, starts: bool, count: int) -> None:
    world.declare(**FILE | {"rules": [*FILE["rules"], {"id": "latency_p95", "then": ["email", "dag:restart"]}]})
    silence(world, "2026-07-01", "2026-07-03", starts=starts)
    lived(world, "2026-07-01", SLOW)
    assert len(pipeline.pending_starts(world.resources)) == count
    assert relayed(world, at("2026-07-02T01:00")) == []


def test_a_silence_asks_for_no_retraining(world: World) -> None:
    retrain = {"train": "lending:train", "require": ["drift_share"], "approval": False}
    world.declare(**FILE | {"retrain": retrain})
    silence(world, "2026-07-01", "2026-07-02T12:00", rule="drift_share")
    found = []
    for day in days("2026-07-01", 2):
        measured(world, day, {"drift.drift_share": [""]})
        found.append(str(judged(world, day).retraining))
    assert "drift_share is silenced until 2026-07-02 12:00 UTC by ann" in found[0]
    assert "RetrainRequest" in found[1]


def test_mail_that_waits_is_held_and_what_is_over_by_then_is_not_sent(world: World) -> None:
    lived(world, "2026-07-01", SLOW)
    silence(world, "2026-07-02T00:30", "2026-07-03T12:00")
    assert relayed(world, at("2026-07-02T01:00")) == []
    (mail,) = world.resources.ledger.outbox("credit")
    assert (mail.next_at, mail.last_error) == (at("2026-07-03T12:00"), "silenced until 2026-07-03 12:00 UTC")
    lived(world, "2026-07-02", {})
    assert relayed(world, at("2026-07-03T12:02")) == []
    assert {str(mail.state) for mail in world.resources.ledger.outbox("credit")} == {"suppressed"}


def test_mail_that_waits_is_sent_when_its_silence_is_over(world: World) -> None:
    lived(world, "2026-07-01", SLOW)
    silence(world, "2026-07-02T00:30", "2026-07-02T12:00")
    assert relayed(world, at("2026-07-02T01:00")) == []
    assert len(relayed(world, at("2026-07-02T12:02"))) == 1


def test_a_silence_ended_early_is_over(world: World) -> None:
    number = silence(world, "2026-07-01", "2026-07-09")
    lived(world, "2026-07-01", SLOW)
    assert relayed(world, at("2026-07-02T01:00")) == []
    assert end_silence(world.resources.ledger, "credit", number, by="bob", at=at("2026-07-02T02:00"))
    assert not end_silence(world.resources.ledger, "credit", number, by="bob", at=at("2026-07-02T03:00"))
    assert len(relayed(world, at("2026-07-02T02:02"))) == 1
    assert [(deed.who, deed.what) for deed in deeds([world.monitor], world.resources)] == [
        ("ann", "silenced everything from 2026-07-01 00:00 to 2026-07-02 02:00 UTC"),
        ("bob", "ended the silence of everything"),
    ]


def test_the_file_repeats_silences(world: World) -> None:
    nightly = {"every": "0 23 * * *", "lasting": "3h", "comment": "the cluster restarts"}
    world.declare(**FILE | {"silences": [nightly], "timezone": "Europe/Berlin"})
    lived(world, "2026-07-01", SLOW)  # judged at 00:20 UTC, 02:20 in Berlin: the night's silence is over
    assert len(relayed(world, at("2026-07-02T01:00"))) == 1
    world.declare(**FILE | {"silences": [nightly]})
    lived(world, "2026-07-02", {})
    assert len(relayed(world, at("2026-07-03T01:00"))) == 1
    lived(world, "2026-07-03", SLOW)
    lived(world, "2026-07-04", SLOW)
    subjects = relayed(world, at("2026-07-05T02:02"))
    assert [subject.partition("]")[0] for subject in subjects] == ["[P1", "[P1"]


def test_mail_held_goes_when_its_silence_is_ended_early(world: World) -> None:
    lived(world, "2026-07-01", SLOW)
    number = silence(world, "2026-07-02T00:30", "2026-07-30")
    assert relayed(world, at("2026-07-02T01:00")) == []
    end_silence(world.resources.ledger, "credit", number, by="bob", at=at("2026-07-02T02:00"))
    assert len(relayed(world, at("2026-07-02T02:02"))) == 1


def test_mail_held_for_weeks_is_not_too_old_when_its_silence_ends(world: World) -> None:
    lived(world, "2026-07-01", SLOW)
    silence(world, "2026-07-02T00:30", "2026-07-20")
    for day in days("2026-07-02", 19):
        assert world.deliver(at(f"{day}T12:00")) == (
            [] if day < "2026-07-20" else ["[P1] credit: latency p95 900 ms, over 300 ms (since 2026-07-01)"]
        )


def test_the_end_of_what_was_told_is_told_though_another_of_its_case_is_silenced(world: World) -> None:
    grave = [{"id": "news", "enabled": False}, {"id": "null_rate", "severity": "P1", "keep_for": 1}]
    world.declare(**FILE | {"rules": [*grave, {"id": "drift", "severity": "P1"}]})
    silence(world, "2026-07-01", "2026-08-30", rule="drift")
    lived(world, "2026-07-01", PATCHY)
    assert len(relayed(world, at("2026-07-02T01:00"))) == 1
    lived(world, "2026-07-02", {"drift.drifted": ["amount"]})
    assert [subject.partition("]")[0] for subject in relayed(world, at("2026-07-03T01:00"))] == ["[P1", "[resolved"]


# Commands


def test_a_person_silences_lists_and_ends(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("silence", "credit", "--rule", "volume", "--lasting", "2h", "--comment", "a backfill") == 0
    assert "credit: volume silenced until" in capsys.readouterr().out
    assert typed("silence", "credit", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["about"] == "volume"
    assert typed("silence", "credit", "--end", str(one["id"])) == 0
    assert typed("silence", "credit") == 0
    assert "nothing of credit is silenced" in capsys.readouterr().out
    assert typed("silence", "credit", "--end", str(one["id"])) == 1
    assert "has no silence" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lasting", "2h"], "--comment"),
        (["--comment", "x"], "a silence ends: say when"),
        (["--lasting", "2h", "--until", "2027-01-01", "--comment", "x"], "give one of them"),
        (["--lasting", "soon", "--comment", "x"], "--lasting: "),
        (["--until", "2020-01-01", "--comment", "x"], "over before the silence begins"),
        (["--lasting", "400d", "--comment", "x"], "a year at most"),
        (["--lasting", "2h", "--comment", "x", "--rule", "volum"], "did you mean 'volume'"),
        (["--lasting", "2h", "--comment", "x", "--segment", "shop=1"], "--segment: expected"),
        (["--lasting", "2h", "--comment", "x", "--feature", "amonut"], "did you mean 'amount'"),
    ],
)
def test_a_silence_without_end_reason_or_object_is_refused(
    world: World, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert typed("silence", "credit", *words) == 1
    assert said in capsys.readouterr().err


def test_a_silence_of_a_moment_is_no_longer_than_that() -> None:
    one = Silence(at("2026-07-01"), at("2026-07-02"), "ann", "x")
    moments = [at("2026-07-01") - timedelta(seconds=1), at("2026-07-01"), at("2026-07-02") - timedelta(seconds=1)]
    assert [one.holds_at(moment) for moment in [*moments, at("2026-07-02")]] == [False, True, True, False]
