"""Retention: what has expired goes, once it was listed; nothing needed goes, and nothing that went is made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import ExpiredError
from hindsight.pipeline.act.expiry import Held, old_files, old_models
from hindsight.pipeline.act.retention import expire, expiry
from hindsight.pipeline.measure.nights import closed_windows
from hindsight.snapshots.names import FoldName, SnapshotName, parse_path
from hindsight.training.registry import ModelVersion, Stage
from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, a_window, at
from tests.pipeline.world import REFERENCE, World, a_copy, a_world, days, sqlite, windows

WEEK = days("2026-09-01", 7)
NOW = at("2026-09-18T03:00")  # ten days are kept: the horizon is the 8th
KEPT = {"snapshots": "10d", "reports": "5d", "models": "30d", "messages": "5d"}
SLOW: dict[str, Any] = {"latency_ms": 900.0}


@contextmanager
def a_week(url: sa.URL, folder: Path) -> Iterator[World]:
    with a_world(url, folder, REFERENCE, retention=KEPT) as made:
        for day in WEEK:
            made.log(day, **(SLOW if day in (WEEK[1], WEEK[6]) else {})).run(day)
        for night in ("2026-09-05", "2026-09-11"):
            made.night(night)
            pipeline.report_night(made.monitor, at(night), made.resources, made_at=at(night))
        yield made


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a week that was checked and labelled; its second day was slow, its last is so still."""
    folder = tmp_path_factory.mktemp("week")
    with a_week(sqlite(folder), folder):
        return folder


@pytest.fixture
def week(lived: Path, tmp_path: Path) -> Iterator[World]:
    """That week, for this test alone."""
    with a_copy(lived, tmp_path) as made:
        yield made


@pytest.fixture(params=["postgres", "sqlite"])
def any_week(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same, once on PostgreSQL and once on SQLite."""
    if request.param == "sqlite":
        yield request.getfixturevalue("week")
        return
    with a_week(request.getfixturevalue("postgres_url"), tmp_path) as made:
        yield made


def starts(world: World) -> dict[str, set[datetime]]:
    """The windows there are snapshots of, by kind."""
    found: dict[str, set[datetime]] = {}
    for name in world.resources.store.names("credit"):
        found.setdefault(str(name.kind), set()).add(name.start)
    return found


def judged(world: World) -> set[tuple[str, datetime]]:
    rules = {v.series.rule: v.series for day in WEEK for v in world.verdicts(day)}
    histories = world.resources.ledger.histories("credit", list(rules.values()))
    return {(series.rule, v.window.start) for series, some in histories.items() for v in some}


def test_what_is_listed_is_what_goes_and_listing_changes_nothing(any_week: World) -> None:
    before, rows = any_week.files(), any_week.ledger()
    found, counts = expiry(any_week.monitor, any_week.resources, now=NOW)
    assert (any_week.files(), any_week.ledger()) == (before, rows)
    assert found.horizon == at("2026-09-08")
    gone = expire(any_week.monitor, any_week.resources, now=NOW)
    assert gone == {name: count for name, count in counts.items() if count}
    assert gone["snapshots"] > 20
    data = Path(any_week.resources.settings.data)
    assert {path for path in before if path not in any_week.files()} == {str(data / path) for path in found.files}
    assert expire(any_week.monitor, any_week.resources, now=NOW) == {}


def test_the_windows_of_an_open_incident_stay_until_it_is_over(week: World) -> None:
    expire(week.monitor, week.resources, now=NOW)
    assert {at(WEEK[6])} in starts(week).values()
    assert set().union(*starts(week).values()) == {i.started for i in week.incidents() if i.state is State.OPEN}
    assert week.measured(Kind.OPERATIONS, WEEK[6])
    with week.resources.ledger.locked("credit") as tx:
        tx.save_incidents([replace(i, state=State.RESOLVED, ended=NOW) for i in week.incidents()], NOW)
    expire(week.monitor, week.resources, now=NOW)
    assert starts(week) == {}


def test_reports_and_the_texts_of_mails_go_when_they_are_old_with_their_files(week: World) -> None:
    data = Path(week.resources.settings.data)
    assert len(list((data / "reports").rglob("*.html"))) == 2
    week.deliver(at("2026-09-11T01:00"))
    expire(week.monitor, week.resources, now=at("2026-09-12"))
    (left,) = week.resources.ledger.reports("credit")
    assert left.created_at == at("2026-09-11")
    assert [path.name for path in (data / "reports").rglob("*.html")] == [f"{left.id}.html"]
    assert week.resources.ledger.bodies(NOW) > 0
    pipeline.maintain([week.monitor], week.resources, now=NOW)
    assert week.resources.ledger.bodies(NOW) == 0


def test_a_report_that_cannot_be_deleted_is_named_and_stays_on_record(week: World) -> None:
    old = week.resources.ledger.reports("credit")[0]
    file = Path(week.resources.settings.data) / old.uri
    file.unlink()
    (file / "folder").mkdir(parents=True)
    gone = pipeline.maintain([week.monitor], week.resources, now=NOW)["expired"]["credit"]
    assert [str(file) in fault for fault in gone["faults"]] == [True]
    assert [report.id for report in week.resources.ledger.reports("credit")] == [old.id]


# What went is not made again


def the_refused() -> dict[str, tuple[Callable[[World], object], str]]:
    return {
        "run": (lambda w: w.run(WEEK[0]), "windows that start at 2026-09-08T00:00Z or later"),
        "judged": (
            lambda w: pipeline.judge_window(w.monitor, a_window(WEEK[0]), w.resources, judged_at=NOW),
            "windows that start at 2026-09-08T00:00Z or later",
        ),
        "night": (lambda w: w.night(WEEK[3]), "one from 2026-09-09T00:00Z on"),
        "report": (lambda w: pipeline.night_page(w.monitor, at(WEEK[3]), w.resources), "one from 2026-09-09T00:00Z on"),
        "shown": (
            lambda w: pipeline.state_of(w.monitor, w.resources, as_of=at(WEEK[3])),
            "a moment from 2026-09-09T00:10Z on",
        ),
    }


@pytest.mark.parametrize("what", the_refused())
def test_what_lies_before_the_horizon_is_refused_in_words(week: World, what: str) -> None:
    ask, advice = the_refused()[what]
    ask(week)
    expire(week.monitor, week.resources, now=NOW)
    before, rows = week.files(), week.ledger()
    with pytest.raises(ExpiredError) as refused:
        ask(week)
    assert "credit: the w" in str(refused.value) or "credit: the night" in str(refused.value) or what == "shown"
    assert "before the horizon 2026-09-08T00:00Z" in str(refused.value)
    assert advice in str(refused.value)
    assert (week.files(), week.ledger()) == (before, rows)


def test_no_night_finds_or_makes_what_has_expired(week: World) -> None:
    expire(week.monitor, week.resources, now=NOW)
    before = week.files()
    found = pipeline.find_windows(week.monitor, at("2026-09-19"), week.resources, everything=True)
    assert found[0].start == at("2026-09-09")  # as the night itself reckons
    late = [*windows(WEEK[0], 7)]  # found before they expired
    done = pipeline.revise_windows(week.monitor, late, at("2026-09-11"), week.resources)
    assert (done["windows"], week.files()) == (0, before)
    verdicts = judged(week)
    pipeline.judge_night(week.monitor, at("2026-09-11"), late, week.resources, judged_at=NOW)
    assert judged(week) == verdicts


def test_a_longer_retention_brings_nothing_back_that_is_gone(week: World) -> None:
    expire(week.monitor, week.resources, now=NOW)
    week.declare(retention={"snapshots": "forever"})
    assert expire(week.monitor, week.resources, now=NOW + DAY) == {}
    assert week.resources.ledger.horizon("credit") == at("2026-09-08")
    with pytest.raises(ExpiredError):
        week.run(WEEK[0])


def test_a_night_reaches_back_as_far_as_its_own_moment_keeps(week: World) -> None:
    found = list(closed_windows(week.monitor, at("2026-09-15"), week.resources))
    assert found[0].start == at("2026-09-05")


def test_what_nobody_deleted_can_be_measured_again_however_old(week: World) -> None:
    assert week.resources.ledger.horizon("credit") is None
    week.run(WEEK[0], judged=at("2031-01-01"))


def test_verdicts_go_long_after_the_snapshots_and_those_of_incidents_never(any_week: World) -> None:
    expire(any_week.monitor, any_week.resources, now=NOW)
    assert {start for _, start in judged(any_week)} == {at(day) for day in WEEK}  # folds look back a hundred windows
    expire(any_week.monitor, any_week.resources, now=NOW + 150 * DAY)
    left = judged(any_week)
    assert ("latency_p95", at(WEEK[1])) in left
    assert {rule for rule, _ in left} == {i.series.rule for i in any_week.incidents()}


# Decided by names and rows


def a_fold(first: str, last: str) -> FoldName:
    start, end = (f"{at(day):%Y%m%dT%H%M%SZ}" for day in (first, last))
    path = f"snapshots/monitor=credit/kind=drift/date=2026-09-01/202609_{start}-{end}_{start}-{end}_n9-g1.parquet"
    name = parse_path(path)
    assert isinstance(name, FoldName)
    return name


def test_a_fold_stays_until_all_of_it_has_expired_and_none_of_it_is_held() -> None:
    early, across = a_fold("2026-09-01", "2026-09-03"), a_fold("2026-09-04", "2026-09-09")
    horizon = at("2026-09-08")
    assert old_files([early, across], horizon, Held([])) == [early]
    assert old_files([early, across], horizon, Held([at("2026-09-03")])) == []
    assert old_files([early, across], horizon, Held([at("2026-09-08")])) == [early]
    assert old_files([early, across], None, Held([])) == []


def test_what_came_late_of_a_window_stays_as_long_as_what_was_known_of_it_before() -> None:
    fold = a_fold("2026-09-01", "2026-09-09")
    late = SnapshotName("credit", fold.kind, at("2026-09-02"), at("2026-09-20"), 1)
    other = replace(late, kind=Kind.LABELS)
    assert old_files([late, fold, other], at("2026-09-08"), Held([])) == [other]
    assert set(old_files([late, fold], at("2026-09-10"), Held([]))) == {late, fold}


def a_version(name: str, made: str, **rest: Any) -> ModelVersion:
    moment = at(made)
    place = rest.pop("artifact", f"models/credit/{name}/a.skops")
    return ModelVersion("credit", name, moment, moment, 9, {}, place, "0", moment, request_key=name, **rest)


def test_models_in_use_or_still_to_be_decided_on_or_of_others_stay() -> None:
    champion = a_version("now", "2025-01-01", stage=Stage.CHAMPION, promoted_at=at("2025-01-02"))
    past: dict[str, Any] = {"stage": Stage.ARCHIVED}
    before = a_version("before", "2024-06-01", promoted_at=at("2024-06-02"), **past)
    long_ago = a_version("long ago", "2023-01-01", promoted_at=at("2023-01-02"), **past)
    recalled = a_version(
        "recalled", "2023-01-01", promoted_at=at("2023-02-01"), rolled_back_at=at("2026-08-01"), **past
    )
    never, asked = a_version("never", "2024-01-01"), a_version("asked", "2024-01-01")
    elsewhere = a_version("elsewhere", "2023-01-01", artifact="s3://others/model.skops")
    versions = [champion, before, long_ago, recalled, never, asked, elsewhere]
    assert old_models(versions, at("2026-01-01"), {"asked"}) == [long_ago, never]
    assert old_models(versions, at("2024-06-01"), {"asked"}) == [long_ago, never]
    assert old_models(versions, at("2023-01-15"), {"asked"}) == []  # it was champion until February
    assert old_models(versions, None, ()) == []
