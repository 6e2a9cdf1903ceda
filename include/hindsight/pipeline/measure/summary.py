"""Summary: what is kept of a window's profile beside the verdicts, and made of the snapshots where it is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from hindsight.checks.news.numbers import Numbers, Written, read, written
from hindsight.ledger.summaries import Summary, note_summaries, summaries
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import in_force
from hindsight.pipeline.measure.numbers import PAST, numbers, past_of
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.baselines import BaselineFiles
from hindsight.snapshots.names import SnapshotName
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window


def summary(monitor: Monitor, name: SnapshotName, profile: Iterable[Measurement]) -> Summary:
    """Return the summary of a window by the snapshot of its profile."""
    kept = written(numbers(profile, moves=monitor.reference is None or monitor.reference.trailing is not None))
    return Summary(name.start, name.as_of, name.revision, kept.rows, kept.layout, kept.numbers)


def numbers_of(
    monitor: Monitor, tx: Transaction, starts: Collection[datetime], resources: Resources
) -> dict[datetime, Numbers]:
    """Return what is known of windows by their starts; what the ledger lacks is made of the snapshots, and kept.

    Of windows that never ran and are part of the reference it is what the baseline of the last of them knows.
    """
    known = summaries(tx, starts)
    missing = [start for start in starts if start not in known]
    made = [_made(monitor, start, resources) for start in resources.store.held(monitor.name, Kind.PROFILE, missing)]
    note_summaries(tx, made)
    known |= {one.window_start: one for one in made}
    found = {start: Written(one.rows, one.layout, one.numbers) for start, one in known.items()}
    lacking = {start for start in starts if start not in found and _is_reference(monitor, start)}
    if lacking:
        own = _own_past(monitor, max(starts), resources)
        found |= {start: own[start] for start in lacking & own.keys()}
    return {start: read(one) for start, one in found.items()}


def _is_reference(monitor: Monitor, start: datetime) -> bool:
    period = monitor.reference
    if period is None or period.start is None or period.end is None:
        return False
    return period.start <= start and start + monitor.window <= period.end


def _own_past(monitor: Monitor, moment: datetime, resources: Resources) -> Mapping[datetime, Written]:
    """Return what the baseline in force at a moment keeps of its reference's own windows, by their starts."""
    known = in_force(monitor, resources, moment)
    return _kept(resources.baselines, monitor.name, known.id) if known is not None and PAST in known.tables else {}


@lru_cache(maxsize=8)
def _kept(files: BaselineFiles, monitor: str, id: str) -> Mapping[datetime, Written]:
    return past_of(files.table(monitor, id, PAST))


def _made(monitor: Monitor, start: datetime, resources: Resources) -> Summary:
    window = Window(start, start + monitor.window)
    name = SnapshotName(monitor.name, Kind.PROFILE, start, window.end + monitor.lateness, 0)
    return summary(monitor, name, resources.store.measurements(monitor.name, Kind.PROFILE, window))
