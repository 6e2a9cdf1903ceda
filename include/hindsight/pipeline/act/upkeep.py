"""Keep promises and order: deliver mail, start what was requested, notice monitors that fell silent, forget the old."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Severity
from hindsight.pipeline.act import delivery as outbox
from hindsight.pipeline.act.delivery import Delivery
from hindsight.pipeline.judge.retirement import close_retired
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.letters import Message, letters
from hindsight.vocabulary.measurement import Kind

KEPT = timedelta(days=90)  # how long the text of a settled mail is kept
LONGEST_WRITE = timedelta(days=1)  # what was begun before and is not whole, nobody is still writing


def deliver(resources: Resources, *, now: datetime, monitor: str | None = None) -> Delivery:
    """Send the mail that is due; what cannot be sent stays promised."""
    return outbox.deliver(resources.ledger, resources.mailer, now=now, monitor=monitor)


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
            _tell(monitor, f"start {run_id}", Message(subject, text, severity=Severity.P1), resources, at)


def maintain(
    monitors: Collection[Monitor],
    resources: Resources,
    *,
    now: datetime,
    resumed: Mapping[str, datetime] = MappingProxyType({}),
    all_there: bool = False,
) -> dict[str, Any]:
    """Tell once a day of every active monitor that has not reported for two windows, and tidy up.

    `resumed` says when the latest pause of a monitor ended: it counts as silent only from then on. Incidents of
    archived monitors are closed; those of monitors without a file too, but only where `all_there` says that `monitors`
    are all there are: a folder that is not mounted, or a broken file, is no removal.
    """
    active = [monitor for monitor in monitors if monitor.state == "active"]
    silent = [m for m in active if _is_silent(m, resources, now, since=resumed.get(m.name))]
    for monitor in silent:
        _tell_silence(monitor, resources, now)
    return {
        "silent": [monitor.name for monitor in silent],
        "closed": close_retired(monitors, resources, at=now, all_there=all_there),
        "forgotten": resources.ledger.forget_bodies(now - KEPT),
        "leftovers": resources.store.remove_leftovers(now - LONGEST_WRITE),
    }


def _is_silent(monitor: Monitor, resources: Resources, now: datetime, *, since: datetime | None) -> bool:
    due = now - monitor.lateness - 2 * monitor.window
    begun = max(filter(None, [monitor.start, since]), default=None)
    if (monitor.end and due >= monitor.end) or (begun and due < begun):
        return False
    newest = resources.store.newest(monitor.name, Kind.OPERATIONS)
    return newest.end <= due if newest else monitor.start is not None


def _tell_silence(monitor: Monitor, resources: Resources, now: datetime) -> None:
    subject = f"[P1] {monitor.name} has not reported for two windows"
    due = now - monitor.lateness - 2 * monitor.window
    text = (
        f"No window of {monitor.name} was checked after {due:%Y-%m-%d %H:%M} UTC.\n"
        f"Look at the DAG monitor__{monitor.name} in Airflow: is it paused, failing, or is the scheduler down?\n"
    )
    _tell(monitor, f"silence {now:%Y-%m-%d}", Message(subject, text, severity=Severity.P1), resources, now)


def _tell(monitor: Monitor, cause: str, message: Message, resources: Resources, at: datetime) -> None:
    with resources.ledger.locked(monitor.name) as tx:
        tx.queue(letters(message, monitor=monitor.name, cause=cause, recipients=monitor.alerts.email), at)
