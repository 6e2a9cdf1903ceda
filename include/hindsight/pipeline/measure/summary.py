"""Summary: what is kept of a window's profile beside the verdicts, and made of the snapshots where it is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from hindsight.checks.news.coordinates import Coordinate, Key, coordinates
from hindsight.ledger.summaries import Summary, note_summaries, summaries
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.names import SnapshotName
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

Numbers = Mapping[Key, Coordinate]


def summary(name: SnapshotName, profile: Iterable[Measurement]) -> Summary:
    """Return the summary of a window by the snapshot of its profile."""
    found = {key: (one.value, one.variance, float(one.n)) for key, one in coordinates(profile).items()}
    return Summary(name.start, name.as_of, name.revision, found)


def numbers_of(
    monitor: Monitor, tx: Transaction, starts: Collection[datetime], resources: Resources
) -> dict[datetime, Numbers]:
    """Return what is known of windows by their starts; what the ledger lacks is made of the snapshots, and kept."""
    known = summaries(tx, starts)
    missing = [start for start in starts if start not in known]
    made = [_made(monitor, start, resources) for start in resources.store.held(monitor.name, Kind.PROFILE, missing)]
    note_summaries(tx, made)
    known |= {one.window_start: one for one in made}
    return {start: _coordinates(one) for start, one in known.items()}


def _made(monitor: Monitor, start: datetime, resources: Resources) -> Summary:
    window = Window(start, start + monitor.window)
    name = SnapshotName(monitor.name, Kind.PROFILE, start, window.end + monitor.lateness, 0)
    return summary(name, resources.store.measurements(monitor.name, Kind.PROFILE, window))


def _coordinates(one: Summary) -> Numbers:
    return {key: Coordinate(value, variance, int(n)) for key, (value, variance, n) in one.numbers.items()}
