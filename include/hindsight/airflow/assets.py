"""Assets: what users' own DAGs are scheduled on; each measured window is an event whose partition key is its start."""

from __future__ import annotations

from airflow.sdk import Asset

from hindsight.vocabulary.windows import Window

KEY_FORMAT = "%Y-%m-%dT%H:%M:%S"  # Airflow's own partition mappers (StartOfDayMapper, ...) read this one


def snapshots(monitor: str) -> Asset:
    """The numbers of a monitor; an event says that a window was measured, for the first time or again."""
    return Asset(f"hindsight://{monitor}/snapshots")


def retraining(monitor: str) -> Asset:
    """The model of a monitor; an event says that a new version was promoted."""
    return Asset(f"hindsight://{monitor}/retraining")


def partition_key(window: Window) -> str:
    """The key of a window's events: its start in UTC."""
    return window.start.strftime(KEY_FORMAT)
