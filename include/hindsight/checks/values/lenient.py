"""Lenient: a column as floats where one bad text must not spoil the rest of the column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.values.numbers import NotNumericError, floats


def numbers(column: pa.Array, *, reuse: bool = False) -> np.ndarray:
    """Return a column as float64, NaN for nulls and for anything that is no number; `reuse` as for `floats`."""
    try:
        return floats(column, reuse=reuse)
    except NotNumericError:
        distinct = column.dictionary_encode()
        values = np.array([*map(_number, distinct.dictionary.to_pylist()), np.nan])
        return values.take(np.asarray(pc.fill_null(distinct.indices, -1)))


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, str) else np.nan
    except ValueError:
        return np.nan
