"""Own windows: the reference's own windows in profiles, so that what is new has a past from the first day on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from hindsight.checks.drift.drift import profiled
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.fitting import roles
from hindsight.checks.reference.thresholds import cut
from hindsight.checks.values.groups import Group, groups
from hindsight.checks.values.numbers import NotNumericError
from hindsight.checks.values.samples import NumericColumn, TextColumn
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows, TableRows
from hindsight.vocabulary.windows import Window

MOST = 10_000  # windows times groups; of more the oldest are left out: no later window looks back so far


@dataclass(frozen=True, slots=True)
class _Own:
    """A window of the reference: its start, its rows among those in order of time, and their groups."""

    start: datetime
    first: int
    n: int
    groups: Sequence[Group]


def own_windows(rows: Rows, monitor: Monitor, baseline: Baseline) -> Iterator[tuple[datetime, list[Measurement]]]:
    """Yield the start of each whole window of a reference period, with the profile of one column in it.

    All windows of one column come before those of the next, so that one column is in memory. Profiles are those of
    `drift`, without versions. A reference that is a file or trails has no such windows; where one version's output is
    the reference, outputs are left out, for its windows hold those of others.
    """
    reference = monitor.reference
    if reference is None or reference.start is None or reference.end is None or not rows.n:
        return
    order, own = _in_time(rows, monitor, Window(reference.start, reference.end))
    for name, role, numeric in roles(monitor):
        known = baseline.column(name)
        if known is not None and (role == "feature" or reference.output is None):
            column = rows.column(name).take(order)
            for window in own:
                yield window.start, _profiles(column, name, numeric, window, baseline)


def _profiles(column: pa.Array, name: str, numeric: bool, window: _Own, baseline: Baseline) -> list[Measurement]:
    piece = column.slice(window.first, window.n)
    known = {group: baseline.column(name, group.segment) for group in reversed(window.groups)}
    try:
        source = NumericColumn(piece) if numeric else TextColumn(piece, str(column.type))
    except NotNumericError:
        return []
    return [
        row for group, frozen in known.items() if frozen for row in profiled(frozen, source.sample(group.mask), group)
    ]


def _in_time(rows: Rows, monitor: Monitor, period: Window) -> tuple[pa.Array, list[_Own]]:
    """Return the places of the rows in order of their windows, and the windows that lie whole in a period."""
    stamps = rows.column(monitor.source.predictions.timestamp).cast(pa.timestamp("us", "UTC"), safe=False)
    size = monitor.window // timedelta(microseconds=1)
    numbers, after = np.divmod(np.asarray(stamps.cast(pa.int64())) - int(monitor.anchor.timestamp() * 1_000_000), size)
    found, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    order = pa.array(np.argsort(places, kind="stable"))
    whole = ~cut(places, after / size, len(found))
    names = [name for name in monitor.segments if name in rows.columns]
    shown = pa.table({"": order} | {name: rows.column(name).take(order) for name in names})
    own = []
    for number, first, n in zip(found[whole].tolist(), (np.cumsum(counts) - counts)[whole], counts[whole], strict=True):
        start = monitor.anchor + number * monitor.window
        if period.start <= start and start + monitor.window <= period.end:
            own.append(_Own(start, int(first), int(n), groups(TableRows(shown.slice(first, n)), monitor)))
    return order, own[-(MOST // max((len(one.groups) for one in own), default=1)) :]
