"""Classification: what labelled rows say about a classifier, equal to scikit-learn and free of row order.

The functions take rows in an order of content (see `performance`), so that no sum depends on how they arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from hindsight.checks.statistics import intervals
from hindsight.checks.statistics.rates import mean, share
from hindsight.checks.values.bins import decile_bins
from hindsight.vocabulary.measurement import Measurement

NOTHING = "no labelled rows"
SHOWN = 5  # classes a note names
CELLS = ("positive→positive", "positive→negative", "negative→positive", "negative→negative")  # label→prediction


def binary(truth: np.ndarray, predicted: np.ndarray, scores: np.ndarray | None) -> Iterator[Measurement]:
    """Yield the numbers of a binary classifier; `truth` and `predicted` are True for the positive class.

    precision = TP/(TP+FP), recall = TP/(TP+FN), F1 = 2·TP/(2·TP+FP+FN), fpr = FP/(FP+TN), fnr = FN/(FN+TP).
    `scores` are probabilities of the positive class, NaN where none was logged.
    """
    tp, fp = int((truth & predicted).sum()), int((~truth & predicted).sum())
    fn, tn = int((truth & ~predicted).sum()), int((~truth & ~predicted).sum())
    n = tp + fp + fn + tn
    yield share("accuracy", tp + tn, n, nothing=NOTHING)
    yield _part("precision", tp, tp + fp, n, "no positive predictions")
    yield _part("recall", tp, tp + fn, n, "no positive labels")
    yield _f1(tp, fp + fn, n)
    yield _part("fpr", fp, fp + tn, n, "no negative labels")
    yield _part("fnr", fn, tp + fn, n, "no positive labels")
    yield share("label_positive_rate", tp + fn, n, nothing=NOTHING)
    for cell, count in zip(CELLS if n else (), (tp, fn, fp, tn), strict=False):
        yield Measurement("confusion", float(count), n, bin=cell)
    if scores is not None:
        yield from _scored(truth, scores)


def multiclass(
    truth: np.ndarray, predicted: np.ndarray, scores: np.ndarray | None, classes: Sequence[str]
) -> Iterator[Measurement]:
    """Yield the numbers of a classifier of many classes; `truth` and `predicted` are places in `classes`.

    A prediction that is none of the classes has the place len(classes) and is wrong. Macro averages go over the classes
    that occur among the labels or the predictions. `scores` has one column a class.
    """
    k = len(classes)
    counts = np.bincount(truth * (k + 1) + predicted, minlength=k * (k + 1)).reshape(k, k + 1).astype(float)
    hits, n = int(np.trace(counts)), int(counts.sum())
    yield share("accuracy", hits, n, nothing=NOTHING)
    yield from _averages(counts, classes)
    names = [*classes, "<other>"]
    for row, column in zip(*np.nonzero(counts), strict=True):
        yield Measurement("confusion", float(counts[row, column]), n, bin=f"{names[row]}→{names[column]}")
    if scores is not None:
        yield from _scored_classes(truth, scores, classes)


def _part(metric: str, hits: int, of: int, n: int, nothing: str) -> Measurement:
    """A share of some of the n labelled rows: its interval comes from those, its `n` counts all."""
    return replace(share(metric, hits, of, nothing=nothing if n else NOTHING), n=n)


def _f1(tp: int, errors: int, n: int) -> Measurement:
    if tp + errors == 0:
        return Measurement("f1", None, n, note="no positive labels or predictions" if n else NOTHING)
    lower, upper = intervals.f1(tp, errors) or (None, None)
    return Measurement("f1", 2 * tp / (2 * tp + errors), n, lower=lower, upper=upper)


def _scored(truth: np.ndarray, scores: np.ndarray) -> Iterator[Measurement]:
    """AUC needs an order only; log loss, Brier score and calibration need probabilities."""
    known = np.isfinite(scores)
    y, p = truth[known].astype(float), scores[known]
    yield _auc(p[y == 1], p[y == 0])
    metrics = ("log_loss", "brier", "ece")
    if p.size == 0 or p.min() < 0 or p.max() > 1:
        note = "scores outside [0, 1]" if p.size else "no labelled rows with a score"
        yield from (Measurement(metric, None, p.size, note=note) for metric in metrics)
        return
    yield mean("log_loss", _log_loss(np.where(y == 1, p, 1 - p)))
    yield mean("brier", (p - y) ** 2)
    yield from _calibration(y, p)


def _log_loss(chosen: np.ndarray) -> np.ndarray:
    """−ln of the probability given to the true class, clipped to [ε, 1 − ε] like scikit-learn."""
    epsilon = np.finfo(chosen.dtype).eps
    return np.asarray(-np.log(np.clip(chosen, epsilon, 1 - epsilon)))


def _auc(positives: np.ndarray, negatives: np.ndarray) -> Measurement:
    n = positives.size + negatives.size
    if positives.size == 0 or negatives.size == 0:
        return Measurement("roc_auc", None, n, note="labels of both classes are needed")
    area, ends = intervals.roc_auc(positives, negatives)
    lower, upper = ends or (None, None)
    return Measurement("roc_auc", area, n, lower=lower, upper=upper)


def _calibration(y: np.ndarray, p: np.ndarray) -> Iterator[Measurement]:
    """ECE = Σ n_b/n · |mean score − share of positives| over the bins between deciles, ties kept together.

    A score and the float32 that stands for it in other rows are a tie.

    Naeini, Cooper & Hauskrecht 2015 (AAAI), with the equal-mass bins of Nguyen & O'Connor 2015 (EMNLP).
    """
    borders = decile_bins(np.sort(p)).borders
    places = np.searchsorted(borders, p, side="right")
    counts = np.bincount(places, minlength=borders.size + 1)
    scored, positive = (np.bincount(places, weights=values, minlength=counts.size) for values in (p, y))
    yield Measurement("ece", float(np.abs(scored - positive).sum() / p.size), p.size)
    for number, place in enumerate(np.flatnonzero(counts), start=1):
        n, key = int(counts[place]), f"{number:02d}"
        lower, upper = intervals.wilson(int(positive[place]), n) or (None, None)
        yield Measurement("reliability", float(positive[place]) / n, n, bin=key, lower=lower, upper=upper)
        yield Measurement("reliability_score", float(scored[place]) / n, n, bin=key)


def _averages(counts: np.ndarray, classes: Sequence[str]) -> Iterator[Measurement]:
    """F1, precision and recall averaged over classes, with intervals by the delta method on the confusion table."""
    n, k = int(counts.sum()), counts.shape[0]
    names = ("precision_macro", "recall_macro", "f1_macro", "f1_weighted")
    if n == 0:
        yield from (Measurement(name, None, note=NOTHING) for name in names)
        return
    hit, had, got = np.diag(counts) / n, counts.sum(axis=1) / n, counts.sum(axis=0)[:k] / n
    precision, recall, f1 = _ratio(hit, got), _ratio(hit, had), _ratio(2 * hit, had + got)
    occurs = had + got > 0
    equal = occurs / max(np.count_nonzero(occurs), 1)
    nothing = np.zeros(k)
    found = [
        _average(names[0], precision @ equal, counts, _ratio(equal, got), nothing, _ratio(equal * precision, got)),
        _average(names[1], recall @ equal, counts, _ratio(equal, had), _ratio(equal * recall, had), nothing),
    ]
    for name, weights, per_row in ((names[2], equal, nothing), (names[3], had, f1)):
        slope = _ratio(weights * f1, had + got)
        found.append(_average(name, f1 @ weights, counts, _ratio(2 * weights, had + got), slope - per_row, slope))
    for m, note in zip(found, _left_out(had > 0, got > 0, classes), strict=True):
        yield replace(m, note=note)


def _left_out(had: np.ndarray, got: np.ndarray, classes: Sequence[str]) -> tuple[str, str, str, str]:
    """Say of each average which classes are no part of it and which of its parts are 0 for want of rows."""

    def said(which: np.ndarray, one: str, many: str) -> str:
        return of_classes([name for name, is_one in zip(classes, which, strict=True) if is_one], one, many)

    absent = said(~(had | got), "did not occur and is left out", "did not occur and are left out")
    silent = said(had & ~got, "was never predicted and counts as 0", "were never predicted and count as 0")
    unheard = said(got & ~had, "has no labels and counts as 0", "have no labels and count as 0")
    return "; ".join(filter(None, (absent, silent))), "; ".join(filter(None, (absent, unheard))), absent, ""


def of_classes(names: Sequence[str], one: str, many: str) -> str:
    """'class owl did …' or 'classes cat, owl do …', "" of none; beyond five they are counted."""
    if len(names) < 2:
        return f"class {names[0]} {one}" if names else ""
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"classes {', '.join(names[:SHOWN])}{rest} {many}"


def _average(
    name: str, value: float, counts: np.ndarray, hit: np.ndarray, per_row: np.ndarray, per_column: np.ndarray
) -> Measurement:
    """The gradient of cell (i, j) is −per_row[i] − per_column[j], plus hit[i] where i = j."""
    k = counts.shape[0]
    gradient = -per_row[:, None] - np.append(per_column, 0.0)[None, :]
    gradient[np.arange(k), np.arange(k)] += hit
    lower, upper = intervals.of_cells(counts, gradient, float(value)) or (None, None)
    return Measurement(name, float(value), int(counts.sum()), lower=lower, upper=upper)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(above, below, out=np.zeros_like(above, dtype=float), where=below > 0))


def _scored_classes(truth: np.ndarray, scores: np.ndarray, classes: Sequence[str]) -> Iterator[Measurement]:
    known = np.isfinite(scores).all(axis=1)
    y, p = truth[known], scores[known]
    if p.size == 0 or p.min() < 0 or p.max() > 1:
        note = "scores outside [0, 1]" if p.size else "no labelled rows with scores"
        yield Measurement("log_loss", None, y.size, note=note)
    else:
        yield mean("log_loss", _log_loss(p[np.arange(y.size), y]))
    missing = [name for place, name in enumerate(classes) if not (y == place).any()]
    if missing or len(classes) < 2:
        note = f"no labels of class {', '.join(missing)}" if missing else "one class only"
        yield Measurement("roc_auc_ovr_macro", None, y.size, note=note)
        return
    area, ends = intervals.roc_auc_ovr(y, p)
    lower, upper = ends or (None, None)
    yield Measurement("roc_auc_ovr_macro", area, y.size, lower=lower, upper=upper)
