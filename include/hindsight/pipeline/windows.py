"""Collect and check one window: predictions in, snapshots of operations, quality, drift, profile and estimate out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from hindsight.checks.age import age, overlap
from hindsight.checks.baseline import Baseline
from hindsight.checks.drift import drift
from hindsight.checks.estimate import estimate
from hindsight.checks.expectations import run_suite
from hindsight.checks.operations import operations
from hindsight.checks.outputs import outputs
from hindsight.checks.quality import quality
from hindsight.monitors.kpis import kpis_of
from hindsight.monitors.measurement import Kind, Measurement
from hindsight.monitors.model import Monitor
from hindsight.monitors.rows import Rows
from hindsight.monitors.windows import Window
from hindsight.pipeline.baselines import baseline_for, calibration_of
from hindsight.pipeline.kpis import kpis_of_run
from hindsight.pipeline.resources import Resources
from hindsight.warehouse.kpis import kpi_columns
from hindsight.warehouse.predictions import collect, volumes

WEEK = timedelta(days=7)
WEEKS_COMPARED = 4


def as_of_run(monitor: Monitor, window: Window) -> datetime:
    """The moment a window is read: its end plus the lateness the monitor allows."""
    return window.end + monitor.lateness


def run_window(monitor: Monitor, window: Window, resources: Resources) -> dict[str, Any]:
    """Read a window, compute every number that needs no labels and keep them; return what was written.

    Running it again on the same rows writes nothing new.
    """
    engine = resources.warehouse(monitor.source.connection)
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        also = kpi_columns(engine, monitor, kpis_of(monitor, labelled=False))
        rows = collect(engine, monitor, window, folder=Path(folder), pii_key=resources.pii_key, also=also)
        try:
            measured = measure(monitor, window, rows, resources)
            n = rows.n
        finally:
            rows.close()
    return {"window": window.start.isoformat(), "rows": n} | keep(
        monitor, window, as_of_run(monitor, window), measured, resources
    )


def measure(monitor: Monitor, window: Window, rows: Rows, resources: Resources) -> dict[Kind, list[Measurement]]:
    """Compute the numbers of a window that need no labels."""
    as_of = as_of_run(monitor, window)
    baseline = baseline_for(monitor, window, resources, as_of=as_of)
    expected = expected_volume(monitor, window, resources)
    checked = quality(rows, monitor, baseline)
    if monitor.quality:
        url = resources.warehouse(monitor.source.connection).url  # the one whose sessions can only read
        checked += run_suite(monitor, window, root=resources.settings.great_expectations, url=url, rows=rows)
    drifted, profiled = _drift(rows, monitor, window, baseline) if baseline else ([], [])
    guessed = _estimated(rows, monitor, baseline) if baseline else []
    return {
        Kind.OPERATIONS: operations(rows, monitor, window, expected_volume=expected),
        Kind.QUALITY: checked,
        Kind.DRIFT: drifted,
        Kind.PROFILE: profiled,
        Kind.ESTIMATE: guessed,
        Kind.KPI: kpis_of_run(monitor, window, rows, resources, as_of=as_of),
    }


def _drift(
    rows: Rows, monitor: Monitor, window: Window, baseline: Baseline
) -> tuple[list[Measurement], list[Measurement]]:
    """Compare a window with the reference; nothing in a window that is part of the reference is called drift."""
    drifted, profiled = drift(rows, monitor, baseline, undecided=overlap(monitor, window))
    return [*drifted, *outputs(rows, monitor, baseline), age(rows, monitor, window, baseline)], profiled


def _estimated(rows: Rows, monitor: Monitor, baseline: Baseline) -> list[Measurement]:
    calibration = calibration_of(baseline)
    if not calibration.blocks and monitor.source.labels is None:
        return []  # a model without any truth has no performance to estimate
    return estimate(rows, monitor, calibration, reference=baseline.performance)


def expected_volume(monitor: Monitor, window: Window, resources: Resources) -> float | None:
    """The median number of requests in the same slot of the week over the last four weeks; None with fewer than two.

    Windows that do not divide a week are compared with the four windows before them.
    """
    step = WEEK if WEEK % monitor.window == timedelta(0) else monitor.window
    before = [Window(window.start - k * step, window.end - k * step) for k in range(1, WEEKS_COMPARED + 1)]
    counts = volumes(resources.warehouse(monitor.source.connection), monitor, before).values()
    known = [count for count in counts if count]
    return float(median(known)) if len(known) >= 2 else None


def keep(
    monitor: Monitor,
    window: Window,
    as_of: datetime,
    measured: Mapping[Kind, Sequence[Measurement]],
    resources: Resources,
) -> dict[str, Any]:
    """Write one snapshot for each kind that has numbers; return their URIs and how many were new."""
    written = [
        resources.store.write(monitor.name, kind, window, as_of, numbers)
        for kind, numbers in measured.items()
        if numbers
    ]
    return {"snapshots": [w.uri for w in written], "new": sum(w.created for w in written)}
