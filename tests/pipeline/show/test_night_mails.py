"""Nights mailed: the note in a mail about incidents, and a mail of its own to who asked for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hindsight.pipeline.show import night_note
from tests.builders import at
from tests.pipeline.show.nights import FIRST
from tests.pipeline.world import World, days
from tests.reports.pages import EVIL, Page


def mails(world: World, now: datetime) -> list[Any]:
    world.deliver(now)
    return list(world.inbox.accepted)


def body(mail: Any, kind: str = "plain") -> str:
    return str(mail.get_body((kind,)).get_content())


def test_a_mail_about_incidents_of_a_night_says_what_its_labels_changed(small: World) -> None:
    small.log(FIRST, right=0.4).night("2026-09-05")
    (mail,) = mails(small, at("2026-09-05T01:00"))

    for kind in ("plain", "html"):
        said = " ".join(body(mail, kind).split())
        assert "What the labels of this night changed" in said
        assert "300 labels came for 1 window." in said
        assert "Every window is final" in said


def test_a_report_that_fails_costs_the_note_never_the_mail(
    small: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **rest: object) -> None:
        raise ZeroDivisionError("a fault of the report")

    monkeypatch.setattr(night_note, "accuracy_report", broken)
    small.log(FIRST, right=0.4).night("2026-09-05")
    (mail,) = mails(small, at("2026-09-05T01:00"))

    assert "accuracy 0.4" in body(mail)
    assert "changed" not in body(mail)
    assert "a fault of the report" in caplog.text


def test_a_night_alone_is_mailed_to_nobody_who_did_not_ask(small: World) -> None:
    small.log(FIRST).night("2026-09-05")
    assert mails(small, at("2026-09-05T01:00")) == []


def declared(small: World, report: str) -> World:
    return small.declare(alerts={"email": ["ann@example.com", "bob@example.com"], "report": report})


def test_who_asks_for_nights_is_mailed_once_about_each_that_changed_anything(small: World) -> None:
    declared(small, "nightly").log(FIRST)
    for night in ("2026-09-04", "2026-09-04", "2026-09-04T12:00", "2026-09-05", "2026-09-05"):
        small.night(night)
    found = mails(small, at("2026-09-05T01:00"))
    subjects = [str(mail["Subject"]) for mail in found if mail["To"] == "ann@example.com"]

    assert len(found) == 4
    assert subjects == [
        "[labels] credit: 300 labels came for 1 window.",
        "[labels] credit: No label came. Window 2026-09-01 is now final.",
    ]
    html = body(found[0], "html")
    assert "2026-09-01" in html
    assert "alerts.report" in body(found[0])


def test_a_night_with_an_incident_is_one_mail_not_two(small: World) -> None:
    declared(small, "nightly").log(FIRST, right=0.4).night("2026-09-05")
    small.night("2026-09-05")
    assert [str(mail["Subject"])[:4] for mail in mails(small, at("2026-09-05T01:00"))] == ["[P0]", "[P0]"]


def test_old_nights_and_dry_runs_mail_nobody(small: World) -> None:
    declared(small, "nightly").log(FIRST)
    small.night("2026-09-04", judged=at("2026-12-01"))
    small.night("2026-09-05", dry_run=True)
    assert mails(small, at("2026-12-01")) == []


def test_who_asks_for_weeks_is_mailed_on_the_first_night_of_each(small: World) -> None:
    declared(small, "weekly")
    for day in days(FIRST, 4):
        small.log(day)
    for night in days("2026-09-04", 6):
        small.night(night)
    found = [mail for mail in mails(small, at("2026-09-09T01:00")) if mail["To"] == "ann@example.com"]

    assert len(found) == 2  # the first night of all, and Monday the 7th
    assert "What the labels of this week changed" in body(found[1])
    assert "2026-09-01: – → 0.900" in body(found[1])


def test_hostile_segments_and_rules_stay_text_in_the_mail(small: World) -> None:
    declared(small, "nightly").declare(
        segments=["region"],
        alerts={"email": ["ann@example.com"], "report": "nightly"},
        rules=[{"id": "accuracy_drop", "segments": True, "below": 0.99, "then": ["dag:x"]}],
    )
    small.log(FIRST, region=lambda i: EVIL).night("2026-09-05")
    (mail,) = mails(small, at("2026-09-05T01:00"))
    parsed = Page(body(mail, "html"))

    assert "script" not in parsed.tags
    assert "{{7*7}}" in parsed.text
    assert "\u202e" not in body(mail)
