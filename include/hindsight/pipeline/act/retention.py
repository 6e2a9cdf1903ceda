"""Retention: what has expired of a monitor is found, listed where asked for, and deleted under the monitor's lock.

First the horizon is moved and the old verdicts go, in one transaction: from then on nobody measures or judges what lies
before it. Then the files go. A deletion that is cut off leaves files behind the horizon, which the next one deletes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from hindsight.errors import StoreError
from hindsight.ledger.estimates import forget_estimates
from hindsight.ledger.forgetting import (
    count_verdicts,
    forget_report,
    forget_verdicts,
    judged_before,
    move_horizon,
)
from hindsight.ledger.records import RequestState
from hindsight.ledger.slo_counts import forget_slo_counts
from hindsight.ledger.summaries import forget_summaries
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.monitors.retention import before
from hindsight.pipeline.act.expiry import Expiry, held, old_files, old_labels, old_models, old_reports
from hindsight.pipeline.judge.slos import reach
from hindsight.pipeline.resources import Resources
from hindsight.training.registry import ModelVersion
from hindsight.verdicts.model import Series
from hindsight.verdicts.retention import Span, expired, judged_until, needed

AT_ONCE = 200  # files deleted under one lock, so that windows are measured in between
UNDECIDED = (RequestState.REQUESTED, RequestState.STARTED, RequestState.CLAIMED)


def expiry(monitor: Monitor, resources: Resources, *, now: datetime) -> tuple[Expiry, dict[str, int]]:
    """Return what of a monitor has expired, and how many of each kind; nothing is changed."""
    with resources.ledger.reading() as connection:
        tx = Transaction(connection, monitor.name)
        found = _expiry(monitor, tx, resources, now)
        counts = _counts(found, verdicts=count_verdicts(tx, found.verdicts))
    old = before(monitor.retention.messages, now)
    return found, counts | {"messages": resources.ledger.bodies(old, monitor.name) if old else 0}


def expire(monitor: Monitor, resources: Resources, *, now: datetime) -> dict[str, Any]:
    """Delete what has expired of a monitor; return how many of each kind went, and what could not be deleted."""
    with resources.ledger.locked(monitor.name) as tx:
        found = _expiry(monitor, tx, resources, now)
        if found.horizon is not None:
            move_horizon(tx, found.horizon, now)
            forget_summaries(tx, found.horizon)
            forget_estimates(tx, found.horizon)
            forget_slo_counts(tx, found.horizon - reach(monitor))
        verdicts = forget_verdicts(tx, found.verdicts)
    old = before(monitor.retention.messages, now)
    counts = {"messages": resources.ledger.forget_bodies(old, monitor.name) if old else 0, "verdicts": verdicts}
    faults: list[str] = []
    for name, gone in _deleted(found, resources):
        counts[name] = counts.get(name, 0) + (0 if isinstance(gone, str) else gone)
        faults += [gone] if isinstance(gone, str) else []
    return {name: count for name, count in counts.items() if count} | ({"faults": faults} if faults else {})


def _expiry(monitor: Monitor, tx: Transaction, resources: Resources, now: datetime) -> Expiry:
    keep, incidents = monitor.retention, tx.incidents()
    stay = held(incidents)
    horizon = max(filter(None, [tx.horizon(), monitor.horizon(now)]), default=None)
    files = old_files(resources.store.names(monitor.name), horizon, stay)
    labels = old_labels(resources.seen.windows(monitor.name), monitor.horizon(now, keep.labels), stay)
    verdicts = _verdicts(monitor, tx, now)
    versions = resources.registry.versions(monitor.name)
    undecided = {one.request.key for one in resources.ledger.requests(monitor.name) if one.state in UNDECIDED}
    return Expiry(
        monitor.name,
        horizon if files or labels or verdicts else None,
        tuple(file.path for file in files),
        tuple(labels),
        tuple(verdicts),
        tuple(old_reports(resources.ledger.reports(monitor.name), before(keep.reports, now), stay)),
        tuple(old_models(versions, before(keep.models, now), undecided)),
    )


def _verdicts(monitor: Monitor, tx: Transaction, now: datetime) -> list[tuple[Series, Span]]:
    horizon = monitor.horizon(now, monitor.retention.verdicts)
    if horizon is None:
        return []
    longest = max((max(rule.for_, rule.keep_for) for rule in monitor.rules), default=0)
    until = judged_until(horizon, longest, monitor.window)
    series = judged_before(tx, until)
    found = expired(series, needed(tx.incidents(), monitor.window), until)
    return [one for one in found if count_verdicts(tx, [one])]


def _counts(found: Expiry, *, verdicts: int) -> dict[str, int]:
    lists: dict[str, Sequence[object]] = {
        "snapshots": found.files,
        "labels": found.labels,
        "reports": found.reports,
        "models": found.models,
    }
    return {name: len(some) for name, some in lists.items()} | {"verdicts": verdicts}


def _deleted(found: Expiry, resources: Resources) -> Iterator[tuple[str, int | str]]:
    """Delete what lies in the store, and what the ledger says of it; yield how many went, or why not."""
    for name, paths in (("snapshots", found.files), ("labels", found.labels)):
        for first in range(0, len(paths), AT_ONCE):
            yield name, _removed(found.monitor, paths[first : first + AT_ONCE], resources)
    for report in found.reports:
        yield "reports", _without_report(found.monitor, report.id, report.uri, resources)
    for version in found.models:
        yield "models", _without_model(version, resources)


def _removed(monitor: str, paths: Sequence[str], resources: Resources) -> int | str:
    with resources.ledger.locked(monitor):
        try:
            for path in paths:
                resources.files.remove(path)
        except StoreError as exc:
            return str(exc)
    return len(paths)


def _without_report(monitor: str, id: str, path: str, resources: Resources) -> int | str:
    with resources.ledger.locked(monitor) as tx:
        try:
            resources.files.remove(path)
        except StoreError as exc:
            return str(exc)
        forget_report(tx, id)
    return 1


def _without_model(version: ModelVersion, resources: Resources) -> int | str:
    try:
        return int(resources.registry.remove(version, partial(resources.files.remove, version.artifact)))
    except StoreError as exc:
        return str(exc)
