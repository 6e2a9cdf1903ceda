"""Which snapshots there are and where they lie: from the names of files, and from the lists inside folded ones.

A listing of files is all the index there is, so it is never stale. What a folded file holds is read from its footer,
and only where the question needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from hindsight.snapshots.folds import Snapshot
from hindsight.snapshots.names import SPANS, FileName, FoldName, SnapshotName


@dataclass(frozen=True)
class Sought:
    """Which snapshots are wanted: of windows that start in [start, end), or at one of `windows`; as of (after, until].

    What is None sets no bound.
    """

    start: datetime | None = None
    end: datetime | None = None
    windows: Collection[datetime] | None = None
    after: datetime | None = None
    until: datetime | None = None

    def may_be_in(self, file: FileName) -> bool:
        """Say whether a file may hold one, by its name."""
        first, last = self._ends
        return (
            (self.start is None or file.last >= self.start)
            and (self.end is None or file.start < self.end)
            and (first is None or file.last >= first)
            and (last is None or file.start <= last)
            and (self.after is None or file.latest > self.after)
            and (self.until is None or file.earliest <= self.until)
        )

    @cached_property
    def _ends(self) -> tuple[datetime | None, datetime | None]:
        return (min(self.windows), max(self.windows)) if self.windows else (None, None)

    def has(self, name: SnapshotName) -> bool:
        """Say whether a snapshot is wanted."""
        return self.may_be_in(name) and (self.windows is None or name.start in self.windows)


@dataclass(frozen=True, slots=True)
class Place:
    """A snapshot and the file it is read from."""

    name: SnapshotName
    file: FileName


@dataclass(frozen=True)
class Index:
    """The files that count, folds of long spans first; a snapshot that lies in two of them is read from the first."""

    files: tuple[FileName, ...]
    contents: Callable[[FoldName], tuple[Snapshot, ...]]

    @property
    def folds(self) -> list[FoldName]:
        """The folded files."""
        return [file for file in self.files if isinstance(file, FoldName)]

    def single(self) -> list[Place]:
        """Return the newest of each window's snapshots that lie in files of their own; of one monitor and kind."""
        alone = (file for file in self.files if isinstance(file, SnapshotName))
        newest = {name.start: name for name in sorted(alone, key=lambda name: name.rank)}
        return [Place(name, name) for name in newest.values()]

    def newest(self, sought: Sought) -> list[Place]:
        """Return the newest wanted snapshot of each window, in order of monitor, kind and window."""
        best: dict[tuple[str, str, datetime], Place] = {}
        for place in self.places(sought):
            key = (place.name.monitor, place.name.kind, place.name.start)
            if key not in best or best[key].name.rank < place.name.rank:
                best[key] = place
        return [best[key] for key in sorted(best)]

    def latest(self, until: datetime | None) -> Place | None:
        """Return the newest snapshot of the latest window; of one monitor and kind."""
        found: list[Place] = []
        for file in sorted(self.files, key=lambda file: file.last, reverse=True):
            if found and file.last < found[-1].name.start:
                break
            found += self._wanted(file, Sought(until=until))
            found.sort(key=lambda place: (place.name.start, *place.name.rank))
        return found[-1] if found else None

    def revisions(self, start: datetime, as_of: datetime) -> list[Place]:
        """Return what there is of a window as of one moment, the newest revision last; of one monitor and kind."""
        same = (p for p in self.places(Sought(windows=(start,), until=as_of)) if p.name.as_of == as_of)
        return sorted(same, key=lambda place: place.name.revision)

    def places(self, sought: Sought) -> Iterator[Place]:
        """Yield every wanted snapshot, and where it lies: more than once where it lies in several files."""
        for file in self.files:
            yield from self._wanted(file, sought)

    def _wanted(self, file: FileName, sought: Sought) -> Iterator[Place]:
        if not sought.may_be_in(file):
            return
        names = (file,) if isinstance(file, SnapshotName) else (one.name for one in self.contents(file))
        yield from (Place(name, file) for name in names if sought.has(name))


def index_of(files: Iterable[FileName], contents: Callable[[FoldName], tuple[Snapshot, ...]]) -> Index:
    """Return the index of listed files: of each folded span the greatest generation counts, which holds the others."""
    newest: dict[object, FoldName] = {}
    single: list[FileName] = []
    for file in files:
        if isinstance(file, SnapshotName):
            single.append(file)
        elif file.key not in newest or newest[file.key].generation < file.generation:
            newest[file.key] = file
    folds = sorted(newest.values(), key=lambda fold: SPANS.index(fold.span), reverse=True)
    return Index((*folds, *single), contents)
