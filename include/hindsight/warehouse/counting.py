"""Counting: the statements that count the rows of a window where they lie.

Columns of a statement's answer are named as in `vocabulary/counts`. Values are bound, identifiers quoted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import pyarrow as pa
import sqlalchemy as sa

from hindsight.vocabulary.counts import LARGEST, REST, Branch
from hindsight.vocabulary.rows import Scalar
from hindsight.warehouse.columns import Reading
from hindsight.warehouse.dialects.generic import Column, Dialect, Statement

APART = 1_000_000
GREATEST = sys.float_info.max
_AS_THEY_ARE = ("value", "said")  # labels of columns that are not read as numbers
_NUMBER, MOMENT = "row number", "row moment"  # no column can be called so
Owed = tuple[str, Sequence[Scalar]] | None  # the column of the status, and the values that owe an output


@dataclass(frozen=True)
class Log:
    """The rows of a window: where they are, how they are read, and what makes one row of several with the same id."""

    dialect: Dialect
    table: sa.FromClause
    where: sa.ColumnElement[bool]
    read: Reading
    id: str
    timestamp: str
    unordered: frozenset[str] = frozenset()  # columns that must not decide between rows, for they are hashed
    repeats: bool = True

    def expression(self, name: str) -> Column:
        """How a column is read."""
        found: Column = self.read.expressions[self.read.schema.get_field_index(name)]
        return found

    def rows(self, *names: str) -> sa.Subquery:
        """The distinct rows, of them these columns; MOMENT is the timestamp in microseconds."""
        wanted = [self._named(name) for name in dict.fromkeys(names)] or [sa.literal(1).label("one")]
        plain = sa.select(*wanted).select_from(self.table).where(self.where)
        if not self.repeats:
            return plain.subquery("logged")
        ids = self.dialect.exact(self.expression(self.id))
        place = sa.func.row_number().over(partition_by=ids, order_by=self._order())
        numbered = plain.add_columns(place.label(_NUMBER), self.expression(self.id).label(f"{_NUMBER} id")).subquery()
        kept = sa.or_(numbered.c[_NUMBER] == 1, numbered.c[f"{_NUMBER} id"].is_(None))
        chosen = [column for column in numbered.c if not str(column.name).startswith(_NUMBER)]
        return sa.select(*chosen).where(kept).subquery("logged")

    def kind(self, name: str) -> pa.DataType:
        """As which type a column arrives."""
        return self.read.schema.field(name).type

    def sizes(self) -> Statement:
        """How many rows were logged, and how many distinct ids they have, rows without an id one each."""
        ids = self.dialect.exact(self.expression(self.id))
        each = sa.select(sa.func.count().label("k"), sa.func.count(ids).label("known")).select_from(self.table)
        found = each.where(self.where).group_by(ids).subquery("ids")
        return sa.select(_sum(found.c.k), _sum(sa.case((found.c.known > 0, 1), else_=found.c.k)))

    def sample(self, every: int) -> Statement:
        """The rows of one id in so many, evenly over their order in time; only ids and times are put in order."""
        ids, moment = self.dialect.exact(self.expression(self.id)), self.expression(self.timestamp)
        each = sa.select(ids.label("id"), sa.func.max(moment).label("newest")).select_from(self.table).where(self.where)
        asked = each.where(ids.is_not(None)).group_by(ids).subquery("ids")
        place = sa.func.row_number().over(order_by=[asked.c.newest, asked.c.id]) - 1
        placed = sa.select(asked.c.id, place.label(_NUMBER)).subquery("placed")
        chosen = sa.select(placed.c.id).where(self.dialect.remainder(placed.c[_NUMBER], every) == 0)
        return sa.select(*self.read.expressions).select_from(self.table).where(self.where, ids.in_(chosen))

    def count(self, engine: sa.Engine) -> int:
        """Ask how many distinct rows there are."""
        with engine.connect() as connection:
            return int(connection.execute(self.sizes()).one()[1])

    def _named(self, name: str) -> Column:
        if name != MOMENT:
            return self.expression(name).label(name)
        moment = self.dialect.microseconds(self.table.c[self.timestamp])
        return (sa.null() if moment is None else moment).label(MOMENT)

    def _order(self) -> list[Column]:
        """Latest first, then by the contents in the order of the columns, null last."""
        found: list[Column] = [self.expression(self.timestamp).desc()]
        for name in self.read.schema.names:
            if name not in (self.id, self.timestamp) and name not in self.unordered:
                column = self.expression(name)
                found += [sa.case((column.is_(None), 1), else_=0), self.dialect.ordered(column)]
        return found


def _sum(column: Column) -> Column:
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger())


def is_number(kind: pa.DataType) -> bool:
    """Whether a column that arrives as this type can be counted as numbers."""
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def number(column: Column, kind: pa.DataType) -> Column:
    """A column of numbers or booleans as a double."""
    if pa.types.is_boolean(kind):
        return sa.case((column == sa.true(), sa.literal(1.0)), (column == sa.false(), sa.literal(0.0)))
    return sa.cast(column, sa.Double())


def tree(value: Column, cuts: Sequence[float], first: int = 0) -> Column:
    """The place of a number among ascending cuts, found by halves: how many of them are not above it."""
    if not cuts:
        return sa.literal(first, sa.Integer())
    middle = len(cuts) // 2
    below = value <= GREATEST if cuts[middle] == inf else value < cuts[middle]
    return sa.case(
        (below, tree(value, cuts[:middle], first)), else_=tree(value, cuts[middle + 1 :], first + middle + 1)
    )


@dataclass(frozen=True)
class Counting:
    """The statements about one log."""

    log: Log

    def keys(self, column: str) -> Statement:
        """How many rows have each value of a column."""
        inner = self._asked(Branch(""), {"value": column})
        return sa.select(self._shown(inner), _count()).group_by(inner.c.grouped)

    def statuses(self, place: int, branch: Branch, status: str | None, prediction: str | None) -> Statement:
        """How many rows have each status, with and without a prediction."""
        inner = self._asked(branch, {"value": status, "said": prediction})
        given = self._there(inner.c.said, prediction) if prediction else sa.true()
        flagged = sa.select(inner, sa.case((given, 1), else_=0).label("predicted")).subquery("flagged")
        counts = sa.select(*_place(place, flagged), self._shown(flagged).label("status"), flagged.c.predicted, _count())
        return _kept(counts, flagged, branch).group_by(flagged.c.arm, flagged.c.grouped, flagged.c.predicted)

    def texts(
        self,
        place: int,
        branch: Branch,
        name: str,
        owed: Owed = None,
        only: Sequence[str] | None = None,
        rest: str = "",
    ) -> Statement:
        """How many rows have each value of a column or, with `only`, one of these texts, a blank one or any other."""
        inner = self._asked(branch, {"value": name}, owed, only, rest)
        counts = sa.select(*_place(place, inner), inner.c.served, self._shown(inner), _count())
        return _kept(counts, inner, branch).group_by(inner.c.arm, inner.c.served, inner.c.grouped)

    def numbers(self, place: int, asked: Mapping[str, Branch], owed: Owed = None) -> Statement:
        """How many numbers of some columns lie between their cuts, and their sums; one scan where the engine can.

        The branches are of one `shape`; the places of the nth column begin at n × APART. What is the same for all rows
        is no key, for an engine may look at it for each.
        """
        branch = next(iter(asked.values()))
        parted = self._parted(asked, owed)
        v, plain = parted.c.v, parted.c.plain
        keys = {"arm": branch.arms, "served": owed, "place": True}
        same = {"arm": sa.literal(REST, sa.Integer()), "served": sa.literal(1, sa.Integer())}
        counts = sa.select(
            sa.literal(place, sa.Integer()).label("branch"),
            *(parted.c[name] if varies else same[name].label(name) for name, varies in keys.items()), _count(),
            sa.func.coalesce(sa.func.sum(plain), sa.literal(0.0)).label("total"),
            self.log.dialect.variance(plain).label("variance"),
            sa.func.min(v).label("low"), sa.func.max(v).label("high"),
            sa.func.count(sa.case((self.log.dialect.is_whole(plain), 1))).label("whole"),
        )  # fmt: skip
        return _kept(counts, parted, branch).group_by(*(parted.c[name] for name, varies in keys.items() if varies))

    def _parted(self, asked: Mapping[str, Branch], owed: Owed) -> sa.Subquery:
        """The numbers `v` of all columns below each other, their places, and `plain` those that are added up."""
        inner = self._asked(next(iter(asked.values())), {f"v{i}": name for i, name in enumerate(asked)}, owed)
        columns = [
            {"v": inner.c[f"v{i}"], "place": i * APART + self._places(inner, f"v{i}", branch)}
            for i, branch in enumerate(asked.values())
        ]
        stacked = self.log.dialect.stacked([inner.c.arm, inner.c.served], columns)
        plain = sa.case((stacked.c.v.between(-LARGEST, LARGEST), stacked.c.v))  # which NaN is not, anywhere
        return sa.select(stacked, plain.label("plain")).subquery("parted")

    def ranked(self, place: int, branch: Branch, name: str, percents: Sequence[int]) -> Statement:
        """The finite numbers between which each percentile lies, by their rank."""
        inner = self._asked(branch, {"v": name})
        finite = sa.and_(self._known(inner.c.v), inner.c.v.between(-GREATEST, GREATEST))
        rank = sa.func.row_number().over(partition_by=inner.c.arm, order_by=inner.c.v) - 1
        size = sa.cast(sa.func.count().over(partition_by=inner.c.arm), sa.BigInteger())
        ranked = _kept(
            sa.select(inner.c.arm, inner.c.v, rank.label("nth"), size.label("many")).where(finite), inner, branch
        )
        found = ranked.subquery("ranked")
        near = [sa.func.abs(found.c.nth * 100 - (found.c.many - 1) * percent) < 100 for percent in percents]
        return sa.select(*_place(place, found), found.c.nth, found.c.v.label("value"), found.c.many).where(
            sa.or_(*near)
        )

    def repeated(self, name: str, low: float, high: float, least: int) -> Statement:
        """The numbers outside a span that many rows have."""
        inner = self._asked(Branch(""), {"v": name})
        v = inner.c.v
        found = sa.select(v.label("value"), _count()).where(self._known(v), sa.or_(v < low, v > high)).group_by(v)
        return found.having(sa.func.count() >= least)

    def arrivals(self) -> Statement:
        """The first and the last moment, and the longest stretch between two, in microseconds."""
        moment = self.log.rows(MOMENT).c[MOMENT]
        before = sa.func.max(moment).over(order_by=moment, rows=(-1, -1))  # some dialect takes `lag` from all others
        gap = moment - before
        found = sa.select(moment.label("m"), gap.label("gap")).subquery("moments")
        return sa.select(sa.func.min(found.c.m), sa.func.max(found.c.m), sa.func.max(found.c.gap))

    def complete(
        self,
        finite: Sequence[str],
        there: Sequence[str],
        if_owed: Sequence[str] | None,
        status: str | None,
        owed: Sequence[Scalar],
    ) -> Statement:
        """How many rows lack nothing; `if_owed` only of rows with such a status."""
        rows = self.log.rows(*finite, *there, *(if_owed or ()), *([status] if status else []))
        excused = sa.false() if status is None else self._served(rows.c[status], status, owed) == 0
        whole = [
            *(self._there(rows.c[name], name, finite=True) for name in finite),
            *(self._there(rows.c[name], name) for name in there),
            *([excused] if if_owed is None else (sa.or_(excused, self._there(rows.c[n], n)) for n in if_owed)),
        ]
        return sa.select(sa.func.count()).select_from(rows).where(sa.and_(sa.true(), *whole))

    def _asked(
        self,
        branch: Branch,
        columns: Mapping[str, str | None],
        owed: Owed = None,
        only: Sequence[str] | None = None,
        rest: str = "",
    ) -> sa.Subquery:
        """The rows with their arm, whether they are served, and columns; `grouped` by which a value is."""
        status, owed_values = owed or (None, ())
        rows = self.log.rows(*filter(None, (branch.key, status, *columns.values())))
        served = self._served(rows.c[status], status, owed_values) if status else sa.literal(1)
        found = [self._arm(rows, branch).label("arm"), served.label("served")]
        for label, name in columns.items():
            column: Column = rows.c[name] if name else sa.cast(sa.null(), sa.Integer())
            if name and label not in _AS_THEY_ARE:
                column = number(column, self.log.kind(name))
            elif only is not None:
                column = self._folded(column, only, rest)
            found.append(column.label(label))
            if label == "value":
                found.append(self.log.dialect.exact(column).label("grouped"))
        return sa.select(*found).select_from(rows).subquery("asked")

    def _arm(self, rows: sa.Subquery, branch: Branch) -> Column:
        if not branch.arms:
            return sa.literal(REST, sa.Integer())
        whens = [(self._is_one_of(rows.c[branch.key], arm.values), i) for i, arm in enumerate(branch.arms)]
        return sa.case(*((is_one, sa.literal(i, sa.Integer())) for is_one, i in whens), else_=sa.literal(REST))

    def _is_one_of(self, column: Column, values: Sequence[Scalar]) -> sa.ColumnElement[bool]:
        """Whether a row has one of these values; texts by their code points."""
        if not values:
            return sa.false()
        literals = [sa.literal(value, column.type) for value in values]
        if not isinstance(column.type, sa.String):
            return sa.or_(*(column == literal for literal in literals))
        return self.log.dialect.text(column).in_([self.log.dialect.text(literal) for literal in literals])

    def _served(self, column: Column, name: str, owed: Sequence[Scalar]) -> Column:
        return sa.case((self._is_one_of(column, owed), 1), else_=0)

    def _folded(self, column: Column, only: Sequence[str], rest: str) -> Column:
        text = column if isinstance(column.type, sa.String) else sa.cast(column, sa.Text())
        blank = sa.func.trim(text, type_=sa.Text()) == ""
        kept = self._is_one_of(text, only)
        return sa.case((text.is_(None), None), (blank, ""), (kept, text), else_=sa.literal(rest, sa.Text()))

    def _known(self, value: Column) -> sa.ColumnElement[bool]:
        return sa.and_(value.is_not(None), sa.not_(self.log.dialect.is_nan(value)))

    def _there(self, column: Column, name: str, *, finite: bool = False) -> sa.ColumnElement[bool]:
        if not pa.types.is_floating(self.log.kind(name)):
            return column.is_not(None)
        value = number(column, self.log.kind(name))
        return sa.and_(self._known(value), value.between(-GREATEST, GREATEST) if finite else sa.true())

    def _places(self, inner: sa.Subquery, label: str, branch: Branch) -> Column:
        """The place of each number among the cuts of its arm, -1 for none."""
        v: Column = inner.c[label]
        trees = [self.log.dialect.place(v, arm.cuts, tree) for arm in branch.arms]
        if branch.rest is not None and all(arm.cuts == branch.rest for arm in branch.arms):
            found = self.log.dialect.place(v, branch.rest, tree)
        else:
            arms = [(inner.c.arm == i, one) for i, one in enumerate(trees)]
            found = sa.case(*arms, else_=sa.literal(0) if branch.rest is None else tree(v, branch.rest))
        return sa.case((sa.not_(self._known(v)), sa.literal(-1, sa.Integer())), else_=found)

    def _shown(self, inner: sa.Subquery) -> Column:
        """The value of a group: of texts that are one by their code points any is all of them."""
        shown = sa.func.min(inner.c.value) if isinstance(inner.c.value.type, sa.String) else inner.c.grouped
        return shown.label("value")


def _count() -> Column:
    return sa.func.count().label("n")


def _place(place: int, inner: sa.Subquery) -> tuple[Column, Column]:
    return sa.literal(place, sa.Integer()).label("branch"), inner.c.arm


def _kept(counts: Statement, inner: sa.Subquery, branch: Branch) -> Statement:
    """Leave out the rows of no arm where the branch has no rest."""
    return counts if branch.rest is not None else counts.where(inner.c.arm >= 0)
