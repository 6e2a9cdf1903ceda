"""From a warehouse to snapshots and a ledger through real tasks: connections found the way each process must."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.airflow.connections import find, open_resources
from hindsight.vocabulary.measurement import Kind
from tests.airflow.runs import cleared
from tests.builders import a_window, at, monitor_file

ROWS = 40


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    """A SQLite warehouse with one day of predictions, each labelled a day later."""
    url = sa.URL.create("sqlite", database=str(tmp_path / "warehouse.db"))
    metadata = sa.MetaData()
    log = sa.Table(
        "inference_log",
        metadata,
        sa.Column("request_id", sa.String),
        sa.Column("predicted_at", sa.DateTime),
        sa.Column("prediction", sa.Integer),
    )
    truth = sa.Table(
        "ground_truth",
        metadata,
        sa.Column("request_id", sa.String),
        sa.Column("label", sa.Integer),
        sa.Column("labeled_at", sa.DateTime),
    )
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    noon = at("2026-09-01T12:00").replace(tzinfo=None)
    with engine.begin() as connection:
        predictions = [{"request_id": str(k), "predicted_at": noon, "prediction": k % 2} for k in range(ROWS)]
        connection.execute(sa.insert(log), predictions)
        arrived = noon + timedelta(days=1)
        labels = [{"request_id": str(k), "label": int(k % 4 < 2), "labeled_at": arrived} for k in range(ROWS)]
        connection.execute(sa.insert(truth), labels)
    engine.dispose()
    return str(url.database)


@pytest.fixture
def stored(airflow_database: None, warehouse: str) -> Iterator[None]:
    """The warehouse as a connection in Airflow's own store, and in no variable."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(Connection(conn_id="warehouse", conn_type="sqlite", host=warehouse))
    yield
    with create_session() as session:
        session.execute(sa.delete(Connection).where(Connection.conn_id == "warehouse"))


def credit() -> dict[str, Any]:
    predictions = {
        "table": "inference_log",
        "id": "request_id",
        "timestamp": "predicted_at",
        "prediction": "prediction",
    }
    labels = {"table": "ground_truth", "id": "request_id", "label": "label", "arrived_at": "labeled_at"}
    source = {"connection": "warehouse", "predictions": predictions, "labels": labels}
    return monitor_file(source=source, features={}, segments=[], labels={"matures_after": "2d"})


def test_a_window_and_a_night_become_snapshots(
    write_monitor: Callable[..., Path], parse: Callable[[], Any], stored: None
) -> None:
    write_monitor(credit())
    dags = parse().dags
    checked = dags["monitor__credit"].test(run_conf={"window_start": "2026-09-01T00:00:00Z"})
    night = dags["labels__credit"].test(run_conf={"as_of": "2026-09-05T00:00:00Z"})
    resources = open_resources()
    requests, accuracy = (
        next(m for m in resources.store.measurements("credit", kind, a_window("2026-09-01")) if m.metric == metric)
        for kind, metric in ((Kind.OPERATIONS, "total_requests"), (Kind.PERFORMANCE, "accuracy"))
    )

    assert (checked.state, night.state) == ("success", "success")
    assert requests.value == ROWS
    assert accuracy.value == 0.5
    assert resources.ledger.last_night("credit", at("2026-09-06")) == at("2026-09-05")


def test_a_task_without_its_connection_fails_at_once_and_names_it(
    write_monitor: Callable[..., Path], parse: Callable[[], Any]
) -> None:
    write_monitor(credit() | {"name": "lost"})
    run = parse().dags["monitor__lost"].test(run_conf={"window_start": "2026-09-01T00:00:00Z"})

    assert run.state == "failed"
    assert {str(instance.try_number) for instance in run.get_task_instances() if instance.task_id == "window"} == {"1"}


def test_outside_a_task_airflows_store_is_asked_too(stored: None, warehouse: str) -> None:
    found = find("warehouse")

    assert found is not None
    assert (found.kind, found.host) == ("sqlite", warehouse)
    assert find("hindsight_pii") is None


def test_a_variable_comes_before_the_store(stored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": "/other.db"}))
    found = find("warehouse")

    assert found is not None
    assert found.host == "/other.db"


def test_a_past_night_that_is_cleared_or_filled_in_gives_the_same_files(
    write_monitor: Callable[..., Path],
    parse: Callable[[], Any],
    stored: None,
    warehouse: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = write_monitor(credit() | {"name": "again", "labels": {"matures_after": "2d", "schedule": "0 2 * * *"}})
    data = file.parents[1] / "data"
    dag = parse().dags["labels__again"]
    nights = [at("2026-09-03T02:00"), at("2026-09-04T02:00")]
    correct(warehouse, arrived=at("2026-09-03T12:00"))
    past, newest = (dag.test(logical_date=night) for night in nights)
    before = written(data)
    again = cleared(dag, past, monkeypatch)

    assert [run.state for run in (past, newest, again)] == ["success"] * 3
    assert again.run_id == past.run_id
    assert {i.try_number for i in again.get_task_instances() if i.state == "success"} == {2}
    assert written(data) == before
    assert {path.name[17:33] for path in data.rglob("kind=performance/**/*.parquet")} == {
        f"{night:%Y%m%dT%H%M%SZ}" for night in nights
    }

    assert dag.test(logical_date=nights[0]).state == "success"  # as a backfill that makes the run anew
    assert written(data) == before
    assert open_resources().ledger.last_night("again", at("2026-09-06")) == nights[1]


def correct(warehouse: str, *, arrived: datetime) -> None:
    """Let other labels arrive for a quarter of the predictions."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=warehouse))
    truth = sa.table("ground_truth", sa.column("request_id"), sa.column("label"), sa.column("labeled_at", sa.DateTime))
    with engine.begin() as connection:
        rows = [
            {"request_id": str(k), "label": 0, "labeled_at": arrived.replace(tzinfo=None)} for k in range(ROWS // 4)
        ]
        connection.execute(sa.insert(truth), rows)
    engine.dispose()


def written(data: Path) -> dict[str, bytes]:
    """Every Parquet file below the data folder."""
    return {str(path): path.read_bytes() for path in sorted(data.rglob("*.parquet"))}
