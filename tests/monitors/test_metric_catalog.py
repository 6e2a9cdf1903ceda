"""The catalog and the checks agree: what is measured can be looked up, and can therefore be judged by a rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from hindsight.checks.drift.drift import drift
from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.operations.operations import operations
from hindsight.checks.performance.performance import performance, reference_values
from hindsight.checks.quality.quality import quality
from hindsight.checks.reference.baseline import fit
from hindsight.monitors.metric_catalog import metric
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import DAY, a_monitor, a_window, at, monitor_file

N = 400
WINDOW = a_window("2026-09-01")
Found = Iterator[tuple[Kind, Measurement]]


def monitor_of(task: str) -> Monitor:
    source = monitor_file()["source"]
    score = {"binary": "score", "multiclass": {"0": "score_0", "1": "score_1"}, "regression": None}[task]
    source["predictions"] |= {"score": score}
    return a_monitor(model={"name": "m", "task": task}, source=source)


def requests(seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    score = rng.random(N)
    return pa.table(
        {
            "request_id": [str(i) for i in range(N)],
            "predicted_at": pa.array([WINDOW.start + i * DAY / N for i in range(N)], pa.timestamp("us", "UTC")),
            "model_version": ["v1", "v2"] * (N // 2),
            "prediction": (score > 0.5).astype(int),
            "score": score,
            "score_0": 1 - score,
            "score_1": score,
            "latency_ms": rng.exponential(100, N),
            "status_code": [200] * N,
            "cost_usd": rng.random(N),
            "amount": rng.normal(size=N),
            "region": rng.choice(["EU", "US"], N),
        }
    )


def labelled(seed: int) -> pa.Table:
    table = requests(seed)
    renamed = {"score_0": "score__0", "score_1": "score__1"}
    label = np.random.default_rng(seed + 1).integers(0, 2, N)
    table = table.rename_columns([renamed.get(name, name) for name in table.column_names])
    arrived = pa.array([at("2026-09-05")] * N, pa.timestamp("us", "UTC"))
    return table.append_column("label", pa.array(label)).append_column("arrived_at", arrived)


def measured(task: str) -> Found:
    """Everything the checks say about a window of ordinary rows."""
    monitor = monitor_of(task)
    reference, rows = TableRows(requests(1)), TableRows(requests(2))
    baseline = fit(reference, monitor, output=reference, fitted_as_of=at("2026-09-01"))
    drifts, profiles = drift(rows, monitor, baseline)
    known = reference_values(performance(labelled(1), monitor, reference={}))
    labels = label_measurements(labelled(2), monitor, WINDOW, as_of=at("2026-09-20"), conflicts=0, orphans=0)
    for kind, found in (
        (Kind.OPERATIONS, operations(rows, monitor, WINDOW, expected_volume=100)),
        (Kind.QUALITY, quality(rows, monitor, baseline)),
        (Kind.DRIFT, drifts),
        (Kind.PROFILE, profiles),
        (Kind.PERFORMANCE, performance(labelled(2), monitor, reference=known)),
        (Kind.LABELS, labels),
    ):
        yield from ((kind, measurement) for measurement in found)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_number_the_checks_make_is_in_the_catalog_as_it_is(task) -> None:
    for kind, found in measured(task):
        known = metric(f"{kind}.{found.metric}")
        assert known is not None, f"{kind}.{found.metric} is not in the catalog"
        assert task in known.tasks, known.path
        assert bool(known.vector) == bool(found.bin), known.path
        assert bool(known.about) == bool(found.feature), known.path
        if found.reference is not None and not known.vector:
            assert known.compared, f"{known.path} has a value on the reference"
        if found.lower is not None:
            assert known.interval, f"{known.path} has an interval"
        if found.value is not None:
            assert known.lowest is None or found.value >= known.lowest, known.path
            assert known.highest is None or found.value <= known.highest, known.path


def test_what_the_catalog_says_is_compared_or_bounded_is_so() -> None:
    everything = [pair for task in ("binary", "multiclass", "regression") for pair in measured(task)]
    compared = {f"{kind}.{m.metric}" for kind, m in everything if m.reference is not None}
    bounded = {f"{kind}.{m.metric}" for kind, m in everything if m.lower is not None}
    for path in {f"{kind}.{m.metric}" for kind, m in everything}:
        known = metric(path)
        assert known is not None
        assert known.vector or known.compared == (path in compared), path
        assert bool(known.interval) == (path in bounded), path
