"""Facts: what was seen of a table nobody described, as plain values, so that guesses about it can be pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from hindsight.vocabulary.rows import Scalar

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TIME_OF_DAY = re.compile(r"TIME\b(?!STAMP)(?!.*DATE)", re.IGNORECASE)
Kind = Literal["integer", "fraction", "boolean", "text", "time", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One column in the rows that were looked at; `type` is the database's own name of its type.

    `common` holds its most frequent values with their counts, most frequent first, all of them where there are few.
    `quantiles` are those of a column of numbers, `early` the same of the first third of the time.
    """

    name: str
    type: str
    kind: Kind
    rows: int
    nulls: int = 0
    distinct: int = 0
    common: tuple[tuple[Scalar, int], ...] = ()
    is_whole: bool = False
    quantiles: Mapping[float, float] = field(default_factory=dict)
    early: Mapping[float, float] = field(default_factory=dict)
    early_distinct: int = 0

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def null_share(self) -> float:
        """Nulls as a share of the rows; 1 without rows."""
        return self.nulls / self.rows if self.rows else 1.0

    @property
    def is_unique(self) -> bool:
        """Whether nearly every row has a value of its own; a few repeats may be retries."""
        return self.known > 0 and self.nulls == 0 and self.distinct >= 0.98 * self.known

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in ("integer", "fraction")

    @property
    def is_time_of_day(self) -> bool:
        """Whether the type is that of a time without a date, as TIME or TIME(6) WITHOUT TIME ZONE."""
        return _TIME_OF_DAY.match(self.type) is not None

    @property
    def values(self) -> tuple[Scalar, ...]:
        """All values where `common` holds all of them, most frequent first, else none."""
        return tuple(value for value, _ in self.common) if len(self.common) == self.distinct else ()

    @property
    def range(self) -> tuple[float, float] | None:
        """The smallest and the largest number seen."""
        return (self.quantiles[0.0], self.quantiles[1.0]) if self.quantiles else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """A table: its name as a monitor writes it, columns by name in their order, and those no monitor file can name.

    `rows` counts the whole table, `looked_at` the rows behind the columns' facts, `first` and `last` are the extremes
    of the timestamp where one is known.
    """

    name: str
    columns: Mapping[str, ColumnFacts]
    unnameable: tuple[str, ...] = ()
    rows: int = 0
    looked_at: int = 0
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFacts:
    """A table of labels: which column is what, how long labels took, and how many of the sampled ids had one.

    `values` are the label's values where they are few. `delays` holds quantiles of the time from a prediction to its
    first label among the older half of the predictions, of which `asked` were asked for and `found` had one. `is_named`
    says that the user named the table, so that it is not doubted.
    """

    table: str
    id: str
    label: str
    arrived_at: str | None
    kind: Kind
    values: tuple[Scalar, ...] = ()
    delays: Mapping[float, timedelta] = field(default_factory=dict)
    asked: int = 0
    found: int = 0
    is_named: bool = False


def number(value: float) -> str:
    """Return a number as people read it: 4,930 or 0.0217."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}"


def snake(name: str) -> str:
    """Return a column's name as snake_case has it, whatever case it is in: requestID and RequestId are request_id."""
    return _WORDS.sub("_", name).casefold()
