"""Fixtures of the warehouse's tests: here `database_url` is every database, MariaDB where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

_numbers = count(1)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[sa.URL]:
    """The URL of a MariaDB server far from UTC, with the case-insensitive collation MariaDB comes with."""
    if shutil.which("mariadbd") is None or shutil.which("mariadb-install-db") is None:
        pytest.skip("MariaDB is not installed (Debian: mariadb-server)")
    with tempfile.TemporaryDirectory(prefix="hindsight-mariadb-", ignore_cleanup_errors=True) as folder:
        who = ["--user=root"] if os.geteuid() == 0 else []
        data, socket = f"--datadir={folder}/data", f"{folder}/socket"
        install = ["mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal", *who]
        subprocess.run([*install, "--skip-test-db"], check=True, capture_output=True)
        run = ["mariadbd", "--no-defaults", data, f"--socket={socket}", f"--pid-file={folder}/pid", *who]
        run += ["--skip-networking", "--default-time-zone=+05:30", "--character-set-server=utf8mb4"]
        run += ["--collation-server=utf8mb4_general_ci", "--innodb-flush-log-at-trx-commit=0"]
        with Path(folder, "log").open("w") as log, subprocess.Popen(run, stdout=log, stderr=log) as server:
            _wait_for(Path(socket), server)
            yield sa.URL.create("mysql+pymysql", "root", host="localhost", query={"unix_socket": socket})
            server.terminate()


def _wait_for(socket: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while not socket.exists():
        assert server.poll() is None, "mariadbd has ended"
        assert time.monotonic() < until, "mariadbd does not answer"
        time.sleep(0.05)


@pytest.fixture
def mariadb_url(mariadb: sa.URL) -> sa.URL:
    """The URL of an empty MariaDB database made for this test."""
    name = f"test_{next(_numbers)}"
    engine = sa.create_engine(mariadb, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.DDL(f"CREATE DATABASE {name}"))
    return mariadb.set(database=name)


@pytest.fixture
def duckdb_url(tmp_path_factory: pytest.TempPathFactory) -> sa.URL:
    """The URL of an empty DuckDB database made for this test, apart from the folder tests look into."""
    url = sa.URL.create("duckdb", database=str(tmp_path_factory.mktemp("duckdb") / "test.duckdb"))
    sa.create_engine(url, poolclass=sa.NullPool).connect().close()
    return url


@pytest.fixture(params=["postgres", "sqlite", "duckdb", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> sa.URL:
    """The URL of an empty database, once on each."""
    url: sa.URL = request.getfixturevalue(f"{request.param}_url")
    return url
