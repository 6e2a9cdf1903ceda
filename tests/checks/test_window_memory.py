"""Memory of a window's checks: one column at a time, however many there are, and no library it can do without."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hindsight.checks.drift.drift import THREADS, drift
from hindsight.checks.operations.operations import operations
from hindsight.checks.quality.quality import quality
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.values.numbers import floats
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import TableRows
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.rows import WindowRows
from tests.builders import a_monitor, at

ROWS = 200_000
COLUMN = 8 * ROWS
BLOCKS = THREADS * 9 * 2**20  # what is merged at a time, whatever the size of the window


def a_wide_window(columns: int) -> tuple[Monitor, Baseline, TableRows]:
    names = [f"x{i}" for i in range(columns)]
    random = np.random.default_rng(1)
    served = {
        "prediction": random.normal(size=ROWS),
        "latency_ms": random.random(ROWS),
        "status_code": np.full(ROWS, 200),
    }
    rows = TableRows(pa.table({name: random.normal(size=ROWS) for name in names} | served))
    source = {"table": "log", "id": "request_id", "timestamp": "predicted_at"} | {name: name for name in served}
    monitor = a_monitor(
        source={"predictions": source},
        model={"name": "wide", "task": "regression"},
        features=dict.fromkeys(names, "numeric"),
        segments=[],
    )
    return monitor, fit(rows, monitor, output=rows, fitted_as_of=at("2026-09-01")), rows


def peak_of_checks(columns: int) -> int:
    monitor, baseline, rows = a_wide_window(columns)
    tracemalloc.start()
    quality(rows, monitor, baseline)
    drift(rows, monitor, baseline)
    operations(rows, monitor, Window(at("2026-09-01"), at("2026-09-02")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_checks_hold_two_copies_of_a_column_for_each_thread_however_many_columns_there_are() -> None:
    assert peak_of_checks(columns=16) <= THREADS * 2 * COLUMN + BLOCKS


@pytest.mark.parametrize("reuse", [True, False])
def test_a_column_is_taken_over_only_where_it_is_given_away(reuse: bool) -> None:
    column = pa.array(np.array([2.0, -0.0, 1.0]))
    taken = floats(column, reuse=reuse)
    taken.sort()
    assert taken.tolist() == [0.0, 1.0, 2.0]
    assert (column.to_pylist() == taken.tolist()) is reuse


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.0, None, 3.0]),
        pa.array([3, 1]),
        pa.array([], pa.float64()),
        pa.Array.from_buffers(pa.float64(), 2, [None, pa.py_buffer(np.array([5.0, 4.0]).tobytes())]),
    ],
)
def test_what_cannot_be_taken_over_is_copied(column: pa.Array) -> None:
    before = column.to_pylist()
    taken, copied = floats(column, reuse=True), floats(column)
    assert taken.tobytes() == copied.tobytes()
    taken.sort()
    assert column.to_pylist() == before


def test_of_a_slice_only_its_own_part_is_taken_over() -> None:
    whole = pa.array([4.0, 3.0, 2.0, 1.0])
    floats(whole.slice(1, 2), reuse=True).sort()
    assert whole.to_pylist() == [4.0, 2.0, 3.0, 1.0]


def test_rows_of_a_file_and_of_a_table_drift_alike(tmp_path: Path) -> None:
    monitor, baseline, rows = a_wide_window(columns=2)
    path = tmp_path / "window.parquet"
    pq.write_table(pa.table({name: rows.column(name) for name in rows.columns}), path)
    window = WindowRows(path, rows.columns, dict.fromkeys(rows.columns, "DOUBLE"), rows.n)
    assert drift(window, monitor, baseline) == drift(rows, monitor, baseline)
    assert quality(window, monitor, baseline) == quality(rows, monitor, baseline)


def test_the_window_job_loads_no_library_that_only_labels_or_small_samples_need() -> None:
    heavy = ("sklearn", "scipy.stats", "scipy.optimize", "evidently", "great_expectations")
    program = f"import sys, hindsight.pipeline.measure.windows; print([m for m in {heavy} if m in sys.modules])"
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root / "include")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
