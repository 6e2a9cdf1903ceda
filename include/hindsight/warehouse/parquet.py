"""Parquet: a reference file from anywhere, measured by its footer before a byte of it is unpacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hindsight.errors import ConfigError, DataError, Problem, WarehouseError
from hindsight.monitors.model import Monitor
from hindsight.warehouse.columns import named
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.relations import listing
from hindsight.warehouse.rows import WindowRows
from hindsight.warehouse.spool import Layout, spool
from hindsight.warehouse.times import TIMESTAMP

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file that is read: what a few bytes unpack to is not in the size of a file."""

    rows: int = 50_000_000
    values: int = 5_000_000_000
    text_bytes: int = 2**34
    text_bytes_at_once: int = 2**30  # of 65,536 rows


LIMITS = Limits()


def spool_parquet(
    uri: str,
    monitor: Monitor,
    also: Sequence[str],
    folder: Path,
    hasher: Hasher,
    limits: Limits,
    *,
    needed: Sequence[str] = (),
) -> tuple[WindowRows, tuple[str, ...]]:
    """Read the columns the monitor names from a Parquet file; return them and the names of all columns read.

    `also` names columns that are read besides where the file has them. Id, timestamp and what is only logged
    (version, latency, status, cost, resources) may be missing; other missing columns are listed in `missing`. Raises
    DataError where one of the `needed` ones is missing.
    """
    with _opened(uri) as stream:
        file = _footer(uri, stream)
        _refuse_if_large(uri, file.metadata, limits)
        for column in needed:
            _require(uri, column, file.schema_arrow.names)
        layout = _layout(uri, monitor, also, file.schema_arrow)
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        file = pq.ParquetFile(stream, read_dictionary=texts)
        return spool(_batches(uri, file, layout.schema, limits), layout, hasher, folder), tuple(layout.schema.names)


@contextmanager
def _opened(uri: str) -> Iterator[IO[bytes]]:
    try:
        stream = cast(IO[bytes], fsspec.open(uri, "rb").open())
    except (FileNotFoundError, IsADirectoryError) as exc:
        raise ConfigError(Problem(f"no file at {uri}", field="reference.parquet")) from exc
    except (ImportError, ValueError, PermissionError) as exc:
        raise ConfigError(Problem(f"{uri} cannot be opened: {exc}", field="reference.parquet")) from exc
    except OSError as exc:
        raise WarehouseError(f"{uri}: could not be reached: {exc}") from exc
    with stream:
        yield stream


def _footer(uri: str, stream: IO[bytes]) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(stream)
    except (pa.ArrowInvalid, OSError) as exc:
        raise DataError(f"{uri}: not a Parquet file: {exc}") from exc


def _refuse_if_large(uri: str, footer: pq.FileMetaData, limits: Limits) -> None:
    if footer.num_rows > limits.rows or footer.num_rows * footer.num_columns > limits.values:
        raise DataError(
            f"{uri}: {footer.num_rows:,} rows of {footer.num_columns:,} columns, over the limit of {limits.rows:,} "
            f"rows and {limits.values:,} values - use a sample of the rows"
        )


def _require(uri: str, column: str, there: Sequence[str]) -> None:
    if column not in there:
        raise DataError(
            f"{uri}.{column}: no such column; the file has {listing(column, there)} "
            f"Correct features.{column} in the monitor file or add the column to the reference"
        )


def _layout(uri: str, monitor: Monitor, also: Sequence[str], found: pa.Schema) -> Layout:
    source = monitor.source.predictions
    shown = [column for column in named(monitor) if column in found.names]
    hidden = [column for column in also if column in found.names and column not in monitor.pii.drop]
    optional = {source.id, source.timestamp, source.model_version, source.latency_ms, source.status_code, source.cost}
    optional |= set(source.resources.values())
    return Layout(
        schema=pa.schema([(c, _plain(uri, found.field(c))) for c in dict.fromkeys((*shown, *hidden))]),
        columns=tuple(shown),
        types={column: str(found.field(column).type) for column in shown},
        missing=tuple(c for c in named(monitor) if c not in found.names and c not in optional),
        id_column=source.id if source.id in shown else None,
        timestamp_column=source.timestamp if source.timestamp in shown else None,
    )


def _plain(uri: str, field: pa.Field) -> pa.DataType:
    """The type among those of `columns` that a Parquet column is read as."""
    kind, types = field.type, pa.types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_integer(kind):
        return pa.float64() if kind == pa.uint64() else pa.int64()
    if types.is_floating(kind) or types.is_decimal(kind):
        return pa.float64()
    if types.is_boolean(kind) or types.is_binary(kind):
        return kind
    if types.is_timestamp(kind) or types.is_date(kind):
        return TIMESTAMP if types.is_timestamp(kind) else pa.date32()
    if _is_text(kind) or types.is_string_view(kind) or types.is_null(kind):
        return pa.string()
    raise DataError(f"{uri}.{field.name}: a reference column cannot be of type {field.type} - leave it out of the file")


def _batches(uri: str, file: pq.ParquetFile, schema: pa.Schema, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Yield the rows; texts come as dictionaries and are weighed before they are laid out."""
    read = 0
    try:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=schema.names):
            weight = sum(_text_bytes(batch.column(name)) for name in schema.names)
            read += weight
            if weight > limits.text_bytes_at_once or read > limits.text_bytes:
                raise DataError(f"{uri}: its texts unpack to more than {max(weight, read):,} bytes - shorten them")
            arrays = [pc.cast(batch.column(field.name), field.type, safe=False) for field in schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except (pa.ArrowException, OSError) as exc:
        raise DataError(f"{uri}: cannot be read to its end, write the file again: {exc}") from exc


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text_bytes(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return 0
    return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0
