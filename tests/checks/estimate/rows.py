"""Rows of every task whose calibration is known, and their estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from hindsight.checks.estimate.calibration import Calibration, fit_calibration
from hindsight.checks.estimate.estimate import METRICS
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from tests.builders import a_monitor, monitor_file

SEED = 20260901
CLASSES = ("cat", "dog", "owl")
Found = dict[str, Measurement]


def a_task(task: str, **changes: Any) -> Monitor:
    file = monitor_file(segments=[], model={"name": "m", "task": task})
    source = file["source"]["predictions"]
    source["score"] = {"binary": "score", "multiclass": {c: f"p_{c}" for c in CLASSES}, "regression": None}[task]
    return a_monitor(**(file | changes))


BINARY, MULTICLASS, REGRESSION = (a_task(task) for task in METRICS)


def whole(found: list[Measurement]) -> Found:
    return {m.metric: m for m in found if not (m.bin or m.segment or m.model_version)}


def binary_rows(random: np.random.Generator, n: int, *, hard: float = 1.0, flipped: float = 0.0) -> pa.Table:
    """Calibrated scores; `hard` > 1 moves them towards a half (inputs), `flipped` turns labels (meaning)."""
    score = random.beta(0.6 * hard, 0.6 * hard, n)
    label = (random.random(n) < score) ^ (random.random(n) < flipped)
    return pa.table({"prediction": (score > 0.5).astype(int), "score": score, "label": label.astype(int)})


def multiclass_rows(random: np.random.Generator, n: int) -> pa.Table:
    scores = random.dirichlet([0.4, 0.5, 0.6], n)
    label = (random.random(n)[:, None] > np.cumsum(scores, axis=1)[:, :2]).sum(axis=1)
    names = np.array(CLASSES)
    columns = {f"{prefix}{c}": scores[:, i] for i, c in enumerate(CLASSES) for prefix in ("score__", "p_")}
    return pa.table({"prediction": names[scores.argmax(axis=1)], "label": names[label]} | columns)


def regression_rows(random: np.random.Generator, n: int, *, low: float = 0.0, noise: float = 0.2) -> pa.Table:
    prediction = random.uniform(low, 100, n)
    return pa.table({"prediction": prediction, "label": prediction + random.normal(size=n) * noise * (1 + prediction)})


MAKERS = {"binary": binary_rows, "multiclass": multiclass_rows, "regression": regression_rows}


def calibrated(task: str = "binary", n: int = 2000, seed: int = SEED) -> Calibration:
    return fit_calibration(MAKERS[task](np.random.default_rng(seed), n), a_task(task))


CALIBRATIONS = {task: calibrated(task, 500) for task in METRICS}
