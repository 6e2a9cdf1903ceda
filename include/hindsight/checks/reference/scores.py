"""Scores: whether a column of scores is what the monitor file says, the probability of the class it is named for.

Only what scores and predictions show is asked, never how good the model is: one that is badly calibrated, bad, or never
sure of a rare event still says more where it predicts a class than where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from hindsight.checks.values.classes import NULL, UNKNOWN, canonical, codes
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows, Scalar

METRIC = "score_mistaken"
ENOUGH, EACH = 50, 5  # rows, and rows of each class, that tell anything
AGAINST, WITH = 0.1, 0.9  # chance that a row predicted positive scores above another: of 1 - p, of the confidence
SURE = 0.9  # the mean score of rows none of which is predicted to be what the score is of
BEYOND, FEW_VALUES = 0.5, 5  # how far outside [0, 1], and how many values there, are no rounding and no sentinels
PERCENT = 100.5
MOSTLY = 0.8  # of the rows of a class, of which another class has the highest score
STEPS, LOOKED_AT = 1000, 50_000  # rows of a window, evenly spread: what is wrong is wrong with most of them
_VIEW = "in a view, and name that as source.predictions.table"


def score_mistaken(rows: Rows, monitor: Monitor) -> list[Measurement]:
    """Return `score_mistaken`: 1 where the scores are not what the file says, the note saying what to change, else 0.

    Nothing for a model without scores, not evaluated where scores and predictions cannot tell.
    """
    score, prediction = monitor.source.predictions.score, monitor.source.predictions.prediction
    names = [*score.values()] if isinstance(score, dict) else [score] if score else []
    if monitor.model.task == "regression" or not {prediction, *names} <= set(rows.columns) or not names:
        return []
    some = spread(rows.n)
    columns = {name: rows.column(name).take(some) for name in names}
    declared = monitor.model.positive_label if isinstance(score, str) else score
    fault = column_fault(columns, rows.column(prediction).take(some), declared)
    value = None if fault is None else float(bool(fault))
    note = "scores and predictions are too few or too much alike to tell" if fault is None else fault
    return [Measurement(METRIC, value, len(some), feature=score if isinstance(score, str) else "", note=note)]


def spread(n: int) -> np.ndarray:
    """Return the places of the rows to look at: all of them or, of many, some that are evenly spread."""
    return np.arange(0, n, max(n // LOOKED_AT, 1))


def column_fault(
    columns: Mapping[str, pa.Array], prediction: pa.Array, declared: Scalar | Mapping[str, str] | None
) -> str | None:
    """Return what is wrong with the columns of scores, "" for nothing, None where it cannot be told.

    `declared` is the positive label, or for many classes the column of each.
    """
    if words := next((name for name, column in columns.items() if _is_text(column)), None):
        return f"{words} holds texts, not numbers: {_NAMED}"
    scores = np.column_stack([numbers(column) for column in columns.values()])
    if isinstance(declared, Mapping):
        classes = tuple(map(canonical, declared))
        predicted = codes(prediction, classes)
        whole = np.isfinite(scores).all(axis=1) & (predicted != NULL)
        return many_fault(scores[whole], predicted[whole], classes)
    predicted = codes(prediction, (canonical(declared),))
    whole = np.isfinite(scores[:, 0]) & (predicted != NULL)
    return one_fault(scores[whole, 0], predicted[whole] == 0, next(iter(columns)))


def one_fault(scores: np.ndarray, positive: np.ndarray, name: str = "score") -> str | None:
    """Return what is wrong with finite scores that should be the probability of the class that is `positive`."""
    if scores.size < ENOUGH:
        return None
    low, high = float(scores.min()), float(scores.max())
    if low in (0, 1) and low == high:
        return None
    of_two = (low, high) == (0, 1) or low < 0 or high > 1  # a tree of one split has two values in between
    if low < high and of_two and ((scores == low) | (scores == high)).all():
        return f"{name} holds only {low:g} and {high:g}, the class itself: {_NAMED}"
    if outside := _outside(scores, name):
        return outside
    return _about_the_class(scores, positive, name) if low >= 0 and high <= 1 else ""


def many_fault(scores: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> str | None:
    """Return what is wrong with finite scores, a column a class; `predicted` are places in `classes`."""
    if len(scores) < ENOUGH:
        return None
    if np.isin(scores, (0.0, 1.0)).all():
        return f"the scores hold only 0 and 1, the class itself: {_NAMED}"
    return _outside(scores, "the scores") or _not_one(scores) or _swapped(scores, predicted, classes)


_NAMED = "name the column of probabilities under source.predictions.score"


def _is_text(column: pa.Array) -> bool:
    """Whether a column has texts, and none that is a number."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return is_text and len(column) - column.null_count >= ENOUGH and not np.isfinite(numbers(column)).any()


def _outside(scores: np.ndarray, name: str) -> str:
    """Percentages, log-odds and whatever else is no probability; a few numbers just outside are none of these."""
    low, high = float(scores.min()), float(scores.max())
    far = scores[(scores < -BEYOND) | (scores > 1 + BEYOND)]
    if far.size < EACH or np.unique(far).size < FEW_VALUES:
        return ""
    holds = f"{name} hold{'s' if scores.ndim == 1 else ''}"
    if low < -BEYOND:
        one = "1 / (1 + exp(-score))" if scores.ndim == 1 else "exp(score) over the sum of all"
        return f"{holds} log-odds or logarithms, no probabilities: write {one} {_VIEW}"
    if 10 < high <= PERCENT:
        return f"{holds} percentages, no probabilities: divide by 100 (odds: score / (1 + score)) {_VIEW}"
    return f"{holds} numbers beyond 1, no probabilities (percentages, odds?): convert them {_VIEW}"


def _about_the_class(scores: np.ndarray, positive: np.ndarray, name: str) -> str | None:
    hits, mean = int(np.count_nonzero(positive)), float(scores.mean())
    low, high = float(scores.min()), float(scores.max())
    other = (
        f"{name} is high where the positive class is not predicted: it is the probability of the other class; "
        f"write 1 - score {_VIEW}, or set model.positive_label to the other class"
    )
    if hits in (0, scores.size):
        sure_of_none = (not hits and low >= 0.5 and mean >= SURE) or (hits and high <= 0.5 and mean <= 1 - SURE)
        return other if sure_of_none else None
    if min(hits, scores.size - hits) < EACH:
        return None
    above = _chance_above(scores, positive)
    if low >= 0.5 and above < WITH:
        return (
            f"{name} is never under 0.5 though both classes are predicted: it is the confidence in the prediction; "
            f"write score where the positive class is predicted, else 1 - score, {_VIEW}"
        )
    return other if above <= AGAINST else ""


def _chance_above(scores: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a row predicted positive scores above one that is not, ties half: the area under the ROC curve,
    counted over a thousand steps between the smallest and the largest score.
    """
    low, high = scores.min(), scores.max()
    places = ((scores - low) * (STEPS / max(high - low, 1e-12))).astype(np.int64)
    ours, theirs = (np.bincount(places[rows], minlength=STEPS + 1) for rows in (positive, ~positive))
    below = np.cumsum(theirs) - theirs / 2
    return float(ours @ below / (ours.sum() * theirs.sum()))


def _not_one(scores: np.ndarray) -> str:
    """Rows that do not add up to one by more than rounding: scores of classes apart, or a class without a column."""
    sums = scores.sum(axis=1)
    slack = 0.02
    for digits in (1, 2):
        if np.allclose(scores, scores.round(digits), atol=1e-9):
            slack = max(slack, scores.shape[1] * 0.5 * 10.0**-digits + 0.001)
    if np.count_nonzero(np.abs(sums - 1) > slack) <= sums.size / 2:
        return ""
    return f"the scores of a row do not sum to one: name the column of every class, or divide by the sum {_VIEW}"


def _swapped(scores: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> str:
    """Columns that took each other's place: where one class is predicted another has the highest score, and so on."""
    highest, k = scores.argmax(axis=1), len(classes)
    known = predicted > UNKNOWN
    counts = np.bincount(predicted[known] * k + highest[known], minlength=k * k).reshape(k, k)
    rows = counts.sum(axis=1)
    chosen = counts.argmax(axis=1)
    moved = (rows >= EACH) & (counts.max(axis=1) >= MOSTLY * rows) & (chosen != np.arange(k))
    places = np.flatnonzero(moved)
    in_turn = places[np.isin(places, chosen[places]) & np.isin(chosen[places], places)]
    if in_turn.size < 2:
        return ""
    said = ", ".join(f"where {classes[i]} is predicted that of {classes[chosen[i]]} is the highest" for i in in_turn)
    return f"columns of scores are swapped: {said}; correct source.predictions.score"
