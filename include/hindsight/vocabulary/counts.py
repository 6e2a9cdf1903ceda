"""Counts: what a check asks of rows that stay in the warehouse, and gets in place of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from hindsight.vocabulary.rows import Scalar

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST = 1e150  # numbers beyond are counted and not added up: their squares are no doubles
REST = -1  # the arm of the rows that are in no other


@dataclass(frozen=True, slots=True)
class Arm:
    """Rows whose key has one of these values, as the database wrote them; numbers of theirs are parted at `cuts`."""

    values: tuple[Scalar, ...]
    cuts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """The rows by one key column, "" for all rows: those of each arm and, unless `rest` is None, all the others."""

    key: str
    arms: tuple[Arm, ...] = ()
    rest: tuple[float, ...] | None = ()

    @property
    def shape(self) -> tuple[str, tuple[tuple[Scalar, ...], ...], bool]:
        """All but the cuts."""
        return self.key, tuple(arm.values for arm in self.arms), self.rest is None


class CountedRows(Protocol):
    """The distinct rows of a window, counted where they lie.

    `n` counts distinct ids, `n_raw` the rows as logged; `columns` are there, and arrive as the types of `schema`.
    Every table has the columns `branch` and `arm` (its place among the branch's, REST for the rest) but `keys` and
    `repeated`. `owed` are values of the status, by which a column `served` tells rows apart: 1 for those that have one.
    """

    @property
    def n(self) -> int: ...

    @property
    def n_raw(self) -> int: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def schema(self) -> pa.Schema: ...

    def keys(self, column: str) -> pa.Table:
        """Return how many rows have each `value` of a column: `value`, `n`."""
        ...

    def statuses(self, branches: Sequence[Branch]) -> pa.Table:
        """Return how many rows have each `status`, with and without a prediction: `status`, `predicted`, `n`."""
        ...

    def numbers(
        self, asked: Mapping[str, Sequence[Branch]], *, owed: Sequence[Scalar] | None = None
    ) -> Mapping[str, pa.Table]:
        """Return columns of numbers between their cuts: `place`, `n`, `total`, `variance`, `low`, `high`, `whole`.

        A number at a place is at least the cut before it and less than the next; nulls and NaN are at -1. `whole`
        counts those without a fraction; what is larger than LARGEST is neither in the sums nor in `whole`.
        """
        ...

    def texts(
        self,
        name: str,
        branches: Sequence[Branch],
        *,
        owed: Sequence[Scalar] | None = None,
        only: Sequence[str] | None = None,
        rest: str = "",
    ) -> pa.Table | None:
        """Return the values of a column as they are written: `value`, `n`; None where there are too many of them.

        With `only` they come as text: null, blank, one of these or, for whatever else there is, `rest`.
        """
        ...

    def ranked(self, name: str, branches: Sequence[Branch], percents: Sequence[int]) -> pa.Table:
        """Return the finite numbers around each percentile: `rank` (from 0), `value`, and `of`, how many there are."""
        ...

    def repeated(self, name: str, low: float, high: float, least: int) -> pa.Table:
        """Return the numbers below `low` or above `high` that at least so many rows have: `value`, `n`."""
        ...

    def arrivals(self) -> tuple[datetime, datetime, float] | None:
        """Return when the first and the last row was logged and the longest stretch between two, in seconds."""
        ...

    def complete(
        self, finite: Sequence[str], there: Sequence[str], if_owed: Sequence[str] | None, owed: Sequence[Scalar] | None
    ) -> int:
        """Count the rows in which no column is null or NaN, nor infinite where it should be `finite`.

        Of those `if_owed` only in rows whose status is one of `owed`; None where there is no status. Without a column
        that is owed no row with such a status lacks nothing.
        """
        ...
