"""Values: a score and a status that are told by what they hold, whatever their column is called."""

from __future__ import annotations

from http import HTTPStatus

import numpy as np
from sklearn.metrics import roc_auc_score

from hindsight.vocabulary.facts import ColumnFacts
from hindsight.vocabulary.rows import Scalar

SURE = 0.97  # ROC AUC of a score and the class predicted from it; 1 where one limit was used throughout
FEWEST_VALUES = 20
_CODES = {float(status) for status in HTTPStatus if 200 <= status <= 599}


def may_be_score(column: ColumnFacts) -> bool:
    """Whether a column holds fractions between 0 and 1, many of them."""
    ends = column.range
    return (
        column.kind == "fraction"
        and not column.is_whole
        and ends is not None
        and ends[0] >= 0
        and ends[1] <= 1
        and column.distinct >= FEWEST_VALUES
    )


def is_status(column: ColumnFacts) -> bool:
    """Whether a column holds status codes of HTTP from 200 to 599 and nothing else, 200 among them."""
    held = {float(value) for value in column.values if not isinstance(value, str)}
    return column.is_number and 200.0 in held <= _CODES


def one_class(value: Scalar) -> str:
    """Return the text by which classes are one: 1, 1.0, true and "1" are."""
    text = str(value).strip().casefold().removesuffix(".0")
    return {"true": "1", "false": "0"}.get(text, text)


def separation(scores: np.ndarray, predicted: np.ndarray) -> float:
    """Return how well numbers tell two predictions apart, by ROC AUC turned to be at least 0.5; 0 where nothing tells.

    `scores` are floats (NaN is left out), `predicted` booleans, both of shape (rows,).
    """
    known = np.isfinite(scores)
    if len(np.unique(predicted[known])) < 2:
        return 0.0
    area = float(roc_auc_score(predicted[known], scores[known]))
    return max(area, 1 - area)
