"""Prior shift: how far the labels of a window moved from the reference's, once both are mature.

Labels that come fast are of the easy class: those of a window that is not mature are no sample of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.drift.drift import compared, written
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.columns import AnyColumn, sample_of
from hindsight.checks.reference.fitting import fit_column
from hindsight.checks.values.categories import encode
from hindsight.checks.values.classes import canonical
from hindsight.checks.values.groups import groups
from hindsight.checks.values.lenient import numbers
from hindsight.checks.values.samples import NumericColumn, TextColumn
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows

VALUES = "labels"
IMMATURE, NO_LABELS = "labels are still arriving", "the reference has no matured labels to compare with"


def fit_labels(labelled: pa.Table, monitor: Monitor, like: Baseline | None) -> tuple[dict[str, AnyColumn], pa.Table]:
    """Freeze the labels of the reference, of all rows and of each segment; return them and the table of their values.

    `labelled` is the table `performance` takes.
    """
    known = _known(labelled, monitor)
    rows = TableRows(known)
    asked = monitor.drift.method if monitor.drift.threshold == "auto" else None
    fitted, values = fit_column(
        _values(known, monitor),
        feature_of(monitor),
        "label",
        numeric=monitor.model.task == "regression",
        groups=[group for group in groups(rows, monitor) if not group.model_version],
        windows=None,
        window_rows=max(rows.n // 20, monitor.drift.min_rows),
        method=asked,
        like=like.labels if like else {},
    )
    return {column.segment: column for column in fitted if column.n}, values


def label_drift(labelled: pa.Table, monitor: Monitor, baseline: Baseline, *, mature: bool) -> list[Measurement]:
    """Return how far the labels of a window moved: of all rows, of each version and of each segment of 20 labels.

    The measures and the two gates are those of `drift`; `feature` is the label column. Before the window is mature
    nothing is measured.
    """
    if not mature or not baseline.labels:
        return [Measurement("drifted", None, feature=feature_of(monitor), note=NO_LABELS if mature else IMMATURE)]
    return list(_moves(_known(labelled, monitor), monitor, baseline))


def _moves(known: pa.Table, monitor: Monitor, baseline: Baseline) -> Iterator[Measurement]:
    column, values = _values(known, monitor), baseline.load(VALUES)
    source = NumericColumn(column) if monitor.model.task == "regression" else TextColumn(column)
    for group in reversed(groups(TableRows(known), monitor)):
        theirs = baseline.labels.get(group.segment)
        if theirs is None:
            continue
        found = compared(theirs, sample_of(theirs, values), source.sample(group.mask), monitor.drift)
        decided = found.is_large is not None and found.p_value is not None
        moved = bool(found.is_large) and decided and (found.p_value or 0.0) <= monitor.drift.significance
        for m in written(found, float(moved) if decided else None):
            yield replace(m, model_version=group.model_version, segment=group.segment)


def feature_of(monitor: Monitor) -> str:
    """The column the numbers are about."""
    return monitor.source.labels.label if monitor.source.labels else "label"


def _values(known: pa.Table, monitor: Monitor) -> pa.Array:
    """The labels as numbers or, of a classifier, as the texts by which classes are compared."""
    column = known.column("label").combine_chunks()
    if monitor.model.task == "regression":
        return pa.array(numbers(column))
    encoded = encode(column)
    texts = pa.array([canonical(text) for text in encoded.texts], pa.string())
    return texts.take(pa.array(encoded.codes))


def _known(labelled: pa.Table, monitor: Monitor) -> pa.Table:
    """The rows with a label, the version under the name it has in the warehouse."""
    version = monitor.source.predictions.model_version
    if version is not None and version not in labelled.column_names:
        labelled = labelled.rename_columns([version if c == "model_version" else c for c in labelled.column_names])
    return labelled.filter(pc.is_valid(labelled.column("label")))
