"""The names of snapshot files: the path says monitor, kind, window, as-of and revision, so a listing is an index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from hindsight.vocabulary.measurement import Kind

TOP = "snapshots"
_MOMENT = r"\d{8}T\d{6}(?:\.\d{6})?Z"
_PATH = re.compile(
    rf"{TOP}/monitor=(?P<monitor>[a-z][a-z0-9_]{{0,62}})/kind=(?P<kind>{'|'.join(Kind)})/date=\d{{4}}-\d\d-\d\d/"
    rf"(?P<start>{_MOMENT})-(?P<as_of>{_MOMENT})-r(?P<revision>\d{{1,9}})\.parquet"
)


@dataclass(frozen=True, slots=True)
class SnapshotName:
    """What the path of a snapshot file says; times are UTC."""

    monitor: str
    kind: Kind
    start: datetime
    as_of: datetime
    revision: int

    @property
    def folder(self) -> str:
        """The partition: monitor, kind, and the UTC day of the window's start."""
        return f"{folder_of(self.monitor, self.kind)}/{self.partition}"

    @property
    def partition(self) -> str:
        """The last step of the folder."""
        return f"date={self.start:%Y-%m-%d}"

    @property
    def path(self) -> str:
        """The path below the root."""
        return f"{self.folder}/{_compact(self.start)}-{_compact(self.as_of)}-r{self.revision}.parquet"

    @property
    def rank(self) -> tuple[datetime, int]:
        """What makes one snapshot of a window newer than another: what was knowable, then the revision."""
        return self.as_of, self.revision


def folder_of(monitor: str, kind: Kind | None = None) -> str:
    """Return the folder of a monitor's snapshots, or of those of one kind."""
    return f"{TOP}/monitor={monitor}" + (f"/kind={kind}" if kind else "")


def parse_path(path: str) -> SnapshotName | None:
    """Return what a path says, or None for a file that is no snapshot."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    try:
        start, as_of = (datetime.fromisoformat(match[part]) for part in ("start", "as_of"))
    except ValueError:
        return None
    return SnapshotName(match["monitor"], Kind(match["kind"]), start, as_of, int(match["revision"]))


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}" + (f".{moment.microsecond:06}" if moment.microsecond else "") + "Z"
