"""Compaction: the files of closed hours, days and months become one each, which is whole long before they go.

What a fold was made of is deleted by a later run, when whoever was listing the folder as it was made has long ended: no
listing misses a row. Cut off anywhere, every snapshot lies in one file at least, and the next run takes up there.
Files that are damaged, or of a newer Hindsight, stay where they are, and are named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import pyarrow as pa

from hindsight.errors import StoreError
from hindsight.snapshots.folds import Fold, Key, Snapshot, encode_fold
from hindsight.snapshots.names import SPANS, FileName, FoldName, SnapshotName, Span, begin_of
from hindsight.snapshots.parquet import DamagedError, NewerError
from hindsight.snapshots.store import SnapshotStore
from hindsight.snapshots.tables import stacked

MOST_ROWS = 3_000_000  # of one fold: a reader may have to fetch it whole, and refuses many more
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARGIN = HOUR  # after the end of an hour, before it counts as closed
GRACE = timedelta(minutes=30)  # how long a fold lies beside what it was made of: longer than a reader lists
SETTLED = timedelta(days=2)  # what nothing was added to for so long is folded to the last file
FEW, SOME, MANY = 4, 8, 64  # files worth folding into an hour or a day; a month; a month that hardly grows by them
GROWN = 4  # a month is folded again once what came is so small a part of what it has


@dataclass(frozen=True)
class Heap:
    """The files of one monitor and kind that belong into one fold, those of its earlier generations included.

    `is_ripe` says whether what came is worth a fold; of others only what is folded already is deleted.
    """

    span: Span
    begin: datetime
    files: tuple[FileName, ...]
    is_ripe: bool = True

    @cached_property
    def fold(self) -> FoldName | None:
        """The fold as it is: its greatest generation; None before the first."""
        mine = [f for f in self.files if isinstance(f, FoldName) and f.span == self.span]
        return max(mine, key=lambda fold: fold.generation, default=None)

    @cached_property
    def outlived(self) -> tuple[FoldName, ...]:
        """Earlier generations of the fold, left behind when it was written."""
        mine = [f for f in self.files if isinstance(f, FoldName) and f.span == self.span]
        return tuple(fold for fold in mine if fold != self.fold)

    @cached_property
    def added(self) -> tuple[FileName, ...]:
        """The files that are not yet folded, or were left behind when they were."""
        return tuple(file for file in self.files if file != self.fold and file not in self.outlived)

    @property
    def has_leftovers(self) -> bool:
        """Say whether there are files that are folded already, by their names."""
        return self.fold is not None and any(map(self.fold.may_hold, self.files))

    @property
    def rows(self) -> int:
        """How many rows the fold would have at least."""
        return _rows(self.added) + (self.fold.rows if self.fold else 0)


@dataclass(frozen=True, slots=True)
class Folded:
    """What became of a heap: how many files went into a fold, how many are gone, what was wrong, in words, what is new
    in the fold, and whether the store refused to delete."""

    taken: int = 0
    removed: int = 0
    faults: tuple[str, ...] = ()
    added: tuple[Snapshot, ...] = ()
    is_refused: bool = False


def heaps(files: Iterable[FileName], span: Span, *, now: datetime) -> list[Heap]:
    """Return what there is to do for the folds of spans of one length: of one monitor and kind, oldest first.

    A day takes in the hours that are over, a month the days: either is folded as it grows. What a fold may hold already
    belongs to it alone.
    """
    found: dict[datetime, list[FileName]] = defaultdict(list)
    there = list(files)
    folds = _newest_folds(there)
    for file in there:
        if _fits(file, span) and _is_closed(file, span, now) and _home(file, folds) in (None, span):
            found[begin_of(span, file.start)].append(file)
    grouped = [Heap(span, begin, tuple(some)) for begin, some in sorted(found.items())]
    judged = [replace(heap, is_ripe=bool(heap.added) and _is_worth_it(heap, now)) for heap in grouped]
    return [heap for heap in judged if heap.is_ripe or heap.has_leftovers]


def outdated(store: SnapshotStore, files: Iterable[FileName]) -> list[Heap]:
    """Return the days with files of an earlier format, to be folded whatever they hold; of one monitor and kind."""
    found: dict[datetime, list[FileName]] = defaultdict(list)
    for file in files:
        if _fits(file, "day"):
            found[begin_of("day", file.start)].append(file)
    days = (Heap("day", begin, tuple(some)) for begin, some in sorted(found.items()))
    return [day for day in days if any(store.is_outdated(file) for file in day.added)]


def fold(store: SnapshotStore, heap: Heap, *, now: datetime, grace: timedelta = GRACE) -> Folded:
    """Make one file of a heap, or delete what one was made of so long ago; whoever calls holds the monitor's lock.

    Without `grace` both is done at once. Raises StoreError where the store cannot keep the fold; nothing is deleted
    then. What it does not let us delete stays, is read once all the same, and goes before anything is folded again: so
    that no generation is heaped upon the other. Nothing takes the place of a fold that cannot be read.
    """
    if _is_fresh(store, heap, now, grace):
        return Folded()
    sources = _Sources(store, heap)
    if heap.fold in sources.unread:
        return Folded(faults=sources.faults)
    try:
        swept = _swept(store, heap, sources)
        if swept.is_refused or not (sources.added and heap.is_ripe) or (swept.removed and grace):
            return swept
        _keep(store, heap, sources, now)
    except DamagedError as exc:  # a page of an earlier fold, whose footer is whole
        return Folded(faults=(*sources.faults, str(exc)))
    removed, refused = (0, ()) if grace else _deleted(store, sources.news)
    taken, gone = sum(file != heap.fold for file in sources.news), swept.removed + removed
    return Folded(taken, gone, (*sources.faults, *refused), sources.added, bool(refused))


def _is_fresh(store: SnapshotStore, heap: Heap, now: datetime, grace: timedelta) -> bool:
    """Say whether somebody may still be listing the folder as it was before the fold came.

    One of a far future is not: a clock went wrong, and nobody waits for that.
    """
    if heap.fold is None or not grace:
        return False
    try:
        made = store.fold(heap.fold).made
    except (DamagedError, NewerError):
        return False
    return made is not None and abs(now - made) < grace


def _swept(store: SnapshotStore, heap: Heap, sources: _Sources) -> Folded:
    """Delete what the fold holds already, once every row of it was read again; raise DamagedError where one is not."""
    if heap.fold and sources.known:
        store.fold(heap.fold).check()
    removed, refused = _deleted(store, sources.known)
    return Folded(0, removed, (*sources.faults, *refused), is_refused=bool(refused))


def _deleted(store: SnapshotStore, files: Iterable[FileName]) -> tuple[int, tuple[str, ...]]:
    """Delete files until the store does not allow it; return how many went, and what it said."""
    removed = 0
    try:
        for file in files:
            store.files.remove(file.path)
            removed += 1
    except StoreError as exc:
        return removed, (str(exc),)
    return removed, ()


def _newest_folds(files: Iterable[FileName]) -> dict[tuple[Span, datetime], FoldName]:
    folds = [file for file in files if isinstance(file, FoldName)]
    return {(fold.span, fold.begin): fold for fold in sorted(folds, key=lambda fold: fold.generation)}


def _home(file: FileName, folds: dict[tuple[Span, datetime], FoldName]) -> Span | None:
    """Return the longest span whose fold may hold a file already, by its name; None where none does.

    A fold stays with its own span, so that the next generation knows of it.
    """
    if isinstance(file, FoldName) and file == folds[file.span, file.begin]:
        return None
    for span in reversed(SPANS) if folds else ():
        fold = folds.get((span, begin_of(span, file.start)))
        if fold is not None and fold.may_hold(file):
            return span
    return None


def _fits(file: FileName, span: Span) -> bool:
    return not isinstance(file, FoldName) or SPANS.index(file.span) <= SPANS.index(span)


def _is_closed(file: FileName, span: Span, now: datetime) -> bool:
    """Say whether a file may go into a fold: a day takes the hours that are over, a month the days."""
    if span == "month":
        return begin_of("day", file.last) + DAY + SETTLED <= now
    return begin_of("hour", file.last) + HOUR + MARGIN <= now


def _is_worth_it(heap: Heap, now: datetime) -> bool:
    if heap.rows > MOST_ROWS:
        return False
    if heap.span == "hour":
        return len(heap.added) >= FEW and len({file.start for file in heap.added}) > 1
    if len(heap.files) > 1 and _is_settled(heap, now):
        return True
    if heap.span == "day":
        return len(heap.added) >= FEW
    if heap.fold is None:
        return len(heap.added) >= SOME
    has_grown = len(heap.added) >= SOME and _rows(heap.added) * GROWN >= heap.fold.rows
    return has_grown or len(heap.added) >= MANY


def _is_settled(heap: Heap, now: datetime) -> bool:
    """Say whether a span is long over and nothing new was known of it for long."""
    last = max(file.latest if isinstance(file, FoldName) else file.as_of for file in heap.files)
    end = heap.begin + (31 * DAY if heap.span == "month" else DAY)
    return max(last, end) + SETTLED <= now


def _rows(files: Iterable[FileName]) -> int:
    return sum(file.rows for file in files if isinstance(file, FoldName))


class _Sources:
    """The readable files of a heap and, of each snapshot in them, the one it is taken from.

    `known` are the files of which the fold holds everything already, `news` those that go into its next generation,
    itself among them; `unread` are damaged, or of a newer Hindsight.
    """

    def __init__(self, store: SnapshotStore, heap: Heap) -> None:
        self._held: dict[FileName, Sequence[Snapshot]] = {}
        self._folds: dict[FoldName, Fold] = {}
        self._single: dict[SnapshotName, pa.Table] = {}
        self._homes: dict[Key, tuple[Snapshot, FileName]] = {}
        self.unread: dict[FileName, str] = {}
        for file in (*filter(None, [heap.fold]), *heap.added, *heap.outlived):
            try:
                self._open(store, file)
            except (DamagedError, NewerError) as exc:
                self.unread[file] = str(exc)
        self.added = tuple(one for one, home in self._homes.values() if home != heap.fold)
        new = {one.key for one in self.added}
        self.known = [f for f, held in self._held.items() if f != heap.fold and new.isdisjoint(s.key for s in held)]
        self.news = [file for file in self._held if file not in self.known]

    @property
    def faults(self) -> tuple[str, ...]:
        """Why files were not read."""
        return tuple(self.unread.values())

    @property
    def snapshots(self) -> list[Snapshot]:
        """All snapshots, in the order of their keys."""
        return [self._homes[key][0] for key in sorted(self._homes)]

    def blocks(self) -> Iterator[tuple[list[Snapshot], pa.Table]]:
        """Yield snapshots and their rows hour by hour."""
        hours: dict[datetime, list[tuple[Snapshot, FileName]]] = defaultdict(list)
        for key in sorted(self._homes):
            hours[begin_of("hour", key[0])].append(self._homes[key])
        for some in hours.values():
            yield [snapshot for snapshot, _ in some], self._rows(some)

    def _open(self, store: SnapshotStore, file: FileName) -> None:
        if isinstance(file, FoldName):
            opened = self._folds[file] = store.fold(file)
            found: Sequence[Snapshot] = opened.snapshots
        else:
            snapshot, self._single[file] = store.single(file)
            found = [snapshot]
        self._held[file] = found
        for one in found:
            self._homes.setdefault(one.key, (one, file))

    def _rows(self, some: Sequence[tuple[Snapshot, FileName]]) -> pa.Table:
        wanted: dict[FileName, list[SnapshotName]] = defaultdict(list)
        for snapshot, home in some:
            wanted[home].append(snapshot.name)
        tables = [
            self._folds[home].rows(names)[0] if isinstance(home, FoldName) else self._single[home]
            for home, names in wanted.items()
        ]
        return stacked(tables)


def _keep(store: SnapshotStore, heap: Heap, sources: _Sources, now: datetime) -> None:
    """Write the next generation and read it back: what was not found again whole must not let anything go."""
    table_rows = 0

    def counted() -> Iterator[tuple[list[Snapshot], pa.Table]]:
        nonlocal table_rows
        for snapshots, table in sources.blocks():
            table_rows += len(table)
            yield snapshots, table

    data = encode_fold(counted(), now)
    name = _name(heap, sources.snapshots, table_rows)
    store.files.put_new(name.path, data)
    if store.files.get(name.path, fresh=True) != data:
        raise StoreError(
            f"{store.files.uri(name.path)}: another fold lies here, or not all of this one", transient=True
        )


def _name(heap: Heap, snapshots: Sequence[Snapshot], rows: int) -> FoldName:
    first, known = snapshots[0].name, [one.name.as_of for one in snapshots]
    return FoldName(
        monitor=first.monitor,
        kind=first.kind,
        span=heap.span,
        begin=heap.begin,
        start=first.start,
        last=snapshots[-1].name.start,
        earliest=min(known),
        latest=max(known),
        rows=rows,
        generation=1 + (heap.fold.generation if heap.fold else 0),
    )
