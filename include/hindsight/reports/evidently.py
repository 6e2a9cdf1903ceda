"""Evidently's report of a window: what it cannot draw is left out and named, and no value can become markup."""

from __future__ import annotations

import html
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.monitors.model import Monitor
from hindsight.reports.drawn_once import drift_table, one_picture_a_column

MAX_ROWS = 20_000
MAX_CATEGORIES = 50
MAX_TEXT = 80
MIN_LABELS = 20
FEWEST = 2  # values of a column that can be drawn
LARGEST = 1e100  # beyond it Evidently's sums of squares overflow
OTHER = "(other)"
_STYLE = "font: 16px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 1.5rem auto; padding: 0 1rem"
_PAGE = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"></head><body>{heading}</body></html>'
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "\x00": None})

Type = Literal["numeric", "categorical"]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A column as it is drawn, from the reference and from the window; `missing` says why it cannot be."""

    type: Type
    reference: list[Any]
    current: list[Any]
    missing: str = ""


def window_report(reference: pa.Table, current: pa.Table, monitor: Monitor, *, title: str, seed: int = 0) -> str:
    """Return one HTML page on the drift, the columns and, where both tables have labels, the accuracy of a window.

    Tables have the columns of the warehouse, or prediction, score and label as labelled rows have them; where there are
    labels, only labelled rows are drawn. More than 20,000 rows are sampled, the same ones for the same seed. Columns of
    `pii` are never shown. The page loads nothing from elsewhere but runs scripts: serve it in a sandbox (DESIGN 5).
    """
    notes = []
    if any(table.num_rows > MAX_ROWS for table in (reference, current)):
        notes.append(f"Drawn from a sample of {MAX_ROWS:,} rows.")
    reference, current = _sample(reference, seed), _sample(current, seed)
    judged = _labelled(reference, monitor), _labelled(current, monitor)
    has_labels = all(table is not None for table in judged)
    if has_labels:
        reference, current = judged
        notes.append(f"Only rows with a label are drawn: {current.num_rows:,} of the window.")
    else:
        notes.append(
            "Drawn and tested by Evidently, in its own way; what Hindsight judged stands on the monitor's page."
        )
    columns = {name: _drawn(name, type_, reference, current) for name, type_ in _wanted(reference, monitor)}
    for reason in dict.fromkeys(column.missing for column in columns.values() if column.missing):
        names = ", ".join(name for name, column in columns.items() if column.missing == reason)
        notes.append(f"Left out: {names} ({reason}).")
    columns = {name: column for name, column in columns.items() if not column.missing}
    if not columns:
        return _PAGE.format(heading=_heading(title, [*notes, "Nothing is left to draw."]))
    roles = _roles(reference, monitor) if has_labels else {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        page = _evidently(columns, roles, monitor)
    return page.replace("<body>", f"<body>{_heading(title, notes)}", 1)


def _heading(title: str, notes: Sequence[str]) -> str:
    lines = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return f'<title>{html.escape(title)}</title><div style="{_STYLE}"><h1>{html.escape(title)}</h1>{lines}</div>'


def _sample(table: pa.Table, seed: int) -> pa.Table:
    if table.num_rows <= MAX_ROWS:
        return table
    rows = np.random.default_rng(seed).choice(table.num_rows, MAX_ROWS, replace=False)
    return table.take(np.sort(rows))


def _labelled(table: pa.Table, monitor: Monitor) -> pa.Table | None:
    """The rows that have a label and a prediction; None where there are too few to judge."""
    roles = _roles(table, monitor)
    if not {"label", "prediction"} <= roles.keys():
        return None
    known = table.filter(pc.and_(*(pc.is_valid(table.column(roles[role])) for role in ("label", "prediction"))))
    few = known.num_rows < MIN_LABELS or len(pc.unique(known.column(roles["label"]))) < 2
    return None if few else known


def _wanted(reference: pa.Table, monitor: Monitor) -> Iterator[tuple[str, Type]]:
    private = {*monitor.pii.hash, *monitor.pii.drop}
    weightiest_first = sorted(monitor.features.items(), key=lambda named: -(named[1].importance or 0.0))
    for name, feature in weightiest_first:
        if name not in private:
            yield name, feature.type
    output: Type = "numeric" if monitor.model.task == "regression" else "categorical"
    roles = _roles(reference, monitor)
    for role in ("prediction", "label"):
        if role in roles:
            yield roles[role], output
    if "score" in roles:
        yield roles["score"], "numeric"


def _roles(table: pa.Table, monitor: Monitor) -> dict[str, str]:
    """The columns of prediction, score and label: by the warehouse's names, else by those of labelled rows."""
    source = monitor.source.predictions
    names = {
        "prediction": source.prediction,
        "score": source.score if isinstance(source.score, str) else None,
        "label": monitor.source.labels.label if monitor.source.labels else None,
    }
    found = {role: next((n for n in (name, role) if n in table.column_names), None) for role, name in names.items()}
    return {role: name for role, name in found.items() if name is not None}


def _drawn(name: str, type_: Type, reference: pa.Table, current: pa.Table) -> _Drawn:
    for which, table in (("reference", reference), ("window", current)):
        if name not in table.column_names:
            return _Drawn(type_, [], [], f"not in the {which}")
        if type_ == "numeric" and not _is_numeric(table.column(name).type):
            return _Drawn(type_, [], [], f"{table.column(name).type} in the {which}, not numbers")
    pair = reference.column(name), current.column(name)
    ready = [_floats(column) for column in pair] if type_ == "numeric" else _fewer([_texts(column) for column in pair])
    return _Drawn(type_, ready[0], ready[1], _why_not(ready[0], ready[1]))


def _is_numeric(type_: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
    return any(check(type_) for check in checks)


def _why_not(reference: list[Any], current: list[Any]) -> str:
    known = [{value for value in column if value is not None} for column in (reference, current)]
    for which, column in (("reference", reference), ("window", current)):
        count = sum(value is not None for value in column)
        if count < FEWEST:
            return f"{count} value(s) in the {which}, too few to draw"
    return "constant" if all(len(values) == 1 for values in known) else ""


def _floats(column: pa.ChunkedArray) -> list[float | None]:
    values = (None if value is None else float(value) for value in column.to_pylist())
    return [value if value is not None and abs(value) < LARGEST else None for value in values]


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    return [None if value is None else _text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    """One spelling for 1, 1.0 and true, so that predictions and labels of different types meet."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    return str(value)[:MAX_TEXT].translate(_HARMLESS)


def _fewer(columns: list[list[str | None]]) -> list[list[str | None]]:
    """Return the columns with all but their most frequent values, counted over both together, made one."""
    counts = Counter(value for column in columns for value in column if value is not None)
    kept = {value for value, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_CATEGORIES]}
    return [[value if value is None or value in kept else OTHER for value in column] for column in columns]


def _evidently(columns: dict[str, _Drawn], roles: dict[str, str], monitor: Monitor) -> str:
    os.environ.setdefault("DO_NOT_TRACK", "1")  # read by Evidently when it is imported
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataSummaryPreset

    task, preset = _task(columns, roles, monitor)
    definition = DataDefinition(
        numerical_columns=[name for name, column in columns.items() if column.type == "numeric"],
        categorical_columns=[name for name, column in columns.items() if column.type == "categorical"],
        **task,
    )
    types = {name: "float64" if column.type == "numeric" else "object" for name, column in columns.items()}
    current = pd.DataFrame({name: column.current for name, column in columns.items()}).astype(types)
    reference = pd.DataFrame({name: column.reference for name, column in columns.items()}).astype(types)
    report = Report([*preset, drift_table(drift_share=monitor.drift.share), DataSummaryPreset()])
    datasets = (Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference))
    with one_picture_a_column():
        return str(report.run(*datasets).get_html_str(as_iframe=False))


def _task(columns: dict[str, _Drawn], roles: dict[str, str], monitor: Monitor) -> tuple[dict[str, Any], list[Any]]:
    """What tells Evidently which column is the truth, and the preset that judges by it; nothing where it could not."""
    from evidently import BinaryClassification, MulticlassClassification, Regression
    from evidently.presets import ClassificationPreset, RegressionPreset

    label, prediction = roles.get("label", ""), roles.get("prediction", "")
    if not {label, prediction} <= columns.keys():
        return {}, []
    if monitor.model.task == "regression":
        return {"regression": [Regression(target=label, prediction=prediction)]}, [RegressionPreset()]
    if monitor.model.task == "multiclass":
        classes = MulticlassClassification(target=label, prediction_labels=prediction)
        return {"classification": [classes]}, [ClassificationPreset()]
    positive = _text(monitor.model.positive_label)
    if not all(positive in labels for labels in (columns[label].reference, columns[label].current)):
        return {}, []
    binary = BinaryClassification(target=label, prediction_labels=prediction, pos_label=positive)
    return {"classification": [binary]}, [ClassificationPreset()]
