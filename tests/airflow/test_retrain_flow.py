"""Retraining runs in a real Airflow without its scheduler: promoted, refused, answered elsewhere, failed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hindsight.airflow import assets
from hindsight.errors import TrainingError
from tests.airflow.runs import RETRAIN, Parse, Recorded, Write, again, states
from tests.builders import at, monitor_file


def retrain(parse: Parse, key: str, **test: Any) -> Any:
    conf = {"request": key, "as_of": "2026-10-01T02:00:00Z"}
    return parse().dags["retrain__credit"].test(run_conf=conf, **test)


def announced(run: Any) -> list[str]:
    """What a run announced on the asset, in order."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    asset = assets.retraining("credit")
    query = sa.select(AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
    mine = query.where(AssetModel.uri == asset.uri, AssetEvent.source_run_id == run.run_id)
    with create_session() as session:
        return [extra["what"] for extra in session.scalars(mine.order_by(AssetEvent.id))]


def test_a_better_challenger_is_promoted_and_announced(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file(retrain=RETRAIN | {"approval": False}))
    run = retrain(parse, "k1")

    assert run.state == "success"
    assert use_cases.calls == [
        ("claim", "credit", "k1", run.run_id),
        ("train", "k1", at("2026-10-01T02:00")),
        ("promote", "k1"),
    ]
    assert announced(run) == ["requested", "promoted"]
    assert states(run)["keep"] == "skipped"


def test_a_task_that_is_cleared_announces_nothing_again(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    write_monitor(monitor_file(retrain=RETRAIN | {"approval": False}))
    dag = parse().dags["retrain__credit"]
    run = dag.test(run_conf={"request": "k6", "as_of": "2026-10-01T02:00:00Z"})
    assert [again(dag, run, task) for task in ("claim", "announce")] == ["success", "success"]
    assert announced(run) == ["requested", "promoted"]


def test_a_challenger_no_better_is_not_asked_about(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.better = False
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k2")

    assert states(run)["approve"] == "skipped"
    assert use_cases.calls[-1] == ("refuse", "k2", None)
    assert announced(run) == ["requested"]


def test_a_request_answered_by_another_run_ends_this_one(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.claims = False
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k3")

    assert use_cases.names() == ["claim"]
    assert set(states(run).values()) == {"skipped"}


def test_a_retraining_that_fails_is_noted_and_promotes_nothing(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.error = TrainingError("lending.models:train raised ValueError")
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k5")

    assert run.state == "failed"
    assert use_cases.names() == ["claim", "train", "give_up"]
    assert use_cases.calls[-1] == ("give_up", "k5")


def test_approval_marked_as_given_promotes(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k4", mark_success_pattern="approve")

    assert run.state == "success"
    assert use_cases.names() == ["claim", "train", "promote"]
