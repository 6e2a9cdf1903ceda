"""A store in memory that counts what S3 would be asked: one request for each thousand files of a listing, and so on."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fsspec.implementations.memory import MemoryFileSystem

PAGE = 1000  # files in one answer of ListObjectsV2


class Counting(MemoryFileSystem):
    """Counts requests by what they are; what lies in it is that of every file system in memory."""

    protocol = "counting"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.requests: Counter[str] = Counter()

    def find(self, path: str, *args: Any, **rest: Any) -> Any:
        found = super().find(path, *args, **rest)
        self.requests["LIST"] += max(1, -(-len(found) // PAGE))
        self.requests["HEAD"] += 0 if found else 2  # whether it is a file, or a folder
        return found

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **rest: Any) -> bytes:
        self.requests["GET"] += 1
        content: bytes = super().cat_file(path, start, end, **rest)
        return content

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **rest: Any) -> None:
        self.requests["PUT"] += 1
        if mode == "create" and self._strip_protocol(path) in self.store:  # the parent's own looks through all files
            raise FileExistsError(path)
        super().pipe_file(path, value, **rest)

    def rm_file(self, path: str) -> None:
        self.requests["DELETE"] += 1
        super().rm_file(path)

    def exists(self, path: str, **rest: Any) -> bool:
        self.requests["HEAD"] += 1
        return bool(super().exists(path, **rest))
