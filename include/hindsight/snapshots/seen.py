"""Seen labels: what a source that keeps no times of arrival said about a window, and the night that first saw it.

A file holds what one night found changed; nothing is rewritten, so that a past night can be read again for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from fsspec import AbstractFileSystem

from hindsight.snapshots.files import open_files
from hindsight.snapshots.parquet import decode, encode
from hindsight.vocabulary.windows import Window

TOP = "labels"
CONTENT = pa.schema([("id", pa.string()), ("label", pa.string())])
SCHEMA = CONTENT.append(pa.field("arrived_at", pa.timestamp("us", "UTC")))
_MOMENT = "%Y%m%dT%H%M%S.%fZ"


class SeenLabels:
    """Files `<root>/labels/monitor=<name>/window=<start>/<night>.parquet` of ids (hashed where the monitor says so)."""

    def __init__(self, root: str, fs: AbstractFileSystem | None = None) -> None:
        self._files = open_files(root, fs)

    def nights(self, monitor: str, window: Window) -> list[datetime]:
        """Return the nights that found something changed in a window, oldest first."""
        names = (
            path.rpartition("/")[2].removesuffix(".parquet") for path in self._files.listing(_folder(monitor, window))
        )
        return sorted(datetime.strptime(name, _MOMENT).replace(tzinfo=UTC) for name in names)

    def windows(self, monitor: str) -> list[tuple[datetime, str]]:
        """Return of every file that remembers labels of a monitor the start of its window, and its path."""
        paths = self._files.listing(f"{TOP}/monitor={monitor}")
        return [(_start(path), path) for path in paths]

    def known(self, monitor: str, window: Window, as_of: datetime) -> pa.Table:
        """Return what nights up to `as_of` have seen: `id`, `label` as text (null: taken back) and `arrived_at`.

        A label counts as having arrived at the last moment before the night that first saw it.
        """
        return pa.concat_tables([SCHEMA.empty_table(), *self._read(monitor, window, as_of)])

    def write(self, monitor: str, window: Window, night: datetime, changes: pa.Table) -> bool:
        """Keep what a night found changed; False, and nothing is written, where it was kept before."""
        return self._files.put_new(_path(monitor, window, night), encode(changes.cast(CONTENT), {}))

    def _read(self, monitor: str, window: Window, as_of: datetime) -> Iterator[pa.Table]:
        for night in self.nights(monitor, window):
            if night <= as_of:
                path = _path(monitor, window, night)
                table = decode(self._files.get(path), self._files.uri(path)).replace_schema_metadata()
                arrived = pa.scalar(night - timedelta(microseconds=1), SCHEMA.field("arrived_at").type)
                yield table.append_column(SCHEMA.field("arrived_at"), pa.repeat(arrived, table.num_rows))


def _start(path: str) -> datetime:
    return datetime.strptime(path.split("/")[2].removeprefix("window="), _MOMENT).replace(tzinfo=UTC)


def _folder(monitor: str, window: Window) -> str:
    return f"{TOP}/monitor={monitor}/window={window.start.astimezone(UTC).strftime(_MOMENT)}"


def _path(monitor: str, window: Window, night: datetime) -> str:
    return f"{_folder(monitor, window)}/{night.astimezone(UTC).strftime(_MOMENT)}.parquet"
