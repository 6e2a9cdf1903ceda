"""Pauses: a resumed monitor moves on with the next window, where Airflow by itself would catch up on the pause.

The relay keeps the span of each monitor's latest pause in one Airflow Variable. Scheduled runs that were due in it are
skipped; runs started by hand and back-fills are not, so the gap can be filled on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowSkipException

from hindsight.monitors.model import Monitor

VARIABLE = "hindsight_pauses"

Pauses = Mapping[str, Mapping[str, Any]]


def noted(pauses: Pauses, monitors: Iterable[Monitor], now: datetime) -> dict[str, dict[str, Any]]:
    """Return the pauses with those of `now` in them: `since`, `until` and whether it still `lasts`, by monitor."""
    found = {name: dict(pause) | {"lasts": False} for name, pause in pauses.items()}
    for monitor in monitors:
        if monitor.state == "paused":
            before = pauses.get(monitor.name, {})
            since = before["since"] if before.get("lasts") else now.isoformat()
            found[monitor.name] = {"since": since, "until": now.isoformat(), "lasts": True}
    return found


def note(monitors: Iterable[Monitor], now: datetime) -> None:
    """Write down which monitors are paused now; nothing is written while none ever was."""
    known = _known()
    if (found := noted(known, monitors, now)) != known:
        Variable.set(VARIABLE, found, description="When monitors were paused in their files", serialize_json=True)


def skip_if_paused(monitor: Monitor, due: datetime, run: Mapping[str, Any]) -> None:
    """Skip a scheduled run that was due while its monitor was paused."""
    if run["dag_run"].run_type != "scheduled":
        return
    pause = _known().get(monitor.name)
    if pause and datetime.fromisoformat(pause["since"]) <= due <= datetime.fromisoformat(pause["until"]):
        raise AirflowSkipException(f"{monitor.name} was paused from {pause['since']} to {pause['until']}")


def resumed() -> dict[str, datetime]:
    """Return when the latest pause of each monitor ended, or was last seen to last."""
    return {name: datetime.fromisoformat(pause["until"]) for name, pause in _known().items()}


def _known() -> dict[str, dict[str, Any]]:
    return dict(Variable.get(VARIABLE, default={}, deserialize_json=True))
