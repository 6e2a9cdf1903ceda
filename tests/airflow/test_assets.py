"""A user's own DAG, scheduled on a monitor's snapshots: one run for each window that was measured, again or anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from tests.builders import a_window, monitor_file

CONSUMER = """
from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, task

with DAG("consumer", schedule=PartitionedAssetTimetable(assets=Asset("hindsight://watched/snapshots"))):

    @task
    def use(partition_key=None): ...

    use()
"""


@pytest.fixture
def consumer(parse: Callable[[], Any], tmp_path: Path) -> None:
    """A user's DAG file, known to Airflow and not paused."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "consumer.py").write_text(CONSUMER)
    parse()
    sync_bag_to_db(DagBag(str(tmp_path / "dags")), "dags-folder", None)
    with create_session() as session:
        session.execute(sa.update(DagModel).where(DagModel.dag_id == "consumer").values(is_paused=False))


def queued() -> list[str]:
    """The partitions for which the scheduler is about to start the consumer."""
    from airflow.models.asset import AssetPartitionDagRun
    from airflow.utils.session import create_session

    query = sa.select(AssetPartitionDagRun.partition_key).where(AssetPartitionDagRun.target_dag_id == "consumer")
    with create_session() as session:
        return sorted(session.scalars(query))


def test_each_window_a_night_measured_again_starts_the_consumer_once(
    write_monitor: Callable[..., Path], parse: Callable[[], Any], consumer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = [a_window("2026-09-01"), a_window("2026-09-05")]
    monkeypatch.setattr("hindsight.airflow.tasks.open_resources", lambda: None)
    monkeypatch.setattr(pipeline, "find_windows", lambda monitor, as_of, resources: windows)
    monkeypatch.setattr(pipeline, "revise_windows", lambda monitor, windows, as_of, resources: {})
    judged = SimpleNamespace(breaches=(), told=(), retraining=None)
    monkeypatch.setattr(pipeline, "judge_night", lambda *args, **rest: judged)
    monkeypatch.setattr(pipeline, "report_performance", lambda *args, **rest: None)
    monkeypatch.setattr(pipeline, "report_night", lambda *args, **rest: "ab12")
    delivered = SimpleNamespace(sent=0, pending=0, held="", complaints=())
    monkeypatch.setattr(pipeline, "deliver", lambda *args, **rest: delivered)
    write_monitor(monitor_file(name="watched"))
    parse().dags["labels__watched"].test(run_conf={"as_of": "2026-10-01T00:00:00Z"})

    assert queued() == ["2026-09-01T00:00:00", "2026-09-05T00:00:00"]
