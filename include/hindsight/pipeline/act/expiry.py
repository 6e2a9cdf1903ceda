"""What has expired, and what is needed all the same: decided by names, rows and moments; nothing is read or deleted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hindsight.ledger.records import Report
from hindsight.snapshots.names import FileName
from hindsight.training.registry import ModelVersion, Stage
from hindsight.verdicts.model import Incident, Series
from hindsight.verdicts.retention import Span


@dataclass(frozen=True)
class Held:
    """The windows that open incidents are about, by their starts in order: nothing of them goes."""

    starts: Sequence[datetime]

    def any_in(self, first: datetime, last: datetime) -> bool:
        """Say whether one of the windows starts in [first, last]."""
        place = bisect_left(self.starts, first)
        return place < len(self.starts) and self.starts[place] <= last


@dataclass(frozen=True)
class Expiry:
    """What of a monitor has expired; `horizon` is where its history begins once that is gone, None where it stays.

    `files` are snapshots, `labels` remembered labels, both by path; `verdicts` spans of windows of each series.
    """

    monitor: str
    horizon: datetime | None = None
    files: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    verdicts: tuple[tuple[Series, Span], ...] = ()
    reports: tuple[Report, ...] = ()
    models: tuple[ModelVersion, ...] = ()


def held(incidents: Iterable[Incident]) -> Held:
    """Return the windows that open incidents are about."""
    starts = {start.astimezone(UTC) for one in incidents if one.stands for start in one.breaches}
    return Held(sorted(starts))


def old_files(files: Iterable[FileName], horizon: datetime | None, held: Held) -> list[FileName]:
    """Return the snapshot files of which every window starts before the horizon, and none is held.

    A folded file that lies partly before the horizon stays until all of it does, and with it what is newer of the same
    windows: without that an older number would be the newest.
    """
    if horizon is None:
        return []
    heaps = (heap for heap in _sharing(files) if all(file.last < horizon for file in heap))
    return [file for heap in heaps if not any(held.any_in(one.start, one.last) for one in heap) for file in heap]


def _sharing(files: Iterable[FileName]) -> Iterator[list[FileName]]:
    """Yield the files of each kind in heaps whose windows lie apart."""
    heap: list[FileName] = []
    for file in sorted(files, key=lambda one: (one.kind, one.start)):
        if heap and (file.kind != heap[0].kind or all(one.last < file.start for one in heap)):
            yield heap
            heap = []
        heap.append(file)
    if heap:
        yield heap


def old_labels(windows: Iterable[tuple[datetime, str]], horizon: datetime | None, held: Held) -> list[str]:
    """Return the paths of remembered labels, given by window, that lie before the horizon and are not held."""
    if horizon is None:
        return []
    return [path for start, path in windows if start < horizon and not held.any_in(start, start)]


def old_reports(reports: Iterable[Report], before: datetime | None, held: Held) -> list[Report]:
    """Return the reports made before a moment, but those of windows that are held."""
    if before is None:
        return []
    return [one for one in reports if one.created_at < before and not held.any_in(one.window.start, one.window.start)]


def old_models(
    versions: Sequence[ModelVersion], before: datetime | None, undecided: Collection[str | None]
) -> list[ModelVersion]:
    """Return the versions nobody has used since a moment, that may be deleted.

    Never the champion, the one a rollback would bring back, one whose request (by its key) is `undecided`, or one that
    does not lie below the data root.
    """
    if before is None:
        return []
    kept = {_next_after_rollback(versions)}
    return [
        one
        for one in versions
        if one.stage is not Stage.CHAMPION
        and one.version not in kept
        and one.request_key not in undecided
        and one.artifact.startswith("models/")
        and _last_used(one, versions) < before
    ]


def _next_after_rollback(versions: Iterable[ModelVersion]) -> str | None:
    """The newest earlier champion that was not rolled back: see `registry.put_back`."""
    past = [v for v in versions if v.stage is Stage.ARCHIVED and v.promoted_at and not v.rolled_back_at]
    newest = max(past, key=lambda v: (v.promoted_at, v.version), default=None)
    return newest.version if newest else None


def _last_used(one: ModelVersion, versions: Iterable[ModelVersion]) -> datetime:
    """When a version was made or, of one that was champion, when the next one took its place."""
    if one.promoted_at is None:
        return one.created_at
    later = [v.promoted_at for v in versions if v.promoted_at and v.promoted_at > one.promoted_at]
    return max(filter(None, [one.created_at, one.promoted_at, one.rolled_back_at, min(later, default=None)]))
