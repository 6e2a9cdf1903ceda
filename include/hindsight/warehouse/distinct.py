"""Distinct: one row for each id, the same one in whatever order and in whatever batches the rows came.

The latest timestamp wins; equal timestamps are decided by the rows' contents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_IDS_AT_ONCE = 125_000
_SLICE = 1_000_000
_NUMBER = "row number"  # no column can be called so


def hashes(ids: pa.Array) -> Hashes:
    """64-bit hashes of the values, quick and without a secret: equal values have equal hashes, not the reverse.

    The text's bytes are folded eight at a time by multiply and xor-shift (the finaliser of splitmix64, Steele 2014).
    """
    if pa.types.is_integer(ids.type):
        return mixed(pc.fill_null(ids, 0).cast(pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64))
    texts = ids if pa.types.is_binary(ids.type) or pa.types.is_string(ids.type) else ids.cast(pa.string())
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    padded = np.frombuffer((data.to_pybytes() if data else b"") + bytes(8), np.uint8)
    words = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))
    return _folded(words, starts[:-1], np.diff(starts))


def _folded(words: Hashes, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Hashes:
    folded = mixed(lengths.astype(np.uint64))
    for at in range(0, int(lengths.max(initial=0)), 8):
        rows = np.flatnonzero(lengths > at)
        left = np.minimum(lengths[rows] - at, 8).astype(np.uint64)
        word = words[starts[rows] + at] & (~np.uint64(0) >> (np.uint64(64) - left * np.uint64(8)))
        folded[rows] = mixed(folded[rows] ^ word)
    return folded


def mixed(values: Hashes) -> Hashes:
    """Spread 64-bit integers over the whole range, one to one."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30)) ^ _ODD) * _MIX
    return values ^ (values >> np.uint64(31))


def row_hashes(ids: pa.Array, start: int) -> Hashes:
    """Hashes of ids whose first row is row `start`; a missing id has one of its own: nothing says that two are one."""
    if not ids.null_count:
        return hashes(ids)
    numbers = mixed(np.arange(start, start + len(ids), dtype=np.uint64))
    found: Hashes = np.where(ids.is_null().to_numpy(zero_copy_only=False), numbers, hashes(ids))
    return found


def repeated(seen: Hashes) -> Hashes:
    """The hashes that occur more than once, each once, in order."""
    ranked = np.sort(seen)
    again = ranked[1:][ranked[1:] == ranked[:-1]]
    once: Hashes = again[np.flatnonzero(np.diff(again, prepend=~again[:1]))]
    return once


def kept(seen: Hashes, read: Callable[[Mask], Iterator[pa.Table]], order: Sequence[tuple[str, str]]) -> Mask | None:
    """Return which rows stand for their id, or None when all do.

    `seen` are the hashes of the ids in row order, `read(mask)` yields the rows of a mask in row order, `order` is
    (column, "ascending" | "descending") with the id first. A hash only names candidates; the ids decide.
    """
    again = repeated(seen)
    if not len(again):
        return None
    stay = np.ones(len(seen), dtype=np.bool_)
    for some in np.array_split(again, -(-len(again) // _IDS_AT_ONCE)):
        candidates = members(seen, some)
        stay[candidates] = False
        stay[_survivors(read(candidates), np.flatnonzero(candidates), order)] = True
    return None if stay.all() else stay


def first_of_each(rows: pa.Table, order: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
    """Return the row number of the first row of each distinct id (null counts as one) under `order`, id first."""
    places = pc.sort_indices(rows, sort_keys=list(order)).to_numpy()
    codes = codes_of(rows.column(order[0][0]))[places]
    firsts: NDArray[np.int64] = places[np.flatnonzero(np.diff(codes, prepend=-2))].astype(np.int64)
    return firsts


def codes_of(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """Small integers, equal for equal values; null is -1."""
    encoded = pc.dictionary_encode(values.combine_chunks()).indices
    codes: NDArray[np.int64] = pc.fill_null(encoded, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def members(seen: Hashes, some: Hashes) -> Mask:
    """Mask of the hashes that are among `some`, which is sorted; by slices, to spare memory."""
    mask = np.empty(len(seen), dtype=np.bool_)
    for start in range(0, len(seen), _SLICE):
        part = seen[start : start + _SLICE]
        places = np.minimum(np.searchsorted(some, part), len(some) - 1)
        mask[start : start + _SLICE] = some[places] == part
    return mask


def _survivors(
    tables: Iterator[pa.Table], numbers: NDArray[np.int64], order: Sequence[tuple[str, str]]
) -> NDArray[np.int64]:
    """Row numbers of the first row of each id; losers are dropped on the way, so that one id may repeat without end."""
    pool, start = None, 0
    for table in tables:
        numbered = table.append_column(_NUMBER, pa.array(numbers[start : start + table.num_rows]))
        start += table.num_rows
        pool = numbered if pool is None else pa.concat_tables([pool, numbered])
        if pool.num_rows > 2 * _IDS_AT_ONCE:
            pool = pool.take(pa.array(first_of_each(pool, order)))
    if pool is None:
        return numbers[:0]
    left: NDArray[np.int64] = pool.column(_NUMBER).to_numpy()[first_of_each(pool, order)]
    return left
