"""Fixtures on a real Airflow: a home of its own, an empty bundle, the project's plugin and DAGs."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from hindsight.settings import unsettle

ROOT = Path(__file__).parents[2]
HOME = Path(tempfile.mkdtemp(prefix="hindsight-airflow-"))
(HOME / "dags").mkdir()  # dag.test() parses the bundle again at every call

_FOR_AIRFLOW = {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__API_AUTH__JWT_SECRET": "only for tests " * 5,
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
}

assert not any(name.split(".")[0] == "airflow" for name in sys.modules), "Airflow was imported before its home was set"
os.environ |= _FOR_AIRFLOW
import airflow.settings  # noqa: E402, F401  reads the home above, once

with warnings.catch_warnings():  # Airflow imports it, and it would rather have another HTTP library
    warnings.simplefilter("ignore")
    import starlette.testclient  # noqa: F401

for _name in _FOR_AIRFLOW:
    del os.environ[_name]  # other tests of this process run without an Airflow


@pytest.fixture(autouse=True)
def airflow_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in _FOR_AIRFLOW.items():
        monkeypatch.setenv(name, value)
    yield
    unsettle()  # this process works for other DAG files next


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own tables, made once."""
    from airflow.utils import db

    with pytest.MonkeyPatch.context() as patch:
        for name, value in _FOR_AIRFLOW.items():
            patch.setenv(name, value)
        db.initdb()


@pytest.fixture
def write_monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a monitor file into the folder this test's Airflow reads; keyword arguments are its top-level keys."""
    folder = tmp_path / "monitors"
    folder.mkdir()
    monkeypatch.setenv("HINDSIGHT_MONITORS", str(folder))
    monkeypatch.setenv("HINDSIGHT_DATA", str(tmp_path / "data"))

    def write(file: dict[str, Any] | str) -> Path:
        text = file if isinstance(file, str) else yaml.safe_dump(file)
        name = file["name"] if isinstance(file, dict) else f"broken_{len(text)}"
        (folder / f"{name}.yml").write_text(text)
        return folder / f"{name}.yml"

    return write


@pytest.fixture
def parse(
    airflow_database: None, write_monitor: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """Parse the project's DAG files as the dag-processor does and write them to Airflow's database; return the bag.

    Tasks are not retried: one that fails by mistake would make `dag.test()` wait for minutes before it says so.
    """
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.utils.session import create_session

    from hindsight.airflow import tasks

    monkeypatch.setitem(tasks.DEFAULTS, "retries", 0)

    def parsed() -> Any:
        bag = DagBag(str(ROOT / "dags"))
        with create_session() as session:
            DagBundlesManager().sync_bundles_to_db(session=session)
        sync_bag_to_db(bag, "dags-folder", None)
        return bag

    return parsed


@pytest.fixture
def use_cases(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Record what the tasks ask of the use cases instead of doing it."""
    from hindsight import pipeline
    from tests.airflow.runs import Recorded

    recorded = Recorded()
    for name in (name for name in dir(Recorded) if not name.startswith("_") and callable(getattr(Recorded, name))):
        monkeypatch.setattr(pipeline, name, getattr(recorded, name), raising=False)
    for module in ("tasks", "retraining"):
        monkeypatch.setattr(f"hindsight.airflow.{module}.open_resources", lambda: SimpleNamespace(ledger=recorded))
    return recorded
