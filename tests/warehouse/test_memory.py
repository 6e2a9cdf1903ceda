"""Memory: a window is read in batches, so that what a process holds does not grow with the rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.warehouse.tables import writing

ROWS = 1_000_000
NUMBERS = [f"f{i}" for i in range(30)]

MEASURE = """
import sys, pathlib, re
import sqlalchemy as sa
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.predictions import collect
from tests.builders import a_monitor, a_window

url, folder, *features = sys.argv[1:]
source = {"table": "inference_log", "id": "request_id", "timestamp": "predicted_at", "prediction": "f0"}
monitor = a_monitor(source={"predictions": source}, features=dict.fromkeys(features, "numeric"), segments=[])
engine = open_engine(sa.make_url(url))
with collect(engine, monitor, a_window(), folder=pathlib.Path(folder), pii_key=None) as rows:
    assert len(rows.column("f1")) == rows.n
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
    print(rows.n, int(peak[1]) // 1024)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process its own peak: ru_maxrss starts at the parent's"
)
def test_a_million_rows_of_thirty_columns_stay_under_the_promised_memory(postgres_url: sa.URL, tmp_path: Path) -> None:
    with writing(postgres_url) as connection:
        columns = ", ".join(f"g * {i}::float8 AS {name}" for i, name in enumerate(NUMBERS))
        connection.exec_driver_sql(
            "CREATE VIEW inference_log AS SELECT g AS request_id, timestamptz '2026-09-01 12:00+00' AS predicted_at, "
            f"{columns} FROM generate_series(1, {ROWS}) g"
        )
    url = postgres_url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", MEASURE, url, str(tmp_path / "spool"), *NUMBERS]
    root = Path(__file__).parents[2]
    path = {"PYTHONPATH": f"{root / 'include'}:{root}"}
    done = subprocess.run(command, env=path, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows, megabytes = map(int, done.stdout.split())
    assert rows == ROWS
    assert megabytes <= 250 + ROWS * 24 / 1e6
