"""Use cases that are recorded instead of run, and what a DAG run left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.serialization.serialized_objects import DagSerialization

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window

RETRAIN = {"train": "lending.models:train"}
Write = Callable[[dict[str, Any] | str], Path]
Parse = Callable[[], Any]


@dataclass
class Recorded:
    """The use cases as fakes: what they were asked, and what they answer."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    breaches: int = 0
    starts: list[dict[str, Any]] = field(default_factory=list)
    better: bool = True
    claims: bool = True
    complaints: tuple[str, ...] = ()
    error: Exception | None = None
    undrawn: Exception | None = None
    unwritten: Exception | None = None
    undelivered: Exception | None = None
    untold: set[tuple[str, str]] = field(default_factory=set)
    link: str = ""
    renamed_at: datetime | None = None  # when the monitor got its name
    measured: set[Window] = field(default_factory=set)  # windows on record

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]

    def run_window(self, monitor: Monitor, window: Window, resources: Any, *, read_at: datetime) -> dict[str, Any]:
        self.calls.append(("run_window", monitor.name, window))
        if self.error:
            raise self.error
        return {"rows": 3}

    def judge_window(
        self, monitor: Monitor, window: Window, resources: Any, *, judged_at: datetime, link: str, quiet: bool
    ) -> Any:
        self.calls.append(("judge_window", window, "quiet") if quiet else ("judge_window", window))
        return SimpleNamespace(breaches=["x"] * self.breaches, told=[], retraining=None)

    def take_over(self, monitor: Monitor, resources: Any, *, now: datetime) -> datetime | None:
        return self.renamed_at

    def take_over_all(self, monitors: Any, resources: Any, *, now: datetime) -> list[str]:
        return []

    def was_measured(self, monitor: Monitor, window: Window, ledger: Any) -> bool:
        return window in self.measured

    def document_breach(self, monitor: Monitor, window: Window, resources: Any, *, made_at: datetime) -> dict[str, str]:
        self.calls.append(("document_breach", window))
        return {"report": "ab12", "data_docs": "cd34"} if self.breaches else {}

    def note_judged(self, monitor: str, run: str, resources: Any, *, at: datetime) -> None:
        self.untold.add((monitor, run))

    def awaits_delivery(self, monitor: str, run: str, resources: Any) -> bool:
        return (monitor, run) in self.untold

    def delivered(self, monitor: str, run: str, resources: Any) -> None:
        self.untold.discard((monitor, run))

    def find_windows(self, monitor: Monitor, as_of: datetime, resources: Any) -> list[Window]:
        self.calls.append(("find_windows", as_of))
        return self.windows

    def revise_windows(self, monitor: Monitor, windows: list[Window], as_of: datetime, resources: Any) -> Any:
        self.calls.append(("revise_windows", tuple(windows), as_of))
        return {"windows": len(windows)}

    def judge_night(
        self,
        monitor: Monitor,
        as_of: datetime,
        windows: list[Window],
        resources: Any,
        *,
        judged_at: datetime,
        link: str,
    ) -> Any:
        self.calls.append(("judge_night", as_of, tuple(windows)))
        self.link = link
        if self.error:
            raise self.error
        return SimpleNamespace(breaches=[], told=[], retraining=None)

    def report_performance(self, monitor: Monitor, as_of: datetime, resources: Any, *, made_at: datetime) -> str | None:
        self.calls.append(("report_performance", as_of))
        if self.undrawn:
            raise self.undrawn
        return "ef56" if self.windows else None

    def report_night(self, monitor: Monitor, as_of: datetime, resources: Any, *, made_at: datetime) -> str:
        self.calls.append(("report_night", as_of))
        return "cd34"

    def deliver(self, resources: Any, *, now: datetime, monitor: str | None = None) -> Any:
        self.calls.append(("deliver", monitor))
        if self.undelivered:
            raise self.undelivered
        return SimpleNamespace(sent=0, pending=0, held="", complaints=self.complaints)

    def watch_over(self, part: str, monitors: Any, resources: Any, *, now: datetime) -> list[str]:
        return []

    def tell_what_lasts(self, monitors: Any, resources: Any, *, now: datetime) -> list[str]:
        return []

    def post_alerts(self, monitors: Any, resources: Any, *, now: datetime) -> dict[str, int]:
        return {}

    def pending_starts(self, resources: Any) -> list[dict[str, Any]]:
        return self.starts

    def mark_started(self, resources: Any, run_id: str, *, at: datetime) -> None:
        self.calls.append(("mark_started", run_id))
        if self.unwritten:
            raise self.unwritten

    def put_off(self, resources: Any, run_id: str, *, why: str, monitors: Any, at: datetime) -> None:
        self.calls.append(("put_off", run_id, why))

    def is_due_again(self, part: str, resources: Any, *, now: datetime, every: Any) -> bool:
        return True

    def ask_again(self, monitor: Any, resources: Any, *, now: datetime) -> list[str]:
        self.calls.append(("ask_again", monitor.name))
        return ["2026-09-01"]

    def maintain(
        self, monitors: Any, resources: Any, *, now: datetime, resumed: Any, paused: Any, all_there: bool
    ) -> Any:
        self.calls.append(("maintain", [monitor.name for monitor in monitors], resumed, all_there))
        return {}

    def send_reviews(self, monitors: Any, period: Any, resources: Any, *, at: datetime, link: str) -> int:
        self.calls.append(("send_reviews", [monitor.name for monitor in monitors], period.name))
        return 2

    def claim(self, monitor: Monitor, key: str, resources: Any, *, by: str) -> bool:
        self.calls.append(("claim", monitor.name, key, by))
        return self.claims

    def train_and_compare(self, monitor: Monitor, key: str, as_of: datetime, resources: Any) -> dict[str, Any]:
        self.calls.append(("train", key, as_of))
        if self.error:
            raise self.error
        return {"better": self.better, "summary": "0.91 against 0.88"}

    def promote(self, monitor: Monitor, key: str, resources: Any, *, at: datetime, by: str = "") -> dict[str, Any]:
        self.calls.append(("promote", key))
        return {"version": "v2"}

    def give_up(self, monitor: Monitor, key: str, resources: Any, *, at: datetime, run_id: str) -> None:
        self.calls.append(("give_up", key))

    def refuse(self, monitor: Monitor, key: str, resources: Any, *, at: datetime, by: str | None) -> None:
        self.calls.append(("refuse", key, by))


def runs_of(dag_id: str) -> dict[str, Any]:
    """The conf of every run of a DAG, by its id."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.scalars(sa.select(DagRun).where(DagRun.dag_id == dag_id)).all()
        return {run.run_id: run.conf for run in found}


def states(run: Any) -> dict[str, str]:
    return {
        f"{instance.task_id}{'' if instance.map_index < 0 else instance.map_index}": str(instance.state)
        for instance in run.get_task_instances()
    }


def events(asset: Any, run: Any) -> list[str | None]:
    """The partition keys of the asset's events that a run made."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    query = (
        sa.select(AssetEvent.partition_key)
        .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        .where(AssetModel.uri == asset.uri, AssetEvent.source_run_id == run.run_id)
        .order_by(AssetEvent.partition_key)
    )
    with create_session() as session:
        return list(session.scalars(query))


def as_scheduled(dag: Any) -> Any:
    """The DAG as the scheduler reads it from its database."""
    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def cleared(dag: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Clear every task of a run, as the button does, and let them run once more in the same run."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.state import DagRunState

    def the_same(*, dag: Any, session: Any, **_: Any) -> Any:
        found = session.scalar(sa.select(DagRun).where(DagRun.dag_id == dag.dag_id, DagRun.run_id == run.run_id))
        found.dag = dag
        found.set_state(DagRunState.RUNNING)
        session.commit()
        return found

    with monkeypatch.context() as patch:
        patch.setattr("airflow.models.dagrun.get_or_create_dagrun", the_same)
        return dag.test(logical_date=run.logical_date)


def again(dag: Any, run: Any, task_id: str) -> str:
    """Clear one task of a run that is over, let it run, and return how it ended."""
    from airflow.models.taskinstance import clear_task_instances
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    with create_session() as session:
        one = [ti for ti in run.get_task_instances(session=session) if ti.task_id == task_id]
        clear_task_instances(one, session)
    (instance,) = [ti for ti in run.get_task_instances() if ti.task_id == task_id]
    _run_task(ti=instance, task=dag.get_task(task_id))
    return str(TaskInstanceState(instance.state).value)
