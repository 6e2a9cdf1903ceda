"""An Airflow of several machines on one: Redis, two Celery workers, two schedulers, each killed and started by name."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import sqlalchemy as sa

from demo.processes import Children
from tests.pipeline.world import World
from tests.surroundings.test_two_schedulers import ROOT, a_free_port, settings

FETCHED = Path(os.environ.get("HINDSIGHT_FLEET", "/nowhere"))
AIRFLOW = [sys.executable, "-m", "airflow"]
COMMANDS = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    "scheduler-1": ["scheduler", "--skip-serve-logs"],
    "scheduler-2": ["scheduler", "--skip-serve-logs"],
    "worker-1": ["celery", "worker", "--celery-hostname", "one@%h", "--skip-serve-logs", "--concurrency", "3"],
    "worker-2": ["celery", "worker", "--celery-hostname", "two@%h", "--skip-serve-logs", "--concurrency", "3"],
}


@dataclass
class Machines:
    """The processes of one Airflow."""

    children: Children
    environment: Mapping[str, str]
    outlived: list[psutil.Process] = field(default_factory=list)  # the children of what was killed

    def start(self, name: str) -> None:
        """Start a process, again if it is gone."""
        self.children.start(name, [*AIRFLOW, *COMMANDS[name]], self.environment)

    def kill(self, name: str) -> None:
        """Kill a process with -9 and nothing of what it has started: its tasks work on."""
        child = self.children.running[name]
        self.outlived += psutil.Process(child.pid).children(recursive=True)
        child.kill()
        child.wait()
        self.children.forget(name)

    def worker_of(self, pid: int) -> str:
        """Return the worker below which a process runs."""
        above = {parent.pid for parent in psutil.Process(pid).parents()}
        return next(name for name, child in self.children.running.items() if child.pid in above)


@contextmanager
def machines(world: World, metadata: sa.URL, folder: Path, more: Mapping[str, str]) -> Iterator[Machines]:
    """Redis, an API server, a DAG processor, two schedulers and two workers on loopback, which share the disk."""
    port = a_free_port()
    environment = os.environ | settings(world, metadata, folder) | _celery(port) | more
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(FETCHED / "packages"), str(ROOT / "config"), environment["PYTHONPATH"], more.get("PYTHONPATH", "")]
    )
    children = Children(folder / "logs", folder / "pids")
    made = Machines(children, environment)
    try:
        redis = FETCHED / "redis/usr"
        libraries = {"LD_LIBRARY_PATH": str(next(redis.glob("lib/*-linux-gnu")))}
        command = [str(redis / "bin/redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        children.start("redis", [*command, "--dir", str(folder)], os.environ | libraries)
        done = children.start("migrate", [*AIRFLOW, "db", "migrate"], environment)
        assert done.wait(timeout=300) == 0, children.tail("migrate")
        children.forget("migrate")
        for name in COMMANDS:
            made.start(name)
        yield made
    finally:
        _end(made)


def _celery(port: int) -> dict[str, str]:
    airflow = {
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__PARALLELISM": 6,
        "CELERY__BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "CELERY__RESULT_BACKEND": f"redis://127.0.0.1:{port}/1",
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 20,
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 20,
        "SCHEDULER__TASK_QUEUED_TIMEOUT": 90,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 5,
    }
    return {f"AIRFLOW__{name}": str(value) for name, value in airflow.items()}


def _end(made: Machines) -> None:
    """Kill every process of these, and tasks that outlived a worker that was killed."""
    for child in made.children.running.values():
        made.outlived += psutil.Process(child.pid).children(recursive=True)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for process in made.outlived:
        with suppress(psutil.NoSuchProcess):
            process.kill()
