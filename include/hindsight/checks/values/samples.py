"""Samples: the values of one column in one group of rows, sorted and counted: the order of the rows is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hindsight.checks.values.categories import Categories, Frequencies, encode
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.numbers import floats


@dataclass(frozen=True, slots=True)
class Numbers:
    """The values of a numeric column, and how many rows have none."""

    values: Distribution
    nulls: int

    @property
    def n(self) -> int:
        """Rows, nulls included."""
        return self.values.n + self.nulls

    @classmethod
    def of(cls, values: np.ndarray) -> Numbers:
        """Sort `values` in place, NaN being null."""
        values.sort()
        known = int(np.searchsorted(values, np.nan))
        return cls(Distribution(values[:known]), len(values) - known)


@dataclass(frozen=True, slots=True)
class Texts:
    """The values of a categorical column as texts, and how many rows have none."""

    values: Frequencies
    nulls: int

    @property
    def n(self) -> int:
        """Rows, nulls included."""
        return self.values.n + self.nulls


Sample = Numbers | Texts


class NumericColumn:
    """A numeric column of which samples are taken, with `reuse` in its own memory; raises NotNumericError."""

    def __init__(self, column: pa.Array, *, reuse: bool = False) -> None:
        self._values = floats(column, reuse=reuse)

    def sample(self, mask: np.ndarray | None = None) -> Numbers:
        """Return the sample of the rows in `mask`; the sample of all rows must be the last one taken."""
        return Numbers.of(self._values if mask is None else self._values[mask])


class TextColumn:
    """A categorical column of which samples are taken, as texts like those of a reference of type `like`."""

    def __init__(self, column: pa.Array, like: str = "") -> None:
        self._values: Categories = encode(alike(column, like))

    def sample(self, mask: np.ndarray | None = None) -> Texts:
        """Return the sample of the rows in `mask`."""
        counts = self._values.counts(mask)
        rows = len(self._values.codes) if mask is None else int(np.count_nonzero(mask))
        return Texts(Frequencies.of(self._values.texts, counts), rows - int(counts.sum()))


def alike(column: pa.Array, like: str) -> pa.Array:
    """Turn 0 and 1 into booleans or back: databases without a boolean type log one as the other."""
    if like == "bool" and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return column.cast(pa.bool_())
    if pa.types.is_boolean(column.type) and like.startswith(("int", "uint", "float", "double")):
        return column.cast(pa.int8())
    return column
