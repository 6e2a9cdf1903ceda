"""WindowRows: the distinct rows of a window in a temporary Parquet file, read one column at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hindsight.errors import DataError
from hindsight.vocabulary.rows import Scalar
from hindsight.warehouse.allocation import spare_memory
from hindsight.warehouse.distinct import Hashes, Mask, hashes, mixed

_MOST_STRING_BYTES = 2**31 - 1
MANY_ROWS = 2_000_000
_PLAIN = (pa.float64(), pa.int64())


@dataclass(frozen=True)
class WindowRows:
    """Distinct rows in the order the warehouse gave them, which is the same for every column but means nothing.

    `types` holds the warehouse's type of each column, `missing` the columns that the monitor names and the table
    lacks. `key_id` names the key of hashed columns ("" without any). Of a sample they are one row in `every`. The file
    is deleted by `close()`, or on leaving a `with`; rows narrowed from these share it.
    """

    path: Path
    columns: tuple[str, ...]
    types: Mapping[str, str]
    n_raw: int
    missing: tuple[str, ...] = ()
    key_id: str = ""
    id_column: str | None = None
    timestamp_column: str | None = None
    keep: Mask | None = None
    every: int = 1

    @property
    def lends(self) -> bool:
        """False: each array is read from the file anew."""
        return False

    @property
    def n(self) -> int:
        """Distinct rows."""
        return self.n_raw if self.keep is None else int(self.keep.sum())

    @property
    def newest(self) -> datetime | None:
        """The latest timestamp; None without rows or without a timestamp."""
        if self.timestamp_column is None:
            return None
        latest: datetime | None = pc.max(self.column(self.timestamp_column)).as_py()
        return latest

    def column(self, name: str) -> pa.Array:
        """Return one column of `n` values; raise DataError where the table has no such column."""
        if self.n_raw > MANY_ROWS:
            spare_memory()  # the scraps of the last column are as large as this one
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            if name not in file.schema_arrow.names:
                raise DataError(f"no column {name!r} in the rows; there are {', '.join(self.columns)}")
            kind = file.schema_arrow.field(name).type
        chunks = (chunk for part in masked(self.path, [name], self.keep) for chunk in part.column(0).chunks)
        return _numbers(chunks, kind, self.n) if kind in _PLAIN else _joined(pa.chunked_array(chunks, kind))

    def table(self, names: Sequence[str]) -> pa.Table:
        """Return some columns together; raise DataError where the table lacks one."""
        return pa.table({name: self.column(name) for name in names})

    def sample(self, limit: int, seed: int) -> pa.Table:
        """Return all columns of at most `limit` rows, chosen by id: the same rows in whatever order they were read."""
        priority = mixed(self._numbers() ^ mixed(np.array([seed], np.uint64)))
        chosen = np.zeros(self.n, dtype=np.bool_)
        chosen[np.argpartition(priority, limit)[:limit] if limit < self.n else slice(None)] = True
        places = pa.array(np.argsort(priority[chosen], kind="stable"))
        del priority
        parts = list(masked(self.path, self.columns, self.narrowed(chosen)._mask))
        return pa.concat_tables(parts).take(places) if parts else self.table(self.columns)

    @property
    def _mask(self) -> Mask:
        return np.ones(self.n_raw, dtype=np.bool_) if self.keep is None else self.keep

    def _numbers(self) -> Hashes:
        """A number for each row that goes with its id, or with its place where there are no ids."""
        if self.id_column is None:
            return np.arange(self.n, dtype=np.uint64)
        parts = [hashes(part.column(0).combine_chunks()) for part in masked(self.path, [self.id_column], self._mask)]
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)

    def where(self, column: str, value: Scalar) -> WindowRows:
        """Return the rows whose `column` equals `value`."""
        return self.narrowed(equals(self.column(column), value).to_numpy(zero_copy_only=False))

    def narrowed(self, mask: Mask) -> WindowRows:
        """Return the rows where `mask`, of length `n`, holds."""
        keep = np.zeros(self.n_raw, dtype=np.bool_)
        keep[np.flatnonzero(mask) if self.keep is None else np.flatnonzero(self.keep)[mask]] = True
        return replace(self, keep=keep)

    def close(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def equals(values: pa.Array, value: Scalar) -> pa.Array:
    """Which values equal `value`, a scalar of a monitor file, once it is of their type; null equals nothing."""
    try:
        wanted = pa.scalar(value).cast(values.type)
    except pa.ArrowException:
        wanted = pa.scalar(None, values.type)
    return pc.fill_null(pc.equal(values, wanted), False)


def masked(path: Path, names: Sequence[str], keep: Mask | None) -> Iterator[pa.Table]:
    """Yield the rows of a mask (None: all), a row group at a time, leaving out groups without any."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        start = 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            here = None if keep is None else keep[start:end]
            if here is None or here.any():
                rows = file.read_row_group(group, columns=list(names), use_threads=False)
                yield rows if here is None else rows.filter(pa.array(here))
            start = end


def _numbers(chunks: Iterable[pa.Array], kind: pa.DataType, n: int) -> pa.Array:
    """Join chunks into one array as they come, so that all of them are never there beside it."""
    values, nulls, start = np.empty(n, kind.to_pandas_dtype()), None, 0
    for chunk in chunks:
        here = slice(start, start := start + len(chunk))
        values[here] = pc.fill_null(chunk, 0).to_numpy()
        if chunk.null_count:
            nulls = np.zeros(n, np.bool_) if nulls is None else nulls
            nulls[here] = chunk.is_null().to_numpy(zero_copy_only=False)
    return pa.array(values, kind, mask=nulls)


def _joined(values: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_string(values.type) and values.nbytes > _MOST_STRING_BYTES:
        values = values.cast(pa.large_string())  # more text than 32-bit offsets can reach
    return values.combine_chunks()
