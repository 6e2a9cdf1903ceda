"""Columns of a window like those of the reference, and what quality makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from hindsight.checks.quality.quality import quality
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.reference.control import UNKNOWN, Control
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, at

SEED = 20260901
REGIONS = ["EU", "US", "Asia Pacific"]
MONITOR = a_monitor()


def some_columns(n: int, seed: int = SEED, **columns: Any) -> pa.Table:
    """Amounts between 0 and 1000 in three regions; `columns` replace whole columns, None takes one away."""
    random = np.random.default_rng(seed)
    score = random.random(n)
    table: dict[str, Any] = {
        "amount": random.uniform(0, 1000, n).round(3),
        "region": random.choice(REGIONS, n),
        "prediction": (score > 0.5).astype(int),
        "score": score,
        "model_version": np.full(n, "v1"),
        "latency_ms": random.uniform(10, 30, n),
        "status_code": np.full(n, 200),
        "cost_usd": np.full(n, 0.01),
    }
    return pa.table({name: values for name, values in (table | columns).items() if values is not None})


def a_baseline(monitor: Monitor = MONITOR, **columns: Any) -> Baseline:
    reference = TableRows(some_columns(2000, seed=1, **columns))
    return fit(reference, monitor, output=reference, fitted_as_of=at("2026-09-01"))


BASELINE = a_baseline()


def measured(
    table: pa.Table,
    baseline: Baseline | None = BASELINE,
    monitor: Monitor = MONITOR,
    n_raw: int | None = None,
    strangers: dict[str, bool | None] | None = None,
    control: Control = UNKNOWN,
) -> dict[tuple[str, str], Measurement]:
    rows = TableRows(table, n_raw)
    found = quality(rows, monitor, baseline, control=control, strangers=lambda: strangers or {})
    return {(m.feature, m.metric): m for m in found}
