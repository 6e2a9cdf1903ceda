"""Kpis: the business numbers a monitor file declares, over the distinct rows of a window.

Each is one sum over another - a mean's second sum is its rows, that of a sum or count the windows - so that the same
formula gives the number of a window and of a reference of many windows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

import numpy as np
import pyarrow as pa

from hindsight.checks.quality.quality import UNREAD_SHARE
from hindsight.checks.statistics import intervals
from hindsight.checks.statistics.rates import NO_ROWS
from hindsight.checks.values.classes import canonical, codes
from hindsight.checks.values.groups import SMALLEST, groups
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.kpis import LABELS, Operand, aggregate, needs_labels, operand
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows

NO_LABELS, NO_MATCH, TOO_LARGE = "no labels yet", "no row passes the filter", "too large to be summed"


def kpis(rows: Rows, monitor: Monitor, names: Sequence[str], *, reference: Mapping[str, float]) -> list[Measurement]:
    """Return these KPIs of all rows, of each model version and of each segment value.

    `rows` has the columns the KPIs name and, where one waits for labels, `labels.<column>`; such a KPI is made of the
    rows whose label is known. `n` counts the rows a value is made of, for a count those looked at. A group with fewer
    than 20 of them gets no number. `reference` is what `reference_kpis` returns. A KPI that needs numbers of a column
    of texts or times is null, and its note says so.
    """
    found = (number.measurement for number in _numbers(rows, monitor, names))
    return [replace(m, reference=reference.get(f"{m.segment} {m.metric}".lstrip())) for m in found]


def reference_kpis(windows: Iterable[Rows], monitor: Monitor, names: Sequence[str]) -> dict[str, float]:
    """Return the KPIs of a reference: metric, or "<segment> <metric>", to value.

    A mean and a ratio are those of all rows of the windows together, a sum and a count the average of the windows that
    have one: what a window is compared with.
    """
    tops, bottoms = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for rows in windows:
        for number in _numbers(rows, monitor, names):
            m = number.measurement
            if m.value is not None and not m.model_version:
                tops[f"{m.segment} {m.metric}".lstrip()].append(number.top)
                bottoms[f"{m.segment} {m.metric}".lstrip()].append(number.bottom)
    below = {place: fsum(values) for place, values in bottoms.items()}
    return {place: fsum(tops[place]) / total for place, total in below.items() if total}


@dataclass(frozen=True, slots=True)
class _Number:
    """A measurement whose value is `top / bottom`."""

    measurement: Measurement
    top: float = 0.0
    bottom: float = 1.0


@dataclass(frozen=True, slots=True)
class _Columns:
    """What a KPI is made of: the rows looked at, those the filter keeps, and numbers that are NaN where null."""

    looked_at: np.ndarray
    kept: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    waits: bool  # for labels
    endless: np.ndarray  # where an operand is infinite or NaN, which is no number to sum

    def of(self, mask: np.ndarray | None) -> _Columns:
        """Return the rows of a group."""
        if mask is None:
            return self
        looked_at, kept, top, bottom = self.looked_at[mask], self.kept[mask], self.top[mask], self.bottom[mask]
        return _Columns(looked_at, kept, top, bottom, self.waits, self.endless[mask])


def _numbers(rows: Rows, monitor: Monitor, names: Sequence[str]) -> Iterator[_Number]:
    columns: dict[str, _Columns] = {}
    for name in names:
        try:
            columns[name] = _columns(rows, monitor, name)
        except _NoNumbersError as exc:
            yield _Number(Measurement(name, None, note=str(exc)))
    for group in groups(rows, monitor):
        mask = group.mask
        for name, of_all in columns.items():
            part, _ = aggregate(monitor.kpis[name])
            of_group = of_all.of(mask)
            number = _with_left_out(_number(name, part, of_group), of_group)
            m = replace(number.measurement, model_version=group.model_version, segment=group.segment)
            if not (m.model_version or m.segment) or _is_shown(m, of_group):
                yield replace(number, measurement=m)


def _is_shown(measurement: Measurement, columns: _Columns) -> bool:
    """Say whether a group's number is of enough rows not to be about a person, or of none."""
    return bool(np.count_nonzero(columns.looked_at) >= SMALLEST) and not 0 < measurement.n < SMALLEST


def _number(name: str, part: str, columns: _Columns) -> _Number:
    looked_at = int(np.count_nonzero(columns.looked_at))
    if not looked_at:
        return _Number(Measurement(name, None, note=NO_LABELS if columns.waits and columns.looked_at.size else NO_ROWS))
    top, bottom = columns.top[columns.kept], columns.bottom[columns.kept]
    try:
        if part == "count":
            hits = float(np.count_nonzero(np.isfinite(top)))
            return _Number(Measurement(name, hits, looked_at), hits)
        return {"sum": _sum, "mean": _mean, "ratio": _ratio}[part](name, top, bottom)
    except OverflowError:
        return _Number(Measurement(name, None, int(top.size), note=TOO_LARGE))


def _with_left_out(number: _Number, columns: _Columns) -> _Number:
    """Say in the note how many rows are not in the number because they hold infinity or NaN."""
    rows = int(np.count_nonzero(columns.endless & columns.kept))
    if not rows:
        return number
    said = f"{rows:,} row{'s hold' if rows > 1 else ' holds'} infinity or NaN, left out"
    note = "; ".join(filter(None, (number.measurement.note, said)))
    return replace(number, measurement=replace(number.measurement, note=note))


def _sum(name: str, top: np.ndarray, _: np.ndarray) -> _Number:
    values = top[np.isfinite(top)]
    if top.size and not values.size:
        return _Number(Measurement(name, None, note=f"no value in {top.size:,} rows"))
    total = fsum(values)
    return _Number(Measurement(name, total, values.size, note="" if values.size else NO_MATCH), total)


def _mean(name: str, top: np.ndarray, _: np.ndarray) -> _Number:
    values = np.sort(top[np.isfinite(top)])
    if not values.size:
        return _Number(Measurement(name, None, note=f"no value in {top.size:,} rows" if top.size else NO_MATCH))
    total = fsum(values)
    ends = intervals.wilson(total, values.size) if _are_shares(values) else _finite(intervals.mean_t(values))
    lower, upper = ends or (None, None)
    measurement = Measurement(name, total / values.size, values.size, lower=lower, upper=upper)
    return _Number(measurement, total, float(values.size))


def _ratio(name: str, top: np.ndarray, bottom: np.ndarray) -> _Number:
    """Sum over sum; a null adds nothing to its sum, so a row is left out only where both are null."""
    known = np.isfinite(top) | np.isfinite(bottom)
    tops, bottoms = np.nan_to_num(top[known], nan=0.0), np.nan_to_num(bottom[known], nan=0.0)
    order = np.lexsort((bottoms, tops))
    tops, bottoms = tops[order], bottoms[order]
    above, below = fsum(tops), fsum(bottoms)
    if below == 0:
        note = f"divided by a sum of 0 over {tops.size:,} rows" if tops.size else NO_MATCH
        return _Number(Measurement(name, None, tops.size, note=note))
    is_share = _are_shares(tops) and _are_shares(bottoms) and bool((tops <= bottoms).all())
    ends = intervals.wilson(above, below) if is_share else _finite(intervals.ratio(tops, bottoms))
    lower, upper = ends or (None, None)
    return _Number(Measurement(name, above / below, tops.size, lower=lower, upper=upper), above, below)


def _are_shares(values: np.ndarray) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _finite(ends: intervals.Interval | None) -> intervals.Interval | None:
    return ends if ends and np.isfinite(ends).all() else None


def _columns(rows: Rows, monitor: Monitor, name: str) -> _Columns:
    kpi, labels = monitor.kpis[name], monitor.source.labels
    part, written = aggregate(kpi)
    waits = labels is not None and needs_labels(monitor, name)
    looked_at = _present(rows.column(f"{LABELS}{labels.label}")) if labels and waits else np.ones(rows.n, np.bool_)
    kept = looked_at
    for column, wanted in kpi.where.items():
        kept = kept & _passes(rows, monitor, name, operand(monitor, column, f"where.{column}"), wanted)
    values = [_values(rows, monitor, name, operand(monitor, column, part)) for column in written]
    ones = np.ones(rows.n)
    top, bottom = (*values, ones, ones)[:2]
    endless = np.zeros(rows.n, np.bool_)
    for column in () if part == "count" else written:
        endless |= _endless(rows.column(operand(monitor, column, part).key))
    return _Columns(looked_at, kept, top, bottom, waits, endless)


def _endless(column: pa.Array) -> np.ndarray:
    """Which rows hold an infinite number or, in a column of floats, NaN; a null is neither."""
    values = numbers(column)
    if not pa.types.is_floating(column.type):
        return np.asarray(np.isinf(values))
    return np.asarray(~np.asarray(column.is_null(), dtype=np.bool_) & ~np.isfinite(values))


def _values(rows: Rows, monitor: Monitor, name: str, operand: Operand) -> np.ndarray:
    """One of the columns a KPI is made of; for a count 1 where there is a value of any type."""
    if operand.field == "count":
        return np.where(_present(rows.column(operand.key)), 1.0, np.nan)
    return _floats(rows, monitor, name, operand, operand.field)


def _present(column: pa.Array) -> np.ndarray:
    present = ~np.asarray(column.is_null(nan_is_null=True))
    return np.asarray(present, dtype=np.bool_)


def _passes(rows: Rows, monitor: Monitor, name: str, operand: Operand, wanted: object) -> np.ndarray:
    """Which rows a condition keeps: of an equal value, as classes are equal, or above <= value < below; no nulls."""
    if isinstance(wanted, dict):
        values = _floats(rows, monitor, name, operand, "range")
        return np.asarray((values >= wanted.get("above", -np.inf)) & (values < wanted.get("below", np.inf)))
    column = rows.column(operand.key)
    if isinstance(wanted, (int, float)) and not pa.types.is_string(column.type):
        return np.asarray(_floats(rows, monitor, name, operand, "comparison") == float(wanted))
    return np.asarray(codes(column, [canonical(wanted)]) == 0)


class _NoNumbersError(ValueError):
    """A column holds no numbers; the message says which, and what needs them."""


def _floats(rows: Rows, monitor: Monitor, name: str, operand: Operand, what: str) -> np.ndarray:
    """A column as numbers, NaN where there is none; a few texts among them are no numbers and count as null."""
    column = rows.column(operand.key)
    values = numbers(column)
    given = 0 if pa.types.is_floating(column.type) else len(column) - column.null_count
    unread = given - np.count_nonzero(~np.isnan(values))
    if not pa.types.is_temporal(column.type) and unread <= UNREAD_SHARE * given:
        return np.where(np.isfinite(values), values, np.nan)
    labels, table = monitor.source.labels, monitor.source.predictions.table
    place = labels.table if operand.of_labels and labels else table
    raise _NoNumbersError(
        f"kpis.{name}.{operand.field}: {place}.{operand.column} holds {column.type}, and a {what} needs numbers. "
        "Name a column of numbers, or convert this one in a view"
    )
