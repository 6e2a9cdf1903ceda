"""The world of the benchmark of runs: a warehouse of small windows, two monitors, and an Airflow that runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import sqlalchemy as sa

from demo import database, mailbox
from demo.processes import Children

ROOT = Path(__file__).parents[1]
ROWS, NUMERIC = 1000, [f"x{k}" for k in range(8)]
FIRST, DAYS = datetime(2026, 8, 1, tzinfo=UTC), 52  # the first 28 of them are the reference
SICK = set(range(48, 52))  # days on which one column is half null and another moved
DAY = timedelta(days=1)
PATIENCE_S = 300
# One process, for their imports cost more than these commands do.
LIVED = """
import sys
from hindsight.cli import app
for line in sys.argv[1:]:
    app(line.split(), standalone_mode=False)
"""
PAST = [
    command
    for name in ("plain", "suited")
    for command in (f"run {name} --start 2026-09-08 --end 2026-09-12", f"labels {name} --as-of 2026-09-12")
]
COMPONENTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}


def a_file(name: str, *, suite: bool) -> dict[str, Any]:
    """Return a monitor file: paused, so that runs are only those asked for."""
    file: dict[str, Any] = {
        "name": name,
        "state": "paused",
        "model": {"name": name, "task": "binary", "positive_label": 1},
        "window": "1d",
        "start": "2026-08-29",
        "source": {
            "connection": "warehouse",
            "predictions": {
                "table": "log",
                **{column: column for column in ("id", "prediction", "score", "latency_ms", "status_code")},
                "timestamp": "at",
            },
            "labels": {"table": "truth", "id": "id", "label": "label", "arrived_at": "arrived_at"},
        },
        "labels": {"matures_after": "30d", "overlap": "1d"},
        "features": {**dict.fromkeys(NUMERIC, "numeric"), "region": "categorical", "channel": "categorical"},
        "segments": ["region"],
        "reference": {"start": "2026-08-01", "end": "2026-08-29"},
        "alerts": {"email": ["a@example.com"]},
    }
    return file | ({"quality": {"suite": "fleet"}} if suite else {})


def a_suite() -> dict[str, Any]:
    """Return ten expectations as Great Expectations keeps them."""
    never = [("expect_column_values_to_not_be_null", {"column": c, "mostly": 0.9}) for c in NUMERIC[:5]]
    within = [
        ("expect_column_values_to_be_between", {"column": c, "min_value": -9, "max_value": 9, "mostly": 0.99})
        for c in NUMERIC[:4]
    ]
    known = [("expect_column_values_to_be_in_set", {"column": "region", "value_set": ["a", "b", "c"]})]
    return {
        "name": "fleet",
        "expectations": [{"type": t, "kwargs": k, "meta": {}} for t, k in (*never, *within, *known)],
        "meta": {},
    }


def fill(url: sa.URL) -> None:
    """Write the log of all days and the labels of all but the last two before day 40, which come on two nights."""
    types: dict[str, Any] = {"id": sa.Text, "at": sa.DateTime(timezone=True), "prediction": sa.Integer}
    types |= dict.fromkeys(("score", "latency_ms", *NUMERIC), sa.Double) | {"status_code": sa.Integer}
    types |= dict.fromkeys(("region", "channel"), sa.Text)
    metadata = sa.MetaData()
    log = sa.Table(
        "log", metadata, *(sa.Column(name, kind, index=name in ("id", "at")) for name, kind in types.items())
    )
    kinds = {"id": sa.Text, "label": sa.Integer, "arrived_at": sa.DateTime(timezone=True)}
    truth = sa.Table("truth", metadata, *(sa.Column(name, kind, index=name != "label") for name, kind in kinds.items()))
    engine = sa.create_engine(url.set(database="warehouse"))
    metadata.create_all(engine)
    with engine.begin() as connection:
        for day in range(DAYS):
            rows = _rows(day)
            connection.execute(sa.insert(log), rows)
            if day < 42:
                arrived = FIRST + max(day + 1, 40) * DAY if day < 40 else FIRST + 43 * DAY
                labels = [{"id": r["id"], "label": int(r["score"] > 0.5), "arrived_at": arrived} for r in rows]
                connection.execute(sa.insert(truth), labels)
    engine.dispose()


def _rows(day: int) -> list[dict[str, Any]]:
    draws = np.random.default_rng(day)
    x = draws.normal(size=(ROWS, len(NUMERIC))) + (np.arange(len(NUMERIC)) == 1) * 1.5 * (day in SICK)
    score, latency = draws.uniform(size=ROWS), draws.gamma(4, 20, size=ROWS)
    region, channel = (draws.choice(list("abc"), size=ROWS) for _ in range(2))
    moments = np.sort(draws.uniform(size=ROWS))
    return [
        {
            "id": f"{day}-{k}",
            "at": FIRST + day * DAY + moments[k] * DAY,
            "prediction": int(score[k] > 0.5),
            "score": float(score[k]),
            "latency_ms": float(latency[k]),
            "status_code": 200,
            "region": str(region[k]),
            "channel": str(channel[k]),
            **{name: float(x[k, i]) for i, name in enumerate(NUMERIC)},
            **({NUMERIC[0]: None} if day in SICK and k % 2 else {}),
        }
        for k in range(ROWS)
    ]


@dataclass
class Stack:
    """A running Airflow: its API, and the file in which each task's cost is noted."""

    client: httpx.Client
    costs: Path
    children: Children

    def run(self, dag: str, **params: str) -> dict[str, tuple[float, float]]:
        """Run a DAG once, wait for its end, and return the CPU seconds of each task and of its supervisor."""
        asked = {"logical_date": None, "conf": params}
        made = self.client.post(f"/api/v2/dags/{dag}/dagRuns", json=asked).raise_for_status().json()
        until = time.monotonic() + PATIENCE_S
        while (state := self.state(dag, made["dag_run_id"])) not in ("success", "failed"):
            self.children.check()
            if time.monotonic() > until:
                raise SystemExit(f"{dag} {params} is {state} after {PATIENCE_S} s")
            time.sleep(0.3)
        if state != "success":
            raise SystemExit(f"{dag} {params} {state}; see {self.children.logs}")
        return self.costs_of(made["dag_run_id"])

    def state(self, dag: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self.client.get(f"/api/v2/dags/{dag}/dagRuns/{run_id}").raise_for_status().json()["state"])

    def costs_of(self, run_id: str) -> dict[str, tuple[float, float]]:
        """Return what was noted of a run's tasks, once the last of them has ended; mapped ones together."""
        begun: list[dict[str, Any]] = [{}]
        ended: list[dict[str, Any]] = []
        while len(begun) > len(ended):  # a process ends after its task, and the run, are over
            time.sleep(0.3)
            noted = [one for one in map(json.loads, self.costs.read_text().splitlines()) if one["run"] == run_id]
            begun, ended = ([one for one in noted if ("task_s" in one) is over] for over in (False, True))
        found: dict[str, tuple[float, float]] = {}
        for one in ended:
            task, supervisor = found.get(one["task"], (0.0, 0.0))
            found[one["task"]] = (task + one["task_s"], supervisor + one["supervisor_s"])
        return found


@contextmanager
def a_world(checkout: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Start databases and a mail server and let a checkout of Hindsight live there for a while; yield its environment.

    Both monitors have four windows and a night behind them, so that reference, summaries and incidents are there.
    """
    suites = folder / "airflow" / "great_expectations" / "expectations"
    suites.mkdir(parents=True)
    (suites / "fleet.json").write_text(json.dumps(a_suite()))
    gx = checkout / "great_expectations" / "great_expectations.yml"
    (suites.parent / gx.name).write_text(gx.read_text())
    (folder / "monitors").mkdir()
    for name, suite in (("plain", False), ("suited", True)):
        (folder / "monitors" / f"{name}.yml").write_text(json.dumps(a_file(name, suite=suite)))
    (folder / "costs.jsonl").touch()
    with database.running(folder / "postgres") as server, mailbox.serving(folder / "mails", 2525) as smtp:
        fill(server)
        env = environment(checkout, folder, server, smtp, mailbox.free_port(18080))
        subprocess.run([sys.executable, "-c", LIVED, *PAST], env=env, check=True, capture_output=True)
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True)
        yield env


@contextmanager
def airflow(folder: Path, env: dict[str, str], *, preloaded: bool) -> Iterator[Stack]:
    """Start Airflow in a world; stop it at the end."""
    children = Children(folder / "logs", folder / "pids.json")
    env = env | {"HINDSIGHT_BENCH_PRELOAD": "1" if preloaded else ""}
    try:
        for name, command in COMPONENTS.items():
            children.start(name, [sys.executable, "-m", "airflow", *command], env)
        yield Stack(_client(env, children), folder / "costs.jsonl", children)
    finally:
        children.stop()


def environment(checkout: Path, folder: Path, server: sa.URL, smtp: int, port: int) -> dict[str, str]:
    """Return the environment of Airflow's processes and of the command line."""
    url = f"http://127.0.0.1:{port}"
    here = str(server.query["host"])
    airflow = {
        "CORE__DAGS_FOLDER": checkout / "dags",
        "CORE__PLUGINS_FOLDER": checkout / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 2,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "CORE__FERNET_KEY": "",
        "API_AUTH__JWT_SECRET": "only for a benchmark " * 4,
        "API__SECRET_KEY": "only for a benchmark",
        "DATABASE__SQL_ALCHEMY_CONN": server.set(drivername="postgresql+psycopg2", database="airflow").render_as_string(
            hide_password=False
        ),
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.2,
        "WORKERS__EXECUTION_API_TIMEOUT": 60,  # the first answer builds the API: slow on a busy machine
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    mail = {"disable_ssl": True, "disable_tls": True, "from_email": "hindsight@example.com"}
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("AIRFLOW", "HINDSIGHT"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **kept,
        **{f"AIRFLOW__{name}": str(value) for name, value in airflow.items()},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "PYTHONPATH": os.pathsep.join(map(str, (checkout / "include", ROOT / "benchmarks" / "run_settings"))),
        "HINDSIGHT_DATA": str(folder / "data"),
        "HINDSIGHT_MONITORS": str(folder / "monitors"),
        "HINDSIGHT_BENCH_COSTS": str(folder / "costs.jsonl"),
        **{f"AIRFLOW_CONN_{i.upper()}": _postgres(server, here, db) for i, db in DATABASES.items()},
        "AIRFLOW_CONN_HINDSIGHT_SMTP": json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": smtp, "extra": mail}
        ),
        "OMP_NUM_THREADS": "1",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
    }


DATABASES = {"warehouse": "warehouse", "hindsight_ledger": "ledger"}


def _postgres(server: sa.URL, socket: str, name: str) -> str:
    return json.dumps({"conn_type": "postgres", "login": server.username, "host": socket, "schema": name})


def _client(env: dict[str, str], children: Children) -> httpx.Client:
    """Return a client of the API once all DAGs are there."""
    client = httpx.Client(base_url=env["AIRFLOW__API__BASE_URL"], timeout=60)
    until = time.monotonic() + PATIENCE_S
    wanted = {f"{kind}__{name}" for kind in ("monitor", "labels") for name in ("plain", "suited")}
    while time.monotonic() < until:
        children.check()
        try:
            if "Authorization" not in client.headers:
                token = client.get("/auth/token").raise_for_status().json()["access_token"]
                client.headers["Authorization"] = f"Bearer {token}"
            dags = client.get("/api/v2/dags", params={"tags": "hindsight"}).raise_for_status().json()["dags"]
        except httpx.HTTPError:
            dags = []
        if wanted <= {dag["dag_id"] for dag in dags}:
            for upkeep in ("hindsight__relay", "hindsight__maintenance"):  # they would only take slots
                client.patch(f"/api/v2/dags/{upkeep}", json={"is_paused": True})
            return client
        time.sleep(0.5)
    raise SystemExit(f"Airflow did not come up in {PATIENCE_S} s; see {children.logs}")
