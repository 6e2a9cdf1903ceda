"""The names of snapshot files: a path says what a file holds, of one window or of a folded span, so a listing is an
index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from hindsight.vocabulary.measurement import STORED, Kind

TOP = "snapshots"
Span = Literal["hour", "day", "month"]
SPANS: tuple[Span, ...] = ("hour", "day", "month")
_FORMS: dict[Span, str] = {"hour": "%Y%m%dT%H", "day": "%Y%m%d", "month": "%Y%m"}
_MOMENT = r"\d{8}T\d{6}(?:\.\d{6})?Z"
_PLACE = (
    rf"{TOP}/monitor=(?P<monitor>[a-z][a-z0-9_]{{0,62}})/kind=(?P<kind>{'|'.join(STORED)})/"
    r"date=(?:\d{4}-\d\d-\d\d)/"
)
_SNAPSHOT = re.compile(
    _PLACE + rf"(?P<start>{_MOMENT})-(?P<as_of>{_MOMENT})-r(?P<revision>\d{{1,9}})\.parquet",
)
_FOLD = re.compile(
    _PLACE + rf"(?P<span>\d{{6}}(?:\d\d(?:T\d\d)?)?)_(?P<start>{_MOMENT})-(?P<last>{_MOMENT})"
    rf"_(?P<earliest>{_MOMENT})-(?P<latest>{_MOMENT})_n(?P<rows>\d{{1,9}})-g(?P<generation>\d{{1,9}})\.parquet",
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

    @property
    def last(self) -> datetime:
        """The start of the last window in the file, as a fold has one."""
        return self.start

    @property
    def earliest(self) -> datetime:
        """The first as-of in the file, as a fold has one."""
        return self.as_of

    @property
    def latest(self) -> datetime:
        """The last as-of in the file, as a fold has one."""
        return self.as_of


@dataclass(frozen=True, slots=True)
class FoldName:
    """What the path of a folded file says: the snapshots of a span, from which window to which, known from when on.

    `begin` is when the span begins, `start` and `last` are the starts of its first and last window, `earliest` and
    `latest` the first and last as-of of its snapshots, `rows` how many rows it has. Of one span the greatest
    generation counts: it holds all that earlier ones do.
    """

    monitor: str
    kind: Kind
    span: Span
    begin: datetime
    start: datetime
    last: datetime
    earliest: datetime
    latest: datetime
    rows: int
    generation: int

    @property
    def key(self) -> tuple[str, Kind, Span, datetime]:
        """What is folded, whatever the generation."""
        return self.monitor, self.kind, self.span, self.begin

    @property
    def folder(self) -> str:
        """The partition: that of the day, or of the first day of the month."""
        return f"{folder_of(self.monitor, self.kind)}/date={self.begin:%Y-%m-%d}"

    @property
    def path(self) -> str:
        """The path below the root."""
        windows = f"{_compact(self.start)}-{_compact(self.last)}"
        known = f"{_compact(self.earliest)}-{_compact(self.latest)}"
        span = f"{self.begin:{_FORMS[self.span]}}"
        return f"{self.folder}/{span}_{windows}_{known}_n{self.rows}-g{self.generation}.parquet"

    def may_hold(self, file: SnapshotName | FoldName) -> bool:
        """Say whether all that a file of the same monitor and kind has may be in here too, by the names."""
        is_older = not isinstance(file, FoldName) or self._follows(file)
        is_inside = self.start <= file.start and file.last <= self.last
        return is_older and is_inside and self.earliest <= file.earliest and file.latest <= self.latest

    def _follows(self, other: FoldName) -> bool:
        longer = SPANS.index(self.span) > SPANS.index(other.span)
        return longer or (self.key == other.key and self.generation > other.generation)


FileName = SnapshotName | FoldName


def begin_of(span: Span, start: datetime) -> datetime:
    """Return when the span begins that a window starting then belongs to."""
    day = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if span == "hour":
        return day
    return day.replace(hour=0) if span == "day" else day.replace(day=1, hour=0)


def folder_of(monitor: str, kind: Kind | None = None) -> str:
    """Return the folder of a monitor's snapshots, or of those of one kind."""
    return f"{TOP}/monitor={monitor}" + (f"/kind={kind}" if kind else "")


@lru_cache(maxsize=2**13)
def parse_path(path: str) -> FileName | None:
    """Return what a path says, or None for a file that is no snapshot."""
    try:
        if match := _SNAPSHOT.fullmatch(path):
            start, as_of = (datetime.fromisoformat(match[part]) for part in ("start", "as_of"))
            return SnapshotName(match["monitor"], Kind(match["kind"]), start, as_of, int(match["revision"]))
        return _fold(match) if (match := _FOLD.fullmatch(path)) else None
    except ValueError:
        return None


def _fold(match: re.Match[str]) -> FoldName:
    spans: dict[int, Span] = {6: "month", 8: "day", 11: "hour"}
    span = spans[len(match["span"])]
    begin = datetime.strptime(match["span"], _FORMS[span]).replace(tzinfo=UTC)
    start, last, earliest, latest = (
        datetime.fromisoformat(match[part]) for part in ("start", "last", "earliest", "latest")
    )
    rows, generation = int(match["rows"]), int(match["generation"])
    return FoldName(match["monitor"], Kind(match["kind"]), span, begin, start, last, earliest, latest, rows, generation)


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}" + (f".{moment.microsecond:06}" if moment.microsecond else "") + "Z"
