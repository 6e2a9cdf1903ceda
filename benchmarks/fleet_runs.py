"""What runs cost: CPU seconds of the task processes of a window and of a night, as Airflow's LocalExecutor runs them.

`python -m benchmarks.fleet runs` starts PostgreSQL and Airflow (API server, scheduler with the LocalExecutor, DAG
processor), has it run windows of 1,000 rows and nights that touch two of them, and notes what the kernel says each
task's process has used, children included (`run_settings`). Once plain and once with everything preloaded in the
scheduler; with HINDSIGHT_BESIDE, another checkout, that before. The first run of each kind warms up and is left out, of
three others the median counts, and of each task beside. Airflow's supervisor of a task is not counted.
"""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.run_stack import DAY, FIRST, Stack, a_world, airflow

ROOT = Path(__file__).parents[1]
PLAIN, PRELOADED, SICK = (40, 41, 42, 43), (44, 45, 46, 47), (48, 49, 50, 51)  # days after FIRST
Costs = dict[str, tuple[float, float]]


def windows(stack: Stack, monitor: str, days: tuple[int, ...]) -> list[Costs]:
    """Run the window of each day; return what each but the first has cost."""
    starts = [f"{FIRST + day * DAY:%Y-%m-%dT%H:%M:%SZ}" for day in days]
    return [stack.run(f"monitor__{monitor}", window_start=start) for start in starts][1:]


def nights(stack: Stack, monitor: str) -> list[Costs]:
    """Hold a night that touches two windows, and three at which the same labels lie in the overlap of nights."""
    first = FIRST + 43 * DAY + timedelta(hours=1)
    moments = [first + k * timedelta(hours=1) for k in range(4)]
    return [stack.run(f"labels__{monitor}", as_of=f"{at:%Y-%m-%dT%H:%M:%SZ}") for at in moments][1:]


def measured(checkout: Path) -> dict[str, list[Costs]]:
    """Return what the runs of a checkout cost, by row."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="hindsight-fleet-") as name, a_world(checkout, Path(name)) as env:
        with airflow(Path(name), env, preloaded=False) as stack:
            found["quiet_run_cpu_s"] = windows(stack, "plain", PLAIN)
            found["quiet_run_suite_cpu_s"] = windows(stack, "suited", PLAIN)
        with airflow(Path(name), env, preloaded=True) as stack:
            found["quiet_run_preloaded_cpu_s"] = windows(stack, "suited", PRELOADED)
            found["night_cpu_s"] = nights(stack, "suited")
            found["breaching_run_preloaded_cpu_s"] = windows(stack, "suited", SICK)
    return found


def summary(row: str, runs: list[Costs]) -> dict[str, float]:
    """Return the median cost of a run, and of each of its tasks."""
    tasks = sorted({task for run in runs for task in run})
    whole = {row: median(sum(task for task, _ in run.values()) for run in runs)}
    return whole | {f"{row}_{task}": median(run.get(task, (0.0, 0.0))[0] for run in runs) for task in tasks}


def rows() -> dict[str, float]:
    """Measure this checkout, and the one beside before it; return the rows of both."""
    found: dict[str, float] = {}
    if beside := os.environ.get("HINDSIGHT_BESIDE"):
        for row, runs in measured(Path(beside).resolve()).items():
            found |= {f"{name}_before": value for name, value in summary(row, runs).items()}
    for row, runs in measured(ROOT).items():
        found |= summary(row, runs)
    return found
