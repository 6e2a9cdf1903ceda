"""PgBouncer: behind a pooler that drops what sessions start with, everything is read only and limited all the same."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.warehouse.connect import connected, open_engine, reading
from hindsight.warehouse.labels import labelled
from hindsight.warehouse.predictions import collect, misdated, volumes
from hindsight.warehouse.stream import batches
from tests.builders import a_monitor, a_window, at
from tests.warehouse.tables import a_label, a_prediction, fill, writing

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
CONFIG = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
{more}
"""


@contextmanager
def a_pooler(behind: sa.URL, more: str) -> Iterator[sa.URL]:
    """Run PgBouncer in front of a database with these lines of configuration; yield the URL of the same through it."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer is not installed (Debian: pgbouncer)")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    sockets = Path(str(behind.query["host"]))  # which only its owner may use
    with tempfile.TemporaryDirectory(prefix="hindsight-pgbouncer-") as folder:
        config = Path(folder, "pgbouncer.ini")
        server = f"host={sockets} port={behind.port or 5432} user={behind.username}"
        config.write_text(CONFIG.format(server=server, port=port, more=more))
        Path(folder).chmod(0o755)
        who = ["-u", sockets.owner()] if os.geteuid() == 0 else []
        with (
            Path(folder, "log").open("w") as log,
            subprocess.Popen([PGBOUNCER, *who, str(config)], stdout=log, stderr=log) as process,
        ):
            _wait_for(port, process, Path(folder, "log"))
            yield sa.URL.create("postgresql+psycopg", "anyone", host="127.0.0.1", port=port, database=behind.database)
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, f"pgbouncer has ended: {log.read_text()}"
        assert time.monotonic() < until, "pgbouncer does not answer"
        time.sleep(0.05)


@pytest.fixture
def pooled_url(postgres_url: sa.URL) -> Iterator[sa.URL]:
    """The URL of an empty database behind a PgBouncer that drops startup options, a server session per transaction."""
    with a_pooler(postgres_url, "ignore_startup_parameters = options") as url:
        yield url


def test_behind_it_nothing_can_be_written(pooled_url: sa.URL, postgres_url: sa.URL) -> None:
    fill(postgres_url)
    with writing(postgres_url) as connection:
        connection.execute(sa.schema.CreateSequence(sa.Sequence("counter")))
    engine, log = open_engine(pooled_url), sa.table("inference_log", sa.column("request_id"))
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="read-only transaction"):
        connection.execute(log.insert().values(request_id="r1"))
    write = sa.select(sa.func.nextval("counter").label("n"))
    with pytest.raises(DataError, match="read-only transaction"):
        list(batches(engine, write, pa.schema([("n", pa.int64())]), "dwh"))


def test_behind_it_every_statement_is_limited_and_in_utc(pooled_url: sa.URL) -> None:
    engine = open_engine(pooled_url, statement_timeout=timedelta(seconds=0.3))
    slow = sa.select(sa.func.pg_sleep(5), sa.literal(1).label("n"))
    with pytest.raises(DataError, match="ran longer than"), reading(engine, "dwh"), engine.connect() as connection:
        connection.execute(slow)
    with pytest.raises(DataError, match="ran longer than"):
        list(batches(engine, slow, pa.schema([("slept", pa.string()), ("n", pa.int64())]), "dwh"))
    zone = sa.select(sa.func.current_setting("timezone").label("zone"))
    with engine.connect() as connection:
        assert connection.execute(zone).scalar_one() == "UTC"
    assert pa.Table.from_batches(batches(engine, zone, pa.schema([("zone", pa.string())]), "dwh")).to_pylist() == [
        {"zone": "UTC"}
    ]


def test_behind_it_windows_are_read_as_without_it(pooled_url: sa.URL, postgres_url: sa.URL, tmp_path: Path) -> None:
    fill(postgres_url, [a_prediction(f"r{i}") for i in range(3)], [a_label("r1")])
    engine, monitor = open_engine(pooled_url), a_monitor()
    with connected(engine):
        for _ in range(3):
            assert volumes(engine, monitor, [a_window()]) == {a_window(): 3}
            with closing(collect(engine, monitor, a_window(), folder=tmp_path, pii_key=None)) as rows:
                assert rows.n == 3
        assert labelled(engine, monitor, a_window(), at("2026-09-20"), pii_key=None).n_labeled == 1
        assert misdated(engine, monitor, at("2026-09-20")).undated == 0


def test_behind_it_no_statement_is_looked_for_in_the_session_it_was_first_asked_in(
    pooled_url: sa.URL, postgres_url: sa.URL
) -> None:
    fill(postgres_url, [a_prediction()])
    engine, other = open_engine(pooled_url), open_engine(pooled_url)
    with connected(engine):
        for _ in range(8):  # psycopg prepares what it is asked the sixth time
            volumes(engine, a_monitor(), [a_window()])
        with other.connect() as busy:
            busy.execute(sa.select(1))  # with the session that was free last
            assert volumes(engine, a_monitor(), [a_window()]) == {a_window(): 1}


def test_one_that_refuses_startup_options_is_named_with_what_to_set(postgres_url: sa.URL) -> None:
    with a_pooler(postgres_url, "") as url, pytest.raises(DataError, match="ignore_startup_parameters = options"):
        volumes(open_engine(url), a_monitor(), [a_window()])
