"""Outcomes: scored rows with the labels known so far, in an order of content and ready to be measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from hindsight.checks.performance import classification
from hindsight.checks.performance.regression import regression
from hindsight.checks.performance.unknown_labels import NONE, Strangers, strangers
from hindsight.checks.statistics.rates import share
from hindsight.checks.values.classes import NULL, UNKNOWN, canonical, codes, distinct
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement


@dataclass(frozen=True)
class Classified:
    """Labels and predictions as places in `classes`; `scores` has one column a class, or one for the positive class.

    `strangers` are the labels of the whole window that are none of the classes; where they are too many to be left out
    every label is UNKNOWN.
    """

    table: pa.Table
    labels: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray | None
    classes: tuple[str, ...]
    positive: int | None = None
    strangers: Strangers = NONE

    @property
    def known(self) -> np.ndarray:
        """True for each row whose label is known and is one of the classes."""
        return np.asarray(self.labels >= 0)

    @property
    def right(self) -> np.ndarray:
        """True for each row whose prediction equals its label."""
        return np.asarray(self.known & (self.labels == self.predicted))

    def of(self, mask: np.ndarray | None) -> Classified:
        """Return the rows of a group."""
        if mask is None:
            return self
        scores = None if self.scores is None else self.scores[mask]
        return replace(self, labels=self.labels[mask], predicted=self.predicted[mask], scores=scores)

    def measure(self) -> Iterator[Measurement]:
        """Yield the numbers of these rows."""
        known, unknown = self.known, int((self.labels == UNKNOWN).sum())
        why = self.strangers.reason
        scores = None if self.scores is None else self.scores[known]
        labels, predicted = self.labels[known], self.predicted[known]
        if self.positive is None:
            found = classification.multiclass(labels, predicted, scores, self.classes)
        else:
            found = classification.binary(labels == self.positive, predicted == self.positive, scores)
            hits = int((self.predicted == self.positive).sum())
            yield share("positive_rate", hits, self.predicted.size, nothing="no scored rows")
        for m in found:
            if why and m.value is None:
                yield replace(m, note=why)
            else:
                left_out = unknown and m.metric == "accuracy"
                yield _noted(m, f"{unknown} labels of unknown classes left out") if left_out else m


@dataclass(frozen=True)
class Measured:
    """Labels and predictions of a regression, NaN where there is none."""

    table: pa.Table
    labels: np.ndarray
    predicted: np.ndarray
    unusable: np.ndarray
    strangers: Strangers = NONE

    @property
    def known(self) -> np.ndarray:
        """True for each row with a finite label and a finite prediction."""
        return np.asarray(np.isfinite(self.labels) & np.isfinite(self.predicted))

    def of(self, mask: np.ndarray | None) -> Measured:
        """Return the rows of a group."""
        if mask is None:
            return self
        return replace(self, labels=self.labels[mask], predicted=self.predicted[mask], unusable=self.unusable[mask])

    def measure(self) -> Iterator[Measurement]:
        """Yield the numbers of these rows."""
        known, unusable = self.known, int(self.unusable.sum())
        why = self.strangers.reason
        for m in regression(self.labels[known], self.predicted[known]):
            if why and m.value is None:
                yield replace(m, note=why)
            else:
                left_out = unusable and m.metric == "mae"
                yield _noted(m, f"{unusable} rows without finite numbers left out") if left_out else m


Outcomes = Classified | Measured


def outcomes_of(labelled: pa.Table, monitor: Monitor) -> Outcomes:
    """Return the rows of `labelled` in an order of content, read as the monitor's task wants them."""
    version = monitor.source.predictions.model_version
    if version is not None and version not in labelled.column_names:
        labelled = labelled.rename_columns([version if c == "model_version" else c for c in labelled.column_names])
    if monitor.model.task == "regression":
        return _regression(labelled, monitor)
    return _binary(labelled, monitor) if monitor.model.task == "binary" else _multiclass(labelled, monitor)


def _noted(measurement: Measurement, note: str) -> Measurement:
    return replace(measurement, note="; ".join(part for part in (measurement.note, note) if part))


def _binary(table: pa.Table, monitor: Monitor) -> Classified:
    """A label is unknown when it is neither the positive class nor the other one that was predicted.

    Where nothing but the positive class was predicted, a single other label is the other class.
    """
    positive = canonical(monitor.model.positive_label)
    predictions, given = set(distinct([table["prediction"]])), set(distinct([table["label"]]))
    expected = {positive, *predictions}
    if len(expected) == 1 and len(given - expected) == 1:
        expected |= given
    misnamed = positive not in predictions | given and len(predictions | given) > 1
    classes = tuple(sorted(expected))
    scores = numbers(table["score"].combine_chunks()) if "score" in table.column_names else None
    labels, predicted = codes(table["label"], classes), codes(table["prediction"], classes)
    if misnamed:
        labels = np.where(labels == NULL, NULL, UNKNOWN)
    found = strangers(table["label"], labels == UNKNOWN, monitor, () if misnamed else tuple(sorted(predictions)))
    labels = _usable(labels, found)
    order = np.lexsort(tuple(key for key in (scores, predicted, labels) if key is not None))
    scores = None if scores is None else scores[order]
    place = classes.index(positive)
    return Classified(table.take(order), labels[order], predicted[order], scores, classes, place, found)


def _multiclass(table: pa.Table, monitor: Monitor) -> Classified:
    """The classes are those with a score, where scores are declared; else every class predicted or labelled.

    Labels of two or more classes none of which was predicted are written otherwise, not wrong.
    """
    declared = monitor.source.predictions.score
    columns = {canonical(name): f"score__{name}" for name in declared} if isinstance(declared, dict) else {}
    columns = {name: column for name, column in columns.items() if column in table.column_names}
    predictions, given = distinct([table["prediction"]]), distinct([table["label"]])
    foreign = not columns and len(predictions) > 1 and len(given) > 1 and set(predictions).isdisjoint(given)
    classes = tuple(columns) or tuple(predictions if foreign else sorted({*predictions, *given}))
    labels, predicted = codes(table["label"], classes), codes(table["prediction"], classes)
    found = strangers(table["label"], labels == UNKNOWN, monitor, classes)
    labels, predicted = _usable(labels, found), np.where(predicted < 0, len(classes), predicted)
    each = [numbers(table[column].combine_chunks()) for column in columns.values()]
    scores = np.column_stack(each) if each else None
    order = np.lexsort((*each, predicted, labels))
    scores = None if scores is None else scores[order]
    return Classified(table.take(order), labels[order], predicted[order], scores, classes, strangers=found)


def _usable(labels: np.ndarray, found: Strangers) -> np.ndarray:
    """The labels or, where too many are strangers for the others to be trusted, none of them."""
    return np.where(labels == NULL, NULL, UNKNOWN) if found.reason else labels


def _regression(table: pa.Table, monitor: Monitor) -> Measured:
    labels, predicted = (numbers(table[name].combine_chunks()) for name in ("label", "prediction"))
    given = ~np.asarray(table["label"].combine_chunks().is_null())
    if pa.types.is_temporal(table["label"].type):
        labels = np.full(labels.size, np.nan)  # a moment is no number, though one could be made of it
    found = strangers(table["label"], given & ~np.isfinite(labels), monitor, ("numbers",))
    if found.reason:
        labels = np.full(labels.size, np.nan)
    unusable = given & ~(np.isfinite(labels) & np.isfinite(predicted))
    order = np.lexsort((predicted, labels))
    return Measured(table.take(order), labels[order], predicted[order], unusable[order], found)
