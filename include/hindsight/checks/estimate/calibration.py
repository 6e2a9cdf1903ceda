"""Calibration: what the reference's labels say a score or a prediction is worth, frozen as plain blocks of numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import numpy as np
import pyarrow as pa

from hindsight.checks.performance.outcomes import Classified, Measured, outcomes_of
from hindsight.checks.reference.scores import many_fault, one_fault, spread
from hindsight.checks.values.bins import NumericBins
from hindsight.checks.values.precision import untwinned
from hindsight.monitors.model import Monitor

ENOUGH_LABELS = 100
DECILES = np.arange(1, 10) / 10
LOSSES = ("mae", "rmse")
SCHEMA = pa.schema(
    [
        ("target", pa.string()),
        ("low", pa.float64()),
        ("mean", pa.float64()),
        ("variance", pa.float64()),
        ("n", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Adjoining spans of a number, and the mean and variance of a target over the `n` reference rows in each.

    `edges` are where a span ends and the next begins: one fewer than there are blocks, left-closed, open at both ends.
    """

    edges: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    n: np.ndarray

    def places(self, values: np.ndarray) -> np.ndarray:
        """Return the block in which each value lies, or the one whose float32 it is."""
        return np.searchsorted(NumericBins(self.edges).borders, values, side="right")

    def count(self, values: np.ndarray) -> np.ndarray:
        """Return how many of the values lie in each block."""
        return np.bincount(self.places(values), minlength=self.n.size)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Blocks by target: a class's probability by its score; the absolute ("mae") and squared ("rmse") error of a
    regression by its prediction. Without blocks `note` says why there are none; `n` counts the labelled rows.
    """

    blocks: Mapping[str, Blocks] = field(default_factory=dict)
    n: int = 0
    note: str = ""

    def to_table(self) -> pa.Table:
        """Return the blocks as one table, for the baseline's files; `low` is null for the first block of a target."""
        rows = [
            {"target": target, "low": low, "mean": float(mean), "variance": float(variance), "n": int(n)}
            for target, b in self.blocks.items()
            for low, mean, variance, n in zip([None, *b.edges.tolist()], b.mean, b.variance, b.n, strict=True)
        ]
        facts = json.dumps({"n": self.n, "note": self.note})
        return pa.Table.from_pylist(rows, SCHEMA).replace_schema_metadata({"hindsight": facts})

    @classmethod
    def from_table(cls, table: pa.Table) -> Calibration:
        """Return the calibration that `to_table` wrote."""
        facts = json.loads((table.schema.metadata or {}).get(b"hindsight", b"{}"))
        grouped = groupby(table.to_pylist(), key=itemgetter("target"))
        return cls({target: _read(list(rows)) for target, rows in grouped}, **facts)


def fit_calibration(labelled: pa.Table, monitor: Monitor) -> Calibration:
    """Freeze what the labelled output rows of the reference say; `labelled` is the table `performance` takes.

    The rows must be ones the model was not trained on, or every estimate will be too good.
    """
    outcomes = outcomes_of(labelled, monitor)
    n = int(outcomes.known.sum())
    if n < ENOUGH_LABELS:
        return Calibration(n=n, note=f"the reference has {n} labelled rows, {ENOUGH_LABELS} are needed")
    if isinstance(outcomes, Measured):
        return Calibration(dict(_losses(outcomes)), n)
    return _classes(outcomes, n)


def probabilities(outcomes: Classified) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores, a column a class (binary: one, of the positive class), and which rows have all in [0, 1]."""
    scores = outcomes.scores if outcomes.scores is not None else np.full(outcomes.labels.size, np.nan)
    columns = scores[:, None] if scores.ndim == 1 else scores
    return columns, np.asarray(((columns >= 0) & (columns <= 1)).all(axis=1))


def mistaken(outcomes: Classified) -> str:
    """Return why the scores are not the probabilities they are declared to be, "" where nothing speaks against it."""
    if outcomes.scores is None:
        return ""
    some = spread(len(outcomes.scores))
    scores, predicted = outcomes.scores[some], outcomes.predicted[some]
    known = np.isfinite(scores) if scores.ndim == 1 else np.isfinite(scores).all(axis=1)
    if outcomes.positive is not None:
        return one_fault(scores[known], predicted[known] == outcomes.positive) or ""
    return many_fault(scores[known], predicted[known], outcomes.classes) or ""


def isotonic(scores: np.ndarray, hits: np.ndarray) -> Blocks:
    """Return the share of hits as a step function that never falls with the score (finite scores, at least one).

    Pool-adjacent-violators: the non-decreasing function nearest to the hits in squares, constant on blocks. Zadrozny &
    Elkan 2002 (KDD), calibration of scores; de Leeuw, Hornik & Mair 2009 (J. Stat. Softw. 32:5), the algorithm. A step
    lies half-way between the blocks it parts. The variance is that of a share of one hit and one miss more (Laplace),
    so that a block without hits is not taken for certain.
    """
    from scipy.optimize import isotonic_regression

    values, places, counts = np.unique(_one_each(scores), return_inverse=True, return_counts=True)
    found = isotonic_regression(np.bincount(places, hits) / counts, weights=counts)
    starts = np.flatnonzero(np.append(True, np.diff(found.x[found.blocks[:-1]]) > 0))
    first = found.blocks[:-1][starts]
    n = np.add.reduceat(counts, first)
    mean = found.x[first]
    padded = (mean * n + 1) / (n + 2)
    return Blocks((values[first[1:] - 1] + values[first[1:]]) / 2, mean, padded * (1 - padded), n)


def binned(values: np.ndarray, target: np.ndarray) -> Blocks:
    """Return mean and variance of a target between the unique deciles of `values` (finite, at least one)."""
    values = _one_each(values)
    edges = np.unique(np.quantile(values, DECILES, method="lower"))
    edges = edges[edges > values.min()]
    places = np.searchsorted(NumericBins(edges).borders, values, side="right")
    n = np.bincount(places, minlength=edges.size + 1)
    mean = np.bincount(places, target, minlength=n.size) / n
    squares = np.bincount(places, (target - mean[places]) ** 2, minlength=n.size)
    return Blocks(edges, mean, squares / np.maximum(n - 1, 1), n)


def _one_each(values: np.ndarray) -> np.ndarray:
    """Return the values in their order, what only differs by its precision as one."""
    order = np.argsort(values, kind="stable")
    found = np.empty_like(values)
    found[order] = untwinned(values[order])
    return found


def _losses(outcomes: Measured) -> Iterator[tuple[str, Blocks]]:
    known = outcomes.known
    with np.errstate(over="ignore", invalid="ignore"):
        errors = np.abs(outcomes.predicted[known] - outcomes.labels[known])
        for name, target in zip(LOSSES, (errors, errors**2), strict=True):
            blocks = binned(outcomes.predicted[known], target)
            if np.isfinite(blocks.variance).all():
                yield name, blocks


def _classes(outcomes: Classified, n: int) -> Calibration:
    if outcomes.scores is None:
        return Calibration(n=n, note="the monitor declares no score")
    scores, scored = probabilities(outcomes)
    usable = outcomes.known & scored
    labels, scores = outcomes.labels[usable], scores[usable]
    if labels.size < ENOUGH_LABELS:
        return Calibration(
            n=n, note=mistaken(outcomes) or f"{labels.size} labelled reference rows have a score between 0 and 1"
        )
    if np.unique(labels).size < 2:
        return Calibration(n=n, note="the labels of the reference are all of one class")
    if fault := mistaken(outcomes):
        return Calibration(n=n, note=fault)
    places = range(len(outcomes.classes)) if outcomes.positive is None else [outcomes.positive]
    blocks = {outcomes.classes[c]: isotonic(scores[:, i], labels == c) for i, c in enumerate(places)}
    return Calibration(blocks, int(labels.size))


def _read(rows: list[dict[str, float]]) -> Blocks:
    low, mean, variance, n = (np.array([row[name] for row in rows]) for name in ("low", "mean", "variance", "n"))
    return Blocks(low[1:].astype(float), mean, variance, n)
