"""Categories: any column as small whole numbers and one canonical text per distinct value, whatever its type."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.values.numbers import of_decimals

NULL, OTHER, EMPTY = "<null>", "<other>", "<empty>"
BLOCK = 1 << 20  # rows counted at a time: counting widens the codes
LONGEST = 120  # characters of a value that are kept; longer texts end in a hash


@dataclass(frozen=True, slots=True)
class Categories:
    """`codes[i]` is the place of row i's value in `texts`, or -1 where the value is null; `texts` are distinct."""

    codes: np.ndarray
    texts: tuple[str, ...]

    def counts(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Return how often each text occurs among the rows of `mask` (all rows without one); nulls are not counted."""
        total = np.zeros(len(self.texts) + 1, np.int64)
        for start in range(0, len(self.codes), BLOCK):
            here = slice(start, start + BLOCK)
            codes = self.codes[here] if mask is None else self.codes[here][mask[here]]
            total += np.bincount(codes + 1, minlength=len(total))
        return total[1:]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Distinct texts and how often each occurs, the most frequent first and ties in text order."""

    texts: tuple[str, ...]
    counts: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], counts: np.ndarray) -> Frequencies:
        """Build from distinct texts in any order; texts that do not occur are left out."""
        present = np.flatnonzero(counts)
        order = sorted(present.tolist(), key=lambda place: (-counts[place], texts[place]))
        return cls(tuple(texts[place] for place in order), np.asarray(counts[order], dtype=np.int64))

    @property
    def n(self) -> int:
        """Rows, nulls not counted."""
        return int(self.counts.sum())

    def renamed(self, names: Mapping[str, str]) -> Frequencies:
        """Count under another name what `names` says."""
        if not names.keys() & set(self.texts):
            return self
        counts: dict[str, int] = {}
        for text, count in zip(self.texts, self.counts.tolist(), strict=True):
            counts[names.get(text, text)] = counts.get(names.get(text, text), 0) + count
        return Frequencies.of(tuple(counts), np.array([*counts.values()], np.int64))

    def onto(self, texts: Sequence[str], *, rest: str | None = None) -> tuple[tuple[str, ...], np.ndarray]:
        """Count the rows of each of `texts`, and behind them those of every other text, or of all others as `rest`."""
        places = {text: place for place, text in enumerate(texts)}
        names = list(texts)
        counts = [0] * len(names)
        for text, count in zip(self.texts, self.counts.tolist(), strict=True):
            text = text if rest is None or text in places else rest
            if text not in places:
                places[text] = len(names)
                names.append(text)
                counts.append(0)
            counts[places[text]] += count
        return tuple(names), np.array(counts, dtype=np.int64)


def encode(column: pa.Array) -> Categories:
    """Turn a column into Categories.

    1 and 1.0 are one value, and so are 0.7 and the float32 next to it; NaN is null, text is compared in Unicode normal
    form C, and null is never the text "None". Texts longer than 120 characters are cut and end in a hash, so that a
    value of a megabyte stays itself without being kept.
    """
    encoded = _dictionary(column)
    codes = np.asarray(pc.fill_null(encoded.indices, -1), dtype=np.int32)
    values = _texts(encoded.dictionary)
    canonical = values.dictionary_encode()
    if len(canonical.dictionary) == len(values):
        return Categories(codes, tuple(values.to_pylist()))
    places = np.append(np.asarray(pc.fill_null(canonical.indices, -1), dtype=np.int32), np.int32(-1))
    return Categories(places[codes], tuple(canonical.dictionary.to_pylist()))


def _dictionary(column: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_dictionary(column.type):
        return column
    if pa.types.is_decimal(column.type):
        column = of_decimals(column)
    if pa.types.is_nested(column.type):
        column = pa.array([None if value is None else repr(value) for value in column.to_pylist()], pa.string())
    return column.dictionary_encode()


def _texts(values: pa.Array) -> pa.Array:
    """Return the canonical text of each distinct value, null for NaN."""
    if pa.types.is_floating(values.type):
        values = pc.add(pc.if_else(pc.is_nan(values), None, values), 0.0)  # adding turns -0.0 into 0.0
    elif pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        values = pa.array([None if value is None else value.hex() for value in values.to_pylist()], pa.string())
    texts = _written(values) if pa.types.is_float64(values.type) else values.cast(pa.large_string())
    texts = pc.utf8_normalize(texts, form="NFC")
    if pc.any(_is_special(texts)).as_py():
        texts = pa.array([None if text is None else _label(text) for text in texts.to_pylist()], pa.large_string())
    return texts


def _written(values: pa.Array) -> pa.Array:
    """Return doubles as texts: fractions that came from a float32 as that is written, 0.7 and not 0.699999988."""
    texts = values.cast(pa.large_string())
    numbers = np.asarray(values.to_numpy(zero_copy_only=False))
    with np.errstate(over="ignore", invalid="ignore"):
        single = numbers.astype(np.float32)
        came = np.flatnonzero((single == numbers) & (numbers % 1 != 0))
    if not came.size:
        return texts
    return pc.replace_with_mask(
        texts,
        pa.array(np.isin(np.arange(len(texts)), came)),
        pa.array(single[came]).cast(pa.large_string()),
    )


def _is_special(texts: pa.Array) -> pa.Array:
    reserved = pc.is_in(texts, value_set=pa.array(["", NULL, OTHER, EMPTY], texts.type))
    return pc.or_(reserved, pc.greater(pc.utf8_length(texts), LONGEST))


def _label(text: str) -> str:
    if text == "":
        return EMPTY
    if text in (NULL, OTHER, EMPTY):
        return f'"{text}"'
    if len(text) > LONGEST:
        return f"{text[:100]}…{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return text
