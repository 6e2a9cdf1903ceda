"""Counted: a column of a window as the warehouse counted it, in the form that is made of rows elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from math import inf

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.values.bins import NumericBins
from hindsight.checks.values.categories import OTHER, Frequencies, encode
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.groups import SMALLEST, Group
from hindsight.checks.values.samples import Numbers, Texts, alike
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.counts import LARGEST, Arm, Branch, CountedRows
from hindsight.vocabulary.rows import Scalar

LEAST = -np.finfo(np.float64).max
ENDS = (float(LEAST), -LARGEST, float(np.nextafter(LARGEST, inf)), inf)  # what is infinite, and what is not added up


@dataclass(frozen=True)
class CountedGroup:
    """A group of rows, the column that says so and the values of it that do."""

    group: Group
    key: str = ""
    values: tuple[Scalar, ...] = ()


def counted_groups(counted: CountedRows, monitor: Monitor) -> list[CountedGroup]:
    """Return the groups of `groups.groups`, in its order: all rows, versions, segments of at least 20 rows."""
    found = [CountedGroup(Group(n=counted.n))]
    version = monitor.source.predictions.model_version
    if version is not None and version in counted.columns:
        found += [CountedGroup(Group(text, "", n), version, some) for text, n, some in _values(counted, version)]
    for column in monitor.segments:
        if column in counted.columns:
            found += [
                CountedGroup(Group("", f"{column}={text}", n), column, some)
                for text, n, some in _values(counted, column)
            ]
    return found


def _values(counted: CountedRows, column: str) -> list[tuple[str, int, tuple[Scalar, ...]]]:
    keys = counted.keys(column)
    written = encode(keys.column("value").combine_chunks())
    counts, raw = keys.column("n").to_numpy(), keys.column("value").to_pylist()
    rows = np.bincount(written.codes + 1, counts, len(written.texts) + 1)[1:].astype(np.int64)
    large = sorted((written.texts[code], int(code)) for code in np.flatnonzero(rows >= SMALLEST))
    return [
        (text, int(rows[code]), tuple(raw[i] for i in np.flatnonzero(written.codes == code))) for text, code in large
    ]


Cuts = Mapping[str, Sequence[float]]  # of each segment, "" for all rows


def branches(groups: Sequence[CountedGroup], cuts: Cuts | None = None) -> list[tuple[Branch, list[CountedGroup]]]:
    """Return how the rows are asked for, a key at a time, and the group of each arm.

    All rows are those of all versions together. Of a segment without cuts nothing is asked.
    """
    whole = tuple((cuts or {"": ()}).get("", ()))
    versions = [one for one in groups if one.group.model_version]
    key = versions[0].key if versions else ""
    found = [(Branch(key, tuple(Arm(one.values, whole) for one in versions), whole), versions)]
    for name in dict.fromkeys(one.key for one in groups if one.group.segment):
        some = [one for one in groups if one.key == name and one.group.segment]
        some = [one for one in some if cuts is None or one.group.segment in cuts]
        arms = tuple(Arm(one.values, tuple(cuts[one.group.segment]) if cuts else ()) for one in some)
        if arms:
            found.append((Branch(name, arms, None), some))
    return found


@dataclass(frozen=True)
class Cells:
    """Numbers of a group of rows between ascending cuts: how many, their sums and extremes; NaN where there are none.

    `squares` are those of the distances from the mean of the cell. Numbers beyond LARGEST are in no sum.
    """

    cuts: np.ndarray
    n: np.ndarray
    total: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    nulls: int = 0

    @classmethod
    def of(cls, rows: pa.Table, cuts: Sequence[float]) -> Cells:
        """Add up the rows of an answer about the same cuts."""
        places = rows.column("place").to_numpy()
        nulls = int(rows.column("n").to_numpy()[places < 0].sum())
        rows, places = rows.filter(pa.array(places >= 0)), places[places >= 0]
        size = len(cuts) + 1
        n, whole = (np.zeros(size, np.int64) for _ in range(2))
        total = np.zeros(size)
        low, high = np.full(size, np.nan), np.full(size, np.nan)
        for into, name in ((n, "n"), (whole, "whole"), (total, "total")):
            np.add.at(into, places, rows.column(name).to_numpy())
        np.fmin.at(low, places, rows.column("low").to_numpy() + 0.0)
        np.fmax.at(high, places, rows.column("high").to_numpy() + 0.0)
        return cls(np.asarray(cuts), n, total, _squares(rows, places, n, total), low, high, whole, nulls)

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each cell begins."""
        return np.append(-inf, self.cuts)

    @cached_property
    def finite(self) -> np.ndarray:
        """Which cells hold finite numbers."""
        return np.asarray(np.isfinite(self.low) & np.isfinite(self.high) & (self.n > 0))

    @property
    def sums(self) -> np.ndarray:
        """The sums of the finite numbers; infinite where some were not added up."""
        return np.asarray(np.where(self.finite & (np.abs(self.low) > LARGEST), np.copysign(inf, self.low), self.total))

    @property
    def adds_up(self) -> bool:
        """False where there are finite numbers that were not added up."""
        return not ((np.abs(self.low) > LARGEST) & self.finite).any()

    @cached_property
    def distribution(self) -> Distribution:
        """The smallest number of each cell with all its rows: exact at every cut."""
        filled = np.flatnonzero(self.n)
        return Distribution.counted(self.low[filled], self.n[filled])

    def between(self, low: float, high: float) -> Cells:
        """Leave out the cells that lie outside a closed span whose ends are cuts."""
        inside = (self.starts >= low) & (self.starts <= high)
        shown = {name: np.where(inside, getattr(self, name), 0) for name in ("n", "total", "squares", "whole")}
        shown |= {name: np.where(inside, getattr(self, name), np.nan) for name in ("low", "high")}
        return replace(self, **shown, nulls=0)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(self.n.sum())

    @property
    def extremes(self) -> tuple[float, float] | None:
        """The smallest and the largest number; None without any."""
        return (float(np.nanmin(self.low)), float(np.nanmax(self.high))) if self.size else None


def _squares(rows: pa.Table, places: np.ndarray, n: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Add up the squares of parts of cells: each part's own, and those of its mean's distance from the cell's."""
    parts, variance = rows.column("n").to_numpy(), np.nan_to_num(rows.column("variance").to_numpy())
    means = rows.column("total").to_numpy() / parts - (total / np.maximum(n, 1))[places]
    return np.bincount(places, parts * (variance + means**2), len(n))


@dataclass(frozen=True, slots=True)
class CountedNumbers(Numbers):
    """The sample of a numeric column that was counted: in `values` each cell is its smallest number."""

    cells: Cells

    @classmethod
    def from_cells(cls, cells: Cells) -> CountedNumbers:
        """Build from cells."""
        return cls(cells.distribution, cells.nulls, cells)


@dataclass(frozen=True)
class CountedColumn:
    """A column in each group that was counted, and in the rows that owed a value."""

    samples: Mapping[Group, CountedNumbers | Texts]
    owed: CountedNumbers | Texts
    folded: bool = False


def counted_numbers(
    counted: CountedRows,
    cuts: Mapping[str, Cuts],
    groups: Sequence[CountedGroup],
    *,
    owed: Sequence[Scalar] | None = None,
) -> dict[str, CountedColumn]:
    """Count numeric columns, each between its cuts."""
    asked = {
        name: branches(groups, {segment: sorted({*some, *ENDS}) for segment, some in each.items()})
        for name, each in cuts.items()
    }
    rows = counted.numbers({name: [branch for branch, _ in each] for name, each in asked.items()}, owed=owed)
    return {name: _numbers(rows[name], each, groups[0].group, owed is not None) for name, each in asked.items()}


def _numbers(
    rows: pa.Table, asked: Sequence[tuple[Branch, Sequence[CountedGroup]]], every: Group, owed: bool
) -> CountedColumn:
    def made(some: pa.Table, cuts: Sequence[float]) -> CountedNumbers:
        return CountedNumbers.from_cells(Cells.of(some, cuts))

    whole = asked[0][0].rest or ()
    found = {every: made(_part(rows, 0), whole)}
    for place, (branch, arms) in enumerate(asked):
        found |= {one.group: made(_part(rows, place, i), branch.arms[i].cuts) for i, one in enumerate(arms)}
    return CountedColumn(found, made(_served(_part(rows, 0)), whole) if owed else found[every])


def counted_texts(
    counted: CountedRows,
    name: str,
    groups: Sequence[CountedGroup],
    *,
    like: str = "",
    known: Sequence[str] = (),
    owed: Sequence[Scalar] | None = None,
) -> CountedColumn:
    """Count a categorical column; `known` are the texts that are told apart where there are too many."""
    asked = branches(groups)
    every = [branch for branch, _ in asked]
    rows = None if tuple(known) == (OTHER,) else counted.texts(name, every, owed=owed)
    folded = rows is None
    if rows is None:
        rows = counted.texts(name, every, owed=owed, only=[text for text in known if text != OTHER], rest=OTHER)
    if rows is None:
        raise ValueError(f"{name}: more categories than were asked for")
    made = _Made(like, folded)
    found = {groups[0].group: made(_part(rows, 0))}
    for place, (_, arms) in enumerate(asked):
        found |= {one.group: made(_part(rows, place, i)) for i, one in enumerate(arms)}
    return CountedColumn(found, found[groups[0].group] if owed is None else made(_served(_part(rows, 0))), folded)


@dataclass(frozen=True)
class _Made:
    """Makes texts of an answer."""

    like: str
    folded: bool

    def __call__(self, rows: pa.Table) -> Texts:
        values, counts = rows.column("value").combine_chunks(), rows.column("n").to_numpy()
        written = encode(alike(values, self.like))
        names = tuple(OTHER if self.folded and text == f'"{OTHER}"' else text for text in written.texts)
        found = np.bincount(written.codes + 1, counts, len(names) + 1).astype(np.int64)
        return Texts(Frequencies.of(names, found[1:]), int(found[0]))


def _part(rows: pa.Table, branch: int, arm: int | None = None) -> pa.Table:
    chosen = pc.equal(rows.column("branch"), branch)
    return rows.filter(chosen if arm is None else pc.and_(chosen, pc.equal(rows.column("arm"), arm)))


def _served(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.equal(rows.column("served"), 1))


def borders(*bins: NumericBins) -> list[float]:
    """Return where bins begin."""
    return sorted(set(chain.from_iterable(one.borders.tolist() for one in bins)))
