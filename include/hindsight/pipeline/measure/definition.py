"""Definition: what in a monitor file decides what its numbers mean, and the windows that an earlier one measured.

A corrected file changes no number by itself: windows are measured again when they are asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from hindsight.ledger.records import Measured
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.on_record import early_start, other_size
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.folds import Snapshot, newest_of
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import format_moment

_DECIDES: dict[str, Any] = {
    "model": {"task", "positive_label", "version"},
    "source": {"predictions", "labels"},
    "labels": {"matures_after", "absent_means"},
    "kpis": True,
}
ASKED = (Kind.OPERATIONS, Kind.LABELS)  # what a run measures, and what a night does
_EVER = datetime.max.replace(tzinfo=UTC)


def definition(monitor: Monitor) -> str:
    """A hash of what the numbers of a window mean: task and classes, columns, maturity, business numbers."""
    parts = monitor.model_dump(mode="json", include=_DECIDES, exclude_defaults=True)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def remember(tx: Transaction, kind: Kind, snapshots: Iterable[Snapshot]) -> None:
    """Put on record what snapshots were measured by, if their kind is one that is asked about."""
    if kind in ASKED:
        newest = newest_of(snapshots).values()
        found = [Measured(one.name.start, one.name.as_of, one.name.revision, one.definition) for one in newest]
        tx.note_definitions(str(kind), found)


def relearn(monitor: str, resources: Resources) -> None:
    """Put on record anew what the files say windows were measured by; needed where the ledger is not of their age."""
    for kind in ASKED:
        with resources.ledger.locked(monitor) as tx:
            tx.forget_definitions(str(kind))
            remember(tx, kind, resources.store.definitions(monitor, kind).values())


def outdated(monitor: Monitor, kind: Kind, resources: Resources) -> list[datetime]:
    """Return the starts of the windows whose newest snapshot was measured by another definition, oldest first.

    The ledger says it; files are opened of which it knows nothing, and outweigh it where they are newer. What has
    expired is left out: nothing of it can be measured again.
    """
    name, now, ledger = monitor.name, definition(monitor), resources.ledger
    found = {one.window_start: one for one in ledger.measured_otherwise(name, str(kind), now)}
    held = {start: found[start].definition for start in resources.store.held(name, kind, found)}

    def recorded(starts: Collection[datetime]) -> dict[datetime, tuple[datetime, int]]:
        return {one.window_start: one.rank for one in ledger.measured(name, str(kind), starts)}

    unrecorded = resources.store.definitions(name, kind, recorded)
    ranks = recorded(unrecorded)
    newer = {s: one.definition for s, one in unrecorded.items() if s not in ranks or ranks[s] < one.name.rank}
    horizon = ledger.horizon(name)
    kept = {start: then for start, then in (held | newer).items() if horizon is None or start >= horizon}
    return sorted(start for start, then in kept.items() if then not in ("", now))


def advice(monitor: Monitor, resources: Resources, runnable: str) -> Iterator[str]:
    """Say which windows an earlier monitor file measured, and the command that measures them again, if one can.

    `runnable` is the monitor as it is typed: its name, or the path of its file.
    """
    if said := other_size(monitor, resources):
        yield said
        return
    if said := early_start(monitor, resources, runnable):
        yield said
    earlier = "measured by an earlier version of the monitor file; to measure {} again:"
    if late := outdated(monitor, Kind.OPERATIONS, resources):
        start, end = format_moment(late[0]), format_moment(late[-1] + monitor.window)
        yield (f"{_windows(late)} {earlier.format('them')} hindsight run {runnable} --start {start} --end {end}")
    night = resources.ledger.last_night(monitor.name, before=_EVER)
    if night is not None and (late := outdated(monitor, Kind.LABELS, resources)):
        yield (
            f"the labels of {_windows(late)} {earlier.format('all')} "
            f"hindsight labels {runnable} --as-of {format_moment(night)} --all"
        )


def _windows(starts: list[datetime]) -> str:
    return f"{len(starts):,} window{'s were' if len(starts) != 1 else ' was'}"
