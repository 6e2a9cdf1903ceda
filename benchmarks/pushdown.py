"""Push-down: one window counted in the warehouse beside the same window read by the worker, on the same rows.

`python -m benchmarks.pushdown` makes rows × 28 columns as Parquet files that DuckDB sees as a view, and in an embedded
PostgreSQL, and runs each job in a process of its own, three times where it is quick. It prints ratios: counted in
DuckDB over our streaming job, counted in PostgreSQL over the bare fetch and write, and writes
benchmarks/results/pushdown.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from benchmarks.speed import about
from benchmarks.speed_rows import DAY, SIDES, START, features, load, logged

RESULTS = Path(__file__).parent / "results" / "pushdown.json"
GOALS = {"duckdb_over_streaming": 0.25, "postgresql_over_fetch_and_write": 1.0}
QUICK_S, TIMES = 20.0, 3
WAYS = ("worker", "warehouse")
Numbers = dict[str, float]


def apart(part: str, way: str, uri: str, folder: Path) -> Numbers:
    """Run one part in a process of its own; return its seconds and its peak memory in MB."""
    command = [sys.executable, "-m", "benchmarks.pushdown_parts", part, way, uri, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part} by {way} failed:\n{done.stderr}")
    found: Numbers = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"  {part:16} {way:10} {found['seconds']:8.2f} s {found['rss_mb']:7.0f} MB", flush=True)
    return found


def repeated(part: str, way: str, uri: str, folder: Path) -> Numbers:
    """Run a part, a quick one three times: the median of each number."""
    runs = [apart(part, way, uri, folder)]
    while runs[0]["seconds"] < QUICK_S and len(runs) < TIMES:
        runs.append(apart(part, way, uri, folder))
    return {name: median(run[name] for run in runs) for name in ("seconds", "rss_mb")}


def on_duckdb(n: int, folder: Path) -> dict[str, Numbers]:
    """Both ways over the same Parquet files."""
    import duckdb

    for side, start in zip(SIDES, (START - DAY, START), strict=True):
        parts = (logged(table, side, part, start) for part, table in enumerate(features(n, side)))
        first = next(parts)
        with pq.ParquetWriter(folder / f"{side}.parquet", first.schema) as writer:
            writer.write_table(first)
            for table in parts:
                writer.write_table(table)
    with duckdb.connect(str(folder / "log.duckdb")) as connection:
        connection.execute(f"CREATE VIEW bench_log AS FROM read_parquet('{folder}/*.parquet')")
    return _ways(sa.URL.create("duckdb", database=str(folder / "log.duckdb")), folder)


def on_postgresql(n: int, folder: Path) -> dict[str, Numbers]:
    """Both ways, and the bare fetch of the rows with their Parquet file."""
    from demo import database

    with database.running(folder / "postgres") as url:
        load(url.render_as_string(hide_password=False), n)
        bare = {"fetch_and_write": repeated("fetch_and_write", "worker", _text(url), folder)}
        return bare | _ways(url, folder)


def _ways(url: sa.URL, folder: Path) -> dict[str, Numbers]:
    found = {}
    for way in WAYS:
        (folder / way).mkdir()
        apart("freeze", way, _text(url), folder / way)
        found[way] = repeated("window_job", way, _text(url), folder / way)
    return found


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


def ratios(duckdb: dict[str, Numbers] | None, postgresql: dict[str, Numbers] | None) -> dict[str, float]:
    """The numbers that have a goal, and the memory of the job that counts."""
    found = {}
    if duckdb:
        found["duckdb_over_streaming"] = duckdb["warehouse"]["seconds"] / duckdb["worker"]["seconds"]
        found["duckdb_rss_mb"] = duckdb["warehouse"]["rss_mb"]
    if postgresql:
        bare = postgresql["fetch_and_write"]["seconds"]
        found["postgresql_over_fetch_and_write"] = postgresql["warehouse"]["seconds"] / bare
        found["postgresql_rss_mb"] = postgresql["warehouse"]["rss_mb"]
    return found


def measure(n: int, engines: list[str]) -> dict[str, Any]:
    """Make the rows, and measure both ways on each engine."""
    print(f"{n:,} rows", flush=True)
    made = {"duckdb": on_duckdb, "postgresql": on_postgresql}
    found: dict[str, Any] = {}
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="hindsight-bench-") as name:
            print(f" {engine}", flush=True)
            found[engine] = made[engine](n, Path(name))
    found["ratios"] = ratios(found.get("duckdb"), found.get("postgresql"))
    for what, ratio in found["ratios"].items():
        goal = f" (goal at most {GOALS[what]})" if what in GOALS else ""
        print(f" {what} {ratio:.2f}{goal}", flush=True)
    return found


def main() -> None:
    """Measure, keep the numbers, print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, nargs="+", default=(1_000_000, 10_000_000))
    options.add_argument("--engines", nargs="+", default=["duckdb", "postgresql"], choices=["duckdb", "postgresql"])
    asked = options.parse_args()
    measured = {str(n): measure(n, asked.engines if n <= 1_000_000 else ["duckdb"]) for n in asked.rows}
    RESULTS.parent.mkdir(exist_ok=True)
    told = about() | {"command": " ".join(["python -m benchmarks.pushdown", *sys.argv[1:]]), "rows": measured}
    RESULTS.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
