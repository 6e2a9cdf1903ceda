"""Requests: what a store that answers by the request is asked, counted in the log of an S3 server of this machine.

Each command is a process of its own, as a task of Airflow is: it lists, probes and remembers for itself.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import fsspec
from moto.server import ThreadedMotoServer

from benchmarks.history_layout import DAY, END, HOUR, a_monitor, a_pattern, lay, monitor_file, open_resources
from hindsight.monitors.model import Monitor
from hindsight.snapshots.store import SnapshotStore

ROOT = "s3://hindsight/data"
FEW, MANY = 3, 28  # features
SHOWN, YEAR = timedelta(hours=1000), 365 * DAY
PAGE = (
    "from datetime import datetime, UTC; from hindsight.pipeline import monitor_view; "
    "from hindsight.airflow.connections import open_resources; "
    f"assert monitor_view('history', open_resources(), now=datetime.fromisoformat('{END.isoformat()}'))"
)
COMMAND = "from hindsight.cli import main; main()"


class Log(logging.Handler):
    """Counts what an S3 server was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line that tells of a request."""
        self.requests += "HTTP/1" in record.getMessage()


@contextmanager
def a_server() -> Iterator[tuple[dict[str, str], Log]]:
    """Run an S3 server; yield the environment its clients need, and its log."""
    log, logger = Log(), logging.getLogger("werkzeug")
    logger.setLevel(logging.INFO)
    logger.addHandler(log)
    logger.propagate = False
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield (
            {
                "AWS_ENDPOINT_URL": f"http://{host}:{port}",
                "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench",
                "AWS_DEFAULT_REGION": "us-east-1",
            },
            log,
        )
    finally:
        server.stop()


def requests(folder: Path) -> dict[str, int]:
    """Count the requests of `show` with 1,000 hourly windows, of a page with a year of them, and of one run."""
    with a_server() as (environment, log):
        os.environ |= environment
        fsspec.filesystem("s3").mkdir("s3://hindsight")
        return {
            "s3_requests_show_1000": _asked(folder / "show", log, FEW, SHOWN, ["show", "history"]),
            "s3_requests_page_year_1h": _asked(folder / "page", log, FEW, YEAR, None),
            "s3_requests_run": _asked_by_run(folder / "run", log),
        }


def _asked(folder: Path, log: Log, features: int, span: timedelta, command: list[str] | None) -> int:
    """Return what looking asks for, with a history of this length."""
    _prepared(folder, features, span)
    return _counted(folder, log, command)


def _asked_by_run(folder: Path, log: Log) -> int:
    """Return what measuring and judging one window of many features asks for, once the reference is frozen."""
    monitor = _prepared(folder, MANY, 14 * DAY)
    window = monitor.grid.window_at(END - DAY)
    run = ["run", "history", "--start", window.start.isoformat(), "--end", window.end.isoformat()]
    _counted(folder, log, run)  # it freezes the reference
    again = monitor.grid.window_at(window.end)
    run = ["run", "history", "--start", again.start.isoformat(), "--end", again.end.isoformat()]
    return _counted(folder, log, run)


def _prepared(folder: Path, features: int, span: timedelta) -> Monitor:
    folder.mkdir(parents=True)
    monitor = a_monitor(HOUR, features)
    pattern = a_pattern(folder / "pattern", monitor)
    (folder / "monitors").mkdir()
    (folder / "monitors" / "history.yml").write_text(json.dumps(monitor_file(HOUR, features)))
    months = span / (30.4375 * DAY)
    lay(SnapshotStore(_root(folder)), monitor, pattern, months=months, folded=True)
    open_resources(folder)
    return monitor


def _counted(folder: Path, log: Log, command: list[str] | None) -> int:
    """Run a command, or draw a page, in a process of its own; return how many requests it made."""
    given = {
        "HINDSIGHT_DATA": _root(folder),
        "HINDSIGHT_MONITORS": str(folder / "monitors"),
        "AIRFLOW_CONN_WAREHOUSE": f"sqlite:///{folder}/pattern/warehouse.db",
        "AIRFLOW_CONN_HINDSIGHT_LEDGER": f"sqlite:///{folder}/ledger.db",
    }
    code = [sys.executable, "-c", COMMAND if command else PAGE, *(command or [])]
    before = log.requests
    subprocess.run(code, env=os.environ | given, check=True, capture_output=True, text=True)
    return log.requests - before


def _root(folder: Path) -> str:
    return f"{ROOT}/{folder.name}"
