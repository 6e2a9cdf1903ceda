"""Groups: the sets of rows every check looks at: all, each model version, each value of each segment column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hindsight.checks.values.categories import encode
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import Rows

SMALLEST = 20  # a group of fewer rows gets no number at all: it could be about a person


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one model version or one segment; both texts empty means all rows.

    `n` counts the rows. `mask` is made when asked for, so a thousand groups cost no memory until they are used.
    """

    model_version: str = ""
    segment: str = ""
    n: int = 0
    _codes: np.ndarray | None = field(default=None, repr=False, compare=False)
    _code: int = field(default=0, repr=False, compare=False)

    @property
    def mask(self) -> np.ndarray | None:
        """Return True for each of the window's rows that belongs to the group; None where all do."""
        return None if self._codes is None else self._codes == self._code


def groups(rows: Rows, monitor: Monitor) -> list[Group]:
    """Return the group of all rows, then versions and then segment values of at least 20 rows, each in text order.

    Versions and segments are not crossed; rows whose version or segment is null belong to no such group. A segment
    column that the rows lack has no groups: its absence is a finding of the quality check.
    """
    found = [Group(n=rows.n)]
    version = monitor.source.predictions.model_version
    if version in rows.columns:
        found += (Group(text, "", n, codes, code) for text, n, codes, code in _values(rows, version))
    for column in monitor.segments:
        if column in rows.columns:
            found += (Group("", f"{column}={text}", n, codes, code) for text, n, codes, code in _values(rows, column))
    return found


def _values(rows: Rows, column: str) -> Iterator[tuple[str, int, np.ndarray, int]]:
    categories = encode(rows.column(column))
    counts = categories.counts()
    for text, code in sorted((categories.texts[code], int(code)) for code in np.flatnonzero(counts >= SMALLEST)):
        yield text, int(counts[code]), categories.codes, code
