"""Collect and check one window: predictions in, snapshots of operations, quality, drift, profile and estimate out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

from hindsight.checks.drift.age import age, overlap
from hindsight.checks.drift.drift import drift
from hindsight.checks.drift.outputs import outputs
from hindsight.checks.operations.operations import operations
from hindsight.checks.quality.quality import quality
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.control import UNKNOWN, mean_control
from hindsight.checks.reference.scores import score_mistaken
from hindsight.ledger.summaries import note_summaries
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import baseline_for, control_of
from hindsight.pipeline.measure.by_rows import estimated, suite_of
from hindsight.pipeline.measure.counted import measure_counted
from hindsight.pipeline.measure.definition import definition, remember
from hindsight.pipeline.measure.horizon import refuse_window, refuse_written
from hindsight.pipeline.measure.kpis import kpis_of_run
from hindsight.pipeline.measure.on_record import refuse_other_size
from hindsight.pipeline.measure.renaming import own_history
from hindsight.pipeline.measure.summary import summary
from hindsight.pipeline.resources import Resources, remembering
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.allocation import spare_memory
from hindsight.warehouse.connect import connected
from hindsight.warehouse.predictions import collect, logged_between, misdated, strangers, volumes

DAY, WEEK = timedelta(days=1), timedelta(days=7)
WEEKS_COMPARED = 4
SATURDAY = 5
MISDATED = "misdated_rows"


def as_of_run(monitor: Monitor, window: Window) -> datetime:
    """The moment a window is read: its end plus the lateness the monitor allows."""
    return window.end + monitor.lateness


@remembering
def run_window(
    monitor: Monitor, window: Window, resources: Resources, *, read_at: datetime | None = None
) -> dict[str, Any]:
    """Read a window, compute every number that needs no labels and keep them; return what was written.

    Running it again on the same rows writes nothing new, however much later. What is wrong with the suite costs only
    its expectations: it is measured, and listed in `faults`. With `read_at`, the moment of reading, the rows of the
    table that are in no window are counted too: those stamped later than that and those without a moment. Raises
    ExpiredError for a window that has expired, ConfigError where those on record are of another size.
    """
    own_history(monitor, resources, now=read_at or as_of_run(monitor, window))
    refuse_window(monitor, window, resources)
    refuse_other_size(monitor, resources)
    engine = resources.warehouse(monitor.source.connection)
    with connected(engine), tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        n, measured = _measured(monitor, window, resources, Path(folder))
        measured[Kind.QUALITY] += _misdated(monitor, window, n, read_at, resources)
    faults = [m.note for m in measured[Kind.QUALITY] if m.metric == "suite_faults" and m.value]
    return {"window": window.start.isoformat(), "rows": n, "faults": faults} | keep(
        monitor, window, as_of_run(monitor, window), measured, resources
    )


def _measured(
    monitor: Monitor, window: Window, resources: Resources, folder: Path
) -> tuple[int, dict[Kind, list[Measurement]]]:
    """Count the requests of a window and compute its numbers, of its rows or where these lie."""
    if monitor.source.counts:
        expected = partial(expected_volume, monitor, window, resources)
        return measure_counted(monitor, window, resources, folder, as_of=as_of_run(monitor, window), expected=expected)
    engine = resources.warehouse(monitor.source.connection)
    with collect(engine, monitor, window, folder=folder, pii_key=resources.pii_key) as rows:
        return rows.n, measure(monitor, window, rows, resources)


def measure(monitor: Monitor, window: Window, rows: Rows, resources: Resources) -> dict[Kind, list[Measurement]]:
    """Compute the numbers of a window that need no labels."""
    as_of = as_of_run(monitor, window)
    baseline = baseline_for(monitor, window, resources, as_of=as_of)
    expected = expected_volume(monitor, window, resources, n=rows.n)
    control = control_of(baseline) if baseline else UNKNOWN
    others = cache(partial(strangers, resources.warehouse(monitor.source.connection), monitor, window))
    checked = quality(rows, monitor, baseline, control=control, strangers=others) + score_mistaken(rows, monitor)
    checked += suite_of(monitor, window, rows, resources)
    spare_memory()
    drifted, profiled = _drift(rows, monitor, window, baseline) if baseline else ([], [])
    drifted += mean_control(drifted, control)
    guessed = estimated(rows, monitor, baseline) if baseline else []
    return {
        Kind.OPERATIONS: operations(rows, monitor, window, expected_volume=expected, control=control),
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


def _misdated(
    monitor: Monitor, window: Window, n: int, read_at: datetime | None, resources: Resources
) -> list[Measurement]:
    """Count the rows of the table that are in no window, once: when this one is read for the first time.

    Which rows lie in the future depends on the moment of reading and on nothing that is kept. So that moment belongs to
    what the first reading knew, and a later one of the same window takes over what that found, or that it did not look.
    """
    known = resources.store.measurements(monitor.name, Kind.QUALITY, window, as_of_run(monitor, window))
    if known or read_at is None:
        return [m for m in known if m.metric == MISDATED]
    return [_counted(monitor, n, max(read_at, window.end), resources)]


def _counted(monitor: Monitor, n: int, at: datetime, resources: Resources) -> Measurement:
    found = misdated(resources.warehouse(monitor.source.connection), monitor, at)
    later = (
        f"{found.future} rows are stamped in the future, the latest {found.latest:%Y-%m-%d %H:%M}"
        if found.latest
        else ""
    )
    never = f"{found.undated} rows have no timestamp or 1970-01-01" if found.undated else ""
    return Measurement(MISDATED, float(found.future + found.undated), n, note=", ".join(filter(None, (later, never))))


def expected_volume(monitor: Monitor, window: Window, resources: Resources, *, n: int) -> float | None:
    """The number of requests to compare `n` with: the median of the same slot of the week over the last four weeks.

    With only one such week there is a range: the requests at the same time of those of the seven days before that are
    working days, or weekend, as this one is; inside it nothing is unusual. Where none of those days had a request it is
    that week's. None in the first week. Windows longer than a week are compared with the four before them. What the
    warehouse no longer keeps is taken from the snapshots. Of a window without requests it is the number to be expected
    in all windows without since the last one.
    """
    if n == 0:
        return _expected_since_the_last(monitor, window, resources)
    step = max(WEEK, monitor.window)
    weeks = _counts(monitor, [_before(window, k * step) for k in range(1, WEEKS_COMPARED + 1)], resources)
    if len(weeks) >= 2:
        return float(median(weeks))
    if not weeks or monitor.window > DAY:
        return None
    before = [_before(window, k * DAY) for k in range(1, 8)]
    alike = [day for day in before if _is_weekend(day) == _is_weekend(window)]
    days = _counts(monitor, alike, resources) or weeks
    return float(min(max(n, min(days)), max(days)))


def _is_weekend(window: Window) -> bool:
    return window.start.weekday() >= SATURDAY


def _expected_since_the_last(monitor: Monitor, window: Window, resources: Resources) -> float | None:
    """The requests in the same stretch of the weeks before, the median; with one such week, of the seven days before.

    The stretch begins with the first window without any: how early the last one came in the window before says nothing
    about a shop that is closed on Saturdays. None where the log does not reach back so far: only then can it tell that
    nobody ever asks at such a time.
    """
    engine = resources.warehouse(monitor.source.connection)
    first, last = logged_between(engine, monitor, until=window.start)
    if first is None or last is None:
        return None
    silence = Window(min(monitor.grid.window_at(last).end, window.start), window.end)
    for step, times, least in ((max(WEEK, monitor.window), WEEKS_COMPARED, 2), (DAY, 7, 7)):
        stretches = [_before(silence, k * step) for k in range(1, times + 1)]
        known = [stretch for stretch in stretches if stretch.start >= first]
        if len(known) >= least:
            return float(median(volumes(engine, monitor, known).values()))
    return None


def _before(window: Window, span: timedelta) -> Window:
    return Window(window.start - span, window.end - span)


def _counts(monitor: Monitor, windows: Sequence[Window], resources: Resources) -> list[int]:
    """The requests of each of the windows that had any."""
    counts = volumes(resources.warehouse(monitor.source.connection), monitor, windows)
    found = (counts[window] or _recorded(monitor, window, resources) for window in windows)
    return [count for count in found if count]


def _recorded(monitor: Monitor, window: Window, resources: Resources) -> int:
    if monitor.grid.window_at(window.start) != window:
        return 0
    known = resources.store.measurements(monitor.name, Kind.OPERATIONS, window)
    whole = (m for m in known if m.metric == "total_requests" and not (m.model_version or m.segment))
    return int(next((m.value or 0 for m in whole), 0))


def keep(
    monitor: Monitor,
    window: Window,
    as_of: datetime,
    measured: Mapping[Kind, Sequence[Measurement]],
    resources: Resources,
) -> dict[str, Any]:
    """Write one snapshot for each kind that has numbers, or had some; return their URIs and how many were new.

    The monitor's lock is held: no revision is given twice while its files are folded, and nothing is kept of a window
    that has expired meanwhile (ExpiredError).
    """
    by, store = definition(monitor), resources.store
    with resources.ledger.locked(monitor.name) as tx:
        refuse_written(monitor, window, tx)
        resources.files.forget()  # what is there is asked under the lock
        written = {
            kind: store.write(monitor.name, kind, window, as_of, numbers, definition=by)
            for kind, numbers in measured.items()
            if numbers or store.has(monitor.name, kind, window, as_of)
        }
        for kind, one in written.items():
            remember(tx, kind, [one.snapshot])
        if Kind.PROFILE in written:
            note_summaries(tx, [summary(monitor, written[Kind.PROFILE].snapshot.name, measured[Kind.PROFILE])])
    return {"snapshots": [w.uri for w in written.values()], "new": sum(w.created for w in written.values())}
