"""The rollback DAG in a real Airflow: who asks, who may answer, and that nothing happens without a yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.pipeline.show.audit import deeds
from tests.airflow.retraining_world import answering, says, says_nothing
from tests.airflow.runs import Parse, states
from tests.builders import at
from tests.pipeline.act.test_rollback import promoted
from tests.pipeline.world import World, a_world

Trigger = Callable[..., Any]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, write_monitor: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A model whose third version is in production."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"sqlite:///{sqlite_url.database}")
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    with a_world(sqlite_url, tmp_path, retrain={"train": "lending_models:train"}) as made:
        made.resources.registry.create()
        for number in (1, 2, 3):
            promoted(made, f"v{number}", at(f"2026-09-0{number}"))
        yield made


@pytest.fixture
def trigger(world: World, parse: Parse) -> Trigger:
    return lambda **conf: parse().dags["rollback__credit"].test(run_conf=conf)


def champion(world: World) -> str:
    found = world.resources.registry.champion("credit")
    assert found is not None
    return found.version


def test_an_earlier_champion_comes_back_once_somebody_who_may_says_yes(world: World, trigger: Trigger) -> None:
    def viewer_then_bea(asked: Any) -> None:
        says("Approve", "vic", role="VIEWER", status=403)(asked)
        says("Approve", "bea")(asked)

    waiting = answering(viewer_then_bea)
    run = trigger(why="worse since Monday")
    waiting.join()

    assert run.state == "success", states(run)
    assert champion(world) == "v2"
    (deed,) = deeds([world.monitor], world.resources)
    assert (deed.who, deed.what, deed.why) == ("bea", "put v2 back in the place of v3", "worse since Monday")
    assert [mail.subject for mail in world.resources.ledger.outbox("credit")] == [
        "[rolled back] credit: v2 is the champion again"
    ]


def test_the_version_may_be_named(world: World, trigger: Trigger) -> None:
    answering(says("Approve", "bea"))
    assert trigger(why="worse since Monday", to="v1").state == "success"
    assert champion(world) == "v1"


@pytest.mark.parametrize("answer", [says("Reject"), says_nothing])
def test_without_a_yes_the_champion_stays(answer: Callable[[Any], None], world: World, trigger: Trigger) -> None:
    answering(answer)
    run = trigger(why="worse since Monday")
    assert states(run)["put_back"] in ("skipped", "upstream_failed")
    assert champion(world) == "v3"
    assert deeds([world.monitor], world.resources) == []


@pytest.mark.parametrize("conf", [{}, {"why": "  "}, {"why": "x", "to": "v9"}])
def test_without_a_reason_or_such_a_version_nobody_is_asked(
    conf: dict[str, str], world: World, trigger: Trigger
) -> None:
    run = trigger(**conf)
    assert (run.state, states(run)["choose"]) == ("failed", "failed")
    assert champion(world) == "v3"


def test_what_was_approved_for_one_champion_is_not_done_to_another(world: World, trigger: Trigger) -> None:
    def promoted_meanwhile(asked: Any) -> None:
        promoted(world, "v4", at("2026-09-04"))
        says("Approve", "bea")(asked)

    answering(promoted_meanwhile)
    run = trigger(why="worse since Monday")
    assert states(run)["put_back"] == "failed"
    assert champion(world) == "v4"
