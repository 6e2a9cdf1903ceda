"""Rows of every task, and the performance they show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from hindsight.checks.performance.performance import performance
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from tests.builders import a_monitor, monitor_file

SEED = 20260901
CLASSES = ["cat", "dog", "owl"]


def a_task(task: str, score: Any = "score", **changes: Any) -> Monitor:
    file = monitor_file(segments=[])
    file["source"]["predictions"]["score"] = score
    return a_monitor(**(file | {"model": {"name": "credit", "task": task}} | changes))


BINARY = a_task("binary")
MULTICLASS = a_task("multiclass", {name: f"p_{name}" for name in CLASSES})
REGRESSION = a_task("regression", None)


def numbers(table: pa.Table, monitor: Monitor, **kwargs: Any) -> dict[str, Measurement]:
    """The numbers of one value for all rows together."""
    found = performance(table, monitor, reference=kwargs.get("reference", {}))
    return {m.metric: m for m in found if not (m.bin or m.segment or m.model_version)}


def values(table: pa.Table, monitor: Monitor) -> dict[str, float | None]:
    return {name: m.value for name, m in numbers(table, monitor).items()}


def binary_rows(n: int = 400, seed: int = SEED, **columns: Any) -> pa.Table:
    random = np.random.default_rng(seed)
    score = random.random(n)
    label = (random.random(n) < score).astype(int)
    table = {"prediction": (score > 0.5).astype(int), "score": score, "label": label}
    return pa.table(table | columns)


def multiclass_rows(n: int = 300) -> pa.Table:
    random = np.random.default_rng(SEED)
    scores = random.dirichlet([1, 1, 1], n)
    predicted = scores.argmax(axis=1)
    truth = np.where(random.random(n) < 0.7, predicted, random.integers(0, 3, n))
    names = np.array(CLASSES)
    columns = {f"score__{name}": scores[:, place] for place, name in enumerate(CLASSES)}
    return pa.table({"prediction": names[predicted], "label": names[truth]} | columns)
