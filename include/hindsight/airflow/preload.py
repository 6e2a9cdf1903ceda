"""Preloading: what every task imports, imported once in the process that all task processes are forked from.

Two lines in `airflow_local_settings.py`, which Airflow runs when any of its processes starts, do it:

    from hindsight.airflow.preload import preload
    preload(sys.argv)
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

# The processes whose forks run tasks: LocalExecutor's workers are the scheduler's, Celery's pool is its worker's.
PARENTS = (("scheduler",), ("celery", "worker"))
LIBRARIES = (
    "evidently.presets",
    "plotly.offline",
    "pandas",
    "scipy.stats",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "adbc_driver_postgresql.dbapi",
    "psycopg",
    "aiosmtplib",
)
OURS = (
    "hindsight.airflow.declared",
    "hindsight.airflow.upkeep",
    "hindsight.airflow.connections",
    "hindsight.checks.suites.build",
    "hindsight.messages.smtp_mailer",
    "hindsight.pipeline.act.alerts_posted",
    "hindsight.pipeline.act.delivery",
    "hindsight.pipeline.act.maintenance",
    "hindsight.pipeline.act.requests",
    "hindsight.pipeline.act.undelivered",
    "hindsight.pipeline.judge.judgement",
    "hindsight.pipeline.judge.reminders",
    "hindsight.pipeline.measure.nights",
    "hindsight.pipeline.measure.renaming",
    "hindsight.pipeline.measure.windows",
    "hindsight.pipeline.night",
    "hindsight.pipeline.review",
    "hindsight.pipeline.show.documents",
    "hindsight.warehouse.dialects.postgresql",
)


def preload(command: Sequence[str]) -> bool:
    """Import what tasks need if this process, started by `command` (sys.argv), is a parent of tasks; say whether it is.

    A library that is not installed is left out. What was imported is frozen out of garbage collection: collecting
    would write to its pages, and each task's process would get a copy of its own.
    """
    if not is_parent(command):
        return False
    for name in (*LIBRARIES, *OURS):
        with suppress(ModuleNotFoundError):
            import_module(name)
    with import_module("hindsight.checks.suites.library").great_expectations(whole=True):
        pass  # imported and set up as its users do, who keep it from filling the log
    gc.freeze()
    return True


def is_parent(command: Sequence[str]) -> bool:
    """Whether a command line of Airflow starts a process whose forks run tasks."""
    return any(tuple(command[1 : 1 + len(words)]) == words for words in PARENTS)
