"""Fitting: freeze the columns of the reference, each in all rows and in every segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from hindsight.checks.reference.columns import AnyColumn, CategoryBaseline, NumericBaseline, Role
from hindsight.checks.reference.profile import category_profile, numeric_profile
from hindsight.checks.reference.thresholds import MOST, learnt, weight
from hindsight.checks.values.bins import decile_bins, percentile_bins, top_bins
from hindsight.checks.values.categories import OTHER, Frequencies
from hindsight.checks.values.distributions import Distribution, distinct
from hindsight.checks.values.groups import Group
from hindsight.checks.values.samples import Numbers, NumericColumn, Sample, TextColumn, Texts
from hindsight.monitors.model import Monitor

MOST_CATEGORIES = 10_000  # a column of more is no category but a name; only its nulls are compared
LARGEST_DRAW = 100_000


def roles(monitor: Monitor) -> Iterator[tuple[str, Role, bool]]:
    """Yield the columns whose drift is watched: name, role, and whether it is numeric."""
    predictions = monitor.source.predictions
    for name, feature in monitor.features.items():
        yield name, "feature", feature.type == "numeric"
    scores = predictions.score.values() if isinstance(predictions.score, dict) else [predictions.score]
    outputs = [(predictions.prediction, monitor.model.task == "regression"), *((score, True) for score in scores)]
    for output, is_numeric in outputs:
        if output is not None and output not in monitor.features:
            yield output, "prediction" if output == predictions.prediction else "score", is_numeric


def fit_column(
    column: pa.Array,
    name: str,
    role: Role,
    *,
    numeric: bool,
    groups: Sequence[Group],
    windows: np.ndarray | None,
    window_rows: int,
    method: str | None,
    like: Mapping[str, AnyColumn],
) -> tuple[list[AnyColumn], pa.Table]:
    """Freeze one column in each group; return its baselines and the table of its distinct values and counts.

    `windows` numbers the rows by window (-1: none), `method` is what a threshold is to be learnt for, if anything,
    and `like` holds by segment an earlier baseline of the column, whose bins are kept. Raises NotNumericError.
    """
    source = NumericColumn(column) if numeric else TextColumn(column)
    own = [] if windows is None or method is None else _split(source, windows)
    fitted, tables, start = [], [], 0
    for group in sorted(groups, key=lambda group: group.segment == ""):
        sample = _limited(source.sample(group.mask))
        frozen = _freeze(
            sample, like.get(group.segment), name=name, role=role, segment=group.segment, type=str(column.type)
        )
        tables.append(_table(sample))
        frozen = replace(frozen, rows=(start, start + tables[-1].num_rows))
        start += tables[-1].num_rows
        if method is not None:
            theirs = own if own and not group.segment else _drawn(sample, window_rows)
            frozen = replace(frozen, threshold=_threshold(frozen, sample, theirs, method))
        fitted.append(frozen)
    return fitted, pa.concat_tables(tables)


def _split(source: NumericColumn | TextColumn, windows: np.ndarray) -> list[Sample]:
    return [source.sample(np.equal(windows, number)) for number in range(int(windows.max()) + 1)]


def _limited(sample: Sample) -> Sample:
    """Count all texts of an overfull column as one: its most frequent ones are so by chance, and always lose share."""
    if isinstance(sample, Numbers) or len(sample.values.texts) <= MOST_CATEGORIES:
        return sample
    return Texts(Frequencies((OTHER,), np.array([sample.values.n])), sample.nulls)


def _freeze(sample: Sample, like: AnyColumn | None, **known: Any) -> AnyColumn:
    if isinstance(sample, Texts):
        texts = like.bins if isinstance(like, CategoryBaseline) else top_bins(sample.values)
        return CategoryBaseline(**known, bins=texts, profile=category_profile(texts, sample.values, sample.nulls))
    values = sample.values.values
    finite = sample.values.finite().values
    kept = like if isinstance(like, NumericBaseline) else None
    bins = kept.bins if kept else percentile_bins(finite)
    deciles = kept.deciles if kept else decile_bins(finite)
    return NumericBaseline(**known, bins=bins, deciles=deciles, profile=numeric_profile(bins, values, sample.nulls))


def _table(sample: Sample) -> pa.Table:
    if isinstance(sample, Texts):
        return _counted(pa.array(sample.values.texts, pa.string()), sample.values.counts)
    return _counted(*distinct(sample.values.values))


def _counted(values: Any, counts: np.ndarray) -> pa.Table:
    return pa.table({"value": values, "count": counts.astype(np.int32)})


def _threshold(column: AnyColumn, reference: Sample, windows: Sequence[Sample], method: str) -> float:
    weights = [weight(method, column.compare(reference, window)) for window in windows]
    return learnt(method, [found for found in weights if found is not None])


def _drawn(reference: Sample, rows: int) -> list[Sample]:
    """Draw windows of `rows` rows from the reference with replacement, with a fixed seed."""
    generator = np.random.default_rng(20260901)
    rows = min(rows, LARGEST_DRAW)
    return [_draw(reference, rows, generator) for _ in range(MOST)] if reference.n else []


def _draw(reference: Sample, rows: int, generator: np.random.Generator) -> Sample:
    if isinstance(reference, Texts):
        counts = np.append(reference.values.counts, reference.nulls)
        drawn = generator.multinomial(rows, counts / counts.sum())
        return Texts(Frequencies.of(reference.values.texts, drawn[:-1]), int(drawn[-1]))
    places = np.sort(generator.integers(0, reference.n, rows))
    known = places[places < reference.values.n]
    return Numbers(Distribution(reference.values.values[known]), rows - len(known))
