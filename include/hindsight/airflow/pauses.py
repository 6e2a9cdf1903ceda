"""Pauses: a resumed monitor moves on with the next window, where Airflow by itself would catch up on the pause.

The relay keeps the spans of each monitor's latest pauses in one Airflow Variable, of those paused in their file and,
seen within the hour, of those whose DAG somebody paused in Airflow. Scheduled runs that were due in one are skipped;
runs started by hand and back-fills are not, so the gap can be filled on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowSkipException

from hindsight.monitors.drafts import is_draft
from hindsight.monitors.model import Monitor

VARIABLE = "hindsight_pauses"
EVERY = timedelta(hours=1)  # all DAGs are asked whether they are paused
MOST = 20  # pauses of a monitor that are remembered

Pauses = Mapping[str, Mapping[str, Any]]


def noted(
    pauses: Pauses, monitors: Iterable[Monitor], now: datetime, in_airflow: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return the pauses with those of `now` in them: `since`, `until` and whether it still `lasts`, by monitor.

    `in_airflow` are those whose DAG is paused there, which is noted beside.
    """
    found = {name: dict(pause) | {"lasts": False} for name, pause in pauses.items()}
    for monitor in monitors:
        if monitor.state == "paused" or monitor.name in in_airflow:
            found[monitor.name] = _going_on(pauses.get(monitor.name, {}), now)
            found[monitor.name] |= {} if monitor.state == "paused" else {"in_airflow": True}
    return found


def _going_on(before: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the pause that lasts now, with those that ended before it: their runs may be still to come."""
    earlier = list(before.get("earlier", []))
    if before and not before.get("lasts"):
        earlier = [*earlier, [before["since"], before["until"]]][-MOST:]
    since = before["since"] if before.get("lasts") else now.isoformat()
    pause = {"since": since, "until": now.isoformat(), "lasts": True}
    return pause | ({"earlier": earlier} if earlier else {})


def paused_in_airflow(
    monitors: Iterable[Monitor], is_paused: Callable[[str], bool], *, asks_all: bool = True
) -> set[str]:
    """Return the active monitors whose DAG somebody paused in Airflow, asking `is_paused` of DAG ids.

    Unless it `asks_all` only those are asked that were paused: hundreds of monitors are not asked every two minutes.
    """
    known = _known()
    active = (monitor for monitor in monitors if monitor.state == "active")
    asked = (m for m in active if asks_all or known.get(m.name, {}).get("lasts"))
    return {monitor.name for monitor in asked if is_paused(f"monitor__{monitor.name}")}


def note(monitors: Iterable[Monitor], now: datetime, in_airflow: Collection[str] = ()) -> None:
    """Write down which monitors are paused now; nothing is written while none ever was."""
    known = _known()
    if (found := noted(known, monitors, now, in_airflow)) != known:
        Variable.set(VARIABLE, found, description="When monitors were paused", serialize_json=True)


def skip_if_paused(monitor: Monitor, due: datetime, run: Mapping[str, Any]) -> None:
    """Skip a scheduled run that was due while its monitor was paused."""
    if run["dag_run"].run_type != "scheduled":
        return
    known = _known()
    pauses = [known[name] for name in (monitor.name, *monitor.renamed_from) if name in known]
    spans = [span for pause in pauses for span in [*pause.get("earlier", []), [pause["since"], pause["until"]]]]
    for since, until in spans:
        if datetime.fromisoformat(since) <= due <= datetime.fromisoformat(until):
            raise AirflowSkipException(f"{monitor.name} was paused from {since} to {until}")


def resumed() -> dict[str, datetime]:
    """Return when the latest pause of each monitor ended, or was last seen to last.

    One that lasts because somebody paused the DAG in Airflow is left out: that the monitor is silent is told.
    """
    meant = {name: pause for name, pause in _known().items() if not (pause["lasts"] and pause.get("in_airflow"))}
    return {name: datetime.fromisoformat(pause["until"]) for name, pause in meant.items()}


def paused_by_hand() -> set[str]:
    """Return the monitors whose DAG is paused in Airflow now, as was last seen, though their files say active."""
    return {name for name, pause in _known().items() if pause["lasts"] and pause.get("in_airflow")}


def drafts_off(files: Mapping[str, Path], is_paused: Callable[[str], bool]) -> set[str]:
    """Return the monitors, of those in these files, that are drafts and whose DAG is paused: nobody waits for them."""
    return {name for name, path in files.items() if is_draft(path) and is_paused(f"monitor__{name}")}


def _known() -> dict[str, dict[str, Any]]:
    return dict(Variable.get(VARIABLE, default={}, deserialize_json=True))
