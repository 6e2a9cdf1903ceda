"""What Airflow runs when it starts in the benchmark of runs: every task's processor time is noted as its process ends.

LocalExecutor's workers fork a process for each task and wait for it, so what the kernel says of a worker's children
grows by exactly what that process and all it started have used. With HINDSIGHT_BENCH_PRELOAD the scheduler preloads.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

if "scheduler" in sys.argv[1:3]:
    from airflow.executors.base_executor import BaseExecutor

    run_workload = BaseExecutor.run_workload

    def noted(workload: Any, **rest: Any) -> int:
        """Run one task as LocalExecutor does, and append that it began and what it cost to HINDSIGHT_BENCH_COSTS."""
        whose = {"task_s": resource.RUSAGE_CHILDREN, "supervisor_s": resource.RUSAGE_SELF}
        before = {name: _used(who) for name, who in whose.items()}
        _note(workload)
        try:
            return int(run_workload(workload, **rest))
        finally:
            _note(workload, **{name: _used(who) - before[name] for name, who in whose.items()})

    def _note(workload: Any, **costs: float) -> None:
        with open(os.environ["HINDSIGHT_BENCH_COSTS"], "a") as file:
            file.write(json.dumps({"run": workload.ti.run_id, "task": workload.ti.task_id, **costs}) + "\n")

    def _used(whose: int) -> float:
        used = resource.getrusage(whose)
        return used.ru_utime + used.ru_stime

    BaseExecutor.run_workload = staticmethod(noted)

    if os.environ.get("HINDSIGHT_BENCH_PRELOAD"):
        try:
            from hindsight.airflow.preload import preload
        except ImportError:  # a Hindsight of before it shipped one: what its demo imported
            import evidently.presets  # noqa: F401
            import great_expectations  # noqa: F401
            import pandas  # noqa: F401
            import sklearn.ensemble  # noqa: F401
        else:
            preload(sys.argv)
