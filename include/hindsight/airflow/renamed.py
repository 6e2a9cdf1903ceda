"""Renamed: the DAG of a new name has no runs of its own yet, and leaves out what the one before it has done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window


def take_over_window(monitor: Monitor, window: Window, resources: Any, run: Mapping[str, Any], now: datetime) -> None:
    """Take over the history of earlier names; skip a scheduled run of a window that was measured under one.

    A window that is on record and was due before the rename is none that the schedule asks for: Airflow catches up
    from `start` on, because it knows of no run of the new DAG.
    """
    from hindsight import pipeline

    at = pipeline.take_over(monitor, resources, now=now)
    if at is None or run["dag_run"].run_type != "scheduled" or window.end + monitor.lateness > at:
        return
    if pipeline.was_measured(monitor, window, resources.ledger):
        done = f"{window} was measured before {monitor.name} got this name"
        raise AirflowSkipException(f"{done}; trigger it with window_start to measure it again")


def take_over_night(monitor: Monitor, as_of: datetime, resources: Any, run: Mapping[str, Any], now: datetime) -> None:
    """Take over the history of earlier names; skip a scheduled night before that: the next one finds what it missed."""
    from hindsight import pipeline

    at = pipeline.take_over(monitor, resources, now=now)
    if at is not None and run["dag_run"].run_type == "scheduled" and as_of <= at:
        raise AirflowSkipException(
            f"the night lies before {monitor.name} got this name; trigger it with as_of to hold it"
        )
