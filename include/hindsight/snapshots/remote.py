"""Files on an object store: created by its own if-absent, which is tried out once before it is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from threading import Lock
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.port import MAX_FILE_BYTES, MissingError, checked

_probed: set[tuple[str, str]] = set()
_memory = Lock()


class RemoteFiles:
    """The files below one address of an fsspec file system."""

    readers = 8  # reading from an object store is mostly waiting

    def __init__(self, fs: AbstractFileSystem, root: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        # memory:// looks and writes in two steps, but lives in one process
        self._lock: AbstractContextManager[object] = _memory if isinstance(fs, MemoryFileSystem) else nullcontext()

    def uri(self, path: str) -> str:
        """Return the address of a file with its protocol."""
        return str(self._fs.unstrip_protocol(self._full(path)))

    def put_new(self, path: str, data: bytes) -> bool:
        """Create a file; False where one is there (see Files).

        An answer that got lost is made good by reading: what is there and equal was written.
        """
        self._probe()
        return self._create(self._full(checked(path)), data)

    def get(self, path: str) -> bytes:
        """Return the content of a file (see Files)."""
        full = self._full(checked(path))
        with self._telling("read", full):
            data = bytes(self._fs.cat_file(full, start=0, end=MAX_FILE_BYTES + 1))
        if len(data) > MAX_FILE_BYTES:
            raise StoreError(f"{self.uri(path)}: larger than {MAX_FILE_BYTES:,} bytes, refused")
        return data

    def listing(self, under: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted (see Files)."""
        top = self._full(checked(under)) if under else self._root
        with self._telling("list", top):
            self._fs.invalidate_cache()
            found = self._fs.find(top)
        paths = sorted(str(full).removeprefix(self._root).lstrip("/") for full in found)
        return [path for path in paths if not path.rpartition("/")[2].startswith(".")]

    def remove(self, path: str) -> None:
        """Delete a file (see Files)."""
        full = self._full(checked(path))
        with suppress(MissingError), self._telling("delete", full):
            self._fs.rm_file(full)

    def remove_leftovers(self, before: datetime) -> int:
        """Return 0: an object store shows a file when it is whole, so nothing is left behind (see Files)."""
        return 0

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

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
        uri = self._fs.unstrip_protocol(full)
        try:
            return bool(self._fs.cat_file(full) == data)
        except FileNotFoundError:
            raise StoreError(f"{uri}: could not write: {_said(cause)}", transient=True) from cause
        except Exception as exc:  # clients raise errors of their own; none of them may pass for an answer
            raise StoreError(f"{uri}: unknown whether it was written: {_said(cause)}", transient=True) from exc

    def _probe(self) -> None:
        """Create one file twice, once in this process and root; refuse the store unless the second create fails."""
        place = (str(self._fs._fs_token), self._root)
        if place in _probed:
            return
        if getattr(self._fs.pipe_file, "__func__", None) is AbstractFileSystem.pipe_file:
            raise StoreError(f"{self.uri('')}: {type(self._fs).__name__} cannot create a file only where there is none")
        full = self._full(f".probe-{uuid4().hex}")
        try:
            if not self._create(full, b"first") or self._create(full, b"second"):
                raise StoreError(
                    f"{self.uri('')}: the store replaces files although asked to create them; "
                    "use one that honours If-None-Match"
                )
        finally:
            with suppress(OSError):
                self._fs.rm_file(full)
        _probed.add(place)

    @contextmanager
    def _telling(self, action: str, full: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as exc:
            raise MissingError(f"{self._fs.unstrip_protocol(full)}: could not {action}: no such file") from exc
        except Exception as exc:  # the boundary to a store's client, whose errors have no common base
            message = f"{self._fs.unstrip_protocol(full)}: could not {action}: {_said(exc)}"
            raise StoreError(message, transient=True) from exc


def _said(exc: Exception) -> str:
    return str(exc) or type(exc).__name__
