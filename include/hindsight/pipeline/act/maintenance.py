"""Maintenance: notice monitors that fell silent, close what is watched no more, forget the old."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.monitors.retention import Retention
from hindsight.pipeline.act.delivery import promise
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.pipeline.act.retention import expire
from hindsight.pipeline.judge.retirement import close_retired
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.letters import Message
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.severity import Severity

LONGEST_WRITE = timedelta(days=1)  # what was begun before and is not whole, nobody is still writing


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
        "expired": {monitor.name: gone for monitor in monitors if (gone := expire(monitor, resources, now=now))},
        "forgotten": _forget_others(monitors, resources, now),
        "leftovers": resources.store.remove_leftovers(now - LONGEST_WRITE),
        "folded": {monitor.name: fold_snapshots(monitor.name, resources, now=now) for monitor in monitors},
    }


def _forget_others(monitors: Collection[Monitor], resources: Resources, now: datetime) -> int:
    """Forget the texts of old mails of monitors whose files are gone: nothing else of theirs is touched."""
    return resources.ledger.forget_bodies(now - Retention().messages, but={monitor.name for monitor in monitors})


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
    promise(monitor, f"silence {now:%Y-%m-%d}", Message(subject, text, severity=Severity.P1), resources, now)
