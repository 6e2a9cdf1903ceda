"""Numeric: a column of any type as float64, NaN where there is no number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def numbers(column: pa.Array) -> np.ndarray:
    """Return a column as float64 with NaN for null; text that is a number counts as that number."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return parsed(column)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))


def parsed(column: pa.Array) -> np.ndarray:
    """Return texts as float64, NaN where a text is null, blank or no number."""
    distinct = column.dictionary_encode()
    values = np.array([_number(text) for text in distinct.dictionary.to_pylist()] + [np.nan])
    return values.take(np.asarray(pc.fill_null(distinct.indices, -1)))


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
