"""Norms: what the reference says is normal for one column, as far as data quality asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.columns import sample_of
from hindsight.checks.reference.peaks import widened
from hindsight.checks.values.categories import EMPTY, OTHER, Frequencies
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.number_texts import one_text_each
from hindsight.checks.values.precision import STEP
from hindsight.checks.values.samples import Numbers

FENCES = 3.0  # Tukey's outer fences, in interquartile ranges
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Counted(Distribution):
    """Finite distinct numbers in ascending order and how many rows have each."""

    @property
    def extremes(self) -> Span | None:
        """The smallest and the largest value; None without values."""
        return (float(self.values[0]), float(self.values[-1])) if self.n else None

    @property
    def range(self) -> Span | None:
        """The extremes, widened a little; None without values."""
        return None if self.extremes is None else widened(*self.extremes)

    @property
    def unseen(self) -> float:
        """The share of further rows to be expected beyond the extremes of n rows: 2 / (n + 1).

        Each of n + 1 rows is as likely to be the smallest, or the largest, as any other (Wilks 1941); 0 without values.
        """
        return 2 / (self.n + 1) if self.n else 0.0

    @property
    def fences(self) -> Span | None:
        """Tukey's outer fences, Q1 − 3·IQR and Q3 + 3·IQR (Tukey 1977); None where the quartiles are equal."""
        if not self.n:
            return None
        low, high = self.quantile(0.25), self.quantile(0.75)
        return (low - FENCES * (high - low), high + FENCES * (high - low)) if high > low else None

    def quantile(self, share: float) -> float:
        """The smallest value that at least `share` of the rows do not exceed (Hyndman & Fan 1996, definition 1)."""
        rank = int(np.ceil(share * self.n))
        return float(self.values[rank - 1 if self.ranks is None else np.searchsorted(self.ranks[1:], rank)])

    def share_of(self, value: float, *, within: float = 0.0) -> float:
        """The share of rows that have this value, as double or as float32, or lie no further from it than `within`."""
        off = max(within, STEP * abs(value))
        return self.share_within(value - off, value + off)

    def share_within(self, low: float, high: float) -> float:
        """The share of rows in the closed span; 0 without rows."""
        places = [np.searchsorted(self.values, low, "left"), np.searchsorted(self.values, high, "right")]
        first, last = self.rows(np.array(places)).tolist()
        return float(last - first) / self.n if self.n else 0.0


@dataclass(frozen=True)
class Norm:
    """One column of the reference: its Arrow type, and its `numbers` or its `texts` with their rows."""

    type: str
    null_rate: float | None = None
    numbers: Counted | None = None
    texts: Mapping[str, int] = field(default_factory=dict)

    @property
    def has_all_texts(self) -> bool:
        """False where rare categories were not kept one by one."""
        return OTHER not in self.texts

    @property
    def distinct(self) -> int:
        """How many values there are."""
        return len(self.texts) if self.numbers is None else len(self.numbers.values)

    def named(self, found: Frequencies) -> Frequencies:
        """Return what was found, numbers of another precision as the reference writes them."""
        counts = np.fromiter(self.texts.values(), np.int64, len(self.texts))
        return one_text_each(Frequencies.of(tuple(self.texts), counts), found, self.type)[1]

    @property
    def unseen(self) -> float:
        """The share of rows to be expected of texts that the reference happened not to have: of those it has once.

        Good (1953), The population frequencies of species; 0 without texts.
        """
        counts = self.texts.values()
        return sum(count == 1 for count in counts) / max(sum(counts), 1)


def norm_of(baseline: Baseline | None, name: str) -> Norm | None:
    """Return what a baseline says about a column; None without a baseline or without that column in it."""
    column = None if baseline is None else baseline.columns.get(name)
    if baseline is None or column is None:
        return None
    sample = sample_of(column, baseline.values(name))
    if isinstance(sample, Numbers):
        finite = sample.values.finite()
        return Norm(column.type, _share(sample.nulls, column.n), Counted(finite.values, finite.ranks))
    known = zip(sample.values.texts, sample.values.counts.tolist(), strict=True)
    texts = {text: count for text, count in known if not is_blank(text)}
    return Norm(column.type, _share(column.n - sum(texts.values()), column.n), texts=texts)


def is_blank(text: str) -> bool:
    """Say whether a category is an empty text or nothing but white space."""
    return text == EMPTY or not text.strip()


def _share(hits: int, n: int) -> float | None:
    return hits / n if n else None
