"""What the stores need of a disk: files below one root, created whole or not at all, and never replaced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import PurePosixPath
from typing import Protocol

from hindsight.errors import StoreError

MAX_FILE_BYTES = 256 * 2**20  # far more than a snapshot ever needs


class MissingError(StoreError):
    """A file is not there, or not any more."""


class Files(Protocol):
    """What the stores need of a disk; paths are relative to the root, with forward slashes."""

    readers: int  # how many files are best read at a time

    def uri(self, path: str) -> str:
        """Return the whole address of a file, as it is told to people and to other programs."""
        ...

    def put_new(self, path: str, data: bytes) -> bool:
        """Create a file that no reader ever sees in part; return False, and change nothing, where one is there.

        Raises StoreError where it could not be written, or where the store cannot create without replacing.
        """
        ...

    def get(self, path: str, *, fresh: bool = False) -> bytes:
        """Return the content of a file of at most MAX_FILE_BYTES; `fresh`, as the store says it now.

        Raises MissingError where there is none, StoreError where it cannot be read.
        """
        ...

    def remove(self, path: str) -> None:
        """Delete a file; nothing happens where there is none. Raises StoreError where the store does not allow it."""
        ...

    def remove_leftovers(self, before: datetime) -> int:
        """Delete what crashed writers left before a moment that no living writer began before; return how many."""
        ...

    def listing(self, under: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted; none where there is no such folder."""
        ...

    def settled(self, under: str = "") -> list[str]:
        """Return a listing that hides nothing where files are folded meanwhile: each is in it, or what replaced it."""
        ...

    def remembering(self, *folders: str) -> AbstractContextManager[None]:
        """Until the end list each of these folders once, and read each file once where the store is asked by requests.

        What is written and deleted here is noted; what others do is seen after `forget`.
        """
        ...

    def forget(self) -> None:
        """List anew what is asked for next."""
        ...


def twice(listing: Callable[[str], list[str]], under: str) -> list[str]:
    """Return a settled listing: of a fold that ran through the first one, all is whole when the second one begins."""
    return sorted({*listing(under), *listing(under)})


def checked(path: str) -> str:
    """Return a relative path that stays where it is; raise StoreError for one that would lead elsewhere."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\0" in path or "\\" in path:
        raise StoreError(f"{path!r}: not a path inside the store")
    return path
