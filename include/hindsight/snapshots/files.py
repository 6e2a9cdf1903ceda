"""Open the files below a root, wherever it lies: a local folder or any address fsspec understands."""

from __future__ import annotations

import fsspec
from fsspec.implementations.local import LocalFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.local import LocalFiles
from hindsight.snapshots.port import Files
from hindsight.snapshots.remote import RemoteFiles


def open_files(root: str, fs: fsspec.AbstractFileSystem | None = None) -> Files:
    """Return the files under a local folder or any fsspec address; `fs` is used where a connection made it.

    Raises StoreError for an address no installed library understands.
    """
    try:
        found, path = fsspec.core.url_to_fs(root) if fs is None else (fs, fs._strip_protocol(root))
    except (ValueError, ImportError) as exc:
        raise StoreError(f"{root}: cannot be opened: {exc}") from exc
    return LocalFiles(path) if isinstance(found, LocalFileSystem) else RemoteFiles(found, path)
