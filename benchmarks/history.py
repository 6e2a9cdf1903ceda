"""History: what looking costs when there are years of windows, folded and as it lay before.

`python -m benchmarks.history` lays one, twelve and thirty-six months of five-minute windows, folded as maintenance
leaves them, with the day that is not over as single files, and one month of single files alone, which is how all of it
lay before; it looks at each in turn, three times, so that a machine that slows down slows all. It prints the CPU
seconds of a monitor's page and of `hindsight show`, then folds a month of hourly windows of 28 features for real and
prints files and bytes, before and after; then the requests an S3 server of this machine is asked, and the windows a
first night over some days of five-minute windows measures in a CPU second. Last comes how long this machine takes for
ten million additions, so that machines can be compared. All of it goes into benchmarks/results/history.json. Half an
hour, 3 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import nights
from benchmarks.history_layout import DAY, END, Pattern, a_monitor, a_pattern, lay, monitor_file, open_resources
from benchmarks.history_requests import requests
from hindsight import pipeline
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.pipeline.measure.definition import relearn
from hindsight.pipeline.resources import Resources
from hindsight.reports.pages import monitor_page
from hindsight.snapshots.store import SnapshotStore

RESULTS = Path(__file__).parent / "results"
FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)
MONTHS, YEAR = (1, 12, 36), 12
FEATURES, MANY = 3, 28
NIGHT_DAYS, A_DAY = (2, 14), 20_000  # of the first nights: days of five-minute windows, predictions a day
REPEATS = 3


def page_cpu(folder: Path) -> float:
    """Return the CPU seconds of a monitor's page in a process that has drawn one before, with nothing remembered."""
    resources = open_resources(folder)
    load_monitor("history", resources.settings.monitors)
    _page_cpu(resources)
    return _page_cpu(resources)


def _page_cpu(resources: Resources) -> float:
    resources.forget()
    began = time.process_time()
    view = pipeline.monitor_view("history", resources, now=END)
    assert view is not None
    monitor_page(view)
    return time.process_time() - began


def show_cpu(folder: Path) -> float:
    """Return the CPU seconds of `hindsight show history` as a whole process, its start included."""
    given = {
        "HINDSIGHT_DATA": str(folder / "data"),
        "HINDSIGHT_MONITORS": str(folder / "monitors"),
        "AIRFLOW_CONN_WAREHOUSE": f"sqlite:///{folder}/warehouse.db",
        "AIRFLOW_CONN_HINDSIGHT_LEDGER": f"sqlite:///{folder}/ledger.db",
    }
    return _child_cpu([sys.executable, "-c", "from hindsight.cli import main; main()", "show", "history"], given)


def _child_cpu(command: list[str], given: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=os.environ | given, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def looked_at(laid: dict[Path, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was laid in each folder with the CPU seconds of looking at it: the least of rounds over all."""
    rounds = [{folder: (page_cpu(folder), show_cpu(folder)) for folder in laid} for _ in range(REPEATS)]
    least = {folder: [min(some) for some in zip(*(one[folder] for one in rounds), strict=True)] for folder in laid}
    return [row | dict(zip(("page_cpu_s", "show_cpu_s"), least[folder], strict=True)) for folder, row in laid.items()]


def a_history(folder: Path, monitor: Monitor, pattern: Pattern, months: int, *, folded: bool) -> dict[str, Any]:
    """Lay a history and weigh it."""
    folder.mkdir()
    (folder / "monitors").mkdir()
    (folder / "monitors" / "history.yml").write_text(json.dumps(monitor_file(monitor.window, FEATURES)))
    store = SnapshotStore(str(folder / "data"))
    windows = lay(store, monitor, pattern, months=months, folded=folded)
    relearn(monitor.name, open_resources(folder))
    files, size = _weight(folder / "data")
    return {"months": months, "folded": folded, "windows": windows, "files": files, "bytes": size}


def a_folded_month(folder: Path) -> dict[str, Any]:
    """Lay a month of hourly windows of many features as single files, fold it as maintenance does, and weigh both."""
    monitor = a_monitor(HOUR, MANY)
    pattern = a_pattern(folder / "pattern", monitor)
    resources = open_resources(folder)
    lay(resources.store, monitor, pattern, months=2, folded=False)
    before = _weight(folder / "data")
    began = time.process_time()
    for hours in (0, 1):  # the second run deletes what the first one has folded
        fold_snapshots(monitor.name, resources, now=END + 90 * DAY + hours * HOUR)
    seconds = time.process_time() - began
    after = _weight(folder / "data")
    return {
        "files": after[0] / before[0],
        "bytes": after[1] / before[1],
        "files_before": before[0],
        "files_after": after[0],
        "folded_a_cpu_s": before[0] / seconds,
    }


def _weight(folder: Path) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*.parquet")]
    return len(sizes), sum(sizes)


def windows_a_cpu_s(days: int) -> float:
    """Return how many five-minute windows a first night measures and judges in a CPU second."""
    first = nights.measure(days, A_DAY, "5m")["everything"]
    return float(first["windows"] / first["cpu_s"])


def additions_s() -> float:
    """Return the CPU seconds of ten million additions by the interpreter."""
    began = time.process_time()
    sum(number for number in range(10_000_000))
    return time.process_time() - began


def measured(months: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Lay and look, fold and weigh, ask and count; yield numbers as they are found, those of goals by their names."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        monitor = a_monitor(FIVE, FEATURES)
        pattern = a_pattern(folder / "pattern", monitor)
        laid = {folder / "before": a_history(folder / "before", monitor, pattern, 1, folded=False)}
        for some in months:
            laid[folder / f"m{some}"] = a_history(folder / f"m{some}", monitor, pattern, some, folded=True)
        before, *after = looked_at(laid)
        yield {"single_files": before, "folded": after}
        yield {"show_cpu_s": {row["months"]: row["show_cpu_s"] for row in after}}
        yield {"page_year_5m_cpu_s": next((row["page_cpu_s"] for row in after if row["months"] == YEAR), None)}
        (folder / "hourly").mkdir()
        month = a_folded_month(folder / "hourly")
        yield {"files_folded": month["files"], "bytes_folded": month["bytes"], "hourly_month": month}
        yield dict(requests(folder / "requests"))
    yield {"first_night_windows_a_cpu_s": {days: windows_a_cpu_s(days) for days in NIGHT_DAYS}}
    yield {"additions_s": additions_s()}


def told(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "five-minute windows    months   windows     files       MB   page CPU s   show CPU s"
    for row in (found["single_files"], *found["folded"]):
        how = "folded" if row["folded"] else "single files"
        looked = f"{row['page_cpu_s']:12.2f} {row['show_cpu_s']:12.2f}"
        yield f"{how:22} {row['months']:6} {row['windows']:9,} {row['files']:9,} {row['bytes'] / 1e6:8.0f} {looked}"
    weight = f"files x {found['files_folded']:.4f}, bytes x {found['bytes_folded']:.2f}"
    yield f"a month of hourly windows, {MANY} features, folded: {weight}"
    yield f"requests of S3, show with 1,000 hourly windows: {found['s3_requests_show_1000']}"
    yield f"requests of S3, a page with a year of hourly windows: {found['s3_requests_page_year_1h']}"
    yield f"requests of S3, a run of one window of {MANY} features: {found['s3_requests_run']}"
    for days, rate in found["first_night_windows_a_cpu_s"].items():
        yield f"a first night over {days} days of five-minute windows: {rate:.1f} windows a CPU second"
    yield f"ten million additions on this machine: {found['additions_s']:.2f} CPU s"


def main() -> None:
    """Measure, print, keep the numbers: each as soon as it is there, so that what fails late takes none with it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--months", type=int, nargs="*", default=MONTHS)
    RESULTS.mkdir(exist_ok=True)
    found: dict[str, Any] = {}
    for part in measured(options.parse_args().months):
        found |= part
        (RESULTS / "history.json").write_text(json.dumps(found, indent=1))
    print("\n".join(told(found)))


if __name__ == "__main__":
    main()
