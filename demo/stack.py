"""Stack: Airflow's four processes on loopback, and the environment that makes them and the command line one system."""

from __future__ import annotations

import json
import os
import secrets
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from demo.places import ROOT, Places
from demo.processes import Children, Step

COMPONENTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
PARALLELISM = 4  # tasks compute; more of them than this on two cores only wait for each other


def environment(places: Places, server: sa.URL, *, smtp_port: int, since: datetime) -> dict[str, str]:
    """Return the environment of the command line: the three connections, the places, the import path."""
    path = os.pathsep.join(str(ROOT / part) for part in ("include", ".", "demo/settings"))
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "HINDSIGHT"))},
        "PYTHONPATH": path,
        "AIRFLOW_HOME": str(places.airflow),
        "HINDSIGHT_DATA": str(places.data),
        "HINDSIGHT_MONITORS": str(places.monitors),
        "HINDSIGHT_DEMO_SINCE": since.isoformat(),
        "AIRFLOW_CONN_WAREHOUSE": _postgres(server, "warehouse"),
        "AIRFLOW_CONN_HINDSIGHT_LEDGER": _postgres(server, "ledger"),
        "AIRFLOW_CONN_HINDSIGHT_SMTP": _smtp(smtp_port),
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "OMP_NUM_THREADS": "1",
    }


def airflow_environment(base: Mapping[str, str], places: Places, server: sa.URL, *, port: int) -> dict[str, str]:
    """Return the environment of Airflow's processes, listening on 127.0.0.1:`port` only."""
    url = f"http://127.0.0.1:{port}"
    metadata = server.set(drivername="postgresql+psycopg2", database="airflow")
    settings = {
        "CORE__DAGS_FOLDER": ROOT / "dags",
        "CORE__PLUGINS_FOLDER": ROOT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": PARALLELISM,
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": PARALLELISM,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": places.passwords,
        "DATABASE__SQL_ALCHEMY_CONN": metadata.render_as_string(hide_password=False),
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.1,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 5,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 60,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    keys = _kept(places.secrets, {"CORE__FERNET_KEY": _key, "API_AUTH__JWT_SECRET": _key, "API__SECRET_KEY": _key})
    return {**base, **{f"AIRFLOW__{name}": str(value) for name, value in (settings | keys).items()}}


def password(places: Places) -> str:
    """Return the admin's password, made at random the first time."""
    return _kept(places.passwords, {"admin": lambda: secrets.token_urlsafe(9)})["admin"]


def make_home(places: Places) -> None:
    """Make AIRFLOW_HOME, from which Hindsight's settings start: the expectation suites are looked for there."""
    places.airflow.mkdir(parents=True, exist_ok=True)
    suites = places.airflow / "great_expectations"
    if not suites.is_symlink():
        suites.symlink_to(ROOT / "great_expectations")


def migrate(children: Children, env: Mapping[str, str]) -> None:
    """Bring Airflow's tables up to date."""
    children.run([[Step("airflow-db-migrate", [*_airflow(), "db", "migrate"], env)]])


def start(children: Children, env: Mapping[str, str]) -> None:
    """Start the four processes, each in a group of its own."""
    for name, command in COMPONENTS.items():
        children.start(name, [*_airflow(), *command], env)


def _airflow() -> list[str]:
    return [sys.executable, "-m", "airflow"]


def _postgres(server: sa.URL, database: str) -> str:
    socket = server.query["host"]
    return json.dumps({"conn_type": "postgres", "login": server.username, "host": socket, "schema": database})


def _smtp(port: int) -> str:
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "hindsight@example.com"}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})


def _key() -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _kept(path: Path, makers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """Return the values kept in a file of mode 0600, making the file the first time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps({name: make() for name, make in makers.items()}))
    values: dict[str, str] = json.loads(path.read_text())
    return values
