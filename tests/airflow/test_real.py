"""From a warehouse to snapshots and a ledger through real tasks: connections found the way each process must."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.builders import a_window, at, monitor_file

from hindsight.airflow.connections import find, open_resources
from hindsight.monitors.measurement import Kind

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
    assert {str(instance.try_number) for instance in run.get_task_instances() if instance.task_id == "check"} == {"1"}


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
