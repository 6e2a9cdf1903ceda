"""Read snapshots as a DataFrame: the newest number of every window, or as it was known at a moment."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from hindsight.settings import read_settings
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.windows import parse_moment

if TYPE_CHECKING:
    import pandas as pd


def read_snapshots(monitor: str, as_of: date | str | None = None, *, data: str | None = None) -> pd.DataFrame:
    """Return the snapshots of a monitor, one row a number, with monitor, kind and date beside the documented columns.

    `as_of` (a datetime, a date or ISO text; UTC where it says nothing else) goes back to what was known then; `data` is
    the root, HINDSIGHT_DATA by default.
    """
    moment = None if as_of is None else parse_moment(str(as_of))
    return SnapshotStore(data or read_settings().data).read(monitor, as_of=moment).to_pandas()
