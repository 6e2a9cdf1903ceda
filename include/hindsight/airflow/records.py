"""Records: what Airflow's own database says of our DAGs, for the pages, which its API server serves.

Tasks cannot ask it, and need not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import sqlalchemy as sa

from hindsight.reports.debug import Run
from hindsight.reports.pages import Hanging, Link, MonitorCard

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

NEWEST = 8  # runs of a DAG that are shown


def as_paused(cards: Sequence[MonitorCard]) -> list[MonitorCard]:
    """Return the cards with those paused whose DAG somebody paused in Airflow, whatever their files say."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    ids = [f"monitor__{card.name}" for card in cards if card.state == "active"]
    query = sa.select(DagModel.dag_id).where(DagModel.dag_id.in_(ids), DagModel.is_paused)
    with create_session() as session:
        paused = set(session.scalars(query))
    return [replace(card, state="paused") if f"monitor__{card.name}" in paused else card for card in cards]


def hanging() -> list[Hanging]:
    """Return our DAGs that no file makes any more and that have runs which wait: nothing will ever run them."""
    from airflow.models.dag import DagModel, DagTag
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    waits = sa.and_(DagRun.dag_id == DagModel.dag_id, DagRun.state.in_(["queued", "running"]))
    ours = sa.exists().where(DagTag.dag_id == DagModel.dag_id, DagTag.name == "hindsight")
    query = sa.select(DagModel.dag_id, sa.func.count()).join(DagRun, waits).where(DagModel.is_stale, ours)
    with create_session() as session:
        found = session.execute(query.group_by(DagModel.dag_id).order_by(DagModel.dag_id)).all()
    return [Hanging(dag, runs) for dag, runs in found]


def runs_of(dags: Sequence[str]) -> tuple[Run, ...]:
    """Return the newest runs of these DAGs, newest first, with the tasks that failed in them."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    rank = sa.func.row_number().over(partition_by=DagRun.dag_id, order_by=DagRun.run_after.desc()).label("rank")
    ranked = sa.select(DagRun.id, rank).where(DagRun.dag_id.in_(dags)).subquery()
    newest = sa.select(DagRun).join(ranked, ranked.c.id == DagRun.id).where(ranked.c.rank <= NEWEST)
    failed: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    with create_session() as session:
        found = session.scalars(newest.order_by(DagRun.run_after.desc())).all()
        of_these = TaskInstance.dag_id.in_(dags), TaskInstance.run_id.in_([run.run_id for run in found])
        names = sa.select(TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id)
        for dag, run, task in session.execute(names.where(*of_these, TaskInstance.state == "failed")):
            failed[dag, run][task] = None  # one of many map indexes is enough to lead there
        return tuple(_run(run, list(failed[run.dag_id, run.run_id])) for run in found)


def _run(run: DagRun, failed: Sequence[str]) -> Run:
    from airflow.configuration import conf

    base = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    dag = f"{base}/dags/{quote(run.dag_id)}"
    place = f"{dag}/runs/{quote(run.run_id, safe='')}"
    return Run(
        dag=Link(run.dag_id, dag),
        run=Link(run.run_id, place),
        state=str(run.state),
        about=_about(run),
        began=run.start_date,
        lasted=(run.end_date - run.start_date).total_seconds() if run.end_date and run.start_date else None,
        failed=tuple(Link(task, f"{place}/tasks/{quote(task)}") for task in failed),
    )


def _about(run: DagRun) -> str:
    """Say which window or night a scheduled run is about, as every page does; "" for one without an interval."""
    start, end = run.data_interval_start, run.data_interval_end
    if start is None or end is None or start == end:
        return ""
    return f"{start:%Y-%m-%d %H:%M}" if run.dag_id.startswith("monitor__") else f"night {end:%Y-%m-%d %H:%M}"
