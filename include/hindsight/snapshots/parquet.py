"""Tables as Parquet bytes: what comes out is what went in, or an error; nothing damaged, foreign or swollen is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hindsight.errors import StoreError

VERSION = 2  # 1 had no column for the revision
MAX_CELLS = 50_000_000
MAX_TEXT_BYTES = 2**30
_VERSION_KEY = b"hindsight.version"


_BROKEN = (
    "{}: not a whole Parquet file: {} - no number that it may hold is read in its place; put the file back from a "
    "backup, or move it away and measure its windows again (docs/retention.md)"
)


class DamagedError(StoreError):
    """A file is not whole, not ours, or not of the size it should be; the same content may be written again."""


class NewerError(StoreError):
    """A file is of a format that only a newer Hindsight reads."""


def encode(table: pa.Table, about: Mapping[str, str]) -> bytes:
    """Return a table as a Parquet file with a checksum on every page, `about` beside the metadata it has."""
    said = {key.encode(): value.encode() for key, value in about.items()}
    notes = {**(table.schema.metadata or {}), _VERSION_KEY: str(VERSION).encode(), **said}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(notes), sink, write_page_checksum=True)
    return bytes(sink.getvalue())


def decode(data: bytes, uri: str) -> pa.Table:
    """Return the table of a file `encode` made, its metadata in the schema; `uri` is for the errors.

    Raises DamagedError for a file that is broken, foreign or swells beyond the limits, before it is read;
    NewerError for one of a newer version.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        _check(file, uri)
        table = _read_by_group(file) if _is_bounded(file) else _read_by_dictionary(data, uri)
        table.validate(full=True)
    except (OSError, pa.ArrowException, ValueError) as exc:
        raise DamagedError(_BROKEN.format(uri, exc)) from exc
    return table


def open_folded(data: bytes, uri: str, schema: pa.Schema) -> pq.ParquetFile:
    """Return a file of this schema that `folded` made, its texts as dictionaries; only its footer is read.

    Raises DamagedError and NewerError as `decode` does.
    """
    try:
        there = pq.read_schema(pa.BufferReader(data)).remove_metadata()
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True, read_dictionary=texts)
    except (OSError, pa.ArrowException, ValueError) as exc:
        raise DamagedError(_BROKEN.format(uri, exc)) from exc
    _check(file, uri)
    if not there.equals(schema):
        raise DamagedError(f"{uri}: its columns are not those of a snapshot")
    return file


def read_group(file: pq.ParquetFile, group: int, uri: str) -> pa.Table:
    """Return one group of rows of an open file, texts as dictionaries, once they are weighed."""
    try:
        table = file.read_row_group(group, use_threads=False)
        table.validate(full=True)
    except (OSError, pa.ArrowException, ValueError) as exc:
        raise DamagedError(_BROKEN.format(uri, exc)) from exc
    texts = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    if sum(_text_bytes(table.column(name)) for name in texts) > MAX_TEXT_BYTES:
        raise DamagedError(f"{uri}: its texts take more than {MAX_TEXT_BYTES:,} bytes, refused")
    return table


def folded(groups: Iterable[pa.Table], schema: pa.Schema, about: Callable[[], Mapping[str, str]]) -> bytes:
    """Return tables as one Parquet file, a group of rows each; `about` is asked when all are in, and kept beside."""
    sink = pa.BufferOutputStream()
    notes = {_VERSION_KEY: str(VERSION).encode()}
    options = {"compression": "zstd", "write_page_checksum": True}
    with pq.ParquetWriter(sink, schema.with_metadata(notes), **options) as writer:
        for table in groups:
            writer.write_table(table, row_group_size=max(len(table), 1))
        writer.add_key_value_metadata(about())
    return bytes(sink.getvalue())


def _is_bounded(file: pq.ParquetFile) -> bool:
    """Whether what the file unpacks to is bounded by its size: it has no texts, or too few bytes to stand for many."""
    groups = (file.metadata.row_group(group) for group in range(file.metadata.num_row_groups))
    has_text = any(pa.types.is_string(field.type) for field in file.schema_arrow)
    return not has_text or file.metadata.num_rows * sum(g.total_byte_size for g in groups) <= MAX_TEXT_BYTES


def _read_by_group(file: pq.ParquetFile) -> pa.Table:
    """Read a table in parts: as a whole it would take twice its size on the way."""
    groups = [file.read_row_group(group, use_threads=False) for group in range(file.num_row_groups)]
    return pa.concat_tables(groups) if groups else file.schema_arrow.empty_table()


def _read_by_dictionary(data: bytes, uri: str) -> pa.Table:
    """Read texts as dictionaries and weigh them before they are laid out: few bytes may stand for many long texts."""
    schema = pq.read_schema(pa.BufferReader(data))
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    table = pq.read_table(
        pa.BufferReader(data), read_dictionary=texts, page_checksum_verification=True, use_threads=False
    )
    if sum(_text_bytes(table.column(name)) for name in texts) > MAX_TEXT_BYTES:
        raise DamagedError(f"{uri}: its texts take more than {MAX_TEXT_BYTES:,} bytes, refused")
    return table.cast(schema)


def read_schema(data: bytes, uri: str) -> pa.Schema:
    """Return the schema of a file `encode` made, with what was said about it; raise DamagedError where it has none."""
    try:
        return pq.read_schema(pa.BufferReader(data))
    except (OSError, pa.ArrowException) as exc:
        raise DamagedError(_BROKEN.format(uri, exc)) from exc


def about(schema: pa.Schema) -> dict[str, str]:
    """Return what was said about a table of this schema when it was encoded."""
    notes = schema.metadata or {}
    return {key.decode(): value.decode() for key, value in notes.items() if key != _VERSION_KEY}


def without_version(table: pa.Table) -> pa.Table:
    """Return a table with the metadata it had before it was encoded."""
    return table.replace_schema_metadata({k: v for k, v in (table.schema.metadata or {}).items() if k != _VERSION_KEY})


def _check(file: pq.ParquetFile, uri: str) -> None:
    version = (file.schema_arrow.metadata or {}).get(_VERSION_KEY)
    if version is None or not version.isdigit():
        raise DamagedError(f"{uri}: not written by Hindsight")
    if int(version) > VERSION:
        raise NewerError(
            f"{uri}: written by a newer Hindsight (format {int(version)}, this one reads {VERSION}); upgrade"
        )
    cells = file.metadata.num_rows * file.metadata.num_columns
    if cells > MAX_CELLS:
        raise DamagedError(f"{uri}: {cells:,} values, more than {MAX_CELLS:,}, refused")


def _text_bytes(column: pa.ChunkedArray) -> int:
    weights = (pc.sum(pc.binary_length(part.dictionary).take(part.indices)) for part in column.chunks)
    return sum(weight.as_py() or 0 for weight in weights)
