"""Requests: runs of DAGs that were asked for and not started yet; each stays until its run exists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.pipeline.act.delivery import promise
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.letters import Message
from hindsight.vocabulary.severity import Severity


def pending_starts(resources: Resources) -> list[dict[str, Any]]:
    """Return the DAG runs that were asked for and not started: dag_id, run_id and conf of each."""
    retrainings = [
        {"dag_id": r.dag, "run_id": r.run_id, "conf": {"request": r.key, "as_of": r.as_of.isoformat()}}
        for r in resources.ledger.pending_requests()
    ]
    others = [{"dag_id": r.dag, "run_id": r.run_id, "conf": r.conf} for r in resources.ledger.pending_dags()]
    return retrainings + others


def mark_started(resources: Resources, run_id: str, *, at: datetime) -> None:
    """Note that a requested run exists."""
    for retraining in resources.ledger.pending_requests():
        if retraining.run_id == run_id:
            resources.ledger.mark_started(retraining.key, at)
    for request in resources.ledger.pending_dags():
        if request.run_id == run_id:
            resources.ledger.mark_dag_started(request.key, at)


def put_off(resources: Resources, run_id: str, *, why: str, monitors: Iterable[Monitor], at: datetime) -> None:
    """Note why a requested run cannot be started yet, and tell its monitor's people once; it stays requested."""
    asked: set[str] = set()
    for retraining in resources.ledger.pending_requests():
        if retraining.run_id == run_id:
            asked.add(retraining.monitor)
            resources.ledger.put_off(retraining.key, why)
    for request in resources.ledger.pending_dags():
        if request.run_id == run_id:
            asked.add(request.monitor)
            resources.ledger.put_dag_off(request.key, why)
    for monitor in monitors:
        if monitor.name in asked:
            subject = f"[P1] {monitor.name}: a requested run cannot start"
            text = f"{why}\nThe request stays; it is tried again every two minutes.\n"
            promise(monitor, f"start {run_id}", Message(subject, text, severity=Severity.P1), resources, at)
