"""Preloading: which processes import what tasks need, and that all of it is there."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from hindsight import pipeline
from hindsight.airflow.preload import LIBRARIES, OURS, is_parent

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("command", "parent"),
    [
        (["/opt/venv/bin/airflow", "scheduler"], True),
        (["airflow", "scheduler", "--skip-serve-logs"], True),
        (["airflow", "celery", "worker", "--concurrency", "4"], True),
        (["airflow", "standalone"], False),  # it starts `airflow scheduler`, which is one
        (["airflow", "celery", "flower"], False),
        (["airflow", "dag-processor"], False),
        (["airflow", "api-server"], False),
        (["airflow"], False),
    ],
)
def test_only_parents_of_tasks_preload(command: list[str], parent: bool) -> None:
    assert is_parent(command) is parent


def test_what_is_preloaded_is_there() -> None:
    packages = {name.partition(".")[0] for name in LIBRARIES}  # whose parts are not looked for: that imports them
    assert [name for name in (*OURS, *packages) if find_spec(name) is None] == []


def test_every_use_case_of_a_task_is_preloaded() -> None:
    asked = (ROOT / "include" / "hindsight" / "airflow" / "tasks.py").read_text()
    used = {f"hindsight.pipeline.{home}" for name, home in pipeline._HOME.items() if f"pipeline.{name}(" in asked}
    assert used - set(OURS) == {"hindsight.pipeline.act.completeness"}  # once a day


def test_the_shipped_settings_import_nothing_heavy_in_other_processes() -> None:
    code = (
        "import sys, runpy; sys.argv = ['airflow', 'dag-processor']; "
        f"runpy.run_path({str(ROOT / 'config' / 'airflow_local_settings.py')!r}); "
        "assert not {'pandas', 'evidently', 'airflow', 'hindsight.airflow.dags'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT / "include")})
