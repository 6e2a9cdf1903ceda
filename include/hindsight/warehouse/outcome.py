"""Outcome: prediction and truth of each scored row in the columns performance is measured from; pure, in Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hindsight.errors import ConfigError, Problem
from hindsight.monitors.kpis import LABELS
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import Scalar
from hindsight.warehouse.distinct import Mask, codes_of, first_of_each, members, repeated, row_hashes

# no column of a table can be called so: names are letters, digits and underscores
LABEL, ARRIVED, _CODE, _CONFLICT, _CORRECTED = " label", " arrived_at", " code", " conflict", " corrected"
_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The scored rows, how many distinct ids there were, scored or not, and what came wrong with their labels.

    `conflicts` counts ids whose newest labels contradict each other, `corrections` the labels that came after another
    of their id and said something else, `undated` ids with a label that has no time of arrival; `repeats` says that any
    id came in several rows.
    """

    table: pa.Table
    n_rows: int
    conflicts: int
    corrections: int
    undated: int
    repeats: bool


def outcomes(rows: pa.Table, monitor: Monitor, *, absent: Scalar | None = None, also: Sequence[str] = ()) -> Outcomes:
    """Reduce prediction rows joined with their label rows to one row per scored id; `absent` stands for no label."""
    rows = without_nan(rows, LABEL)
    undated = 0
    if monitor.source.labels is not None and monitor.source.labels.arrived_at is not None:
        rows, undated = _dated(rows, monitor)
    found = distinct(rows, monitor, absent=absent)
    conflicts = int(np.count_nonzero(found.column(_CONFLICT)))
    corrections = int(found.column(_CORRECTED).to_numpy().sum())
    repeats = found.num_rows < rows.num_rows
    return Outcomes(scored(found, monitor, also), found.num_rows, conflicts, corrections, undated, repeats)


def distinct(rows: pa.Table, monitor: Monitor, *, absent: Scalar | None = None) -> pa.Table:
    """Reduce prediction rows joined with their label rows to one row per id, scored or not, with its newest label.

    Columns `labels.<column>` are chosen with the label; newest labels that differ in one of them contradict each other.
    """
    found = _newest(without_nan(rows, LABEL), monitor)
    return found if absent is None else _assumed(found, absent)


def _truth(rows: pa.Table) -> list[str]:
    return [name for name in rows.column_names if name == LABEL or name.startswith(LABELS)]


def _dated(rows: pa.Table, monitor: Monitor) -> tuple[pa.Table, int]:
    """Take away the labels that have no time of arrival: nothing says when they could be known."""
    label = rows.column(LABEL)
    undated = pc.and_(pc.is_valid(label), pc.is_null(rows.column(ARRIVED)))
    ids = rows.column(monitor.source.predictions.id).filter(undated)
    if not len(ids):
        return rows, 0
    rows = _replaced(rows, LABEL, pc.if_else(undated, pa.scalar(None, label.type), label))
    return rows, pc.count_distinct(ids).as_py()


def scored(rows: pa.Table, monitor: Monitor, also: Sequence[str] = ()) -> pa.Table:
    """The rows with status 200, where a status is logged, and a prediction, under the names performance knows."""
    source = monitor.source.predictions
    good = pc.is_valid(without_nan(rows, source.prediction).column(source.prediction))
    if source.status_code in rows.column_names:
        status = rows.column(source.status_code)
        ok = pa.scalar("200" if pa.types.is_string(status.type) else 200)
        good = pc.and_(good, pc.fill_null(pc.equal(status, ok), False))
    return _named(rows, monitor, also).filter(good)


def _newest(rows: pa.Table, monitor: Monitor) -> pa.Table:
    """One row per id, the latest prediction and the newest label; only ids with several rows are sorted."""
    several = _repeated(rows.column(monitor.source.predictions.id))
    single = rows if several is None else rows.filter(pa.array(~several))
    single = single.append_column(_CONFLICT, pa.array(np.zeros(single.num_rows, np.bool_)))
    single = single.append_column(_CORRECTED, pa.array(np.zeros(single.num_rows, np.int64)))
    return single if several is None else pa.concat_tables([single, _chosen(rows.filter(pa.array(several)), monitor)])


def _repeated(ids: pa.ChunkedArray) -> Mask | None:
    """Which ids occur more than once, or None; some may only share their hash with another."""
    starts = np.cumsum([0, *(len(chunk) for chunk in ids.chunks)])
    parts = [row_hashes(chunk, int(start)) for chunk, start in zip(ids.chunks, starts, strict=False)]
    seen = np.concatenate(parts) if parts else np.empty(0, np.uint64)
    again = repeated(seen)
    return members(seen, again) if len(again) else None


def _chosen(rows: pa.Table, monitor: Monitor) -> pa.Table:
    rows = rows.append_column(_CODE, pa.array(codes_of(rows.column(monitor.source.predictions.id))))
    firsts = first_of_each(rows, _order(rows, monitor))
    conflicts = _conflicting(rows, firsts)
    chosen = _set(rows.take(pa.array(firsts)), conflicts)
    chosen = chosen.append_column(_CONFLICT, pa.array(conflicts))
    return chosen.append_column(_CORRECTED, pa.array(_corrections(rows, firsts))).drop_columns([_CODE])


def _order(rows: pa.Table, monitor: Monitor) -> list[tuple[str, str]]:
    source = monitor.source.predictions
    last = {ARRIVED: "descending"} | dict.fromkeys(_truth(rows), "ascending")
    contents = [name for name in rows.column_names if name not in (_CODE, source.id, source.timestamp, *last)]
    first = [(_CODE, "ascending"), (source.timestamp, "descending")]
    return [*first, *((name, "ascending") for name in contents), *last.items()]


def _conflicting(rows: pa.Table, firsts: NDArray[np.int64]) -> Mask:
    """For each chosen row, whether another label of its id arrived at the same moment with other values."""
    codes = rows.column(_CODE).to_numpy()
    chosen = np.zeros(int(codes.max(initial=-1)) + 1, np.int64)
    chosen[codes[firsts]] = firsts
    arrivals, newest = _arrivals(rows), chosen[codes]
    values = np.stack([codes_of(rows.column(name)) for name in _truth(rows)])
    against = (arrivals == arrivals[newest]) & (values != values[:, newest]).any(axis=0)
    return np.isin(codes[firsts], codes[against])


def _corrections(rows: pa.Table, firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each chosen row, how often a label of its id arrived later than another and with a different value."""
    codes, arrivals, labels = rows.column(_CODE).to_numpy(), _arrivals(rows), codes_of(rows.column(LABEL))
    order = np.lexsort((labels, arrivals, codes))
    code, arrival, label = codes[order], arrivals[order], labels[order]
    dated = arrival[:-1] > _NEVER
    changed = (code[1:] == code[:-1]) & dated & (arrival[1:] > arrival[:-1]) & (label[1:] != label[:-1])
    counts = np.bincount(code[1:][changed], minlength=int(codes.max(initial=-1)) + 1)
    return np.asarray(counts[codes[firsts]], np.int64)


def _arrivals(rows: pa.Table) -> NDArray[np.int64]:
    """When each label arrived, as a number; the least one where nothing says so."""
    arrived = pc.fill_null(rows.column(ARRIVED).cast(pa.int64()), _NEVER)
    return np.asarray(arrived.to_numpy(), np.int64)


def _set(rows: pa.Table, conflicts: Mask) -> pa.Table:
    for name in (LABEL, ARRIVED):
        column = rows.column(name)
        rows = _replaced(rows, name, pc.if_else(pa.array(conflicts), pa.scalar(None, column.type), column))
    return rows


def _assumed(rows: pa.Table, absent: Scalar) -> pa.Table:
    label = rows.column(LABEL)
    try:
        assumed = pa.scalar(absent).cast(label.type)
    except pa.ArrowException as exc:
        raise ConfigError(
            Problem(f"{absent!r} cannot be a label of type {label.type}", field="labels.absent_means")
        ) from exc
    unknown = pc.and_not(pc.is_null(label), rows.column(_CONFLICT))
    return _replaced(rows, LABEL, pc.if_else(unknown, assumed, label))


def _named(rows: pa.Table, monitor: Monitor, also: Sequence[str]) -> pa.Table:
    source = monitor.source.predictions
    scores = source.score if isinstance(source.score, dict) else {"": source.score}
    columns = {"prediction": source.prediction}
    columns |= {f"score__{name}".removesuffix("__"): column for name, column in scores.items() if column is not None}
    columns |= {"label": LABEL, "arrived_at": ARRIVED}
    table = pa.table({name: rows.column(column) for name, column in columns.items() if column in rows.column_names})
    table = table.append_column("model_version", _versions(rows, source.model_version))
    for name in dict.fromkeys((*monitor.segments, *also)):
        if name in rows.column_names and name not in table.column_names:
            table = table.append_column(name, rows.column(name))
    return table


def _versions(rows: pa.Table, column: str | None) -> pa.ChunkedArray:
    if column is None or column not in rows.column_names:
        return pa.chunked_array([pa.nulls(rows.num_rows, pa.string())])
    return rows.column(column).cast(pa.string())


def without_nan(rows: pa.Table, name: str) -> pa.Table:
    """The rows with NaN in one column turned into null: neither is a value."""
    column = rows.column(name)
    if not pa.types.is_floating(column.type):
        return rows
    return _replaced(rows, name, pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column))


def _replaced(rows: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, values)
