"""Estimates: what performance to expect of a window before its labels come, and what it means when the truth differs.

An estimate supposes that only the mix of inputs changed, never what they mean: that is what the truth then tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, sqrt
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.estimate.calibration import LOSSES, Blocks, Calibration, mistaken, probabilities
from hindsight.checks.performance.classification import of_classes
from hindsight.checks.performance.outcomes import Classified, Measured, outcomes_of
from hindsight.checks.statistics.intervals import Z
from hindsight.checks.values.groups import groups
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows, TableRows

METRICS = {
    "binary": ("accuracy", "precision", "recall", "f1", "roc_auc"),
    "multiclass": ("accuracy", "f1_macro", "roc_auc_ovr_macro"),
    "regression": LOSSES,
}
TOLERANCE = 0.02
Reading = Literal["as expected", "covariate", "concept"]
READINGS: tuple[Reading, ...] = ("as expected", "covariate", "concept")


def estimate(
    rows: Rows, monitor: Monitor, calibration: Calibration, *, reference: Mapping[str, float]
) -> list[Measurement]:
    """Return the estimates of a window's performance from its predictions alone: of all, each version, each segment.

    Classifiers: confidence-based performance estimation (CBPE; Białek et al. 2023, arXiv:2309.08274; NannyML), the
    expectation of each metric's parts when a row's label is positive with its calibrated probability. Regression:
    direct loss estimation by the mean loss of reference rows with a prediction in the same decile. The interval is for
    the truth of these rows: it holds the chance in their labels and in those the calibration was learnt from, by the
    delta method. Rows with a status other than 200 or without a prediction are left out, as in `performance`;
    `reference` is the mapping `performance` takes.
    """
    outcomes = outcomes_of(_scored(rows, monitor), monitor)
    found: list[Measurement] = []
    for group in groups(TableRows(outcomes.table), monitor):
        for m in _estimates(outcomes.of(group.mask), monitor.model.task, calibration):
            known = reference.get(f"{group.segment} {m.metric}".lstrip())
            found.append(replace(m, model_version=group.model_version, segment=group.segment, reference=known))
    return found


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows counted by block of the score: `predicted` those predicted positive, `other` the rest."""

    blocks: Blocks
    predicted: np.ndarray
    other: np.ndarray

    @property
    def every(self) -> np.ndarray:
        """All rows of each block."""
        return np.asarray(self.predicted + self.other)


@dataclass(frozen=True, slots=True)
class Part:
    """An expected value and its derivative by the label of a row, predicted positive or not, in each block.

    `note` says why the metric has no value in these rows.
    """

    value: float | None
    if_predicted: float | np.ndarray = 0.0
    if_other: float | np.ndarray = 0.0
    note: str = ""


def accuracy(cells: Cells) -> Part:
    """E[accuracy] = Σ (p where predicted positive, 1 − p elsewhere) / n."""
    n, p = cells.every.sum(), cells.blocks.mean
    return Part(float((cells.predicted @ p + cells.other @ (1 - p)) / n), 1 / n, -1 / n)


def precision(cells: Cells) -> Part:
    """E[TP] / predicted positives."""
    got = cells.predicted.sum()
    if not got:
        return Part(None, note="no positive predictions")
    return Part(float(cells.predicted @ cells.blocks.mean / got), 1 / got, 0.0)


def recall(cells: Cells) -> Part:
    """E[TP] / E[positives]."""
    had, hits = _positives(cells)
    if had == 0:
        return Part(None, note="no positive labels expected")
    value = hits / had
    return Part(value, (1 - value) / had, -value / had)


def f1(cells: Cells) -> Part:
    """2·E[TP] / (predicted positives + E[positives])."""
    had, hits = _positives(cells)
    both = float(cells.predicted.sum()) + had
    if both == 0:
        return Part(None, note="no positive labels expected, none predicted")
    value = 2 * hits / both
    return Part(value, (2 - value) / both, -value / both)


def roc_auc(cells: Cells) -> Part:
    """Σ p_i (1 − p_j) [s_i > s_j] + ½ [s_i = s_j] over pairs of rows i ≠ j, divided by Σ p_i (1 − p_j).

    Blocks rise with the score, and inside a block every row has the same p, so each pair there counts one half.
    """
    m, p = cells.every.astype(float), cells.blocks.mean
    up, down = m * p, m * (1 - p)
    below, above = np.cumsum(down) - down, up.sum() - np.cumsum(up)
    pairs = float(up.sum() * down.sum() - (up * (1 - p)).sum())
    if pairs <= 1e-12:
        return Part(None, note="labels of one class only are expected")
    value = float((up * below).sum() + (m * (m - 1) / 2 * p * (1 - p)).sum()) / pairs
    wins = below + np.maximum(m - 1, 0) * (1 - 2 * p) / 2 - above
    slope = (wins - value * (down.sum() - up.sum() - (1 - 2 * p))) / pairs
    return Part(value, slope, slope)


def variance(cells: Cells, part: Part) -> float:
    """Return the variance of a metric's truth around its estimate, by the delta method.

    Labels of the window: Σ g² · v over rows, for a sum the variance of the Poisson-binomial. Labels the calibration was
    learnt from, which move all rows of a block together: Σ (Σ g)² · v / n over blocks.
    """
    spread, n = cells.blocks.variance, cells.blocks.n
    sums = cells.predicted * part.if_predicted + cells.other * part.if_other
    squares = cells.predicted * np.square(part.if_predicted) + cells.other * np.square(part.if_other)
    return float((squares * spread + sums**2 * spread / n).sum())


_BINARY = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1, "roc_auc": roc_auc}


def estimate_error(estimated: Mapping[str, Measurement], realised: Mapping[str, Measurement]) -> list[Measurement]:
    """Score the estimates of a group of rows against its matured performance; both by metric name.

    Gives `estimate_error` for each metric known on both sides, truth minus estimate, with the interval in which it lies
    if only the mix of inputs changed moved to it: 0 outside [lower, upper] means more did. Then one `estimate_reading`,
    of accuracy or mae: 0 as expected, 1 covariate shift, 2 concept drift.
    """
    found = []
    for name, guess in estimated.items():
        truth = realised.get(name)
        if truth is None or truth.value is None or guess.value is None:
            continue
        error, half = truth.value - guess.value, _half_band(guess, truth)
        about = replace(truth, metric="estimate_error", bin=name, value=error, reference=None, note="")
        found.append(replace(about, lower=error - half, upper=error + half))
        if name in ("accuracy", "mae"):
            said = reading(guess, truth)
            score = replace(about, metric="estimate_reading", bin="", value=float(READINGS.index(said)), note=said)
            found.append(replace(score, lower=None, upper=None))
    return found


def reading(estimated: Measurement, realised: Measurement, *, tolerance: float = TOLERANCE) -> Reading:
    """Say what a matured truth tells about its estimate; both need a value.

    "concept": the truth lies outside the band of the estimate and more than `tolerance` of the estimate away, on either
    side: inputs mean something else than they did. "covariate": it lies near an estimate that is worse than the
    reference by more than its band and `tolerance`: harder inputs, the same meaning. Else "as expected".
    """
    if estimated.value is None or realised.value is None:
        raise ValueError(f"a reading of {estimated.metric} needs an estimate and a truth")
    material = tolerance * abs(estimated.value)
    if abs(realised.value - estimated.value) > max(_half_band(estimated, realised), material):
        return "concept"
    if estimated.reference is None:
        return "as expected"
    worse = (
        estimated.value - estimated.reference if estimated.metric in LOSSES else (estimated.reference - estimated.value)
    )
    return "covariate" if worse > max(_half(estimated), material) else "as expected"


def _half(m: Measurement) -> float:
    return 0.0 if m.lower is None or m.upper is None else (m.upper - m.lower) / 2


def _half_band(estimated: Measurement, realised: Measurement) -> float:
    """The estimate's band, wider where only some of its rows have a label: those are a sample of the finite rest."""
    missing = max(0.0, 1 - realised.n / estimated.n) if estimated.n else 0.0
    return hypot(_half(estimated), sqrt(missing) * _half(realised))


def _scored(rows: Rows, monitor: Monitor) -> pa.Table:
    """The columns outcomes are made of, without labels; of rows with status 200 and a prediction."""
    source = monitor.source.predictions
    scores = source.score if isinstance(source.score, dict) else {"": source.score}
    columns = {f"score__{name}".removesuffix("__"): column for name, column in scores.items() if column}
    columns |= {name: name for name in (*monitor.segments, source.model_version) if name}
    predicted = rows.column(source.prediction) if source.prediction in rows.columns else pa.nulls(rows.n)
    good = pc.is_valid(predicted)
    if pa.types.is_floating(predicted.type):
        good = pc.and_(good, pc.fill_null(pc.invert(pc.is_nan(predicted)), False))
    if source.status_code in rows.columns:
        status = rows.column(str(source.status_code)).cast(pa.string())
        good = pc.and_(good, pc.fill_null(pc.equal(status, "200"), False))
    there = {name: rows.column(column) for name, column in columns.items() if column in rows.columns}
    return pa.table({"prediction": predicted, "label": pa.nulls(rows.n, pa.string())} | there).filter(good)


def _estimates(outcomes: Classified | Measured, task: str, calibration: Calibration) -> Iterator[Measurement]:
    names = METRICS[task]
    needed = "finite prediction" if task == "regression" else "score between 0 and 1"
    usable = np.isfinite(outcomes.predicted) if isinstance(outcomes, Measured) else probabilities(outcomes)[1]
    n, left_out = int(usable.sum()), int(usable.size - usable.sum())
    fault = "" if isinstance(outcomes, Measured) else mistaken(outcomes)
    problem = calibration.note or _unlike(outcomes, calibration) or fault or ("" if n else f"no rows with a {needed}")
    if problem:
        yield from (Measurement(name, None, n, note=problem) for name in names)
        return
    view = outcomes.of(usable)
    expected = _losses(view, calibration) if isinstance(view, Measured) else _classes(view, calibration)
    note = f"{left_out} rows without a {needed} left out" if left_out else ""
    for name, part, spread in expected:
        yield _measurement(name, part, spread, n, note)


def _unlike(outcomes: Classified | Measured, calibration: Calibration) -> str:
    """Why the calibration, which knows the classes of the reference, does not fit the window's."""
    if isinstance(outcomes, Measured) or outcomes.scores is None:
        return ""
    classes = outcomes.classes if outcomes.positive is None else (outcomes.classes[outcomes.positive],)
    unlike = sorted(set(classes) ^ set(calibration.blocks))
    return f"only the window or only the reference has scores of class {', '.join(unlike)}" if unlike else ""


def _measurement(name: str, part: Part, spread: float, n: int, note: str) -> Measurement:
    note = "; ".join(text for text in (part.note, note) if text)
    if part.value is None:
        return Measurement(name, None, n, note=note)
    half, highest = Z * sqrt(spread), np.inf if name in LOSSES else 1.0
    lower, upper = max(part.value - half, 0.0), min(part.value + half, highest)
    return Measurement(name, part.value, n, lower=lower, upper=upper, note=note)


def _classes(outcomes: Classified, calibration: Calibration) -> Iterator[tuple[str, Part, float]]:
    """Each class against the rest: one only, the positive, if binary; else macro metrics are means over classes."""
    scores, _ = probabilities(outcomes)
    places = range(len(outcomes.classes)) if outcomes.positive is None else [outcomes.positive]
    cells = [
        _cells(calibration.blocks[outcomes.classes[c]], scores[:, i], outcomes.predicted == c)
        for i, c in enumerate(places)
    ]
    if outcomes.positive is not None:
        for name, metric in _BINARY.items():
            part = metric(cells[0])
            yield name, part, variance(cells[0], part)
        return
    n = outcomes.predicted.size
    hits = [Part(float(each.predicted @ each.blocks.mean) / n, 1 / n, 0.0) for each in cells]
    yield "accuracy", _total(hits), sum(map(variance, cells, hits))
    for name, metric in (("f1_macro", f1), ("roc_auc_ovr_macro", roc_auc)):
        parts = [metric(each) for each in cells]
        macro = _macro(parts, outcomes.classes) if metric is f1 else _total(parts, len(parts))
        among = sum(part.value is not None for part in parts) or 1
        spread = sum(map(variance, cells, parts)) * _together(outcomes, cells, parts)
        yield name, macro, spread / among**2


def _macro(parts: Sequence[Part], classes: Sequence[str]) -> Part:
    """The mean over the classes that occur, as `performance` takes it of the truth."""
    there = [part for part in parts if part.value is not None]
    if not there:
        return Part(None, note=parts[0].note)
    absent = [name for name, part in zip(classes, parts, strict=True) if part.value is None]
    said = "neither expected nor predicted: left out"
    return replace(_total(there, len(there)), note=of_classes(absent, f"is {said}", f"are {said}"))


def _cells(blocks: Blocks, scores: np.ndarray, positive: np.ndarray) -> Cells:
    return Cells(blocks, blocks.count(scores[positive]), blocks.count(scores[~positive]))


def _total(parts: Sequence[Part], among: int = 1) -> Part:
    for part in parts:
        if part.value is None:
            return part
    return Part(sum(part.value or 0.0 for part in parts) / among)


def _together(outcomes: Classified, cells: Sequence[Cells], parts: Sequence[Part]) -> float:
    """How much more the sum over classes varies than classes apart would: a row has one class, so it moves several.

    Of rows with label chances P and derivatives g, Σ P·g² − (Σ P·g)² summed, divided by Σ P·(1 − P)·g².
    """
    scores, _ = probabilities(outcomes)
    first, second, apart = (np.zeros(outcomes.predicted.size) for _ in range(3))
    places = [each.blocks.places(scores[:, c]) for c, each in enumerate(cells)]
    whole = sum(each.blocks.mean[at] for each, at in zip(cells, places, strict=True))
    for c, (each, part, at) in enumerate(zip(cells, parts, places, strict=True)):
        chance = np.divide(each.blocks.mean[at], whole, out=np.zeros(at.size), where=whole > 0)
        slopes = [np.broadcast_to(slope, each.blocks.n.shape)[at] for slope in (part.if_predicted, part.if_other)]
        slope = np.where(outcomes.predicted == c, *slopes)
        first += chance * slope
        second += chance * slope**2
        apart += chance * (1 - chance) * slope**2
    return float((second - first**2).sum() / apart.sum()) if apart.sum() > 0 else 1.0


def _losses(outcomes: Measured, calibration: Calibration) -> Iterator[tuple[str, Part, float]]:
    """Mean loss of the reference in each decile of prediction, weighted by how often the window falls there."""
    for name in LOSSES:
        blocks = calibration.blocks.get(name)
        if blocks is None:
            yield name, Part(None, note="the errors of the reference are too large to be summed"), 0.0
            continue
        cells = Cells(blocks, blocks.count(outcomes.predicted), np.zeros(blocks.n.size, int))
        n = outcomes.predicted.size
        mean = float(cells.predicted @ blocks.mean) / n
        spread = variance(cells, Part(mean, 1 / n))
        if name == "mae" or mean == 0:
            yield name, Part(mean), spread
        else:
            yield name, Part(sqrt(mean)), spread / (4 * mean)


def _positives(cells: Cells) -> tuple[float, float]:
    """Expected positives, and those of them predicted positive."""
    return float(cells.every @ cells.blocks.mean), float(cells.predicted @ cells.blocks.mean)
