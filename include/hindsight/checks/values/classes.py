"""Classes: labels and predictions as numbers of one list of classes, however each side writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from hindsight.checks.values.categories import encode

UNKNOWN, NULL = -2, -1
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
_BOOLEAN = {"true": "1", "false": "0"}


def canonical(value: object) -> str:
    """Return the text by which a class is compared: 1, 1.0, True, "1" and "1.0" are one class, "01" is another."""
    text = str(value).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else _BOOLEAN.get(text.lower(), text)


def codes(column: pa.Array | pa.ChunkedArray, classes: Sequence[str]) -> np.ndarray:
    """Return each row's place in `classes`; NULL for a null, UNKNOWN for a value that is none of them."""
    encoded = encode(_array(column))
    places = {name: place for place, name in enumerate(classes)}
    table = [places.get(canonical(text), UNKNOWN) for text in encoded.texts]
    return np.array([*table, NULL], dtype=np.int64).take(encoded.codes)


def distinct(columns: Iterable[pa.Array | pa.ChunkedArray]) -> list[str]:
    """Return the canonical classes found in the columns, in text order."""
    found: set[str] = set()
    for column in columns:
        encoded = encode(_array(column))
        found.update(canonical(encoded.texts[code]) for code in np.flatnonzero(encoded.counts()))
    return sorted(found)


def _array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
