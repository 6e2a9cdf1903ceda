"""Memory: what one use case has listed and read of a store that answers by the request, so that it asks once.

It lasts as long as the use case does: files never change, but others write and fold them, and a store may be emptied.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

ONE_ANSWER = 1000  # paths: what an object store tells in one answer; more is not listed again for a few of them
MOST_BYTES = 64 * 2**20  # of the contents of files, the ones used last

_memories: ContextVar[Mapping[int, Memory]] = ContextVar("memories")


class Memory:
    """Listings of some folders, each made when first asked for, and contents of files used last."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._listings: dict[str, list[str] | None] = dict.fromkeys(folders)
        self._large: set[str] = set()  # folders that took more than one answer
        self._parts: dict[str, list[str]] = {}  # listings of folders below these
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()  # files are read by several threads at once

    def covers(self, folders: Iterable[str]) -> bool:
        """Say whether all of these folders are remembered."""
        return all(self._over(folder) is not None for folder in folders)

    def listing(self, folder: str, read: Callable[[str], list[str]]) -> list[str]:
        """Return the sorted paths below a folder: from memory, which `read` fills, where it is remembered.

        What lies around it is listed along with it, for the next question; not again where that is known to be much.
        """
        over = self._over(folder)
        if over is None:
            return read(folder)
        there = self._listings[over]
        if there is None and over in self._large and folder != over:
            return list(self._part(folder, read))
        if there is None:
            there = self._listings[over] = read(over)
            self._large |= {over} if len(there) > ONE_ANSWER else set()
        return there[bisect_left(there, f"{folder}/") : bisect_left(there, f"{folder}0")]  # "0" follows "/"

    def content(self, path: str) -> bytes | None:
        """Return what a file holds, None where that is not remembered."""
        with self._lock:
            if path in self._contents:
                self._contents.move_to_end(path)
            return self._contents.get(path)

    def keep(self, path: str, data: bytes) -> None:
        """Remember what a file holds; what was not used for longest makes room."""
        with self._lock:
            self._size += len(data) - len(self._contents.pop(path, b""))
            self._contents[path] = data
            while self._size > MOST_BYTES:
                self._size -= len(self._contents.popitem(last=False)[1])

    def add(self, path: str) -> None:
        """Take note of a file that is there, be it new."""
        for there in self._lists(path):
            if not _is_in(there, path):
                insort(there, path)

    def drop(self, path: str) -> None:
        """Take note of a file that is gone."""
        with self._lock:
            self._size -= len(self._contents.pop(path, b""))
        for there in self._lists(path):
            if _is_in(there, path):
                del there[bisect_left(there, path)]

    def forget(self) -> None:
        """Forget the listings: what is asked next is read anew. The contents of files stay true."""
        self._listings = dict.fromkeys(self._listings)
        self._parts = {}

    def _part(self, folder: str, read: Callable[[str], list[str]]) -> list[str]:
        if folder not in self._parts:
            self._parts[folder] = read(folder)
        return self._parts[folder]

    def _lists(self, path: str) -> Iterator[list[str]]:
        """Yield the listings that a file belongs into."""
        over = self._over(path.rpartition("/")[0])
        if over is not None and (there := self._listings[over]) is not None:
            yield there
        yield from (part for folder, part in self._parts.items() if path.startswith(f"{folder}/"))

    def _over(self, folder: str) -> str | None:
        return next((over for over in self._listings if f"{folder}/".startswith(f"{over}/")), None)


def _is_in(ascending: list[str], path: str) -> bool:
    at = bisect_left(ascending, path)
    return at < len(ascending) and ascending[at] == path


def memory_of(owner: object) -> Memory | None:
    """Return what the use case that runs here remembers of a store, None where it remembers nothing."""
    return _memories.get({}).get(id(owner))


@contextmanager
def remembering(owner: object, folders: Iterable[str]) -> Iterator[None]:
    """Remember of a store what lies below some folders, until the end; part of a use case that does so already, nothing
    changes."""
    wanted, there = tuple(folders), memory_of(owner)
    if there is not None and there.covers(wanted):
        yield
        return
    token = _memories.set({**_memories.get({}), id(owner): Memory(wanted)})
    try:
        yield
    finally:
        _memories.reset(token)
