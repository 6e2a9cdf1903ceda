"""Quality: nulls, sentinels, unseen categories, ranges, schema and duplicates of a window, without any suite.

Empty and blank text, NaN and, in a numeric column, text that is no number count as null. A column is read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from math import ceil

import numpy as np
import pyarrow as pa

from hindsight.checks.baseline import Baseline
from hindsight.checks.columns import Role
from hindsight.checks.fitting import roles
from hindsight.checks.groups import SMALLEST
from hindsight.checks.lenient import numbers
from hindsight.checks.norms import Counted, Norm, Span, is_blank, norm_of
from hindsight.checks.rates import NO_ROWS, share
from hindsight.checks.samples import TextColumn
from hindsight.monitors.measurement import Measurement
from hindsight.monitors.model import Monitor
from hindsight.monitors.rows import Rows

SENTINELS = np.array([-1.0, *(-float("9" * k) for k in range(1, 11)), *(float("9" * k) for k in range(3, 11))])
SENTINEL_SHARE = 0.01  # a repeated value is suspicious from this share of the known values on
NO_REFERENCE = "the baseline does not have this column"


def quality(rows: Rows, monitor: Monitor, baseline: Baseline | None) -> list[Measurement]:
    """Return the data-quality numbers of a window: of each feature, of prediction and score, and of the rows.

    `baseline` says what is normal; without one only nulls, declared types and duplicates can be measured. A column that
    the rows lack has `schema_change` 1 and nothing else.
    """
    found = [_duplicates(rows)]
    served = _served(rows, monitor)
    for name, role, numeric in roles(monitor):
        expected = _Expected(name, role, numeric, norm_of(baseline, name))
        if rows.n == 0:
            found += (
                Measurement(name, None, feature=expected.name, note=NO_ROWS) for name in ("null_rate", "schema_change")
            )
        elif expected.name not in rows.columns:
            found.append(_missing(expected, rows, monitor))
        else:
            column = rows.column(expected.name)
            known = column if expected.role == "feature" or served is None else column.filter(pa.array(served))
            found += _Column(expected, column.type, known, expected.name in monitor.pii.hash).measure()
    return found


@dataclass(frozen=True)
class _Expected:
    """A column as declared, and its norm."""

    name: str
    role: Role
    numeric: bool
    norm: Norm | None

    def __str__(self) -> str:
        declared = "numeric" if self.numeric else "categorical"
        return f"{declared} ({self.norm.type})" if self.norm else declared


def _served(rows: Rows, monitor: Monitor) -> np.ndarray | None:
    """True for rows with status 200: only these owe a prediction. None where no status is known."""
    status = monitor.source.predictions.status_code
    return numbers(rows.column(status)) == 200 if status is not None and status in rows.columns else None


def _duplicates(rows: Rows) -> Measurement:
    """Rows as logged whose id another row has already, as a share of the rows as logged."""
    return share("duplicate_rate", rows.n_raw - rows.n, rows.n_raw)


def _missing(expected: _Expected, rows: Rows, monitor: Monitor) -> Measurement:
    new = set(rows.columns) - _declared(monitor)
    plain = {_plain(name): name for name in sorted(new)}
    close = get_close_matches(_plain(expected.name), plain, n=1, cutoff=0.8)
    hint = f" - is it now {plain[close[0]]!r}?" if close else ""
    note = f"expected {expected}, found no such column{hint}"
    return Measurement("schema_change", 1.0, rows.n, feature=expected.name, note=note)


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _declared(monitor: Monitor) -> set[str]:
    predictions = monitor.source.predictions.model_dump(exclude={"table", "score"}).values()
    return {*monitor.features, *(name for name in predictions if isinstance(name, str))}


@dataclass(frozen=True)
class _Column:
    """One column of a window, `type` as it came and `values` of the rows that count."""

    expected: _Expected
    type: pa.DataType
    values: pa.Array
    hashed: bool

    def measure(self) -> Iterator[Measurement]:
        yield self._schema_change()
        if self.expected.numeric:
            yield from self._numeric()
        else:
            yield from self._categorical()

    def _measured(self, metric: str, value: float | None, n: int, note: str = "") -> Measurement:
        return Measurement(metric, value, n, feature=self.expected.name, note=note)

    def _schema_change(self) -> Measurement:
        norm = self.expected.norm
        before = _family(norm.type) if norm else ("number" if self.expected.numeric else "")
        now = _family(str(self.type))
        changed = bool(before and now) and before != now
        note = f"expected {self.expected}, found {self.type}" if changed else ""
        return self._measured("schema_change", float(changed), len(self.values), note)

    def _null_rate(self, nulls: int, note: str = "") -> Measurement:
        norm = self.expected.norm
        reference = norm.null_rate if norm else None
        return share("null_rate", nulls, len(self.values), feature=self.expected.name, reference=reference, note=note)

    def _numeric(self) -> Iterator[Measurement]:
        known = numbers(self.values)
        nulls = np.isnan(known)
        known = known[~nulls] if nulls.any() else known
        given = len(self.values) - self.values.null_count
        unread = given - known.size if _family(str(self.type)) == "text" else 0
        yield self._null_rate(len(self.values) - known.size, f"{unread} texts that are no number" if unread else "")
        norm = self.expected.norm.numbers if self.expected.norm else None
        if norm is None or not known.size:
            note = NO_REFERENCE if norm is None else "no values"
            for metric in ("out_of_range_share", "sentinel_share", "outlier_share"):
                yield self._measured(metric, None, known.size, note)
            return
        span = (0.0, 1.0) if self.expected.role == "score" else norm.range
        yield self._outside("out_of_range_share", known, norm, span, "the reference has no values")
        yield self._sentinels(known, norm)
        yield self._outside("outlier_share", known, norm, norm.fences, "the quartiles of the reference are equal")

    def _outside(self, metric: str, known: np.ndarray, norm: Counted, span: Span | None, otherwise: str) -> Measurement:
        if span is None:
            return self._measured(metric, None, known.size, otherwise)
        hits = int(np.count_nonzero((known < span[0]) | (known > span[1])))
        reference = 1 - norm.share_within(*span)
        return share(metric, hits, known.size, feature=self.expected.name, reference=reference)

    def _sentinels(self, known: np.ndarray, norm: Counted) -> Measurement:
        """The share of rows at values that look like stand-ins for "unknown".

        Such a value is repeated in 1 % of the rows and at least five of them, is ten times as frequent as in the
        reference, and is one of the usual ones (-1, -9, -99, … and 999, 9999, …) or lies further from the reference's
        values than these lie from each other.
        """
        low, high = norm.extremes or (-np.inf, np.inf)
        reach = high - low if high > low else np.inf  # a constant has no measure of far
        odd = np.isin(known, SENTINELS) | (known < low - reach) | (known > high + reach)
        suspects = [
            (value, count)
            for value, count in _repeated(known[odd], max(5, ceil(SENTINEL_SHARE * known.size)))
            if count / known.size >= 10 * norm.share_within(value, value)
        ]
        named = [f"{value:g} in {count / known.size:.1%}" for value, count in suspects if count >= SMALLEST]
        note = "" if self.hashed else ", ".join(named[:3])
        hits = sum(count for _, count in suspects)
        return share("sentinel_share", hits, known.size, feature=self.expected.name, note=note)

    def _categorical(self) -> Iterator[Measurement]:
        norm = self.expected.norm
        sample = TextColumn(self.values, norm.type if norm else "").sample()
        counts = dict(zip(sample.values.texts, sample.values.counts.tolist(), strict=True))
        known = {text: count for text, count in counts.items() if not is_blank(text)}
        n = sum(known.values())
        yield self._null_rate(len(self.values) - n)
        if norm is None or not norm.has_all_texts or n == 0:
            note = NO_REFERENCE if norm is None else "no values" if n == 0 else "the reference has too many categories"
            yield self._measured("new_category_share", None, n, note)
            return
        new = {text: count for text, count in known.items() if text not in norm.texts}
        note = "" if self.hashed else _respelled(new, norm)
        yield share("new_category_share", sum(new.values()), n, feature=self.expected.name, note=note)


def _repeated(values: np.ndarray, times: int) -> list[tuple[float, int]]:
    """The values that occur at least so many times, ascending, and their counts; sorts `values` in place."""
    values.sort()
    seen = np.unique(values[::times])  # a run of that length has a row at one of these places
    counts = np.searchsorted(values, seen, "right") - np.searchsorted(values, seen, "left")
    return [(value, count) for value, count in zip(seen.tolist(), counts.tolist(), strict=True) if count >= times]


def _respelled(new: dict[str, int], norm: Norm) -> str:
    """Name the new categories that differ from known ones in case or blanks only."""
    before = {text.strip().casefold(): text for text in sorted(norm.texts)}
    pairs = [(text, before.get(text.strip().casefold())) for text, count in new.items() if count >= SMALLEST]
    return ", ".join([f"{text!r} was {old!r}" for text, old in pairs if old is not None][:3])


def _family(type: str) -> str:
    """The kind of values an Arrow type holds, "" where nobody can tell; whole numbers and fractions are one kind."""
    if type.startswith(("int", "uint", "float", "half", "double", "decimal", "bool")):
        return "number"
    if type.startswith(("timestamp", "date", "time")):
        return "time"
    return "text" if "string" in type else "" if type == "null" else type
