"""Files on a local disk: written beside their place, forced to the disk, then linked, so a crash leaves all or none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from uuid import uuid4

from hindsight.errors import StoreError
from hindsight.snapshots.memory import memory_of, remembering
from hindsight.snapshots.port import MAX_FILE_BYTES, MissingError, checked, twice


class LocalFiles:
    """The files below one folder, which may itself be a symbolic link; links below it are refused."""

    readers = 1

    def __init__(self, root: str) -> None:
        self._root = os.path.abspath(root)

    def uri(self, path: str) -> str:
        """Return the absolute path of a file."""
        return os.path.join(self._root, path)

    def put_new(self, path: str, data: bytes) -> bool:
        """Create a file, whole and on the disk when this returns True; False where one is there (see Files)."""
        target = self._place(path)
        with _telling("write", target):
            _make_folder(os.path.dirname(target))
            created = _create(target, data)
        if memory := memory_of(self):
            memory.add(path)
        return created

    def get(self, path: str, *, fresh: bool = False) -> bytes:
        """Return the content of a file, which is always as the disk says it now (see Files)."""
        target = self._place(path)
        with _telling("read", target), open(target, "rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise StoreError(f"{target}: larger than {MAX_FILE_BYTES:,} bytes, refused")
            return file.read()

    def listing(self, under: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted (see Files)."""
        memory = memory_of(self)
        return memory.listing(checked(under), self._list) if memory and under else self._list(under)

    def settled(self, under: str = "") -> list[str]:
        """Return a listing that hides nothing (see Files)."""
        memory = memory_of(self)
        return memory.listing(checked(under), self._twice) if memory and under else self._twice(under)

    def _twice(self, under: str) -> list[str]:
        return twice(self._list, under)

    def _list(self, under: str) -> list[str]:
        top = self._place(under) if under else self._root
        with _telling("list", top):
            skipped = len(os.path.join(self._root, ""))  # os.path.relpath looks at the disk's root for each
            return sorted(path[skipped:] for path in _files_below(top))

    def remove(self, path: str) -> None:
        """Delete a file (see Files)."""
        target = self._place(path)
        if memory := memory_of(self):
            memory.drop(path)
        with suppress(MissingError), _telling("delete", target):
            os.unlink(target)

    def remove_leftovers(self, before: datetime) -> int:
        """Delete what crashed writers left before a moment (see Files)."""
        left = 0
        for folder, _, names in os.walk(self._root):
            for name in names:
                path = os.path.join(folder, name)
                with suppress(OSError):
                    if _is_temporary(name) and os.stat(path).st_mtime < before.timestamp():
                        os.unlink(path)
                        left += 1
        return left

    def remembering(self, *folders: str) -> AbstractContextManager[None]:
        """List each of these folders once, until the end; a file is read anew at no price (see Files)."""
        return remembering(self, folders)

    def forget(self) -> None:
        """List anew what is asked for next (see Files)."""
        if memory := memory_of(self):
            memory.forget()

    def _place(self, path: str) -> str:
        target = os.path.join(self._root, checked(path))
        if os.path.realpath(target) != os.path.join(os.path.realpath(self._root), path):
            raise StoreError(f"{target}: leads through a symbolic link, which is refused inside the store")
        return target


@contextmanager
def _telling(action: str, path: str) -> Iterator[None]:
    """Turn the system's errors into ours; only a missing file is sure to be missing the next time."""
    try:
        yield
    except FileNotFoundError as exc:
        raise MissingError(f"{path}: could not {action}: no such file") from exc
    except OSError as exc:
        raise StoreError(f"{path}: could not {action}: {exc.strerror or exc}", transient=True) from exc


def _create(target: str, data: bytes) -> bool:
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, target)  # unlike a rename it never replaces
        _sync_folder(folder)
    except FileExistsError:
        return False
    finally:
        with suppress(OSError):
            os.unlink(temporary)
    return True


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")


def _make_folder(folder: str) -> None:
    """Make a folder and those above it, each on the disk before anything is put into it."""
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    _make_folder(parent)
    with suppress(FileExistsError):
        os.mkdir(folder)
    _sync_folder(parent)


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _files_below(top: str) -> Iterator[str]:
    if not os.path.isdir(top):
        return
    for entry in list(os.scandir(top)):
        if entry.is_symlink():
            raise StoreError(f"{entry.path}: a symbolic link, which is refused inside the store")
        if entry.is_dir():
            yield from _files_below(entry.path)
        elif not entry.name.startswith("."):
            yield entry.path
