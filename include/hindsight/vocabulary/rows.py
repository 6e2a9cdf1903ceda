"""Rows: what a check needs of the rows of a window, wherever they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hindsight.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


Scalar = bool | int | float | str  # one value of a row, as a monitor file or a database has it


class Rows(Protocol):
    """The distinct rows of a window, read one column at a time and always in the same order.

    `n` counts distinct ids, `n_raw` the rows as logged. Columns keep the warehouse's names. With `lends` an array that
    `column` returns is held by the rows too and must not be changed; without it is the caller's own.
    """

    @property
    def n(self) -> int: ...

    @property
    def n_raw(self) -> int: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def lends(self) -> bool: ...

    def column(self, name: str) -> pa.Array:
        """Return one column of `n` values; raise DataError where the table has no such column."""
        ...


class TableRows:
    """Rows of a table in memory: for small windows, samples and tests."""

    lends = True

    def __init__(self, table: pa.Table, n_raw: int | None = None) -> None:
        self._table = table
        self.n_raw = table.num_rows if n_raw is None else n_raw

    @property
    def n(self) -> int:
        """Distinct rows."""
        return int(self._table.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the table's order."""
        return tuple(self._table.column_names)

    def column(self, name: str) -> pa.Array:
        """Return one column as a single array."""
        if name not in self._table.column_names:
            raise DataError(f"no column {name!r} in the rows; there are {', '.join(self._table.column_names)}")
        return self._table.column(name).combine_chunks()
