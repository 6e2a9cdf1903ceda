"""Folding: the snapshot files of closed hours, days and months become one each, under the monitor's lock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hindsight.errors import StoreError
from hindsight.pipeline.measure.definition import relearn, remember
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.compaction import Folded, Heap, fold, heaps, outdated
from hindsight.snapshots.index import Sought
from hindsight.snapshots.names import SPANS, FileName, Span
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import STORED, Kind

DAY = timedelta(days=1)
Find = Callable[[Iterable[FileName]], list[Heap]]
Make = Callable[[SnapshotStore, Heap], Folded]


def fold_snapshots(monitor: str, resources: Resources, *, now: datetime) -> dict[str, Any]:
    """Fold what is closed of one monitor; return how many files went into folds, how many of those folded before are
    deleted, and what could not be read or deleted.

    The lock is held for one fold at a time, so that windows are measured in between. Every snapshot can be read before,
    during and after, and what a fold that was cut off left to do, the next one does.
    """
    make = partial(fold, now=now)
    return _told([one for kind in STORED for one in _all_spans(monitor, kind, now, make, resources)])


def renew_snapshots(monitor: str, resources: Resources, *, now: datetime) -> dict[str, Any]:
    """Fold every day that has files of an earlier format, which go at once: then all files have all columns.

    What windows were measured by is put on record anew too, from the files.
    """
    find, make = partial(outdated, resources.store), partial(fold, now=now, grace=timedelta())
    told = _told([one for kind in STORED for one in _folded(monitor, kind, find, make, resources)])
    try:
        relearn(monitor, resources)
    except StoreError as exc:  # of a file that cannot be read: the record stays as it was
        told["faults"].append(str(exc))
    return told


def _told(found: Collection[Folded]) -> dict[str, Any]:
    return {
        "folded": sum(one.taken for one in found),
        "removed": sum(one.removed for one in found),
        "faults": [fault for one in found for fault in one.faults],
    }


def _all_spans(monitor: str, kind: Kind, now: datetime, make: Make, resources: Resources) -> Iterator[Folded]:
    """Delete what was folded before, then fold: a store that refuses to delete would keep every fold beside it."""
    for find in (partial(_leftovers, now=now), *(partial(_ripe, span, now=now) for span in SPANS)):
        for one in _folded(monitor, kind, find, make, resources):
            yield one
            if one.is_refused:
                return


def _leftovers(files: Iterable[FileName], *, now: datetime) -> list[Heap]:
    there = list(files)
    found = (heap for span in reversed(SPANS) for heap in heaps(there, span, now=now) if heap.has_leftovers)
    return [replace(heap, is_ripe=False) for heap in found]


def _ripe(span: Span, files: Iterable[FileName], *, now: datetime) -> list[Heap]:
    return [heap for heap in heaps(files, span, now=now) if heap.is_ripe]


def _folded(monitor: str, kind: Kind, find: Find, make: Make, resources: Resources) -> Iterator[Folded]:
    """Fold one heap after another; each is looked at again under the lock, for its files may have changed since."""
    store = resources.store
    for heap in find(store.names(monitor, [kind])):
        with resources.ledger.locked(monitor) as tx:
            there = list(store.names(monitor, [kind], Sought(windows=_days(heap))))
            for same in (one for one in find(there) if (one.span, one.begin) == (heap.span, heap.begin)):
                folded = make(store, same)
                remember(tx, kind, folded.added)
                yield folded
                if folded.is_refused:
                    return


def _days(heap: Heap) -> frozenset[datetime]:
    """The days whose folders hold the files of a heap."""
    days = 31 if heap.span == "month" else 1
    return frozenset(heap.begin + k * DAY for k in range(days))
