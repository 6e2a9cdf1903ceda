"""Two workers, two schedulers and the relay are killed with -9: no window is lost, nothing is told or trained twice."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.records import MailState, RequestState
from hindsight.messages.smtp_mailer import SmtpMailer
from hindsight.vocabulary.measurement import Kind
from tests.airflow.retraining_world import recent
from tests.builders import at
from tests.fleet.machines import FETCHED, Machines, machines
from tests.messages.smtp_server import SILENT
from tests.pipeline.world import World, a_world

PATIENCE_S = 900
LOGGED = recent(12)
DAYS = LOGGED[-6:]
TRAINER = '''
import os, time
from pathlib import Path

def train(rows, as_of):
    """Trains, the first time so slowly that the worker above it is killed meanwhile."""
    from sklearn.tree import DecisionTreeClassifier

    started = Path(os.environ["TRAINING_STARTED"])
    if not started.exists():
        started.write_text(str(os.getpid()))
        time.sleep(40)
    return DecisionTreeClassifier(max_depth=3, random_state=0).fit(rows[["amount"]], rows["label"])
'''
CONSUMER = """
from pathlib import Path

from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, task

with DAG(
    "use_credit",
    schedule=PartitionedAssetTimetable(assets=Asset("hindsight://credit/snapshots")),
    is_paused_upon_creation=False,
):

    @task
    def use(partition_key=None):
        print(f"the window that starts at {partition_key} UTC was measured")

    use()
"""
pytestmark = pytest.mark.skipif(not FETCHED.is_dir(), reason="starts an Airflow of seven processes: make fleet runs it")


@pytest.fixture
def world(tmp_path: Path, sqlite_url: sa.URL) -> Iterator[World]:
    """Six days up to yesterday, the last one slow, six more in the log, and a trainer that does better."""
    (tmp_path / "slow_lending.py").write_text(TRAINER)
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "use_credit.py").write_text(CONSUMER)
    for name in ("monitors.py", "upkeep.py"):
        (dags / name).symlink_to(Path(__file__).parents[2] / "dags" / name)
    with a_world(sqlite_url, tmp_path, days=()) as made:
        for day in LOGGED:
            made.log(day, right=0.1, **({"latency_ms": 900.0} if day == DAYS[-1] else {}))
        made.inbox.answers["CONNECT"] = [SILENT]
        retrain = {"train": "slow_lending:train", "approval": False}
        features = {"amount": "numeric"}
        made.declare(reference=None, features=features, retrain=retrain, start=DAYS[0], lateness="0m")
        made.resources.registry.create()
        yield made


def wait_for(what: Callable[[], bool], name: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, f"{name} did not come"
        time.sleep(1)


def smtp(world: World) -> dict[str, str]:
    """The inbox as Airflow's tasks find it."""
    mailer = world.resources.mailer
    assert isinstance(mailer, SmtpMailer)
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "hindsight@example.com"}
    fields = {"conn_type": "smtp", "host": "127.0.0.1", "port": mailer._settings.port, "extra": extra}
    return {"AIRFLOW_CONN_HINDSIGHT_SMTP": json.dumps(fields)}


def kill_who_mails(world: World, port: int) -> None:
    """Kill the process that hands mail over, while the server lets it wait."""

    def talks() -> list[int]:
        found = psutil.net_connections("tcp4")
        return [one.pid for one in found if one.raddr and one.raddr.port == port and one.pid not in (None, os.getpid())]

    wait_for(lambda: bool(talks()), "a process that mails")
    os.kill(talks()[0], signal.SIGKILL)


def kill_one_after_another(fleet: Machines, world: World, started: Path, port: int) -> None:
    """Kill the process that mails, a scheduler, and the worker below which a training is at work."""
    kill_who_mails(world, port)
    fleet.kill("scheduler-1")
    wait_for(lambda: started.exists() and bool(started.read_text()), "the training")
    worker = fleet.worker_of(int(started.read_text()))
    fleet.kill(worker)
    fleet.start(worker)
    fleet.start("scheduler-1")


def consumed(metadata: sa.URL) -> set[str]:
    with sa.create_engine(metadata, poolclass=sa.NullPool).connect() as connection:
        query = "SELECT partition_key FROM dag_run WHERE dag_id = 'use_credit' AND state = 'success'"
        return {row.partition_key for row in connection.exec_driver_sql(query)}


def test_no_window_is_lost_and_nothing_is_told_or_trained_twice(
    world: World, postgres_url: sa.URL, tmp_path: Path
) -> None:
    now, started, ledger = datetime.now(UTC), tmp_path / "started", world.resources.ledger
    pipeline.ask(world.monitor, "k1", world.resources, as_of=now, by="ann", why="worse", at=now)
    starts = [at(day) for day in DAYS]

    def judged() -> bool:
        seen = {verdict.window.start for verdict in ledger.of_windows("credit", starts)}
        return seen == set(starts)

    def trained() -> bool:
        return ledger.requests("credit")[0].state is RequestState.DONE

    mail = smtp(world)
    port = json.loads(mail["AIRFLOW_CONN_HINDSIGHT_SMTP"])["port"]
    more = mail | {"TRAINING_STARTED": str(started), "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags")}
    with machines(world, postgres_url, tmp_path, more) as fleet:
        kill_one_after_another(fleet, world, started, port)
        wait_for(judged, "every window")
        wait_for(trained, "the promotion")
        wait_for(lambda: consumed(postgres_url) >= {f"{day}T00:00:00" for day in DAYS}, "the consumer's runs")
        time.sleep(30)  # for whatever would come twice

    later = datetime.now(UTC) + timedelta(hours=1)  # when the lease of the process that was killed has ended
    for _ in range(3):
        pipeline.deliver(world.resources, now=later)
        later += timedelta(hours=1)
    numbers = world.resources.store.read("credit", kinds=[Kind.OPERATIONS])
    assert set(numbers.column("window_start").to_pylist()) == set(starts)
    assert [(one.version, one.stage) for one in world.resources.registry.versions("credit")] == [
        ("retrained-k1", "champion")
    ]
    sent = Counter(str(one["Message-ID"]) for one in world.inbox.accepted)
    assert sent
    assert set(sent.values()) == {1}
    assert {one.state for one in ledger.outbox("credit")} <= {MailState.SENT, MailState.SUPPRESSED}
    assert len([one for one in ledger.outbox("credit") if "promoted" in one.subject]) == 1
