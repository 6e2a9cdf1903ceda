"""Read snapshots as a DataFrame: the newest number of every window, or as it was known at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from hindsight.errors import ConfigError
from hindsight.settings import read_settings
from hindsight.snapshots.files import open_filesystem
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import STORED, Kind
from hindsight.vocabulary.windows import parse_moment

if TYPE_CHECKING:
    import pandas as pd


def read_snapshots(
    monitor: str,
    as_of: date | str | None = None,
    *,
    kind: str | None = None,
    metric: str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    data: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Return the snapshots of a monitor, one row a number, with monitor, kind and date beside the documented columns.

    `as_of` (a datetime, a date or ISO text; UTC where it says nothing else) goes back to what was known then. `kind`
    and `metric` choose numbers, `start` and `end` the windows that start in [start, end). `data` is the root,
    HINDSIGHT_DATA by default; `storage_options` are those of its fsspec client, as pandas takes them, where the
    environment does not say them. Raises ConfigError for a kind there is not, StoreError for files it cannot read.
    """
    known, first, last = (None if moment is None else parse_moment(str(moment)) for moment in (as_of, start, end))
    kinds = None if kind is None else [_kind(kind)]
    root = data or read_settings().data
    fs = open_filesystem(root, storage_options) if storage_options else None
    table = SnapshotStore(root, fs).read(monitor, kinds=kinds, start=first, end=last, as_of=known)
    frame = table.to_pandas()
    return frame if metric is None else frame[frame["metric"] == metric].reset_index(drop=True)


def _kind(name: str) -> Kind:
    if name not in STORED:
        raise ConfigError(f"kind {name!r}: expected one of {', '.join(STORED)}")
    return Kind(name)
