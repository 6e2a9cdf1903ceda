"""The parts of the speed bench, each run in a process of its own: its imports are in its memory, not in its time."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.speed_rows import CATEGORICAL, DAY, NUMERIC, SIDES, START, monitor_file
from hindsight.warehouse.dialects.postgresql import conninfo


def fetch_and_write(uri: str, folder: Path) -> float:
    """Time the bare ADBC fetch of the window's rows and their Parquet file."""
    import pyarrow.parquet as pq
    from adbc_driver_postgresql import dbapi

    first, last = START.isoformat(), (START + DAY).isoformat()
    with (
        tempfile.TemporaryDirectory(dir=folder) as there,
        dbapi.connect(conninfo(sa.create_engine(uri))) as connection,
        connection.cursor() as cursor,
    ):
        began = time.perf_counter()
        cursor.execute(f"SELECT * FROM bench_log WHERE predicted_at >= '{first}' AND predicted_at < '{last}'")
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(f"{there}/rows.parquet", reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        return time.perf_counter() - began


def monitored(uri: str, folder: Path) -> tuple[Any, Any, Any]:
    """The monitor, the window and the resources of the window job."""
    from hindsight import pipeline
    from hindsight.ledger.connect import open_engine
    from hindsight.ledger.ledger import Ledger
    from hindsight.monitors.model import Monitor
    from hindsight.settings import Settings
    from hindsight.training.registry import Registry
    from hindsight.vocabulary.windows import Window

    ledger = Ledger(open_engine(sa.make_url(f"sqlite:///{folder}/ledger.db")))
    ledger.create()
    url = sa.make_url(uri)
    resources = pipeline.Resources(
        Settings(folder, str(folder), folder, folder), lambda _: url, ledger, Registry(ledger.engine)
    )
    return Monitor.model_validate(monitor_file()), Window(START, START + DAY), resources


def freeze(uri: str, folder: Path) -> float:
    """Time the fit of the reference from the warehouse, done once for a monitor."""
    from hindsight.pipeline.measure.baselines import baseline_for

    monitor, window, resources = monitored(uri, folder)
    began = time.perf_counter()
    baseline_for(monitor, window, resources, as_of=window.end)
    return time.perf_counter() - began


def window_job(uri: str, folder: Path) -> float:
    """Time collect → operations, quality, profile, drift → snapshots, against the frozen reference."""
    from hindsight.pipeline.measure.windows import run_window

    shutil.rmtree(folder / "snapshots", ignore_errors=True)
    monitor, window, resources = monitored(uri, folder)
    began = time.perf_counter()
    run_window(monitor, window, resources)
    return time.perf_counter() - began


def drift(_: str, folder: Path) -> float:
    """Time the profile and all drift metrics of rows that lie in memory, against a frozen reference."""
    import pyarrow.parquet as pq

    from hindsight.checks.drift.drift import drift
    from hindsight.checks.reference.baseline import fit
    from hindsight.monitors.model import Monitor
    from hindsight.vocabulary.rows import TableRows

    file = monitor_file()
    file["source"]["predictions"]["prediction"] = NUMERIC[0]
    monitor = Monitor.model_validate(file)
    reference, current = (TableRows(pq.read_table(folder / f"{side}.parquet")) for side in SIDES)
    baseline = fit(reference, monitor, output=reference, fitted_as_of=START)
    began = time.perf_counter()
    drift(current, monitor, baseline)
    return time.perf_counter() - began


def evidently(folder: Path, **options: str) -> float:
    """Time Evidently's DataDriftPreset on the same rows, by its default tests or one method for all columns."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=NUMERIC, categorical_columns=CATEGORICAL)
    frames = [pd.read_parquet(folder / f"{side}.parquet") for side in SIDES]
    reference, current = (Dataset.from_pandas(frame, data_definition=definition) for frame in frames)
    began = time.perf_counter()
    Report([DataDriftPreset(**options)]).run(current, reference)
    return time.perf_counter() - began


PARTS: dict[str, Callable[[str, Path], float]] = {
    "fetch_and_write": fetch_and_write,
    "freeze": freeze,
    "window_job": window_job,
    "drift": drift,
    "evidently_default": lambda _, folder: evidently(folder),
    "evidently_psi": lambda _, folder: evidently(folder, method="psi"),
}


def peak_mb() -> float | None:
    """Return the most memory this process has held: its own, where getrusage starts at that of its parent."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else None


def main() -> None:
    """Run one part and print its seconds and its peak memory."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("part", choices=PARTS)
    options.add_argument("uri")
    options.add_argument("folder", type=Path)
    asked = options.parse_args()
    seconds = PARTS[asked.part](asked.uri, asked.folder)
    print(json.dumps({"seconds": seconds, "rss_mb": peak_mb()}))


if __name__ == "__main__":
    main()
