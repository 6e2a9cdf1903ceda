"""The parts of the push-down bench, each run in a process of its own."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

from benchmarks.speed_parts import fetch_and_write, monitored, peak_mb


def _monitored(way: str, uri: str, folder: Path) -> tuple[Any, Any, Any]:
    monitor, window, resources = monitored(uri, folder)
    return monitor.model_copy(update={"source": monitor.source.model_copy(update={"count_in": way})}), window, resources


def freeze(way: str, uri: str, folder: Path) -> float:
    """Time the fit of the reference."""
    from hindsight.pipeline.measure.baselines import baseline_for

    monitor, window, resources = _monitored(way, uri, folder)
    began = time.perf_counter()
    baseline_for(monitor, window, resources, as_of=window.end)
    return time.perf_counter() - began


def window_job(way: str, uri: str, folder: Path) -> float:
    """Time a window from the warehouse to its snapshots."""
    from hindsight.pipeline.measure.windows import run_window

    shutil.rmtree(folder / "snapshots", ignore_errors=True)
    monitor, window, resources = _monitored(way, uri, folder)
    began = time.perf_counter()
    run_window(monitor, window, resources)
    return time.perf_counter() - began


PARTS = {
    "freeze": freeze,
    "window_job": window_job,
    "fetch_and_write": lambda _, uri, there: fetch_and_write(uri, there),
}


def main() -> None:
    """Run one part and print its seconds and its peak memory."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("part", choices=PARTS)
    options.add_argument("way", choices=["worker", "warehouse"])
    options.add_argument("uri")
    options.add_argument("folder", type=Path)
    asked = options.parse_args()
    seconds = PARTS[asked.part](asked.way, asked.uri, asked.folder)
    print(json.dumps({"seconds": seconds, "rss_mb": peak_mb()}))


if __name__ == "__main__":
    main()
