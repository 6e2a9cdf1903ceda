"""Summary: what is kept of a window's profile beside the verdicts, and made of the snapshots where it is not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from hindsight.checks.news.coordinates import Coordinate, marked
from hindsight.checks.news.numbers import Measured, Numbers, Written, part, read, written
from hindsight.ledger.summaries import Summary, note_summaries, summaries
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.names import SnapshotName
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window


def summary(monitor: Monitor, name: SnapshotName, profile: Iterable[Measurement]) -> Summary:
    """Return the summary of a window by the snapshot of its profile."""
    kept = written(numbers(profile, moves=monitor.reference is None or monitor.reference.trailing is not None))
    return Summary(name.start, name.as_of, name.revision, kept.rows, kept.layout, kept.numbers)


def numbers(profile: Iterable[Measurement], *, moves: bool = False) -> Numbers:
    """Return the coordinates of a profile by segment; where the reference moves on, those of any are comparable."""
    found, marks, rows = marked(profile)
    parts: dict[str, dict[Measured, Coordinate]] = defaultdict(dict)
    for (segment, feature, name), one in found.items():
        parts[segment][feature, name, 0 if moves else marks.get((segment, feature), 0)] = one
    return {segment: part(some, rows[segment]) for segment, some in parts.items()}


def numbers_of(
    monitor: Monitor, tx: Transaction, starts: Collection[datetime], resources: Resources
) -> dict[datetime, Numbers]:
    """Return what is known of windows by their starts; what the ledger lacks is made of the snapshots, and kept."""
    known = summaries(tx, starts)
    missing = [start for start in starts if start not in known]
    made = [_made(monitor, start, resources) for start in resources.store.held(monitor.name, Kind.PROFILE, missing)]
    note_summaries(tx, made)
    known |= {one.window_start: one for one in made}
    return {start: read(Written(one.rows, one.layout, one.numbers)) for start, one in known.items()}


def _made(monitor: Monitor, start: datetime, resources: Resources) -> Summary:
    window = Window(start, start + monitor.window)
    name = SnapshotName(monitor.name, Kind.PROFILE, start, window.end + monitor.lateness, 0)
    return summary(monitor, name, resources.store.measurements(monitor.name, Kind.PROFILE, window))
