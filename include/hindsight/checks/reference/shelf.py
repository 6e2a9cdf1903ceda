"""Shelf: the tables of a baseline by name, of which a large one lies in a file until it is asked for."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa

LARGE = 8 * 2**20  # bytes of a table that is kept in a file


class Shelf:
    """Tables that are put down once; their files go when nobody holds the shelf any more."""

    def __init__(self) -> None:
        self._held: dict[str, pa.Table] = {}
        self._files: dict[str, Path] = {}

    def put(self, name: str, table: pa.Table) -> None:
        """Keep a table."""
        if table.nbytes <= LARGE:
            self._held[name] = table
            return
        file = self._files[name] = self._folder / str(len(self._files))  # a column may be called what no file can be
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    def __getitem__(self, name: str) -> pa.Table:
        """Return a table, read anew where it is large; raise KeyError where there is none."""
        if name not in self._files:
            return self._held[name]
        with pa.OSFile(str(self._files[name]), "rb") as source:
            return pa.ipc.open_file(source).read_all()

    @cached_property
    def _folder(self) -> Path:
        folder = mkdtemp(prefix="hindsight-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)


class Tables(Mapping[str, pa.Table]):
    """Tables of which one at a time is loaded, when it is asked for."""

    def __init__(self, names: Iterable[str], load: Callable[[str], pa.Table]) -> None:
        self._names = tuple(names)
        self._load = load

    def __getitem__(self, name: str) -> pa.Table:
        """Load a table; raise KeyError where there is none."""
        if name not in self._names:
            raise KeyError(name)
        return self._load(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._names)
