"""Engines that take minutes, a JVM or packages of their own: run by `make engines`, skipped where they are missing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa


def needs(*modules: str) -> None:
    """Skip a test whose packages are not installed, as in the environment of `make test`."""
    if missing := [name for name in modules if not _is_installed(name)]:
        pytest.skip(f"not installed: {', '.join(missing)} (make engines)")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package it would be in
        return False


@pytest.fixture(scope="session")
def spark_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """The URL of a Spark Thrift server in local mode, far from UTC, its catalogue in memory."""
    needs("pyspark", "pyhive")
    if shutil.which("java") is None:
        pytest.skip("no Java is installed")
    import pyspark

    folder, port = tmp_path_factory.mktemp("spark"), _free_port()
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "Asia/Kolkata",
        "spark.hadoop.hive.server2.thrift.port": port,
        "spark.hadoop.hive.server2.thrift.bind.host": "127.0.0.1",
        "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:catalogue;create=true",
    }
    home = Path(pyspark.__file__).parent
    command = [str(home / "bin/spark-submit"), "--master", "local[2]", "--driver-memory", "1g"]
    command += [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    command += ["--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal"]
    surroundings = os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    with Path(folder, "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=surroundings, stdout=log, stderr=log)
        try:
            _wait_for(port, server)
            yield sa.URL.create("hive", "hindsight", host="127.0.0.1", port=port, database="default")
        finally:
            server.terminate()
            server.wait()


@pytest.fixture
def snowflake_url() -> Iterator[sa.URL]:
    """The URL of a database of fakesnow, which answers in the place of Snowflake's driver until the test ends."""
    needs("fakesnow", "snowflake.sqlalchemy")
    import fakesnow

    with fakesnow.patch():
        yield sa.URL.create("snowflake", "hindsight", "s3cret", host="account", database="ml/PUBLIC")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until:
        assert server.poll() is None, "the Thrift server has ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError("the Thrift server does not answer")
