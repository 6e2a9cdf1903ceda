"""Rehearsals of real stores: what was told is told again, by the file as it stands, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.errors import ConfigError
from hindsight.ledger.acceptances import add_acceptance
from hindsight.pipeline.rehearse.rehearsal import Rehearsal, rehearse
from hindsight.pipeline.rehearse.replay import apart
from hindsight.pipeline.rehearse.tellings import Telling, tellings
from hindsight.verdicts.acceptance import Acceptance
from hindsight.vocabulary.severity import Severity
from tests.builders import at
from tests.pipeline.world import World, a_world, days

DAYS = days("2026-08-28", 7)
SLOW, WRONG = DAYS[2], DAYS[3]
MANY = days("2026-08-28", 18)


@dataclass
class Lived:
    """A world whose windows and nights were run, and what was told then."""

    world: World
    told: Sequence[Telling]

    @cached_property
    def by_its_file(self) -> Rehearsal:
        """What a rehearsal by the file as it was finds."""
        return self.rehearsed()

    def rehearsed(self, **changes: Any) -> Rehearsal:
        """Rehearse all of it by the file with these changes."""
        self.world.declare(start="2026-08-28", **changes)
        return rehearse(self.world.monitor, self.world.resources, start=at(DAYS[0]), end=at("2026-10-01"))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Seven days, one slow, one hardly right, the last two far from the reference; with nights. Rehearsals leave it."""
    folder = tmp_path_factory.mktemp("lived")
    with a_world(sa.URL.create("sqlite", database=str(folder / "test.db")), folder, start="2026-08-28") as world:
        for day in DAYS:
            slow = {"latency_ms": 400.0} if day == SLOW else {}
            moved = {"region": "EU", "amount": lambda i: 300.0 + i} if day in DAYS[-2:] else {}
            world.log(day, right=0.3 if day == WRONG else 0.9, **slow, **moved)
        yield Lived(world, list(_told(world)))


def _told(world: World) -> Iterator[Telling]:
    """Run all days and the nights between and after them; yield what was told."""
    for day in [*DAYS, "2026-09-04"]:
        if day != DAYS[0]:
            yield from tellings(world.monitor, world.night(day).told, at(day))
        if day in DAYS:
            yield from tellings(world.monitor, world.run(day).told, at(day))


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Eighteen days, the last three of one region only; no night was ever run."""
    folder = tmp_path_factory.mktemp("unlabelled")
    with a_world(sa.URL.create("sqlite", database=str(folder / "test.db")), folder, start="2026-08-28") as world:
        for day in MANY:
            moved = {"region": "EU"} if day in MANY[-3:] else {}
            world.log(day, n=100 + at(day).toordinal() % 7 * 10, seed=3, **moved)
            world.run(day)
        yield Lived(world, [])


def said(told: Sequence[Telling]) -> set[tuple[object, ...]]:
    return {(one.case, one.severity, one.begun, one.rules, one.columns, one.segments) for one in told}


def test_what_was_told_is_what_a_rehearsal_tells(lived: Lived) -> None:
    found = lived.by_its_file
    assert said(found.tellings) == said(lived.told)
    assert {"latency_p95", "accuracy_drop", "drift"} <= set(found.by_rule)
    assert (found.windows, found.nights, found.covered) == (7, 7, timedelta(days=7))


def test_a_rehearsal_leaves_ledger_and_files_as_they_were(lived: Lived) -> None:
    before = lived.world.ledger(), lived.world.files()
    lived.rehearsed(rules=[{"id": "latency_p95", "above": 10}])
    assert (lived.world.ledger(), lived.world.files()) == before


def test_a_store_whose_ledger_is_lost_tells_the_same(lived: Lived) -> None:
    expected = lived.by_its_file
    with apart(lived.world.resources) as bare:
        found = rehearse(lived.world.declare(start="2026-08-28").monitor, bare, start=expected.start, end=expected.end)
    assert found.tellings == expected.tellings


def test_what_people_said_is_usual_is_not_told(lived: Lived) -> None:
    usual = lived.by_its_file
    with apart(lived.world.resources) as bare:
        add_acceptance(bare.ledger, "credit", Acceptance(at(DAYS[0]), "ada", "two shops closed", rule="drift"))
        monitor = lived.world.declare(start="2026-08-28").monitor
        found = rehearse(monitor, bare, start=usual.start, end=usual.end)
    assert "drift" in usual.by_rule
    assert "drift" not in found.by_rule


def test_the_file_as_it_stands_decides_what_is_told(lived: Lived) -> None:
    found = lived.rehearsed(rules=[{"id": "latency_p95", "above": 500}, {"id": "accuracy_drop", "severity": "P2"}])
    assert "latency_p95" not in found.by_rule
    assert (found.by_rule["accuracy_drop"].pages, found.by_rule["accuracy_drop"].notices) == (0, 1)


def test_a_case_says_its_windows_and_columns(lived: Lived) -> None:
    cases = {case.rules[0]: case for case in lived.by_its_file.cases}
    assert cases["latency_p95"].windows == (at(SLOW),)
    assert cases["accuracy_drop"].severity is Severity.P0
    (drifted,) = (case for case in cases.values() if "drift" in case.rules)
    assert {"amount", "region"} <= set(drifted.columns)
    assert drifted.windows == (at(DAYS[-2]), at(DAYS[-1]))


def test_a_rule_that_mails_nobody_is_no_page(lived: Lived) -> None:
    assert "latency_p95" not in lived.rehearsed(rules=[{"id": "latency_p95", "then": ["dag:scale_up"]}]).by_rule


def test_a_retraining_is_counted_and_not_asked_for(lived: Lived) -> None:
    assert lived.rehearsed(retrain={"train": "my.module:train"}).retrainings == 1
    assert lived.world.resources.ledger.requests("credit") == []


def test_more_than_was_agreed_to_is_over_the_budget(lived: Lived) -> None:
    pages = len(lived.by_its_file.pages)
    over = lived.rehearsed(alerts={"budget": f"{pages - 1} pages and 90 notices per 30d"})
    assert over.over_budget == [f"{pages} pages, {pages - 1} agreed to"]
    assert lived.rehearsed(alerts={"budget": f"{pages} pages and 90 notices per 30d"}).over_budget == []


def test_each_limit_says_what_it_would_have_opened(lived: Lived) -> None:
    limits = {one.rule: {cost.limit: cost.incidents for cost in one.costs} for one in lived.by_its_file.limits}
    assert limits["latency_p95"] == {
        "above 150": 1,
        "above 225": 1,
        "above 300": 1,
        "above 450": 0,
        "above 600": 0,
    }
    assert limits["accuracy_drop"]["drops_by 15%"] == 1
    assert limits["drift"] == {"for 1": 1, "for 2": 1, "for 3": 0, "for 4": 0, "for 5": 0}


def test_news_is_rehearsed_from_stored_profiles(unlabelled: Lived) -> None:
    found = unlabelled.by_its_file
    assert any("news" in case.rules and "region" in case.columns for case in found.cases)
    assert found.windows == len(MANY)


def test_without_any_night_on_record_what_waits_is_told_at_midnight(unlabelled: Lived) -> None:
    told = [one for one in unlabelled.by_its_file.notices if "region" in one.columns]
    assert told
    assert all(one.at.hour == 0 for one in told)


def test_a_file_without_labels_tells_its_notices_after_the_window(unlabelled: Lived) -> None:
    monitor = unlabelled.world.monitor
    bare = monitor.model_copy(update={"source": monitor.source.model_copy(update={"labels": None})})
    found = rehearse(bare, unlabelled.world.resources, start=at(MANY[0]), end=at("2026-10-01"))
    assert found.nights == 0
    assert any("region" in one.columns for one in found.notices)


def test_a_range_without_stored_windows_says_what_to_run(lived: Lived) -> None:
    monitor, resources = lived.world.monitor, lived.world.resources
    with pytest.raises(
        ConfigError, match=r"credit: no window .* hindsight run credit --start 2026-01-01 --end 2026-02"
    ):
        rehearse(monitor, resources, start=at("2026-01-01"), end=at("2026-02-01"))
    hourly = monitor.model_copy(update={"window": timedelta(hours=1)})
    with pytest.raises(ConfigError, match="as its file has windows now"):
        rehearse(hourly, resources, start=at(DAYS[0]), end=at(DAYS[-1]))
