"""Folding: the snapshot files of closed hours, days and months become one each, under the monitor's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from hindsight.errors import StoreError
from hindsight.pipeline.measure.definition import relearn, remember
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.compaction import Folded, Heap, fold, heaps, outdated
from hindsight.snapshots.index import Sought
from hindsight.snapshots.names import SPANS, FileName, Span
from hindsight.vocabulary.measurement import Kind

DAY = timedelta(days=1)
Find = Callable[[Iterable[FileName]], list[Heap]]


def fold_snapshots(monitor: str, resources: Resources, *, now: datetime) -> dict[str, Any]:
    """Fold what is closed of one monitor; return how many files went, and what could not be read or deleted.

    The lock is held for one fold at a time, so that windows are measured in between. Every snapshot can be read before,
    during and after, and what a fold that was cut off left to do, the next one does.
    """
    found = [
        one for kind in Kind for span in SPANS for one in _folded(monitor, kind, _worthwhile(span, now), resources)
    ]
    return {"folded": sum(one.removed for one in found), "faults": [fault for one in found for fault in one.faults]}


def renew_snapshots(monitor: str, resources: Resources) -> dict[str, Any]:
    """Fold every day that has files of an earlier format, so that all files have all columns.

    What windows were measured by is put on record anew too, from the files.
    """
    store = resources.store
    found = [one for kind in Kind for one in _folded(monitor, kind, lambda files: outdated(store, files), resources)]
    faults = [fault for one in found for fault in one.faults]
    try:
        relearn(monitor, resources)
    except StoreError as exc:  # of a file that cannot be read: the record stays as it was
        faults.append(str(exc))
    return {"folded": sum(one.removed for one in found), "faults": faults}


def _worthwhile(span: Span, now: datetime) -> Find:
    return lambda files: heaps(files, span, now=now)


def _folded(monitor: str, kind: Kind, find: Find, resources: Resources) -> Iterator[Folded]:
    """Fold one heap after another; each is looked at again under the lock, for its files may have changed since.

    Where the store refuses to delete that is the end: it would keep every file, and every fold beside them.
    """
    store = resources.store
    for heap in find(store.names(monitor, [kind])):
        with resources.ledger.locked(monitor) as tx:
            there = list(store.names(monitor, [kind], Sought(windows=_days(heap))))
            for same in (one for one in find(there) if one.begin == heap.begin):
                folded = fold(store, same)
                remember(tx, kind, folded.added)
                yield folded
                if folded.is_refused:
                    return


def _days(heap: Heap) -> frozenset[datetime]:
    """The days whose folders hold the files of a heap."""
    days = 31 if heap.span == "month" else 1
    return frozenset(heap.begin + k * DAY for k in range(days))
