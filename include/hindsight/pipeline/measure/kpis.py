"""Compute the KPIs of a window: those without labels in its run, all of them whenever a night measures it again.

A night before the run of a window leaves its KPIs alone: what is kept does not depend on which of the two came first.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

import pyarrow as pa

from hindsight.checks.kpis import kpis, reference_kpis
from hindsight.monitors.counting_checks import features_of
from hindsight.monitors.kpis import kpis_of, needs_labels
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.rows import Rows, TableRows
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.kpis import kpi_faults, kpi_rows
from hindsight.warehouse.reference import spans_of

logger = logging.getLogger(__name__)
AT_ONCE = timedelta(days=1)  # of a reference, read by one statement


def kpis_of_run(
    monitor: Monitor, window: Window, rows: Rows | None, resources: Resources, *, as_of: datetime
) -> list[Measurement]:
    """Return the KPIs of a window that need no labels, and what a night of the same moment found of the others.

    Without `rows` the columns that the KPIs name are read, and no other.
    """
    names = kpis_of(monitor, labelled=False)
    known = resources.store.measurements(monitor.name, Kind.KPI, window, as_of) if monitor.kpis else []
    faults = _faults(monitor, names, resources)
    if rows is None:
        rows = _own_rows(monitor, window, [name for name in names if name not in faults], resources)
    found = _computed(monitor, window, rows, names, faults, resources, as_of=as_of)
    return found + [m for m in known if needs_labels(monitor, m.metric)]


def _own_rows(monitor: Monitor, window: Window, names: Sequence[str], resources: Resources) -> Rows:
    if not names:
        return TableRows(pa.table({}))
    engine = resources.warehouse(monitor.source.connection)
    return TableRows(kpi_rows(engine, monitor, [window], names, as_of=None, pii_key=resources.pii_key)[window])


def kpis_of_night(monitor: Monitor, window: Window, resources: Resources, *, as_of: datetime) -> list[Measurement]:
    """Return every KPI of a window with the labels known at `as_of`; none before its run was due."""
    late, early = kpis_of(monitor, labelled=True), kpis_of(monitor, labelled=False)
    if as_of < window.end + monitor.lateness:
        return []
    engine = resources.warehouse(monitor.source.connection)
    faults = _faults(monitor, [*early, *late], resources)
    sound = [name for name in (*early, *late) if name not in faults]
    rows = TableRows(kpi_rows(engine, monitor, [window], sound, as_of=as_of, pii_key=resources.pii_key)[window])
    return [
        measurement
        for names in (early, late)
        for measurement in _computed(monitor, window, rows, names, faults, resources, as_of=as_of)
    ]


def _faults(monitor: Monitor, names: Sequence[str], resources: Resources) -> dict[str, str]:
    """Return why some KPIs cannot be computed, and log it: a column that is missing takes away only its own KPIs."""
    faults = kpi_faults(resources.warehouse(monitor.source.connection), monitor, names) if names else {}
    if monitor.source.rows_stay:
        faults |= {name: said for name in names if (said := _of_features(monitor, name))}
    for fault in faults.values():
        _log_once(monitor.name, fault)
    return faults


def _of_features(monitor: Monitor, name: str) -> str:
    """Why a KPI is not computed where rows of features stay in the warehouse; "" for one that names none."""
    features = features_of(monitor, name)
    reason = "is a feature, whose rows stay in the warehouse (source.count_in): set source.allow_rows"
    return f"kpis.{name}: {', '.join(features)} {reason}" if features else ""


@cache
def _log_once(monitor: str, fault: str) -> None:
    logger.warning("kpi not computed monitor=%s %s", monitor, fault)


def _computed(
    monitor: Monitor,
    window: Window,
    rows: Rows,
    names: Sequence[str],
    faults: Mapping[str, str],
    resources: Resources,
    *,
    as_of: datetime,
) -> list[Measurement]:
    sound = [name for name in names if name not in faults]
    reference = _reference(monitor, window, sound, resources, as_of=as_of)
    unknown = [Measurement(name, None, note=faults[name]) for name in names if name in faults]
    return kpis(rows, monitor, sound, reference=reference) + unknown


def _reference(
    monitor: Monitor, window: Window, names: Sequence[str], resources: Resources, *, as_of: datetime
) -> dict[str, float]:
    """What KPIs are compared with; nothing where the reference is a file, which has no windows, or is not complete.

    That of a period is computed once and kept; a trailing one is computed for each window.
    """
    reference = monitor.reference
    if not names or reference is None or reference.parquet is not None:
        return {}
    wait = monitor.labels.matures_after if needs_labels(monitor, names[0]) else timedelta(0)
    if reference.trailing is not None:
        lags_enough = reference.lag >= wait
        return _measured(monitor, names, resources, until=window.start) if lags_enough else {}
    complete = reference.end + wait if reference.end else as_of
    return _frozen(monitor, names, resources, complete) if complete <= as_of else {}


def _frozen(monitor: Monitor, names: Sequence[str], resources: Resources, as_of: datetime) -> dict[str, float]:
    folder, id = f"{monitor.name}.kpis", _fingerprint(monitor, names)
    files = resources.baselines
    if id not in files.ids(folder):
        found = _measured(monitor, names, resources, until=as_of)
        files.write(folder, id, {"reference": _table(found)}, fitted_as_of=as_of)
    rows = files.table(folder, id, "reference").to_pylist()
    return {row["place"]: row["value"] for row in rows}


def _table(found: dict[str, float]) -> pa.Table:
    places = sorted(found)
    return pa.table({"place": pa.array(places, pa.string()), "value": pa.array(map(found.get, places), pa.float64())})


def _fingerprint(monitor: Monitor, names: Sequence[str]) -> str:
    """A hash of everything in the file that decides the KPIs of the reference; a change of it asks for new ones."""
    parts = monitor.model_dump(
        mode="json",
        include={"model", "source", "reference", "segments", "window", "anchor", "labels", "pii"},
        exclude={"source": {"count_in", "allow_rows"}},
    )
    parts["kpis"] = {name: monitor.kpis[name].model_dump(mode="json") for name in names}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _measured(monitor: Monitor, names: Sequence[str], resources: Resources, *, until: datetime) -> dict[str, float]:
    """Measure the KPIs over the reference's windows, with the labels known at `until`."""
    return reference_kpis(_windows_rows(monitor, names, resources, until), monitor, names)


def _windows_rows(monitor: Monitor, names: Sequence[str], resources: Resources, until: datetime) -> Iterator[Rows]:
    engine = resources.warehouse(monitor.source.connection)
    as_of = until if needs_labels(monitor, names[0]) else None
    windows = _windows(monitor, until)
    step = max(1, AT_ONCE // monitor.window)
    for start in range(0, len(windows), step):
        some = windows[start : start + step]
        found = kpi_rows(engine, monitor, some, names, as_of=as_of, pii_key=resources.pii_key)
        yield from map(TableRows, found.values())


def _windows(monitor: Monitor, until: datetime) -> list[Window]:
    """Return the whole windows of the reference."""
    spans = spans_of(monitor, monitor.reference, until) if monitor.reference else []
    windows = ((window, span) for span in spans for window in monitor.grid.starting_in(span.start, span.end))
    return [window for window, span in windows if window.end <= span.end]
