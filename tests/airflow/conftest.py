"""Fixtures on a real Airflow: a home of its own, an empty bundle, the project's plugin and DAGs."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = Path(tempfile.mkdtemp(prefix="hindsight-airflow-"))
(HOME / "dags").mkdir()  # dag.test() parses the bundle again at every call

_FOR_AIRFLOW = {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
}

assert not any(name.split(".")[0] == "airflow" for name in sys.modules), "Airflow was imported before its home was set"
os.environ |= _FOR_AIRFLOW
import airflow.settings  # noqa: E402, F401  reads the home above, once

for _name in _FOR_AIRFLOW:
    del os.environ[_name]  # other tests of this process run without an Airflow


@pytest.fixture(autouse=True)
def airflow_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _FOR_AIRFLOW.items():
        monkeypatch.setenv(name, value)
