"""Conventions of the known answers, which were computed with scikit-learn: 0 stands where a metric does not exist.

Its zero_division counts precision, recall and F1 of a class as 0 where there is nothing to divide by; a macro average
over all declared classes then holds a 0 for each that occurred neither in the labels nor in the predictions.
"""

from __future__ import annotations

from collections.abc import Iterable

MAY_NOT_EXIST = ("precision", "recall", "f1")
MACRO = ("f1_macro", "precision_macro", "recall_macro")


def defined(expected: float | None, metric: str, found: float | None, occurring: float = 1.0) -> float | None:
    """Return a known answer without its conventions: None for what is undefined, a mean of the classes that occurred.

    `occurring` is the share of the declared classes that did, see `share_occurring`.
    """
    if expected == 0 and found is None and metric in MAY_NOT_EXIST:
        return None
    return expected / occurring if expected and metric in MACRO else expected


def share_occurring(names: Iterable[object], classes: Iterable[object]) -> float:
    """Return the share of the declared `classes` among these labels and predictions; 1 where none is declared."""
    declared, seen = {str(one) for one in classes}, {str(one) for one in names}
    return len(declared & seen) / len(declared) if declared & seen else 1.0
