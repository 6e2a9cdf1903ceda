"""A real Airflow with two schedulers, in which the task that trains is killed: one run, one version, one word."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from demo.processes import Children
from hindsight import pipeline
from hindsight.ledger.records import RequestState
from tests.airflow.retraining_world import recent
from tests.pipeline.world import World, a_world

ROOT = Path(__file__).parents[2]
PATIENCE_S = 900
TRAINER = '''
import os, time
from pathlib import Path

def train(rows, as_of):
    """Trains, but the first time on all rows is so slow that somebody kills it."""
    from sklearn.tree import DecisionTreeClassifier

    started = Path(os.environ["TRAINING_STARTED"])
    if len(rows) > 1000 and not started.exists():
        started.write_text(str(os.getpid()))
        time.sleep(600)
    return DecisionTreeClassifier(max_depth=3, random_state=0).fit(rows[["amount"]], rows["label"])
'''
pytestmark = pytest.mark.skipif(
    "HINDSIGHT_SURROUNDINGS" not in os.environ, reason="starts an Airflow of five processes: make surroundings runs it"
)


@pytest.fixture
def world(tmp_path: Path, sqlite_url: sa.URL) -> Iterator[World]:
    """Twelve days up to yesterday in which what the model says is mostly wrong, and a trainer that does better."""
    (tmp_path / "slow_lending.py").write_text(TRAINER)
    with a_world(sqlite_url, tmp_path, days=()) as made:
        for day in recent(12):
            made.log(day, right=0.1)
        retrain = {"train": "slow_lending:train", "approval": False}
        made.declare(reference=None, features={"amount": "numeric"}, retrain=retrain)
        made.resources.registry.create()
        yield made


@contextmanager
def an_airflow(world: World, metadata: sa.URL, folder: Path) -> Iterator[None]:
    """Two schedulers, a DAG processor and an API server on loopback."""
    environment = os.environ | settings(world, metadata, folder)
    airflow = [sys.executable, "-m", "airflow"]
    children = Children(folder / "logs", folder / "pids")
    try:
        done = children.start("migrate", [*airflow, "db", "migrate"], environment)
        assert done.wait(timeout=300) == 0, children.tail("migrate")
        children.forget("migrate")
        for name in ("api-server", "dag-processor"):
            children.start(name, [*airflow, name], environment)
        for number in (1, 2):
            children.start(f"scheduler-{number}", [*airflow, "scheduler", "--skip-serve-logs"], environment)
        yield
    finally:
        for child in children.running.values():
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def settings(world: World, metadata: sa.URL, folder: Path) -> dict[str, str]:
    port = a_free_port()
    url, key = f"http://127.0.0.1:{port}", urlsafe_b64encode(b"only for tests; 32 bytes of key!").decode()
    airflow = {
        "CORE__DAGS_FOLDER": ROOT / "dags",
        "CORE__PLUGINS_FOLDER": ROOT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 4,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "CORE__FERNET_KEY": key,
        "API_AUTH__JWT_SECRET": key,
        "API__SECRET_KEY": key,
        "API__PORT": port,
        "API__HOST": "127.0.0.1",
        "API__WORKERS": 1,
        "DATABASE__SQL_ALCHEMY_CONN": metadata.set(drivername="postgresql+psycopg2").render_as_string(False),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 30,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    return {f"AIRFLOW__{name}": str(value) for name, value in airflow.items()} | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW_CONN_WAREHOUSE": f"sqlite:///{world.url.database}",
        "AIRFLOW_CONN_HINDSIGHT_LEDGER": f"sqlite:///{world.folder / 'ledger.db'}",
        "HINDSIGHT_DATA": world.resources.settings.data,
        "HINDSIGHT_MONITORS": str(world.resources.settings.monitors),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT), str(world.folder)]),
        "TRAINING_STARTED": str(folder / "started"),
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
    }


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(what: Callable[[], bool], name: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, f"{name} did not come"
        time.sleep(1)


def test_one_request_is_one_run_whatever_schedulers_and_tasks_die(
    world: World, postgres_url: sa.URL, tmp_path: Path
) -> None:
    now, started = datetime.now(UTC), tmp_path / "started"
    pipeline.ask(world.monitor, "k1", world.resources, as_of=now, by="ann", why="worse", at=now)

    def request() -> RequestState:
        return world.resources.ledger.requests("credit")[0].state

    with an_airflow(world, postgres_url, tmp_path):
        wait_for(lambda: started.exists() and bool(started.read_text()), "the training")
        os.kill(int(started.read_text()), signal.SIGKILL)
        wait_for(lambda: request() is RequestState.DONE, "the promotion")
        time.sleep(10)  # for whatever would come twice

    with sa.create_engine(postgres_url, poolclass=sa.NullPool).connect() as connection:
        runs = connection.exec_driver_sql("SELECT run_id FROM dag_run WHERE dag_id = 'retrain__credit'").all()
    assert [run.run_id for run in runs] == ["retrain__credit__k1"]
    assert [(one.version, one.stage) for one in world.resources.registry.versions("credit")] == [
        ("retrained-k1", "champion")
    ]
    told = [mail.subject for mail in world.resources.ledger.outbox("credit") if "champion" in mail.subject]
    assert told == ["[promoted] credit: retrained-k1 is the champion"]
