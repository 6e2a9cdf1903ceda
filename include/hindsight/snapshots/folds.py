"""Folded files: the snapshots of many windows in one, sorted for compression, with a list of what it holds."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache, partial
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from hindsight.snapshots.names import FoldName, SnapshotName
from hindsight.snapshots.parquet import DamagedError, folded, open_folded, read_group
from hindsight.snapshots.tables import SCHEMA, stacked, taken

GROUP_ROWS = 16_384  # of a group of rows: readers skip groups by the windows they hold
_CONTENTS = "hindsight.contents"
_MADE = "hindsight.folded_at"
_KEY = ("window_start", "as_of", "revision")
_ORDER = [(name, "ascending") for name in ("model_version", "segment", "metric", "feature", "bin", *_KEY)]
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_MOMENT = SCHEMA.field("as_of").type
_LIST = pa.schema(
    [("start", _MOMENT), ("end", _MOMENT), ("as_of", _MOMENT), ("revision", pa.int64()), ("definition", pa.string())]
)
Key = tuple[datetime, datetime, int]  # start of the window, as-of, revision


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot wherever it lies: what it is called, when its window ends, what it was measured by."""

    name: SnapshotName
    end: datetime
    definition: str = ""

    @property
    def key(self) -> Key:
        """Its place among the snapshots of a monitor and kind."""
        return self.name.start, self.name.as_of, self.name.revision


def newest_of(snapshots: Iterable[Snapshot]) -> dict[datetime, Snapshot]:
    """Return by start of window the newest of snapshots of one monitor and kind."""
    return {one.name.start: one for one in sorted(snapshots, key=lambda one: one.name.rank)}


class Wanted:
    """Snapshots of one monitor and kind that rows are sought of."""

    def __init__(self, names: Sequence[SnapshotName]) -> None:
        keys = [(name.start, name.as_of, name.revision) for name in names]
        columns = list(zip(*keys, strict=True)) or [(), (), ()]
        values = [np.array([_number(value) for value in column], np.int64) for column in columns]
        found = [np.unique(column, return_inverse=True) for column in values]
        self.starts = found[0][0]
        self._distinct = [distinct for distinct, _ in found]
        codes = _mixed([code for _, code in found], self._distinct)
        self._order = np.argsort(codes)
        self._codes = codes[self._order]

    def places(self, table: pa.Table) -> np.ndarray:
        """Return of each row which of the snapshots it belongs to, by their order; -1 for none."""
        if not len(self._codes):
            return np.full(len(table), -1)
        rows = [table.column(name).cast(pa.int64()).to_numpy() for name in _KEY]
        found = [_among(values, distinct) for values, distinct in zip(rows, self._distinct, strict=True)]
        codes = _mixed(found, self._distinct)
        at = _among(codes, self._codes)
        known = self._codes[at] == codes
        for values, distinct, code in zip(rows, self._distinct, found, strict=True):
            known &= distinct[code] == values
        return np.where(known, self._order[at], -1)


class Fold:
    """An open folded file; rows are read by the group, and only of groups that hold wanted windows."""

    def __init__(self, name: FoldName, data: bytes, uri: str) -> None:
        self.name, self._uri = name, uri
        self._file = open_folded(data, uri, SCHEMA)
        self._read = lru_cache(maxsize=1)(partial(read_group, self._file, uri=uri))

    @cached_property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """What the file holds, in the order of the keys; raises DamagedError where the list of it is not whole."""
        return _listed(self.name, self._file, self._uri)

    @property
    def made(self) -> datetime | None:
        """When it was folded; None of one that does not say."""
        try:
            return datetime.fromisoformat((self._file.metadata.metadata or {})[_MADE.encode()].decode())
        except (KeyError, ValueError):
            return None

    def check(self) -> None:
        """Read every row; raise DamagedError where one cannot be read."""
        for group in range(self._file.num_row_groups):
            self._read(group)

    def rows(self, names: Sequence[SnapshotName]) -> tuple[pa.Table, np.ndarray]:
        """Return the rows of the snapshots of these names, and of each row which of them it belongs to."""
        wanted = Wanted(names)
        kept = [_chosen(self._read(group), wanted) for group in self._groups(wanted.starts)]
        tables, places = [table for table, _ in kept], [places for _, places in kept]
        return stacked(tables), np.concatenate([np.zeros(0, np.int64), *places])

    def _groups(self, starts: np.ndarray) -> Iterator[int]:
        column = SCHEMA.get_field_index("window_start")
        for group in range(self._file.num_row_groups):
            seen = self._file.metadata.row_group(group).column(column).statistics
            first, last = _number(seen.min), _number(seen.max)
            if np.searchsorted(starts, first) < np.searchsorted(starts, last, side="right"):
                yield group


def encode_fold(blocks: Iterable[tuple[Sequence[Snapshot], pa.Table]], made: datetime) -> bytes:
    """Return snapshots as one file, given in blocks of which each begins after the windows of the one before.

    `made` is when they are folded: what they are folded from stays for a while from then on.

    Only one group of rows is held at a time.
    """
    listed: list[Snapshot] = []
    return folded(_groups(blocks, listed), SCHEMA, lambda: {_CONTENTS: _listing(listed), _MADE: made.isoformat()})


def _groups(blocks: Iterable[tuple[Sequence[Snapshot], pa.Table]], listed: list[Snapshot]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for snapshots, table in blocks:
        listed.extend(snapshots)
        held.append(table.replace_schema_metadata())
        if sum(map(len, held)) >= GROUP_ROWS:
            yield pa.concat_tables(held).sort_by(_ORDER)
            held = []
    if held:
        yield pa.concat_tables(held).sort_by(_ORDER)


def _chosen(table: pa.Table, wanted: Wanted) -> tuple[pa.Table, np.ndarray]:
    places = wanted.places(table)
    chosen = np.flatnonzero(places >= 0)
    return taken(table, chosen).cast(SCHEMA), places[chosen]


def _among(values: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    """Return where each value stands among ascending ones, or some place where it does not."""
    return np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)


def _mixed(codes: Sequence[np.ndarray], distinct: Sequence[np.ndarray]) -> np.ndarray:
    """Return one number for each combination of codes."""
    mixed = np.zeros(len(codes[0]), np.int64)
    for code, values in zip(codes, distinct, strict=True):
        mixed = mixed * max(len(values), 1) + code
    return mixed


def _listing(snapshots: Sequence[Snapshot]) -> str:
    """Write the list as compressed columns: a month of five-minute windows has tens of thousands of snapshots."""
    columns = [
        [one.name.start for one in snapshots],
        [one.end for one in snapshots],
        [one.name.as_of for one in snapshots],
        [one.name.revision for one in snapshots],
        [one.definition for one in snapshots],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _LIST, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _LIST, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(pa.table(arrays, schema=_LIST))
    data = sink.getvalue().to_pybytes()
    return f"{crc32(data):08x} {base64.b64encode(data).decode()}"


def _listed(fold: FoldName, file: pq.ParquetFile, uri: str) -> tuple[Snapshot, ...]:
    try:
        checksum, _, text = (file.metadata.metadata or {})[_CONTENTS.encode()].partition(b" ")
        data = base64.b64decode(text, validate=True)
        if int(checksum, 16) != crc32(data):
            raise ValueError("its checksum differs")
        table = pa.ipc.open_stream(data).read_all().select(_LIST.names)
    except (KeyError, ValueError, OSError, pa.ArrowException) as exc:
        raise DamagedError(f"{uri}: the list of what it holds is not whole: {exc}") from exc
    rows = zip(*(table.column(name).to_pylist() for name in _LIST.names), strict=True)
    return tuple(
        Snapshot(SnapshotName(fold.monitor, fold.kind, start, as_of, revision), end, definition)
        for start, end, as_of, revision, definition in rows
    )


def _number(value: datetime | int) -> int:
    """Return a revision as it is, a moment as microseconds since 1970."""
    return (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value
