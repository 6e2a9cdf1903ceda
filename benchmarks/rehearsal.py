"""Rehearsal: the processor time of rehearsing stored windows beside that of running them, as a ratio.

`python -m benchmarks.rehearsal [--windows 90] [--rows 1000]` makes a log of a classifier with 14 features and labels
that come within days, takes the file that `hindsight init` proposes without its suite (Great Expectations would only
make running dearer), runs windows and nights as a scheduler would, and rehearses them. Prints seconds and the ratios.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.seasons_replay import Replay, proposed, steps
from benchmarks.seasons_series import Series
from benchmarks.seasons_warehouse import Warehouse
from hindsight.pipeline.rehearse.rehearsal import rehearse

REFERENCE_DAYS, FEATURES, SEED = 28, 14, 20261128
BEGIN = pd.Timestamp("2026-01-05", tz="UTC")


def a_log(days: int, rows: int) -> Series:
    """Return a log of so many days and rows a day, with a weekly cycle, and labels within five days."""
    rng = np.random.default_rng(SEED)
    n = days * rows
    seconds = np.sort(rng.uniform(0, days * 86_400, n))
    weekly = np.sin(2 * np.pi * seconds / (7 * 86_400))
    numbers = {f"x{k}": rng.normal(weekly * (k % 3) / 4, 1).round(4) for k in range(FEATURES - 2)}
    kinds = {f"kind{k}": rng.choice(["a", "b", "c", "d"], n, p=[0.4, 0.3, 0.2, 0.1]) for k in range(2)}
    score = 1 / (1 + np.exp(-numbers["x0"] - numbers["x1"] / 2))
    when = BEGIN + pd.to_timedelta(seconds, unit="s").round("s")
    frame = pd.DataFrame(
        {"id": np.arange(n), "predicted_at": when}
        | numbers
        | kinds
        | {
            "prediction": (score > 0.5).astype(int),
            "score": score.round(6),
            "label": (rng.random(n) < score).astype(int),
            "labeled_at": when + pd.to_timedelta(rng.uniform(0.5, 5, n), unit="D").round("s"),
        }
    )
    moments = dict.fromkeys(("predicted_at", "labeled_at"), "datetime64[us, UTC]")
    return Series("rehearsed", "binary", frame.astype(moments), "made here", "none", "1d")


def measured(windows: int, rows: int, folder: Path) -> dict[str, float]:
    """Return the processor seconds of running windows, of the nights, and of rehearsing both."""
    warehouse = Warehouse(a_log(REFERENCE_DAYS + windows + 7, rows), folder / "log.duckdb")
    monitor = proposed(warehouse, folder, window="1d")
    assert monitor.start is not None
    end = monitor.start + windows * timedelta(days=1)
    replay = Replay(folder, monitor, warehouse.url)
    spent = {"windows": 0.0, "nights": 0.0}
    before = time.process_time()
    for step, _ in replay.run(steps(monitor, monitor.start, end)):
        now = time.process_time()
        spent["nights" if step.night else "windows"] += now - before
        before = now
    found = rehearse(monitor, replay.resources, start=monitor.start, end=end)
    spent["rehearsal"] = time.process_time() - before
    print(f"{found.windows} windows, {found.nights} nights, {len(found.tellings)} tellings", flush=True)
    return spent


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=90)
    parser.add_argument("--rows", type=int, default=1000, help="a window")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hindsight-bench-") as name:
        spent = measured(asked.windows, asked.rows, Path(name))
    running = spent["windows"] + spent["nights"]
    ratios = {"of_running": spent["rehearsal"] / running, "of_windows_alone": spent["rehearsal"] / spent["windows"]}
    print(json.dumps({name: round(value, 3) for name, value in (spent | ratios).items()}))


if __name__ == "__main__":
    main()
