"""Assets: what users' own DAGs are scheduled on; each measured window is an event whose partition key is its start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from airflow.sdk import Asset, AssetAlias

from hindsight.vocabulary.windows import Window

KEY_FORMAT = "%Y-%m-%dT%H:%M:%S"  # Airflow's own partition mappers (StartOfDayMapper, ...) read this one


def snapshots(monitor: str) -> Asset:
    """The numbers of a monitor; an event says that a window was measured, for the first time or again."""
    return Asset(f"hindsight://{monitor}/snapshots")


def retraining(monitor: str) -> Asset:
    """The model of a monitor; an event says that a retraining was requested, or that its version was promoted."""
    return Asset(f"hindsight://{monitor}/retraining")


def announcing(monitor: str) -> dict[str, Any]:
    """Return what a task needs that announces retrainings: an outlet it may leave empty, and what was announced."""
    return {"outlets": [AssetAlias(f"hindsight retraining {monitor}")], "inlets": [retraining(monitor)]}


def announce(monitor: str, what: Literal["requested", "promoted"], request: str, run: Mapping[str, Any]) -> bool:
    """Announce what became of a request, once: a task that is cleared says nothing again; return whether it was new."""
    asset, (alias,) = retraining(monitor), announcing(monitor)["outlets"]
    told = ((event.extra.get("what", "promoted"), event.extra.get("request")) for event in run["inlet_events"][asset])
    is_new = (what, request) not in told
    if is_new:
        run["outlet_events"][alias].add(asset, extra={"what": what, "request": request})
    return is_new


def partition_key(window: Window) -> str:
    """The key of a window's events: its start in UTC."""
    return window.start.strftime(KEY_FORMAT)
