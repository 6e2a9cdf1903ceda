"""The snapshot store: every number Hindsight computed and when it could be known, in files that are never rewritten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from fsspec import AbstractFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.files import open_files
from hindsight.snapshots.names import TOP, SnapshotName, folder_of, parse_path
from hindsight.snapshots.parquet import DamagedError, about, decode, encode, read_schema
from hindsight.snapshots.tables import SCHEMA, to_measurements, to_table
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

_WINDOW_END = "hindsight.window_end"  # said in the file's metadata too: a snapshot may have no rows
_DEFINITION = "hindsight.definition"
_ATTEMPTS = 20
_READERS = 8  # reading from an object store is mostly waiting


@dataclass(frozen=True, slots=True)
class Written:
    """Where a snapshot lies; `created` is False where the same content lay there already."""

    uri: str
    revision: int
    created: bool


class SnapshotStore:
    """Snapshots below `<root>/snapshots`; `fs` is the file system a connection made, where there is one."""

    def __init__(self, root: str, fs: AbstractFileSystem | None = None) -> None:
        self._files = open_files(root, fs)

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
        said = {_WINDOW_END: window.end.astimezone(UTC).isoformat()} | ({_DEFINITION: definition} if definition else {})
        data = encode(table, said)
        name = SnapshotName(monitor, kind, window.start.astimezone(UTC), as_of.astimezone(UTC), 0)
        if parse_path(name.path) is None:
            raise StoreError(f"{monitor!r}: not the name of a monitor")
        for _ in range(_ATTEMPTS):
            newest = self._latest_revision(name)
            if newest is not None and self._holds(newest, table, definition):
                return Written(self._files.uri(newest.path), newest.revision, created=False)
            following = replace(name, revision=1 + (newest.revision if newest else 0))
            if self._files.put_new(following.path, data):
                return Written(self._files.uri(following.path), following.revision, created=True)
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
        chosen = [
            name
            for name in _newest(self._names(monitor, kinds), as_of)
            if (start is None or name.start >= start)
            and (end is None or name.start < end)
            and (windows is None or name.start in windows)
        ]
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(self._files.get, [name.path for name in chosen])
            tables = [self._decoded(name, data) for name, data in zip(chosen, found, strict=True)]
        return _with_partitions(tables, chosen)

    def revised(self, monitor: str, kind: Kind, *, after: datetime, until: datetime) -> set[datetime]:
        """Return the starts of the windows that have a snapshot as of a moment in (after, until]."""
        return {name.start for name in self._names(monitor, [kind]) if after < name.as_of <= until}

    def measurements(
        self, monitor: str, kind: Kind, window: Window, as_of: datetime | None = None
    ) -> list[Measurement]:
        """Return what was measured of one window, as it was known at `as_of`; nothing where nothing was."""
        sought = SnapshotName(monitor, kind, window.start.astimezone(UTC), window.start, 0)
        names = (name for name in self._listed(sought.folder) if name.start == window.start)
        return [row for name in _newest(names, as_of) for row in to_measurements(self._table(name))]

    def newest(self, monitor: str, kind: Kind, as_of: datetime | None = None) -> Window | None:
        """Return the latest window there is a snapshot of, as it was known at `as_of`."""
        names = _newest(self._names(monitor, [kind]), as_of)
        if not names:
            return None
        end = about(self._table(names[-1]).schema)[_WINDOW_END]
        return Window(names[-1].start, datetime.fromisoformat(end))

    def definitions(self, monitor: str, kind: Kind) -> dict[datetime, str]:
        """Return by start of window what its newest snapshot was measured by; "" where that is not known."""
        chosen = _newest(self._names(monitor, [kind]), None)
        with ThreadPoolExecutor(_READERS) as readers:
            said = list(readers.map(self._about, chosen))
        return {name.start: known.get(_DEFINITION, "") for name, known in zip(chosen, said, strict=True)}

    def remove_leftovers(self, before: datetime) -> int:
        """Delete what writers that crashed before a moment left behind; return how many files."""
        return self._files.remove_leftovers(before)

    def _names(self, monitor: str | None, kinds: Collection[Kind] | None) -> Iterator[SnapshotName]:
        if monitor is None:
            yield from (name for name in self._listed(TOP) if kinds is None or name.kind in kinds)
        elif kinds is None:
            yield from self._listed(folder_of(monitor))
        else:
            for kind in kinds:
                yield from self._listed(folder_of(monitor, kind))

    def _listed(self, folder: str) -> Iterator[SnapshotName]:
        return (name for path in self._files.listing(folder) if (name := parse_path(path)) is not None)

    def _latest_revision(self, name: SnapshotName) -> SnapshotName | None:
        same = (other for other in self._listed(name.folder) if replace(other, revision=0) == name)
        return max(same, key=lambda other: other.revision, default=None)

    def _holds(self, name: SnapshotName, table: pa.Table, definition: str) -> bool:
        try:
            known = self._table(name)
        except DamagedError:
            return False
        return bool(known.equals(table)) and about(known.schema).get(_DEFINITION, definition) == definition

    def _about(self, name: SnapshotName) -> dict[str, str]:
        return about(read_schema(self._files.get(name.path), self._files.uri(name.path)))

    def _table(self, name: SnapshotName) -> pa.Table:
        return self._decoded(name, self._files.get(name.path))

    def _decoded(self, name: SnapshotName, data: bytes) -> pa.Table:
        uri = self._files.uri(name.path)
        table = decode(data, uri)
        if not table.schema.equals(SCHEMA):
            raise DamagedError(f"{uri}: its columns are not those of a snapshot")
        return table


def _newest(names: Iterable[SnapshotName], as_of: datetime | None) -> list[SnapshotName]:
    """Return the greatest (as-of, revision) of each window, at or before `as_of`, in order of monitor, kind, window."""
    best: dict[tuple[str, Kind, datetime], SnapshotName] = {}
    for name in names:
        key = (name.monitor, name.kind, name.start)
        if (as_of is None or name.as_of <= as_of) and (key not in best or best[key].rank < name.rank):
            best[key] = name
    return [best[key] for key in sorted(best)]


def _with_partitions(tables: list[pa.Table], names: list[SnapshotName]) -> pa.Table:
    table = pa.concat_tables([SCHEMA.empty_table(), *(table.replace_schema_metadata() for table in tables)])
    rows = pa.array(np.repeat(np.arange(len(names)), [len(table) for table in tables]))
    partitions = {
        "monitor": [name.monitor for name in names],
        "kind": [str(name.kind) for name in names],
        "date": [f"{name.start:%Y-%m-%d}" for name in names],
    }
    for column, values in partitions.items():
        table = table.append_column(column, pa.array(values, pa.string()).take(rows))
    return table
