"""The snapshot store: every number Hindsight computed and when it could be known; what was written never changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from fsspec import AbstractFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.damage import readable
from hindsight.snapshots.files import open_files
from hindsight.snapshots.folds import Fold, Snapshot, newest_of
from hindsight.snapshots.index import Index, Place, Sought, index_of
from hindsight.snapshots.names import TOP, FileName, FoldName, SnapshotName, begin_of, folder_of, parse_path
from hindsight.snapshots.parquet import DamagedError, about, decode, encode, read_schema
from hindsight.snapshots.port import MissingError
from hindsight.snapshots.tables import (
    SCHEMA,
    UNREVISED,
    revised,
    says_something,
    stacked,
    taken,
    to_measurements,
    to_table,
)
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.threads import pool
from hindsight.vocabulary.windows import Window

_WINDOW_END = "hindsight.window_end"  # said in the file's metadata too: a snapshot may have no rows
_DEFINITION = "hindsight.definition"
_ATTEMPTS = 20
_FEW = 31  # windows of which each has its folder looked into, instead of all folders


_OPEN = 64  # folded files whose lists are kept at hand: they never change
_T = TypeVar("_T")
Recorded = Callable[[Collection[datetime]], Mapping[datetime, tuple[datetime, int]]]


def _nothing(starts: Collection[datetime]) -> Mapping[datetime, tuple[datetime, int]]:
    return {}


@dataclass(frozen=True, slots=True)
class Written:
    """Where a snapshot lies; `created` is False where the same content lay there already."""

    uri: str
    snapshot: Snapshot
    created: bool

    @property
    def revision(self) -> int:
        """Which of the snapshots of its window and as-of it is."""
        return self.snapshot.name.revision


class SnapshotStore:
    """Snapshots below `<root>/snapshots`; `fs` is the file system a connection made, where there is one.

    Whoever writes about a monitor, or folds, holds that monitor's lock; readers need none.
    """

    def __init__(self, root: str, fs: AbstractFileSystem | None = None) -> None:
        self.files = open_files(root, fs)
        self._contents = lru_cache(_OPEN)(lambda name: self.fold(name).snapshots)

    def write(
        self,
        monitor: str,
        kind: Kind,
        window: Window,
        as_of: datetime,
        measurements: Iterable[Measurement],
        *,
        definition: str = "",
    ) -> Written:
        """Keep what was measured of a window as of a moment: once, or as the next revision where it differs.

        `definition` names what the numbers were measured by: the same ones by another are a revision too.

        Raises DataError for numbers that cannot be kept, StoreError where the store cannot keep them.
        """
        table = to_table(window, as_of, measurements)
        name = SnapshotName(monitor, kind, window.start.astimezone(UTC), as_of.astimezone(UTC), 0)
        if parse_path(name.path) is None:
            raise StoreError(f"{monitor!r}: not the name of a monitor")
        for _ in range(_ATTEMPTS):
            known = self._retried(lambda: self._newest_revision(name, table, definition))
            if isinstance(known, Written):
                return known
            following = replace(name, revision=known + 1)
            data = encode(revised(table, following.revision), facts_of(window, definition))
            if self.files.put_new(following.path, data):
                made = Snapshot(following, window.end.astimezone(UTC), definition)
                return Written(self.files.uri(following.path), made, created=True)
        raise StoreError(f"{name.folder}: {_ATTEMPTS} other writers were faster; try again", transient=True)

    def read(
        self,
        monitor: str | None = None,
        *,
        kinds: Collection[Kind] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        windows: Collection[datetime] | None = None,
        as_of: datetime | None = None,
    ) -> pa.Table:
        """Return the newest snapshot of every window that starts in [start, end), as it was known at `as_of`.

        `windows` are the starts of those wanted, where not all are. The documented columns are followed by monitor,
        kind and date; rows are in order of these and of the window. Raises StoreError naming the file where one cannot
        be read: an older one does not stand in for it.
        """
        wanted = frozenset(windows) if windows is not None else None
        sought = Sought(start, end, wanted, until=as_of)
        table, which, names = self._found(monitor, kinds, sought)
        return _with_partitions(table, which, names)

    def revised(self, monitor: str, kind: Kind, *, after: datetime, until: datetime) -> set[datetime]:
        """Return the starts of the windows that have a snapshot as of a moment in (after, until]."""
        sought = Sought(after=after, until=until)
        return self._retried(lambda: {p.name.start for p in self.index(monitor, [kind], sought).places(sought)})

    def moments(self, monitor: str, kind: Kind, sought: Sought) -> set[tuple[datetime, datetime]]:
        """Return the start of the window and the as-of of every snapshot of a kind that is sought."""

        def read() -> set[tuple[datetime, datetime]]:
            return {(p.name.start, p.name.as_of) for p in self.index(monitor, [kind], sought).places(sought)}

        return self._retried(read)

    def measurements(
        self, monitor: str, kind: Kind, window: Window, as_of: datetime | None = None
    ) -> list[Measurement]:
        """Return what was measured of one window, as it was known at `as_of`; nothing where nothing was."""
        start = window.start.astimezone(UTC)
        return to_measurements(self._found(monitor, [kind], Sought(windows=frozenset([start]), until=as_of))[0])

    def has(self, monitor: str, kind: Kind, window: Window, as_of: datetime) -> bool:
        """Say whether anything was known of a window at a moment, be it that there was nothing to say."""
        sought = Sought(windows=frozenset([window.start.astimezone(UTC)]), until=as_of)
        return self._retried(lambda: any(self.index(monitor, [kind], sought).places(sought)))

    def newest(self, monitor: str, kind: Kind, as_of: datetime | None = None) -> Window | None:
        """Return the latest window there is a snapshot of, as it was known at `as_of`."""
        return self._retried(lambda: self._latest(self.index(monitor, [kind]).latest(as_of)))

    def definitions(self, monitor: str, kind: Kind, recorded: Recorded = _nothing) -> dict[datetime, Snapshot]:
        """Return the newest snapshot of each window with what it was measured by, but for what is on record.

        `recorded` returns, of windows by their starts, the rank of the newest snapshot on record. A file of one window
        is opened where it is newer than that; a folded one where nothing is on record of its first or last window.
        """

        def read() -> dict[datetime, Snapshot]:
            index = self.index(monitor, [kind])
            single = {place.name.start: place for place in index.single()}
            ranks = recorded({*single, *(moment for fold in index.folds for moment in (fold.start, fold.last))})
            newer = [p for start, p in single.items() if start not in ranks or ranks[start] < p.name.rank]
            opened = [fold for fold in index.folds if not {fold.start, fold.last} <= ranks.keys()]
            folded = [one for fold in opened for one in self._contents(fold)]
            return newest_of([*folded, *self.described(newer)])

        return self._retried(read)

    def held(self, monitor: str, kind: Kind, starts: Collection[datetime]) -> list[datetime]:
        """Return those of the windows that some file may hold, by its name."""
        index = self.index(monitor, [kind])
        single = {place.name.start for place in index.single()}
        spans = [(fold.start, fold.last) for fold in index.folds]
        return [s for s in starts if s in single or any(first <= s <= last for first, last in spans)]

    def index(self, monitor: str | None, kinds: Collection[Kind] | None = None, sought: Sought | None = None) -> Index:
        """Return what files there are; of few windows only their folders are looked into."""
        names = self.names(monitor, kinds, sought)
        contents = readable(self._listed, _nothing_listed)
        return index_of((n for n in names if kinds is None or n.kind in kinds), contents)

    def names(
        self, monitor: str | None, kinds: Collection[Kind] | None = None, sought: Sought | None = None
    ) -> Iterator[FileName]:
        """Yield every file there is in the folders to look into, earlier generations of folds included."""
        paths = (path for folder in _folders(monitor, kinds, sought) for path in self.files.settled(folder))
        yield from (name for path in paths if (name := parse_path(path)) is not None)

    def described(self, places: Sequence[Place]) -> list[Snapshot]:
        """Return of each snapshot when its window ends and what it was measured by."""
        single = [place.name for place in places if isinstance(place.file, SnapshotName)]
        found = {one.name: one for one in self._together(readable(self._described, _unknown), single)}
        for fold in {place.file for place in places if isinstance(place.file, FoldName)}:
            found |= {one.name: one for one in self._contents(fold)}
        return [found[place.name] for place in places]

    def single(self, name: SnapshotName) -> tuple[Snapshot, pa.Table]:
        """Read a file that holds one snapshot; raise DamagedError where its rows are not those of one."""
        uri = self.files.uri(name.path)
        table = decode(self.files.get(name.path), uri)
        bare = table.replace_schema_metadata()
        if bare.schema.equals(UNREVISED):
            bare = revised(bare, name.revision)
        if not bare.schema.equals(SCHEMA):
            raise DamagedError(f"{uri}: its columns are not those of a snapshot")
        return described_by(name, table.schema, uri), bare

    def is_outdated(self, name: FileName) -> bool:
        """Say whether a file is of an earlier format, without a column for the revision, or cannot be read."""
        if isinstance(name, FoldName):
            return False
        try:
            schema = read_schema(self.files.get(name.path), self.files.uri(name.path))
        except DamagedError:
            return True
        return bool(schema.remove_metadata().equals(UNREVISED))

    def fold(self, name: FoldName) -> Fold:
        """Open a folded file; raise DamagedError where it is none."""
        return Fold(name, self.files.get(name.path), self.files.uri(name.path))

    def remove_leftovers(self, before: datetime) -> int:
        """Delete what writers that crashed before a moment left behind; return how many files."""
        return self.files.remove_leftovers(before)

    def _listed(self, fold: FoldName) -> tuple[Snapshot, ...]:
        return self._contents(fold)

    def _newest_revision(self, name: SnapshotName, table: pa.Table, definition: str) -> Written | int:
        """Return the newest revision of a window and as-of, or where it lies if it says the same."""
        sought = Sought(windows=(name.start,), until=name.as_of)
        places = self.index(name.monitor, [name.kind], sought).revisions(name.start, name.as_of)
        if not places:
            return 0
        newest = places[-1]
        if (same := self._held(newest, table, definition)) is not None:
            return Written(self.files.uri(newest.file.path), same, created=False)
        return newest.name.revision

    def _held(self, place: Place, table: pa.Table, definition: str) -> Snapshot | None:
        """Return the snapshot of a place if it says the same as this table."""
        try:
            there, _ = self._rows(place.file, [place.name])
            (described,) = self.described([place])
        except DamagedError:
            return None
        same = there.equals(revised(table, place.name.revision)) and described.definition in ("", definition)
        return described if same else None

    def _latest(self, place: Place | None) -> Window | None:
        if place is None:
            return None
        (newest,) = self.described([place])
        return Window(newest.name.start, newest.end)

    def _described(self, name: SnapshotName) -> Snapshot:
        uri = self.files.uri(name.path)
        return described_by(name, read_schema(self.files.get(name.path), uri), uri)

    def _found(
        self, monitor: str | None, kinds: Collection[Kind] | None, sought: Sought
    ) -> tuple[pa.Table, np.ndarray, list[SnapshotName]]:
        return self._retried(lambda: self._tables(self.index(monitor, kinds, sought).newest(sought)))

    def _tables(self, places: Sequence[Place]) -> tuple[pa.Table, np.ndarray, list[SnapshotName]]:
        """Return what snapshots say, in their order: the rows, of each row which snapshot it is of, and their names."""
        by_file: dict[FileName, list[int]] = defaultdict(list)
        for number, place in enumerate(places):
            by_file[place.file].append(number)
        wanted = [[places[number].name for number in numbers] for numbers in by_file.values()]
        found = self._together(readable(self._rows, _no_rows), by_file, wanted)
        numbers = [np.array(of)[where] for (_, where), of in zip(found, by_file.values(), strict=True)]
        rows = stacked((table for table, _ in found))
        which = np.concatenate([np.zeros(0, np.int64), *numbers])
        order = np.argsort(which, kind="stable")
        return taken(rows, order), which[order], [place.name for place in places]

    def _rows(self, file: FileName, names: Sequence[SnapshotName]) -> tuple[pa.Table, np.ndarray]:
        """Return the rows of snapshots that lie in one file, and of each row which of them it belongs to."""
        if isinstance(file, FoldName):
            return self.fold(file).rows(names)
        _, table = self.single(file)
        return table, np.zeros(len(table), np.int64)

    def _together(self, read: Callable[..., _T], *of: Iterable[Any]) -> list[_T]:
        """Read as many files at a time as is best where they lie."""
        if self.files.readers == 1:
            return list(map(read, *of))
        with pool(self.files.readers) as readers:
            return list(readers.map(read, *of))

    def _retried(self, read: Callable[[], _T]) -> _T:
        """Read again where a file was gone: what it held is in the fold that took its place."""
        for _ in range(_ATTEMPTS):
            with suppress(MissingError):
                return read()
            self.files.forget()
        return read()


def _nothing_listed(fold: FoldName) -> tuple[Snapshot, ...]:
    return ()


def _unknown(name: SnapshotName) -> Snapshot:
    """A snapshot whose file does not say when its window ends: at the latest when it was read."""
    return Snapshot(name, name.as_of)


def _no_rows(file: FileName, names: Sequence[SnapshotName]) -> tuple[pa.Table, np.ndarray]:
    return SCHEMA.empty_table(), np.zeros(0, np.int64)


def described_by(name: SnapshotName, schema: pa.Schema, uri: str) -> Snapshot:
    """Return what the footer of a file with one snapshot says of it."""
    try:
        facts = about(schema)
        return Snapshot(name, datetime.fromisoformat(facts[_WINDOW_END]), facts.get(_DEFINITION, ""))
    except (KeyError, ValueError) as exc:
        raise DamagedError(f"{uri}: does not say when its window ends: {exc}") from exc


def facts_of(window: Window, definition: str) -> dict[str, str]:
    """Return what the footer of a file with one snapshot says: where its window ends, and what it was measured by."""
    end = {_WINDOW_END: window.end.astimezone(UTC).isoformat()}
    return end | ({_DEFINITION: definition} if definition else {})


def _folders(monitor: str | None, kinds: Collection[Kind] | None, sought: Sought | None) -> Iterator[str]:
    """Yield the folders to look into: of few windows, those of their days and of the months these are folded into."""
    if monitor is None:
        yield TOP
    elif kinds is None:
        yield folder_of(monitor)
    elif sought is None or sought.windows is None or len(sought.windows) > _FEW:
        yield from (folder_of(monitor, kind) for kind in kinds)
    else:
        days = {begin_of(span, start) for start in sought.windows for span in ("day", "month")}
        yield from (f"{folder_of(monitor, kind)}/date={day:%Y-%m-%d}" for kind in kinds for day in sorted(days))


def _with_partitions(table: pa.Table, which: np.ndarray, names: Sequence[SnapshotName]) -> pa.Table:
    """Append what only the paths say."""
    partitions = {
        "monitor": [name.monitor for name in names],
        "kind": [str(name.kind) for name in names],
        "date": [f"{name.start:%Y-%m-%d}" for name in names],
    }
    for column, values in partitions.items():
        table = table.append_column(column, pa.array(values, pa.string()).take(pa.array(which)))
    return table.filter(says_something(table))
