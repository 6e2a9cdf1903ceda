"""A week as the ledger knows it: numbers of a hand-made one, told once to those who hear of it, shown and printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from hindsight import pipeline
from hindsight.ledger.records import RequestState
from hindsight.ledger.rollbacks import Rollback, note_rollback
from hindsight.ledger.silences import add_silence
from hindsight.ledger.slo_counts import SloCount, note_slo_counts
from hindsight.monitors.loader import load_folder
from hindsight.pipeline.act.answers import Said, look_after
from hindsight.pipeline.show.reviews import reviews
from hindsight.reports.review import ReviewAsked
from hindsight.verdicts.model import RetrainRequest, Series, Status, Verdict
from hindsight.verdicts.reviews import Burnt, Graded, Review
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.periods import parse_period
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, HOUR, a_window, at
from tests.pipeline.commands import reached_by_commands, typed
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world, days, file_of_the_world

WEEK = parse_period("2026-W36")  # 31 August to 6 September
NOW = at("2026-09-07T06:00")
FILE: dict[str, Any] = {
    "start": "2026-08-31",
    "owner": "risk-ml",
    "slos": {"availability": {"target": "99%"}},
    "retrain": {"train": "lending.models:train"},
    "rules": [{"id": "dear", "metric": "operations.cost_per_prediction", "above": 9}],
}


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, days=(), **FILE) as made:
        yield made


def the_review(world: World, week: str = "2026-W36") -> Review:
    [found] = reviews([world.monitor], parse_period(week), world.resources)
    return found


def slow_days(world: World) -> None:
    """Slow on Wednesday and Friday, each over by the next day; the first is looked after."""
    slow = {"operations.latency_p95_ms": [""]}
    for day, bad in (("01", {}), ("02", slow), ("03", {}), ("04", slow), ("05", {})):
        measured(world, f"2026-09-{day}", bad)
        judged(world, f"2026-09-{day}")
        world.deliver(at(f"2026-09-{day}") + DAY + HOUR)
        if day == "02":
            [first] = world.incidents("latency_p95")
            look_after(world.monitor, first.case, Said("ann", at("2026-09-03T02:00")), world.resources)


def said(world: World, rule: str, value: float, last: str = "2026-09-10") -> None:
    """Put on record what a rule judged on all days from 28 August on."""
    series, n = Series(rule), 300
    found = [
        Verdict(series, a_window(day), at(day) + DAY, at(day) + DAY, Status.OK, value, None, n)
        for day in days("2026-08-28", (at(last) - at("2026-08-28")) // DAY + 1)
    ]
    with world.resources.ledger.locked("credit") as tx:
        tx.save_verdicts(found, NOW)


def test_alerts_are_counted_by_day_and_cases_by_what_was_made_of_them(world: World) -> None:
    slow_days(world)
    found = the_review(world)
    assert found.alerts == (0, 0, 0, 1, 1, 1, 1)  # each day's begins, and ends, are told after midnight
    assert (found.told, found.acted, found.expected) == (2, 1, 0)
    assert found.began == {Severity.P1: 2}
    assert (found.ended, found.open) == (2, {})
    assert (found.windows, found.rows) == (5, 5_000)
    after = the_review(world, "2026-W37")
    assert (sum(after.alerts), after.before, after.is_quiet) == (0, 4, True)


def test_money_budgets_and_grades_are_those_of_the_week(world: World) -> None:
    said(world, "dear", 0.5)
    with world.resources.ledger.locked("credit") as tx:
        definition = world.monitor.slos["availability"].definition(DAY)
        counts = [SloCount("availability", at(day), definition, NOW, 6, 300) for day in days("2026-08-28", 14)]
        other = SloCount("availability", at("2026-08-27"), "of another file", NOW, 300, 300)
        note_slo_counts(tx, [*counts, other])
        grade = Verdict(
            Series("promotion_short", "v7"), a_window("2026-08-10"), NOW, at("2026-09-02"), Status.OK, 1, 1, 400, "x"
        )
        late = replace(grade, series=Series("promotion", "v6"), due=at("2026-09-07"))
        tx.save_verdicts([grade, late], NOW)
        note_rollback(tx.connection, "credit", Rollback(at("2026-09-03"), "ann", "why", "v7", "v6"))
    found = the_review(world)
    assert found.cost == pytest.approx(7 * 0.5 * 300)
    assert found.budgets == (Burnt("availability", 2.0, -1.0),)  # 6 of 300 where 3 may be, in the week and since August
    assert found.grades == (Graded("v7", 1, "x"),)
    assert found.rollbacks == 1


def test_retrainings_are_those_asked_for_and_those_that_ended(world: World) -> None:
    with world.resources.ledger.locked("credit") as tx:
        for key, asked in (("a", "2026-08-30"), ("b", "2026-09-01"), ("c", "2026-09-06")):
            tx.request_retraining(RetrainRequest(key, "credit", "retrain__credit", (), at(asked), at(asked), False))
        tx.finish_retraining("a", RequestState.DONE, at=at("2026-09-02"))
        tx.finish_retraining("b", RequestState.KEPT, at=at("2026-09-07"))
    found = the_review(world)
    assert (found.asked, found.outcomes) == (2, {"done": 1})


def test_labels_are_late_by_the_windows_there_were_at_the_end(world: World) -> None:
    said(world, "accuracy_drop", 0.9)  # to 10 September; labels take three days
    said(world, "no_data", 500.0, last="2026-09-20")
    late = {week: (the_review(world, week).late, the_review(world, week).labels) for week in ("2026-W36", "2026-W38")}
    assert late == {"2026-W36": (0, "as expected"), "2026-W38": (7, "7 windows late")}


def test_silences_that_held_in_the_week_are_named(world: World) -> None:
    for since, until in (("2026-08-01", "2026-08-31"), ("2026-08-30", "2026-09-01"), ("2026-09-07", "2026-09-09")):
        add_silence(
            world.resources.ledger, "credit", Silence(at(since), at(until), "ann", "campaign", asked_at=at(since))
        )
    assert [one.until for one in the_review(world).silences] == [at("2026-09-01")]


def test_everyone_is_told_once_however_often_it_is_asked_for(world: World) -> None:
    slow_days(world)
    told = [pipeline.send_reviews([world.monitor], WEEK, world.resources, at=NOW, link="http://x/review") for _ in "12"]
    assert told == [1, 0]
    [mail] = world.resources.ledger.outbox("hindsight")
    assert mail.subject == "[review] risk-ml, week 2026-W36: 4 alerts, 1 of 2 cases acted on"
    assert world.deliver(NOW)[-1] == mail.subject
    text = world.inbox.accepted[-1].get_body(("plain",))
    assert text is not None
    assert "http://x/review?week=2026-W36&owner=risk-ml" in text.get_content().replace("=\n", "")
    assert the_review(world, "2026-W37").alerts == (0,) * 7  # a review is no alert


def test_each_hears_of_the_monitors_of_an_owner_that_are_told_to_them_anyway(world: World) -> None:
    folder = world.resources.settings.monitors
    for name, owner, to in (("churn", "risk-ml", ["ann@x"]), ("price", "", ["bea@x"]), ("old", "risk-ml", ["ann@x"])):
        state = "paused" if name == "old" else "active"
        changes = {"name": name, "owner": owner, "state": state, "alerts": {"email": to}}
        YAML().dump(file_of_the_world(**(FILE | changes)), folder / f"{name}.yml")
    found = load_folder(folder)
    assert found.problems == ()
    assert pipeline.send_reviews(found.monitors.values(), WEEK, world.resources, at=NOW) == 3
    mails = {mail.recipient: mail.subject for mail in world.resources.ledger.outbox("hindsight")}
    assert mails == {
        "ann@x": "[review] risk-ml, week 2026-W36: nothing happened (1 monitor)",
        "risk-ml@example.com": "[review] risk-ml, week 2026-W36: nothing happened (1 monitor)",
        "bea@x": "[review] monitors that nobody owns, week 2026-W36: nothing happened (1 monitor)",
    }


def test_the_page_shows_nobody_more_than_they_may_read(world: World) -> None:
    asked = ReviewAsked.of({"week": "2026-W36"}, NOW)
    none = pipeline.review_view(asked, lambda names: set(), world.resources, now=NOW)
    assert none is not None
    assert (none.reviews, none.whole) == ([], None)
    assert pipeline.review_view(ReviewAsked.of({}, NOW, "other"), set, world.resources, now=NOW) is None
    one = pipeline.review_view(ReviewAsked.of({}, NOW, "credit"), set, world.resources, now=NOW)
    assert one is not None
    assert (one.period, one.headline) == (WEEK, "nothing happened (1 monitor)")
    other = pipeline.review_view(ReviewAsked.of({"owner": "x"}, NOW), set, world.resources, now=NOW)
    assert other is not None
    assert (other.reviews, other.owners) == ([], ["risk-ml"])


def test_it_is_one_statement_a_table_however_many_monitors_and_no_snapshot(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        YAML().dump(
            file_of_the_world(**(FILE | {"name": f"other_{number}"})),
            world.resources.settings.monitors / f"other_{number}.yml",
        )
    asked: list[str] = []
    sa.event.listen(world.resources.ledger.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    monkeypatch.setattr("hindsight.snapshots.store.SnapshotStore.names", None)
    found = load_folder(world.resources.settings.monitors).monitors.values()
    assert len(reviews(found, WEEK, world.resources)) == 11
    assert len([one for one in asked if "FROM" in one]) == 11


@pytest.fixture
def commanded(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        slow_days(made)
        yield reached_by_commands(made, monkeypatch)


def test_the_command_says_the_same(commanded: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("review", "credit", "--week", "2026-W36") == 0
    shown = capsys.readouterr().out
    assert "week 2026-W36 (31 August to 6 September): 4 alerts, 1 of 2 cases acted on" in shown
    assert typed("review", "--owner", "nobody", "--month", "2026-09") == 0
    assert "nothing happened (0 monitors)" in capsys.readouterr().out
    assert typed("review", "--month", "2026-09", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], sum(told["monitors"][0]["alerts"])) == ("2026-09", 4)
    assert typed("review", "--week", "now") == 1
    assert "expected a week such as 2026-W48" in capsys.readouterr().err
    assert typed("review", "--week", "2026-W36", "--month", "2026-09") == 1
