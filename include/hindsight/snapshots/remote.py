"""Files on an object store: created by its own if-absent, which is tried out once before it is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from threading import Lock
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.complaints import advised, client_of, incapable, no_container, replacing, shown
from hindsight.snapshots.memory import memory_of, remembering
from hindsight.snapshots.port import MAX_FILE_BYTES, MissingError, checked, twice

_probed: set[tuple[str, str]] = set()
_memory = Lock()


class RemoteFiles:
    """The files below one address of an fsspec file system."""

    readers = 8  # reading from an object store is mostly waiting

    def __init__(self, fs: AbstractFileSystem, root: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._has_container = False
        # memory:// looks and writes in two steps, but lives in one process
        self._lock: AbstractContextManager[object] = _memory if isinstance(fs, MemoryFileSystem) else nullcontext()

    def uri(self, path: str) -> str:
        """Return the address of a file with its protocol."""
        return str(self._fs.unstrip_protocol(self._full(path)))

    def put_new(self, path: str, data: bytes) -> bool:
        """Create a file; False where one is there (see Files).

        An answer that got lost is made good by reading: what is there and equal was written.
        """
        full = self._full(checked(path))
        self._probe()
        created = self._create(full, data)
        if memory := memory_of(self):
            memory.add(path)
            if created:
                memory.keep(path, data)
        return created

    def get(self, path: str, *, fresh: bool = False) -> bytes:
        """Return the content of a file (see Files)."""
        memory = None if fresh else memory_of(self)
        data = memory.content(path) if memory else None
        if data is None:
            data = self._read(path)
            if memory:
                memory.keep(path, data)
        return data

    def listing(self, under: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted (see Files)."""
        memory = memory_of(self)
        return memory.listing(checked(under), self._list) if memory and under else self._list(under)

    def settled(self, under: str = "") -> list[str]:
        """Return a listing that hides nothing (see Files)."""
        memory = memory_of(self)
        return memory.listing(checked(under), self._twice) if memory and under else self._twice(under)

    def remembering(self, *folders: str) -> AbstractContextManager[None]:
        """List each of these folders once and read each file once, until the end (see Files)."""
        return remembering(self, folders)

    def forget(self) -> None:
        """List anew what is asked for next (see Files)."""
        if memory := memory_of(self):
            memory.forget()

    def remove(self, path: str) -> None:
        """Delete a file (see Files)."""
        full = self._full(checked(path))
        if memory := memory_of(self):
            memory.drop(path)
        with suppress(MissingError), self._telling("delete", full):
            self._fs.rm_file(full)

    def remove_leftovers(self, before: datetime) -> int:
        """Return 0: an object store shows a file when it is whole, so nothing is left behind (see Files)."""
        return 0

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _read(self, path: str) -> bytes:
        full = self._full(checked(path))
        with self._telling("read", full):
            data = bytes(self._fs.cat_file(full, start=0, end=MAX_FILE_BYTES + 1))
        if len(data) > MAX_FILE_BYTES:
            raise StoreError(f"{self.uri(path)}: larger than {MAX_FILE_BYTES:,} bytes, refused")
        return data

    def _list(self, under: str) -> list[str]:
        top = self._full(checked(under)) if under else self._root
        with self._telling("list", top):
            self._fs.invalidate_cache()
            found = self._find(top)
        paths = sorted(str(full).removeprefix(self._root).lstrip("/") for full in found)
        return [path for path in paths if not path.rpartition("/")[2].startswith(".")]

    def _twice(self, under: str) -> list[str]:
        return twice(self._list, under)

    def _find(self, top: str) -> Sequence[str]:
        try:
            found: Sequence[str] = self._fs.find(top)
        except FileNotFoundError:  # said by some clients of a folder without files, by others of a container
            found = []
        if not found:
            self._require_container()
        return found

    def _create(self, full: str, data: bytes) -> bool:
        try:
            with self._lock:
                self._fs.pipe_file(full, data, mode="create")
        except FileExistsError:
            return False
        except Exception as exc:  # noqa: BLE001 - clients raise errors of their own; what is stored decides
            return self._was_created(full, data, exc)
        return True

    def _was_created(self, full: str, data: bytes, cause: Exception) -> bool:
        uri = self._uri(full)
        try:
            return bool(self._fs.cat_file(full) == data)
        except FileNotFoundError:
            self._require_container()
            raise StoreError(f"{uri}: could not write: {self._said(cause)}", transient=True) from cause
        except Exception as exc:  # clients raise errors of their own; none of them may pass for an answer
            message = f"{uri}: unknown whether it was written: {self._said(cause)}"
            raise StoreError(message, transient=True) from exc

    def _require_container(self) -> None:
        """Raise StoreError where the root's bucket or container does not exist; asked until it was there once."""
        if self._has_container or not client_of(self._fs):
            return
        name = self._root.strip("/").partition("/")[0]
        try:
            self._has_container = self._fs.exists(name)
        except Exception:  # noqa: BLE001 - whoever may not ask about a container may still use what is in it
            return
        if not self._has_container:
            raise StoreError(no_container(self.uri(""), name, self._fs))

    def _probe(self) -> None:
        """Create one file twice, once in this process and root; refuse the store unless the second create fails."""
        place = (str(self._fs._fs_token), self._root)
        if place in _probed:
            return
        if getattr(self._fs.pipe_file, "__func__", None) is AbstractFileSystem.pipe_file:
            raise StoreError(incapable(self.uri(""), self._fs))
        full = self._full(f".probe-{uuid4().hex}")
        try:
            if not self._create(full, b"first") or self._create(full, b"second"):
                raise StoreError(replacing(self.uri(""), self._fs))
        finally:
            with suppress(Exception):  # a store need not allow deleting what it creates
                self._fs.rm_file(full)
        _probed.add(place)

    def _uri(self, full: str) -> str:
        return shown(str(self._fs.unstrip_protocol(full)))

    def _said(self, cause: Exception) -> str:
        return advised(cause, self._fs.storage_options)

    @contextmanager
    def _telling(self, action: str, full: str) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except FileNotFoundError as exc:
            raise MissingError(f"{self._uri(full)}: could not {action}: no such file") from exc
        except Exception as exc:  # the boundary to a store's client, whose errors have no common base
            raise StoreError(f"{self._uri(full)}: could not {action}: {self._said(exc)}", transient=True) from exc
