"""Speed: one window through Hindsight beside Evidently on the same rows in the same run, as seconds and ratios.

`python -m benchmarks.speed --rows 1000000` loads rows × 28 columns into an embedded PostgreSQL and times, each in a
process of its own: the bare fetch and Parquet write, Hindsight's whole window job, its profile and drift alone, and
Evidently's `DataDriftPreset` (its default, and with PSI). Prints a table, writes benchmarks/results/speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from hindsight.warehouse.connect import conninfo

RESULTS = Path(__file__).parent / "results"
NUMERIC = [f"x{i}" for i in range(21)]
CATEGORICAL = [f"c{i}" for i in range(7)]
START = datetime(2026, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def rows(n: int, seed: int) -> pd.DataFrame:
    """Return n rows of 21 continuous and 7 categorical features, half of them shifted a little by the seed."""
    rng = np.random.default_rng(seed)
    shift = 0.1 * (seed - 1)
    frame = {name: rng.normal(shift * (i % 2), 1 + i, n) for i, name in enumerate(NUMERIC)}
    frame |= {
        name: np.array([f"v{k}" for k in range(4 + 3 * i)])[rng.integers(0, 4 + 3 * i, n)]
        for i, name in enumerate(CATEGORICAL)
    }
    return pd.DataFrame(frame)


def monitor_file() -> dict[str, Any]:
    """Return the monitor of the benchmark: its reference is the day before the window."""
    return {
        "name": "bench",
        "start": START.isoformat(),
        "model": {"name": "bench", "task": "regression"},
        "source": {
            "predictions": {
                "table": "bench_log",
                "id": "request_id",
                "timestamp": "predicted_at",
                "prediction": "prediction",
                "latency_ms": "latency_ms",
                "status_code": "status_code",
            }
        },
        "features": dict.fromkeys(NUMERIC, "numeric") | dict.fromkeys(CATEGORICAL, "categorical"),
        "reference": {"start": (START - DAY).isoformat(), "end": START.isoformat()},
    }


def load(uri: str, n: int) -> None:
    """Load the reference day and the window's day, n rows each, into table bench_log."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(conninfo(sa.create_engine(uri))) as connection, connection.cursor() as cursor:
        for seed, start in ((1, START - DAY), (2, START)):
            for part in range(0, n, 1_000_000):
                many = min(1_000_000, n - part)
                table = pa.Table.from_pandas(
                    _logged(rows(many, seed * 1000 + part), start, part, seed), preserve_index=False
                )
                cursor.adbc_ingest("bench_log", table, mode="create_append")
        cursor.execute("CREATE INDEX bench_time ON bench_log (predicted_at)")
        cursor.execute("ANALYZE bench_log")
        connection.commit()


def _logged(frame: pd.DataFrame, start: datetime, first: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = len(frame)
    ids = pd.Series(np.arange(first, first + n) + seed * 10**9).astype(str)
    return frame.assign(
        request_id="r" + ids,
        predicted_at=start + pd.to_timedelta(rng.integers(0, 86_400_000_000, n), unit="us"),
        prediction=frame[NUMERIC[0]] + frame[NUMERIC[1]],
        latency_ms=rng.lognormal(4, 0.4, n),
        status_code=np.where(rng.random(n) < 0.002, 503, 200),
    )


def fetch_and_write(uri: str) -> float:
    """Time the bare ADBC fetch of the window's rows and their Parquet file."""
    import pyarrow.parquet as pq
    from adbc_driver_postgresql import dbapi

    first, last = START.isoformat(), (START + DAY).isoformat()
    server = conninfo(sa.create_engine(uri))
    with tempfile.TemporaryDirectory() as folder, dbapi.connect(server) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(f"SELECT * FROM bench_log WHERE predicted_at >= '{first}' AND predicted_at < '{last}'")
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(f"{folder}/rows.parquet", reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        return time.perf_counter() - began


def window_job(uri: str) -> float:
    """Time collect → operations, quality, profile, drift → snapshots; imports and the baseline are excluded."""
    from hindsight import pipeline
    from hindsight.actions.connect import open_engine
    from hindsight.actions.ledger import Ledger
    from hindsight.monitors.model import Monitor
    from hindsight.monitors.windows import Window
    from hindsight.pipeline.baselines import baseline_for
    from hindsight.settings import Settings
    from hindsight.training.registry import Registry

    monitor = Monitor.model_validate(monitor_file())
    window = Window(START, START + DAY)
    data = os.environ["BENCH_DATA"]
    ledger = Ledger(open_engine(sa.make_url(f"sqlite:///{data}/ledger.db")))
    url = sa.make_url(uri)
    settings = Settings(Path(data), data, Path(data), Path(data))
    resources = pipeline.Resources(settings, lambda _: url, ledger, Registry(ledger.engine))
    if "BENCH_FREEZE" in os.environ:
        began = time.perf_counter()
        baseline_for(monitor, window, resources, as_of=window.end)
        return time.perf_counter() - began
    began = time.perf_counter()
    pipeline.run_window(monitor, window, resources)
    return time.perf_counter() - began


def drift_alone(n: int) -> float:
    """Time profile and all drift metrics of n rows × 28 columns that lie in memory, against a frozen baseline."""
    from hindsight.checks.baseline import fit
    from hindsight.checks.drift import drift
    from hindsight.monitors.model import Monitor
    from hindsight.monitors.rows import TableRows

    file = monitor_file()
    monitor = Monitor.model_validate(file)
    reference, current = (TableRows(_arrow(n, seed)) for seed in (1, 2))
    baseline = fit(reference, monitor, output=reference, fitted_as_of=START)
    drift(TableRows(_arrow(1000, 3)), monitor, baseline)
    began = time.perf_counter()
    drift(current, monitor, baseline)
    return time.perf_counter() - began


def _arrow(n: int, seed: int) -> pa.Table:
    frame = rows(n, seed)
    return pa.Table.from_pandas(frame.assign(prediction=frame[NUMERIC[0]]), preserve_index=False)


def evidently(n: int, method: str | None) -> float:
    """Time Evidently's DataDriftPreset on the same rows, with its default tests or one method for all columns."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=NUMERIC, categorical_columns=CATEGORICAL)
    reference, current = (Dataset.from_pandas(rows(n, seed), data_definition=definition) for seed in (1, 2))
    began = time.perf_counter()
    Report([DataDriftPreset(method=method) if method else DataDriftPreset()]).run(current, reference)
    return time.perf_counter() - began


def peak_mb() -> float:
    """Return the most memory this process has held: its own, where getrusage starts at that of its parent."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else float("nan")


PARTS: dict[str, Callable[[str, int], float]] = {
    "fetch_and_write": lambda uri, n: fetch_and_write(uri),
    "freeze": lambda uri, n: window_job(uri),
    "window_job": lambda uri, n: window_job(uri),
    "drift": lambda uri, n: drift_alone(n),
    "evidently_default": lambda uri, n: evidently(n, None),
    "evidently_psi": lambda uri, n: evidently(n, "psi"),
}


def apart(part: str, uri: str, n: int, data: str) -> dict[str, float]:
    """Run one part in a process of its own; return its seconds and its peak memory in MB."""
    environment = os.environ | {"BENCH_DATA": data} | ({"BENCH_FREEZE": "1"} if part == "freeze" else {})
    command = [sys.executable, "-m", "benchmarks.speed", "--part", part, "--uri", uri, "--rows", str(n)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(n: int, parts: list[str]) -> dict[str, dict[str, float]]:
    """Load n rows and run the parts one after the other."""
    from demo import database

    with tempfile.TemporaryDirectory() as folder, database.running(Path(folder) / "postgres") as url:
        uri = url.render_as_string(hide_password=False)
        load(uri, n)
        return {part: apart(part, uri, n, folder) for part in parts}


def main() -> None:
    """Measure, print the table, keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--part", choices=PARTS)
    options.add_argument("--uri", default="")
    options.add_argument("--ours", action="store_true", help="leave Evidently out")
    asked = options.parse_args()
    if asked.part:
        seconds = PARTS[asked.part](asked.uri, asked.rows)
        print(json.dumps({"seconds": seconds, "rss_mb": peak_mb()}))
        return
    parts = [part for part in PARTS if not (asked.ours and part.startswith("evidently"))]
    found = measure(asked.rows, parts)
    for part, numbers in found.items():
        print(f"{part:20} {numbers['seconds']:8.2f} s {numbers['rss_mb']:8.0f} MB")
    ratios = {"window_job_over_fetch_and_write": found["window_job"]["seconds"] / found["fetch_and_write"]["seconds"]}
    for part in ("evidently_default", "evidently_psi"):
        if part in found:
            ratios[f"{part}_ratio"] = found[part]["seconds"] / found["drift"]["seconds"]
    for name, ratio in ratios.items():
        print(f"{name:35} {ratio:6.1f}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "speed.json").write_text(json.dumps({"rows": asked.rows, "parts": found} | ratios, indent=1))


if __name__ == "__main__":
    main()
