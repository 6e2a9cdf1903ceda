"""Profiles of the offline bench of news: what the product would keep of each window of a log, clean and with a fault.

The monitor is what `hindsight init` proposes for the log; the baseline is fitted on its reference as the product does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks import seasons_oracle as oracle
from benchmarks.seasons_faults import OF_LABELS, RAMP_DAYS, Fault, plant
from benchmarks.seasons_grid import Past, cells, planned, windows_of
from benchmarks.seasons_replay import proposed
from benchmarks.seasons_series import NAMES, load
from benchmarks.seasons_warehouse import Warehouse
from hindsight.checks.news.numbers import Numbers
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.reference.columns import NumericBaseline
from hindsight.checks.reference.profile import coarse, measurements
from hindsight.checks.values.groups import groups
from hindsight.checks.values.samples import NumericColumn, TextColumn
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.numbers import numbers
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows

SHARES = (0.25, 0.5, 0.75)
SOON = 2
DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault, the coordinates of the windows from its onset on, and whether one that knows the clean log sees it."""

    fault: Fault
    numbers: list[Numbers]
    seen: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A log as news sees it: `starts` of all windows, those of the reference first; the stretch begins at `begins`."""

    series: str
    size: timedelta
    begins: datetime
    starts: list[datetime]
    numbers: list[Numbers]
    planted: list[Planted] = field(default_factory=list)


def prepare(name: str, size: timedelta | None = None, *, faults: bool = True) -> Prepared:
    """Return a series as news sees it; `size` of its windows, None for what `init` proposes."""
    series = load(name)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        monitor = proposed(Warehouse(series, Path(place) / "w.duckdb"), Path(place), window=series.window)
    monitor = monitor.model_copy(update={"window": size}) if size else monitor
    assert monitor.reference
    assert monitor.reference.start
    assert monitor.reference.end
    assert monitor.start
    frame, window = series.frame, pd.Timedelta(monitor.window)
    first = pd.Timestamp(monitor.reference.start)
    inside = (frame["predicted_at"] >= first) & (frame["predicted_at"] < pd.Timestamp(monitor.reference.end))
    reference = _rows(frame[inside])
    baseline = fit(reference, monitor, output=reference, fitted_as_of=monitor.start)
    last = frame["predicted_at"].max() - window
    starts = [first + k * window for k in range(int((last - first) // window) + 1)]
    begins = pd.Timestamp(monitor.start)
    by_window = dict(iter(frame.groupby(windows_of(frame, window))))
    measured = [numbers_of(by_window[start], monitor, baseline) if start in by_window else {} for start in starts]
    stretch = [start for start in starts if start >= begins]
    made = Prepared(name, monitor.window, monitor.start, [start.to_pydatetime() for start in starts], measured)
    if faults:
        for share in SHARES:
            onset = stretch[int(np.ceil(share * len(stretch)))]
            made.planted.extend(_planted(name, frame, onset, monitor, baseline))
    return made


def _planted(
    name: str, frame: pd.DataFrame, onset: pd.Timestamp, monitor: Monitor, baseline: Baseline
) -> Iterator[Planted]:
    window = pd.Timedelta(monitor.window)
    features = {column: str(feature.type) for column, feature in monitor.features.items()}
    past = Past(name, frame, onset, window, features, monitor.segments, NAMES.index(name))
    for cell in cells():
        fault = planned(past, cell)
        if isinstance(fault, str) or fault.kind in OF_LABELS:
            continue
        count = int(np.ceil(RAMP_DAYS * DAY / window)) if fault.kind == "ramp" else SOON
        near = frame["predicted_at"].between(onset - 4 * window, onset + count * window, inclusive="left")
        rows = plant(frame[near].reset_index(drop=True), fault)
        seen = oracle.sees(frame, rows, fault, onset + count * window)
        by_window = dict(iter(rows.groupby(windows_of(rows, window))))
        starts = [onset + k * window for k in range(count)]
        found = [numbers_of(by_window[one], monitor, baseline) if one in by_window else {} for one in starts]
        yield Planted(fault, found, seen)


def numbers_of(frame: pd.DataFrame, monitor: Monitor, baseline: Baseline) -> Numbers:
    """Return the coordinates of the rows of a window, of all and of each segment."""
    rows = _rows(frame.drop_duplicates("id"))
    found = [group for group in groups(rows, monitor) if not group.model_version]
    profile: list[Measurement] = []
    for column in baseline.columns.values():
        if column.name not in rows.columns:
            continue
        values = rows.column(column.name)
        source = NumericColumn(values) if isinstance(column, NumericBaseline) else TextColumn(values, column.type)
        for group in reversed(found):
            theirs = baseline.column(column.name, group.segment)
            if theirs is not None:
                made = theirs.profile_of(source.sample(group.mask))
                both = coarse(made, theirs.profile) if group.segment else (made, theirs.profile)
                profile += measurements(*both, column.name, segment=group.segment)
    return numbers(profile)


def _rows(frame: pd.DataFrame) -> TableRows:
    table = pa.Table.from_pandas(frame.drop(columns=["label", "labeled_at"]), preserve_index=False)
    return TableRows(table)
