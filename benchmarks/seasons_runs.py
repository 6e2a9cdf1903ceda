"""Runs of planted faults in the season bench: from a point of departure of the clean run on, until found or over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import seasons_oracle as oracle
from benchmarks.seasons_clean import Clean, Onset
from benchmarks.seasons_faults import OF_LABELS, RAMP_DAYS, Fault, plant
from benchmarks.seasons_grid import Past, planned
from benchmarks.seasons_peers import peers_find
from benchmarks.seasons_port import Telling
from benchmarks.seasons_relation import mirrored
from benchmarks.seasons_replay import NIGHT_AFTER, Replay, steps
from benchmarks.seasons_score import cases_of_cause, found, told_otherwise
from benchmarks.seasons_series import NAMES, Series
from benchmarks.seasons_warehouse import Warehouse
from hindsight.monitors.model import Monitor

SOON, LASTING = 2, 6  # windows within which a fault is to be found; windows for which a lasting cause is followed
_NUMBERS = count(1)  # no folder twice: stores are kept open by their path
LONGEST = 10  # windows to maturity up to which labels are followed
DAY = timedelta(days=1)


Cell = tuple[str, str, str]  # kind, strength, place


def faulty_run(
    clean: Clean,
    series: Series,
    onset: Onset,
    cell: Cell,
    warehouse: Warehouse,
    place: Path,
    *,
    with_peers: bool = True,
) -> dict[str, Any]:
    """Plant a fault at an onset and replay until it is found or its time is over; return what came of it.

    `with_peers` asks Evidently and NannyML about the same windows, where the fault is in a column.
    """
    monitor, window = clean.monitor, pd.Timedelta(clean.monitor.window)
    start = pd.Timestamp(onset.start)
    past = Past(series.name, series.frame, start, window, _features(monitor), monitor.segments, _turn(series.name))
    result = {"series": series.name, "kind": cell[0], "strength": cell[1], "place": cell[2], "onset": str(start.date())}
    fault = planned(past, cell)
    if isinstance(fault, str):
        return result | {"left_out": fault}
    until = _until(fault, monitor)
    if until > clean.end:
        return result | {"left_out": "its time is longer than the rest of the stretch"}
    counter = mirrored(past) if fault.kind == "relation" else None
    log = plant(series.frame, fault, counter)
    result |= {"columns": list(fault.columns), "segment": "=".join(fault.segment) if fault.segment else ""}
    result["oracle"] = oracle.sees(
        series.frame, log, fault, pd.Timestamp(until) if fault.kind == "ramp" else start + SOON * window
    )
    if with_peers and fault.columns and fault.kind != "ramp":
        result["peers"] = peers_find(clean, series, log, fault.columns, [start, start + window])
    told = _replayed(
        clean, onset, log, until, warehouse, place, stop=lambda so_far, by: _found(fault, so_far, clean, by)
    )
    by = _deadline(fault, monitor)
    result["told_otherwise"] = told_otherwise(fault, told, clean.told, by)
    return result | {"found": _found(fault, told, clean, by), "told": [_line(one) for one in told]}


def lasting_run(
    clean: Clean,
    series: Series,
    onset: Onset,
    cell: Cell,
    warehouse: Warehouse,
    place: Path,
    *,
    windows: int = LASTING,
) -> dict[str, Any] | None:
    """Follow a lasting fault for some windows; return as how many cases it was told, None where it cannot be."""
    monitor, window = clean.monitor, pd.Timedelta(clean.monitor.window)
    start = pd.Timestamp(onset.start)
    past = Past(series.name, series.frame, start, window, _features(monitor), monitor.segments, _turn(series.name))
    fault = planned(past, cell)
    until = onset.start + windows * monitor.window
    if isinstance(fault, str) or until > clean.end:
        return None
    told = _replayed(clean, onset, plant(series.frame, fault), until, warehouse, place)
    by = until + monitor.lateness + 2 * DAY
    cases = cases_of_cause(fault, told, clean.told, by)
    return {"series": series.name, "kind": cell[0], "columns": list(fault.columns), "cases": cases}


def _replayed(
    clean: Clean,
    onset: Onset,
    log: pd.DataFrame,
    until: datetime,
    warehouse: Warehouse,
    place: Path,
    stop: Callable[[Sequence[Telling], datetime], bool] = lambda told, by: False,
) -> list[Telling]:
    start, end = pd.Timestamp(onset.start), pd.Timestamp(until)
    rows = log[(log["predicted_at"] >= start) & (log["predicted_at"] < end)]
    warehouse.plant(rows, start, end)
    replay = Replay(Path(onset.folder), clean.monitor, warehouse.url).copy(place / f"faulty-{next(_NUMBERS)}")
    told: list[Telling] = []
    for step, some in replay.run(steps(clean.monitor, onset.start, until)):
        told += some
        if some and stop(told, step.at):
            break
    replay.remove()
    return told


def _found(fault: Fault, told: Iterable[Telling], clean: Clean, by: datetime) -> bool:
    return found(fault, told, clean.told, min(by, _deadline(fault, clean.monitor)))


def _deadline(fault: Fault, monitor: Monitor) -> datetime:
    """The night after its last window: what is told then still counts."""
    return _until(fault, monitor) + max(monitor.lateness, DAY + NIGHT_AFTER)


def _until(fault: Fault, monitor: Monitor) -> datetime:
    """The end of the last window that is replayed."""
    end = fault.onset.to_pydatetime() + SOON * monitor.window
    if fault.kind == "ramp":
        return fault.onset.to_pydatetime() + ceil(RAMP_DAYS * DAY / monitor.window) * monitor.window
    if fault.kind in OF_LABELS:
        return end + ceil((monitor.labels.matures_after + DAY) / monitor.window) * monitor.window
    return end


def followed(monitor: Monitor, cell: Cell) -> bool:
    """Whether a cell is replayed here: labels only where they mature within ten windows."""
    return cell[0] not in OF_LABELS or monitor.labels.matures_after <= LONGEST * monitor.window


def _features(monitor: Monitor) -> dict[str, str]:
    return {name: str(feature.type) for name, feature in monitor.features.items()}


def _turn(name: str) -> int:
    return NAMES.index(name) if name in NAMES else 0


def _line(told: Telling) -> str:
    where = ",".join((*told.columns, *told.segments))
    return f"{told.at:%Y-%m-%d} {told.severity} {','.join(told.rules)} {where}".strip()
