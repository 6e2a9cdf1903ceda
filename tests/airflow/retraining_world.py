"""A retraining in a real Airflow: real tables, a real ledger, a user's trainer, and people who answer in the UI."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from hindsight.ledger.records import Progress
from tests.airflow.runs import again
from tests.builders import DAY
from tests.pipeline.world import World, a_world

if TYPE_CHECKING:
    import pandas as pd

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def recent(days: int) -> list[str]:
    """The days before today, oldest first."""
    return [f"{TODAY - n * DAY:%Y-%m-%d}" for n in range(days, 0, -1)]


@dataclass
class Retrainings:
    """The retraining DAG of a world, its trainer's tries and what its ledger says."""

    world: World
    parse: Callable[[], Any]
    tries: int = 0
    errors: list[Exception] = field(default_factory=list)

    def train(self, rows: pd.DataFrame, as_of: datetime) -> Any:
        """A user's trainer: raises what it is told to, then finds the right border."""
        from sklearn.tree import DecisionTreeClassifier

        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        depth = 1 if self.tries <= 2 else 3  # the first is tried on a few rows, then trained
        return DecisionTreeClassifier(max_depth=depth, random_state=0).fit(rows[["amount"]], rows["label"])

    def declare(self, **retrain: Any) -> None:
        """Write the monitor file with these keys below `retrain`."""
        retrain = {"train": "lending_models:train"} | retrain
        self.world.declare(reference=None, features={"amount": "numeric"}, retrain=retrain)

    def trigger(self, conf: dict[str, Any] | None = None, **test: Any) -> Any:
        """Trigger the DAG as a person does, wait for its end and return the run."""
        return self.parse().dags["retrain__credit"].test(run_conf=conf, **test)

    def again(self, run: Any, task_id: str) -> str:
        """Clear one task of a run that is over, let it run, and return how it ended."""
        return again(self.parse().dags["retrain__credit"], run, task_id)

    def shown(self, run: Any) -> dict[str, Any]:
        """What the task `train` of a run hands to the person who approves."""
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        query = sa.select(XComModel.value).where(XComModel.run_id == run.run_id, XComModel.task_id == "train")
        with create_session() as session:
            (value,) = session.scalars(query.where(XComModel.key == "return_value"))
        found: dict[str, Any] = value if isinstance(value, dict) else json.loads(value)
        return found

    def progress(self) -> list[Progress]:
        """What the ledger says of every request, oldest first."""
        return self.world.resources.ledger.requests("credit")

    def mails(self) -> list[str]:
        """The subjects of all mail promised."""
        return [mail.subject for mail in self.world.resources.ledger.outbox("credit")]

    def text(self, subject: str) -> str:
        """The body of the mail whose subject holds this."""
        from hindsight.ledger import tables

        with self.world.resources.ledger.reading() as connection:
            query = sa.select(tables.outbox.c.text).where(tables.outbox.c.subject.contains(subject))
            return str(connection.execute(query).scalar_one())


@contextmanager
def some_retrainings(
    sqlite_url: sa.URL, tmp_path: Path, parse: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Retrainings]:
    """Twelve days up to yesterday in which what the model says is mostly wrong."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"sqlite:///{sqlite_url.database}")
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    module = ModuleType("lending_models")
    monkeypatch.setitem(sys.modules, "lending_models", module)
    with a_world(sqlite_url, tmp_path, days=()) as world:
        for day in recent(12):
            world.log(day, right=0.1)
        made = Retrainings(world, parse)
        made.declare()
        module.train = made.train  # type: ignore[attr-defined]
        yield made


def answering(act: Callable[[Any], None], *, patience: timedelta = timedelta(seconds=90)) -> threading.Thread:
    """Start a thread that waits for the task `approve` to ask, and then does `act` with its task instance."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    waiting = sa.select(TaskInstance).where(TaskInstance.task_id == "approve", TaskInstance.state == "awaiting_input")
    until = time.monotonic() + patience.total_seconds()

    def wait() -> None:
        while time.monotonic() < until:
            with create_session() as session:
                asked = session.scalars(waiting).first()
                if asked is not None:
                    session.expunge(asked)
            if asked is not None:
                return act(asked)
            time.sleep(0.2)
        return None

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def says(option: str, user: str = "ann", role: str = "ADMIN", status: int = 200) -> Callable[[Any], None]:
    """Answer over Airflow's own API, signed in as `user`, who may if `status` says so."""

    def act(asked: Any) -> None:
        from airflow.api_fastapi.app import create_app, get_auth_manager
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
        from fastapi.testclient import TestClient

        client = TestClient(create_app(apps="core"))
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=user, role=role))
        place = f"/api/v2/dags/{asked.dag_id}/dagRuns/{asked.run_id}/taskInstances/approve/-1/hitlDetails"
        answer = client.patch(
            place,
            json={"chosen_options": [option], "params_input": {}},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == status, answer.text

    return act


def says_nothing(asked: Any) -> None:
    """Let the time for an answer be over, and do what Airflow's scheduler does then."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        over = sa.update(TaskInstance).where(TaskInstance.id == asked.id)
        session.execute(over.values(trigger_timeout=datetime.now(UTC) - timedelta(seconds=1)))
    SchedulerJobRunner(Job()).check_awaiting_input_timeouts()
