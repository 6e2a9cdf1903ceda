"""Ask for windows to be measured again, whose rows have become more since: a run of the monitor's own DAG each."""

from __future__ import annotations

from datetime import datetime

from hindsight.ledger.records import DagRequest
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.completeness import Late, late_rows
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.retraining import key_of

MOST = 48  # windows of a monitor in a night: those that miss most come first


def ask_again(monitor: Monitor, resources: Resources, *, now: datetime) -> list[Late]:
    """Ask for quiet runs of windows to which rows came late, once for each number of rows; return those windows.

    A quiet run measures and judges as any other, and pages nobody: what is found in old rows is on record.
    """
    found = sorted(late_rows(monitor, now, resources), key=lambda one: (one.measured - one.logged, one.window.start))
    with resources.ledger.locked(monitor.name) as tx:
        return [late for late in found[:MOST] if tx.request_dag(_request(monitor, late, now))]


def _request(monitor: Monitor, late: Late, now: datetime) -> DagRequest:
    start = late.window.start.isoformat()
    key = key_of(monitor.name, "late rows", start, str(late.logged))
    conf = {"window_start": start, "quiet": True, "cause": f"window {late.window}: {late}"}
    return DagRequest(key, monitor.name, f"monitor__{monitor.name}", conf, now)
