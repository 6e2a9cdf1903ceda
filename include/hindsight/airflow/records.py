"""Records: what Airflow's own database says of our DAGs, for the pages, which its API server serves.

Tasks cannot ask it, and need not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from hindsight.reports.pages import Hanging, MonitorCard


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
