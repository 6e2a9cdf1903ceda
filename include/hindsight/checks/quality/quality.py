"""Quality: nulls, sentinels, unseen categories, ranges, schema and duplicates of a window, without any suite.

Empty and blank text, NaN and, in a numeric column, text that is no number count as null. A column is read once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from hindsight.checks.quality.norms import Counted, Norm, Span, is_blank, norm_of
from hindsight.checks.quality.scales import as_words, factor, is_rounded
from hindsight.checks.quality.schema import Expected, Strangers, emptied, family, missing, retyped
from hindsight.checks.quality.sentinels import stand_ins, words
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.columns import Role
from hindsight.checks.reference.control import UNKNOWN, Control, null_rate_control
from hindsight.checks.reference.fitting import roles
from hindsight.checks.reference.peaks import CHANCE, NEW, OUTSIDE, REPEATED, RETURNING, STILL
from hindsight.checks.statistics.rates import NO_ROWS, share
from hindsight.checks.values.categories import Frequencies
from hindsight.checks.values.groups import SMALLEST
from hindsight.checks.values.lenient import numbers
from hindsight.checks.values.samples import TextColumn
from hindsight.monitors.kpis import logged_columns
from hindsight.monitors.model import OF_THE_CLOCK, Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows

UNREAD_SHARE = 0.05  # of the texts of a logged number: from there on its column has changed its type
STUCK_VALUES = 31  # months, weekdays and days of a month stand still without being stuck
NO_REFERENCE = "the baseline does not have this column"
NO_VALUES = "no values"
OF_NUMBERS = ("sentinel_share", "out_of_range_share", "outlier_share", "stuck", "unit_change")
_AGAINST_REFERENCE = frozenset(
    {"out_of_range_share", "outlier_share", "stuck", "unit_change", "new_category_share"}
)  # of another time
ALWAYS = ("null_rate", "schema_change")


def quality(
    rows: Rows,
    monitor: Monitor,
    baseline: Baseline | None,
    *,
    control: Control = UNKNOWN,
    strangers: Strangers = dict,
) -> list[Measurement]:
    """Return the data-quality numbers of a window: of each feature, of prediction and score, and of the rows.

    `baseline` says what is normal; without one only nulls, declared types and duplicates can be measured. A column that
    the rows lack has `schema_change` 1 and nothing else. `strangers` is asked for the columns that the monitor does not
    name when one that it names is missing or empty.
    """
    served = _served(rows, monitor)

    def column(name: str, role: Role, numeric: bool) -> Iterator[Measurement]:  # lets go of its values at its end
        expected = Expected(name, role, numeric, norm_of(baseline, name))
        if rows.n == 0:
            yield from (Measurement(metric, None, feature=name, note=NO_ROWS) for metric in ALWAYS)
        elif name not in rows.columns:
            yield missing(expected, rows.n, strangers)
        else:
            values = _read(rows, expected, served if role != "feature" else None)
            found = Column(expected, values, name in monitor.pii.hash, control, strangers).measure()
            yield from of_the_clock(found, control) if name in monitor.clocks else found

    found = [_duplicates(rows)]
    for role in roles(monitor):
        found += column(*role)
    if rows.n:
        found += _logged(rows, monitor, strangers)
    return found


def of_the_clock(found: Iterable[Measurement], control: Control) -> Iterator[Measurement]:
    """Leave out what compares a column that the clock fixes with a reference of another time, or calls it stuck.

    New texts are looked for where those of the reference come back: there is no eighth weekday.
    """
    for one in found:
        comes_back = one.metric == NEW and control.peaks.of(RETURNING, one.feature) == 1
        if one.metric in _AGAINST_REFERENCE and not comes_back:
            yield Measurement(one.metric, None, one.n, feature=one.feature, note=OF_THE_CLOCK)
        else:
            yield one


def _served(rows: Rows, monitor: Monitor) -> np.ndarray | None:
    """True for rows with status 200: only these owe a prediction. None where no status is known."""
    status = monitor.source.predictions.status_code
    return numbers(rows.column(status)) == 200 if status is not None and status in rows.columns else None


def _duplicates(rows: Rows) -> Measurement:
    """Rows as logged whose id another row has already, as a share of the rows as logged."""
    return share("duplicate_rate", rows.n_raw - rows.n, rows.n_raw)


def logged_only(monitor: Monitor, but: Collection[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield what is only logged, and segments, `but` for some: what it is, its column, whether numbers belong there.

    Each column comes once.
    """
    source = monitor.source.predictions
    declared = {name for name, _, _ in roles(monitor)} | set(but)
    numeric = {
        "latency_ms": source.latency_ms,
        "status_code": source.status_code,
        "cost": source.cost,
        **source.resources,
    }
    texts = {"model_version": source.model_version, **{f"segment {name}": name for name in monitor.segments}}
    texts |= {f"column {name} of kpis": name for name in logged_columns(monitor)}
    for what, name in {**numeric, **texts}.items():
        if name is not None and name not in declared:
            declared.add(name)
            yield what, name, what in numeric


def _logged(rows: Rows, monitor: Monitor, strangers: Strangers) -> Iterator[Measurement]:
    """Yield schema_change of what is only logged, and of segments: 1 for one missing, or texts where numbers belong."""
    for what, name, numeric in logged_only(monitor, monitor.pii.drop):
        if name not in rows.columns:
            yield missing(Expected(name, what), rows.n, strangers)
        elif numeric:
            yield _unread(what, name, rows.column(name))
        else:
            yield Measurement("schema_change", 0.0, rows.n, feature=name)


def _unread(what: str, name: str, column: pa.Array) -> Measurement:
    given = len(column) - column.null_count
    unread = given - int(np.count_nonzero(~np.isnan(numbers(column)))) if family(str(column.type)) == "text" else 0
    note = f"{what}: {unread} of {given} texts are no number" if unread else ""
    changed = unread > UNREAD_SHARE * given
    return Measurement(
        "schema_change", float(changed), len(column), feature=name, note=f"retyped: {note}" if changed else note
    )


@dataclass(frozen=True, slots=True)
class Values:
    """What is kept of the `n` rows of a column that count: its type as it came, and its numbers or its texts."""

    type: pa.DataType
    n: int
    given: int
    known: np.ndarray
    texts: Frequencies | None = None


def _read(rows: Rows, expected: Expected, owed: np.ndarray | None) -> Values:
    """Read the rows of a column that `owed` a value (None: all); the column itself is let go."""
    column = rows.column(expected.name)
    column = column if owed is None else column.filter(pa.array(owed))
    found = partial(Values, column.type, len(column), len(column) - column.null_count)
    if not expected.numeric:
        return found(np.zeros(0), TextColumn(column, expected.norm.type if expected.norm else "").sample().values)
    known = numbers(column, reuse=not rows.lends)
    nulls = np.isnan(known)
    return found(known[~nulls] if nulls.any() else known)


@dataclass(frozen=True)
class Column:
    """One column of a window beside what is expected of it."""

    expected: Expected
    values: Values
    hashed: bool
    control: Control
    strangers: Strangers

    @property
    def known(self) -> np.ndarray:
        """The numbers of the column."""
        return self.values.known

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(self.known.size)

    def measure(self) -> Iterator[Measurement]:
        texts = self.values.texts
        yield from self._numeric() if texts is None else self._categorical(texts)

    def _peak(self, what: str) -> float:
        return self.control.peaks.of(what, self.expected.name)

    def _measured(self, metric: str, value: float | None, n: int, note: str = "") -> Measurement:
        return Measurement(metric, value, n, feature=self.expected.name, note=note)

    def _share(self, metric: str, hits: int, n: int, *, reference: float | None = None, note: str = "") -> Measurement:
        return share(metric, hits, n, feature=self.expected.name, reference=reference, note=note)

    def _nulls(self, nulls: int, note: str, *, rounded: bool = False) -> Iterator[Measurement]:
        """Yield what every column has: whether it is still itself, and how much of it is missing."""
        norm = self.expected.norm
        usual = norm.null_rate if norm else None
        n = self.values.n
        heir = emptied(self.expected, n, self.strangers) if n and nulls == n and usual != 1 else None
        yield heir or retyped(self.expected, self.values.type, n, rounded=rounded)
        yield self._share("null_rate", nulls, n, reference=usual, note=note)
        yield null_rate_control(self.expected.name, nulls, n, usual, self.control)

    def _numeric(self) -> Iterator[Measurement]:
        n = self.known.size
        unread = self.values.given - n if family(str(self.values.type)) == "text" else 0
        norm = self.expected.norm.numbers if self.expected.norm else None
        rounded = norm is not None and is_rounded(self.known, norm)
        note = f"{unread} texts that are no number" if unread else ""
        yield from self._nulls(self.values.n - n, note, rounded=rounded)
        if norm is None or not n:
            note = NO_REFERENCE if norm is None else NO_VALUES
            for metric in OF_NUMBERS:
                yield self._measured(metric, None, n, note)
            return
        suspects = stand_ins(self.known, norm, self._peak(REPEATED))
        yield self._sentinels(suspects, n)
        plain = self.known[~np.isin(self.known, list(suspects))] if suspects else self.known
        span = span_of(self.expected, norm)
        yield self._outside("out_of_range_share", plain, norm, span, "the reference has no values")
        yield self._outside("outlier_share", plain, norm, norm.fences, "the quartiles of the reference are equal")
        yield self._still(plain, norm)
        yield self._unit(factor(self.known, norm), n)

    def _outside(self, metric: str, plain: np.ndarray, norm: Counted, span: Span | None, otherwise: str) -> Measurement:
        if span is None:
            return self._measured(metric, None, plain.size, otherwise)
        hits = int(np.count_nonzero((plain < span[0]) | (plain > span[1])))
        return self._hits(metric, hits, norm, span)

    def _hits(self, metric: str, hits: int, norm: Counted, span: Span) -> Measurement:
        usual = 1 - norm.share_within(*span)
        if span == norm.range:
            usual = max(usual, norm.unseen, self._peak(OUTSIDE), self._peak(REPEATED))  # one cluster may lie there
        return self._share(metric, hits, self.size, reference=usual)

    def _sentinels(self, suspects: Mapping[float, int] | Mapping[str, int], n: int) -> Measurement:
        shown = {repr(v) if isinstance(v, str) else f"{v:g}": count for v, count in suspects.items()}
        named = [f"{value} in {count / n:.1%}" for value, count in shown.items() if count >= SMALLEST]
        note = "" if self.hashed else ", ".join(named[:3])
        return self._share("sentinel_share", sum(suspects.values()), n, note=note)

    def _still(self, plain: np.ndarray, norm: Counted) -> Measurement:
        ends = (float(plain.min()), float(plain.max())) if plain.size else None
        return self._unless_still(ends, plain.size, norm)

    def _unless_still(self, ends: Span | None, n: int, norm: Counted) -> Measurement:
        one = ends[0] if ends and ends[0] == ends[1] else None
        usual = 0.0 if one is None else norm.share_of(one)
        return self._stuck(2 if one is None else 1, n, usual, "" if self.hashed or one is None else f"{one:g}")

    def _stuck(self, distinct: int, n: int, usual: float, value: str) -> Measurement:
        """1 where all rows have one value, and so many of the reference's rows having it would be a chance of 1e-9.

        Never where a window of the reference had one value, too: a heating that is off on some days.
        """
        norm = self.expected.norm
        varied = norm is not None and norm.distinct > STUCK_VALUES and not self._peak(STILL)
        stuck = varied and distinct == 1 and n * np.log(max(usual, 1e-300)) < np.log(CHANCE)
        note = f"every value is {value or 'the same'}" if stuck and n >= SMALLEST else ""
        return self._measured("stuck", float(stuck) if n else None, n, note if n else NO_VALUES)

    def _unit(self, found: float | None, n: int) -> Measurement:
        note = f"values are {as_words(found)} the reference's: another unit?" if found else ""
        return self._measured("unit_change", float(found is not None), n, note)

    def _categorical(self, found: Frequencies) -> Iterator[Measurement]:
        norm = self.expected.norm
        found = norm.named(found) if norm else found
        counts = dict(zip(found.texts, found.counts.tolist(), strict=True))
        known = {text: count for text, count in counts.items() if not is_blank(text)}
        n, blank = sum(known.values()), sum(counts.values()) - sum(known.values())
        yield from self._nulls(self.values.n - n, f"{blank} of them empty or blank" if blank else "")
        if norm is None or not norm.has_all_texts or n == 0:
            note = NO_REFERENCE if norm is None else NO_VALUES if n == 0 else "the reference has too many categories"
            for metric in ("sentinel_share", "new_category_share", "stuck"):
                yield self._measured(metric, None, n, note)
            return
        suspects = words(known, norm, self._peak(REPEATED))
        yield self._sentinels(suspects, n)
        new = {text: count for text, count in known.items() if text not in norm.texts and text not in suspects}
        note = "" if self.hashed else _named(new, norm)
        usual = max(norm.unseen, self._peak(NEW))
        yield self._share("new_category_share", sum(new.values()), n, reference=usual, note=note)
        first = next(iter(known))
        usual = norm.texts.get(first, 0) / max(sum(norm.texts.values()), 1)
        yield self._stuck(len(known), n, usual, "" if self.hashed else repr(first))


def span_of(expected: Expected, norm: Counted) -> Span | None:
    """The closed span numbers should be in; None where the reference has none."""
    return (0.0, 1.0) if expected.role == "score" else norm.range


def _named(new: dict[str, int], norm: Norm) -> str:
    """Name the new categories that are frequent enough, and what those were that only are spelt in another way."""
    before = {_plain(text): text for text in sorted(norm.texts)}
    often = [(text, before.get(_plain(text))) for text, count in new.items() if count >= SMALLEST]
    return ", ".join([f"{text!r} was {old!r}" if old is not None else f"{text!r} is new" for text, old in often][:3])


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold())) or text
