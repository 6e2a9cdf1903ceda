"""Numbers: any column as 64-bit floats, or the reason why it is not numeric; null and NaN are one thing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EXACT_POWERS = 22  # 10 to the power of so much is a double, exactly


class NotNumericError(ValueError):
    """The column holds values that are not numbers; the message says which."""


def floats(column: pa.Array, *, reuse: bool = False) -> np.ndarray:
    """Return a column as a float64 array of its own, NaN where null; with `reuse` in the column's memory, if it can be.

    Booleans are 0 and 1, times are seconds since 1970, a decimal is the double nearest to it, -0.0 is 0.0. Text is
    parsed if all of it is numbers, blank text being null. Raises NotNumericError otherwise.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values = _numeric(column)
    array = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    is_own = values.null_count or not pa.types.is_float64(values.type)
    if reuse and not is_own and len(values):
        array = np.frombuffer(values.buffers()[1], np.float64, len(values), 8 * values.offset)
        is_own = array.flags.writeable
    return np.add(array, 0.0, out=array if is_own else None)


def _numeric(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return column
    if pa.types.is_decimal(kind):
        return of_decimals(column)
    if pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.int8() if pa.types.is_boolean(kind) else pa.float64())
    if pa.types.is_timestamp(kind):
        return pc.divide(column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64()).cast(pa.float64()), 1e6)
    if pa.types.is_date(kind):
        return pc.multiply(column.cast(pa.date32()).cast(pa.int32()).cast(pa.float64()), 86400.0)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _parsed(column)
    raise NotNumericError(f"values of type {kind} are not numbers")


def of_decimals(column: pa.Array) -> pa.Array:
    """Return decimals as the doubles nearest to them: Arrow's own cast turns 0.30 into 0.30000000000000004."""
    kind, scale = column.type, column.type.scale
    if kind.bit_width != 128 or not 0 <= scale <= EXACT_POWERS or not len(column):
        return column.cast(pa.string()).cast(pa.float64())
    words = np.frombuffer(column.buffers()[1], "<i8")[2 * column.offset :][: 2 * len(column)].reshape(-1, 2)
    known = np.asarray(column.is_valid())
    if (words[known, 1] != words[known, 0] >> 63).any():
        return column.cast(pa.string()).cast(pa.float64())
    return pa.array(words[:, 0] / 10.0**scale, mask=~known)


def _parsed(column: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(column)
    texts = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid as exc:
        raise NotNumericError("text that is not numbers") from exc
