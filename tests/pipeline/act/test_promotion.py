"""Promotion: one request has one challenger, the past is not promoted again, and who decided is on record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier

from hindsight import pipeline
from hindsight.errors import LedgerError
from hindsight.ledger import tables
from hindsight.ledger.records import Progress, RequestState
from hindsight.ledger.transaction import Transaction
from hindsight.training.registry import ModelVersion, Stage, put_back
from hindsight.verdicts.model import RetrainRequest
from tests.builders import DAY, at
from tests.pipeline.world import World, a_world, days

if TYPE_CHECKING:
    import pandas as pd

OLD, NEW = "a" * 16, "b" * 16
NIGHT = at("2026-09-10")


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, days=(), retrain={"train": "lending_models:train"}, reference=None) as made:
        yield made
        made.resources.ledger.engine.dispose()


@pytest.fixture
def fickle(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """A trainer whose first training, and the trial before it, is poor, the next good; it notes each call's as-of."""
    calls: list[datetime] = []

    def train(rows: pd.DataFrame, as_of: datetime) -> Any:
        calls.append(as_of)
        poor = DummyClassifier(strategy="constant", constant=0)
        model = poor if len(calls) <= 2 else DecisionTreeClassifier(max_depth=3, random_state=0)
        return model.fit(rows[["amount"]], rows["label"])

    module = ModuleType("lending_models")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lending_models", module)
    return calls


def asked(world: World, key: str, when: datetime = NIGHT, as_of: datetime | None = None) -> None:
    """A request of the rules, claimed by the run that answers it."""
    with world.resources.ledger.locked("credit") as tx:
        tx.request_retraining(RetrainRequest(key, "credit", "retrain__credit", ("i1",), as_of or when, when, True))
    assert pipeline.claim(world.monitor, key, world.resources, by=f"run-{key[0]}")


def registered(world: World, key: str, when: datetime = NIGHT, **changes: Any) -> None:
    """A request and the challenger it led to."""
    asked(world, key, when, **changes)
    name, metrics = f"retrained-{key[:8]}", {"accuracy": 0.8, "champion_accuracy": 0.7}
    version = ModelVersion("credit", name, when, when, 100, metrics, "uri", "0" * 64, when, request_key=key)
    world.resources.registry.register(version)


def promoted(world: World, key: str, when: datetime, by: str = "") -> str:
    """Promote, and return why not, "" where it was."""
    return str(pipeline.promote(world.monitor, key, world.resources, at=when, by=by).get("refused", ""))


def champion(world: World) -> str:
    found = world.resources.registry.champion("credit")
    assert found is not None
    return found.version[-1]


def progress(world: World, key: str) -> Progress:
    (found,) = [p for p in world.resources.ledger.requests("credit") if p.request.key == key]
    return found


def subjects(world: World) -> list[str]:
    return [mail.subject for mail in world.resources.ledger.outbox("credit")]


def told(world: World) -> list[str]:
    """The bodies of all mail promised."""
    with world.resources.ledger.reading() as connection:
        return list(connection.scalars(sa.select(tables.outbox.c.text).order_by(tables.outbox.c.id)))


def test_a_training_that_is_retried_finds_its_challenger_again(
    sqlite_url: sa.URL, tmp_path: Path, fickle: list[datetime]
) -> None:
    retrain, features = {"train": "lending_models:train"}, {"amount": "numeric"}
    with a_world(sqlite_url, tmp_path, retrain=retrain, features=features) as world:
        for day in days("2026-09-01", 6):
            world.log(day, right=0.1)
        asked(world, OLD)
        first, again = (pipeline.train_and_compare(world.monitor, OLD, NIGHT, world.resources) for _ in range(2))
        asked(world, NEW, NIGHT + DAY)
        other = pipeline.train_and_compare(world.monitor, NEW, None, world.resources)

        assert again == first
        assert fickle == [NIGHT, NIGHT, NIGHT + DAY, NIGHT + DAY]  # each tried on a few rows, then trained
        for shown in (again, other):
            version = world.resources.registry.version("credit", shown["version"])
            assert f"its accuracy is **{version.metrics['accuracy']:.4g}**" in shown["summary"]
            assert shown["better"] == (version.metrics["lower"] > 0)
        assert "not better" not in other["summary"]


def test_of_two_trainings_at_once_the_one_registered_is_shown(
    sqlite_url: sa.URL, tmp_path: Path, fickle: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    retrain, features = {"train": "lending_models:train"}, {"amount": "numeric"}
    with a_world(sqlite_url, tmp_path, retrain=retrain, features=features) as world:
        for day in days("2026-09-01", 6):
            world.log(day, right=0.1)
        asked(world, OLD)
        once, train = [], sys.modules["lending_models"].train

        def overtaken(rows: pd.DataFrame, as_of: datetime) -> Any:
            model = train(rows, as_of)
            if len(fickle) == 2:  # tried on a few rows, now at work: a second try begins and ends
                once.append(pipeline.train_and_compare(world.monitor, OLD, NIGHT, world.resources))
            return model

        monkeypatch.setattr(sys.modules["lending_models"], "train", overtaken)
        late = pipeline.train_and_compare(world.monitor, OLD, NIGHT, world.resources)

        assert len(fickle) == 4
        assert late == once[0]


def test_clearing_an_old_promotion_leaves_the_newer_champion_and_says_so(world: World) -> None:
    for key, day in ((OLD, "2026-09-10"), (NEW, "2026-09-20")):
        registered(world, key, at(day))
        assert promoted(world, key, at(day) + DAY) == ""
    before = (progress(world, OLD), subjects(world))
    why = promoted(world, OLD, at("2026-09-25"))

    assert champion(world) == "b"
    assert why == (
        "retrained-aaaaaaaa was made champion on 2026-09-11 00:00 UTC and had its time;"
        " retrained-bbbbbbbb is the champion and stays - ask for a new retraining"
    )
    assert (progress(world, OLD), subjects(world)) == before
    assert promoted(world, NEW, at("2026-09-26")) == ""
    assert len(world.resources.registry.versions("credit")) == 2


def test_a_promotion_that_comes_after_a_newer_one_is_refused_in_words(world: World) -> None:
    registered(world, OLD, at("2026-09-10"))
    registered(world, NEW, at("2026-09-20"), as_of=at("2026-09-01"))  # asked for later, of what was known before
    assert promoted(world, NEW, at("2026-09-21")) == ""
    why = promoted(world, OLD, at("2026-09-22"), by="ann")

    assert champion(world) == "b"
    assert "was asked for on 2026-09-10 00:00 UTC, the champion on 2026-09-20 00:00 UTC; retrained-bbbbbbbb is" in why
    assert (progress(world, OLD).state, progress(world, OLD).note) == (RequestState.KEPT, why)
    clause, _, rest = why.partition("; ")
    assert subjects(world)[1] == f"[kept] credit: {clause}"
    assert rest in told(world)[1]
    pipeline.give_up(world.monitor, OLD, world.resources, at=at("2026-09-22"), run_id="run-a")
    assert progress(world, OLD).state is RequestState.KEPT


def test_what_was_rolled_back_is_not_promoted_again(world: World) -> None:
    for key, day in ((OLD, "2026-09-10"), (NEW, "2026-09-20")):
        registered(world, key, at(day))
        promoted(world, key, at(day) + DAY)
    with world.resources.ledger.locked("credit") as tx:
        put_back(tx.connection, "credit", at=at("2026-09-22"))

    assert "was rolled back on 2026-09-22 00:00 UTC; retrained-aaaaaaaa is" in promoted(world, NEW, at("2026-09-23"))
    assert champion(world) == "a"
    assert world.resources.registry.version("credit", "retrained-bbbbbbbb").stage is Stage.ARCHIVED


def test_who_approved_is_recorded_once_and_told(world: World) -> None:
    registered(world, OLD)
    promoted(world, OLD, NIGHT + DAY, by="ann")
    promoted(world, OLD, NIGHT + 2 * DAY, by="bob")  # the task is cleared: nobody is asked again

    found = progress(world, OLD)
    assert (found.decided_by, found.finished_at, found.outcome) == ("ann", NIGHT + DAY, "done, approved by ann")
    assert subjects(world) == ["[promoted] credit: retrained-aaaaaaaa is the champion"]


@pytest.mark.parametrize("end", ["promote", "refuse", "give_up"])
def test_what_came_of_a_request_and_the_word_about_it_are_written_together(
    world: World, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    registered(world, OLD)
    ends = {
        "promote": lambda: pipeline.promote(world.monitor, OLD, world.resources, at=NIGHT),
        "refuse": lambda: pipeline.refuse(world.monitor, OLD, world.resources, at=NIGHT, by="ann"),
        "give_up": lambda: pipeline.give_up(world.monitor, OLD, world.resources, at=NIGHT, run_id="run-a"),
    }
    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "queue", _break_off)
        with pytest.raises(LedgerError):
            ends[end]()
    assert progress(world, OLD).state is RequestState.CLAIMED
    ends[end]()
    assert len(subjects(world)) == 1


def _break_off(*_: object) -> None:
    raise LedgerError("the ledger is out of reach")


def test_nobody_answering_is_an_outcome_of_its_own(world: World) -> None:
    registered(world, OLD)
    for _ in range(2):
        pipeline.lapse(world.monitor, OLD, world.resources, at=NIGHT + DAY)

    found = progress(world, OLD)
    assert (found.state, found.decided_by, found.finished_at) == (RequestState.UNANSWERED, "", NIGHT + DAY)
    assert found.note == "nobody answered in time, retrained-aaaaaaaa is not promoted"
    assert subjects(world) == ["[kept] credit: nobody answered in time, retrained-aaaaaaaa is not promoted"]


def test_what_is_done_is_not_undone_by_a_task_that_is_cleared(world: World) -> None:
    registered(world, OLD)
    promoted(world, OLD, NIGHT + DAY)
    pipeline.refuse(world.monitor, OLD, world.resources, at=NIGHT + 2 * DAY, by="ann")

    assert progress(world, OLD).state is RequestState.DONE
    assert len(subjects(world)) == 1
