"""Open the files below a root, wherever it lies: a local folder or any address fsspec understands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.complaints import incapable, is_no_store, unopened
from hindsight.snapshots.local import LocalFiles
from hindsight.snapshots.port import Files
from hindsight.snapshots.remote import RemoteFiles


def open_files(root: str, fs: fsspec.AbstractFileSystem | None = None) -> Files:
    """Return the files under a local folder or any fsspec address; `fs` is used where a connection made it.

    Raises StoreError for an address no installed library understands.
    """
    found = open_filesystem(root) if fs is None else fs
    if is_no_store(found):
        raise StoreError(incapable(root, found))
    path = found._strip_protocol(root)
    return _local(path) if isinstance(found, LocalFileSystem) else _remote(found, path)


def open_filesystem(root: str, options: Mapping[str, Any] | None = None) -> fsspec.AbstractFileSystem:
    """Return the file system of an address, made with these options of its client; errors as `open_files`."""
    try:
        return fsspec.core.url_to_fs(root, **(options or {}))[0]
    except Exception as exc:  # the boundary to a store's client, whose errors have no common base
        raise StoreError(unopened(root, exc, options or {})) from exc


# one for each root, so that all who work on it share what they remember
_local = lru_cache(maxsize=8)(LocalFiles)
_remote = lru_cache(maxsize=8)(RemoteFiles)
