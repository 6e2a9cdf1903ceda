"""Nights: what one night of late labels costs on a year of predictions, beside measuring everything again.

`python -m benchmarks.nights` loads 365 days of 20,000 predictions a day and their labels into an embedded PostgreSQL,
with the four indexes the README asks for. The first night measures every window: that is what recomputing everything
costs. Then labels come for 1 % of the predictions of the last 30 days, and the next night measures what they touched.
Prints seconds, windows and the rows PostgreSQL read for each; writes benchmarks/results/nights.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from demo import database
from hindsight import pipeline
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.monitors.model import Monitor
from hindsight.settings import Settings
from hindsight.training.registry import Registry

RESULTS = Path(__file__).parent / "results"
START = datetime(2025, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TOUCHED_DAYS, LATE = 30, 100  # one prediction in a hundred of the last thirty days is labelled late

PREDICTIONS = """
CREATE TABLE inference_log AS
SELECT 'r' || i AS request_id,
       timestamptz '{start:%Y-%m-%d} 00:00+00' + i * interval '1 day' / {a_day} AS predicted_at,
       (mod(i, 7) = 0)::int AS prediction,
       mod(i, 100) / 100.0::float8 AS score,
       200 AS status_code,
       (ARRAY['EU', 'US', 'APAC'])[mod(i, 3) + 1] AS region
FROM generate_series(0, {n} - 1) AS i
"""
LABELS = """
{into}
SELECT request_id, mod(prediction + (mod(hashtext(request_id), 10) = 0)::int, 2) AS label, {arrived} AS labeled_at
FROM inference_log WHERE {which}
"""
LATE_ONES = (
    "predicted_at >= timestamptz '{since:%Y-%m-%d} 00:00+00' AND mod(hashtext(request_id || 'late'), {late}) = 0"
)
INDEXES = (
    "CREATE INDEX log_time ON inference_log (predicted_at)",
    "CREATE INDEX log_id ON inference_log (request_id)",
    "CREATE INDEX truth_time ON ground_truth (labeled_at)",
    "CREATE INDEX truth_id ON ground_truth (request_id)",
    "VACUUM ANALYZE",
)
READ = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables"


@dataclass(frozen=True, slots=True)
class Night:
    """What a night took: `rows` are those PostgreSQL read from its tables, `cpu_s` what our own process computed."""

    windows: int
    seconds: float
    cpu_s: float
    rows: int


def monitor_file(window: str) -> dict[str, Any]:
    """Return the monitor of the benchmark: windows of this length, labels that mature after 30 days."""
    return {
        "name": "nights",
        "window": window,
        "start": START.isoformat(),
        "model": {"name": "nights", "task": "binary", "positive_label": 1},
        "source": {
            "predictions": {
                "table": "inference_log",
                "id": "request_id",
                "timestamp": "predicted_at",
                "prediction": "prediction",
                "score": "score",
                "status_code": "status_code",
            },
            "labels": {"table": "ground_truth", "id": "request_id", "label": "label", "arrived_at": "labeled_at"},
        },
        "labels": {"matures_after": "30d", "overlap": "0d"},
        "features": {"region": "categorical"},
        "segments": ["region"],
    }


def load(engine: sa.Engine, days: int, a_day: int) -> None:
    """Make the log and every label that is not late: those came within three days, and before the first night."""
    which = f"NOT ({_late(days)})"
    arrived = "least(predicted_at + (hashtext(request_id || 'delay') & 255) * interval '1 day' / 85, {until})"
    until = f"timestamptz '{START + days * DAY:%Y-%m-%d} 00:00+00' - interval '1 second'"
    with engine.connect() as connection:
        connection.exec_driver_sql(PREDICTIONS.format(start=START, a_day=a_day, n=days * a_day))
        made = LABELS.format(into="CREATE TABLE ground_truth AS", arrived=arrived.format(until=until), which=which)
        connection.exec_driver_sql(made)
        for statement in INDEXES:
            connection.exec_driver_sql(statement)


def labels_come(engine: sa.Engine, days: int) -> int:
    """Let the late labels arrive in the morning after the first night; return how many there are."""
    arrived = f"timestamptz '{START + days * DAY:%Y-%m-%d} 08:00+00'"
    statement = LABELS.format(into="INSERT INTO ground_truth", arrived=arrived, which=_late(days))
    with engine.connect() as connection:
        return connection.exec_driver_sql(statement).rowcount


def _late(days: int) -> str:
    return LATE_ONES.format(since=START + (days - TOUCHED_DAYS) * DAY, late=LATE)


def night(monitor: Monitor, as_of: datetime, resources: pipeline.Resources, engine: sa.Engine) -> Night:
    """Find, measure, judge and commit the windows of one night, as the DAG does, in one process."""
    before = _rows_read(resources, engine)
    began, computed = time.perf_counter(), time.process_time()
    windows = pipeline.find_windows(monitor, as_of, resources)
    pipeline.revise_windows(monitor, windows, as_of, resources)
    pipeline.judge_night(monitor, as_of, windows, resources, judged_at=as_of + timedelta(hours=2))
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - computed
    return Night(len(windows), seconds, cpu_s, _rows_read(resources, engine) - before)


def _rows_read(resources: pipeline.Resources, engine: sa.Engine) -> int:
    """Ask PostgreSQL; its sessions report what they read when they end or have been idle for a second."""
    resources.warehouse("warehouse").dispose()
    time.sleep(2)
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(READ).scalar_one())


def measure(days: int, a_day: int, window: str) -> dict[str, Any]:
    """Load a year, run the two nights, return what they took."""
    with tempfile.TemporaryDirectory() as folder, database.running(Path(folder) / "postgres") as server:
        url = server.set(database="warehouse")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        load(engine, days, a_day)
        ledger = Ledger(open_engine(sa.make_url(f"sqlite:///{folder}/ledger.db")))
        ledger.create()
        settings = Settings(Path(folder), folder, Path(folder), Path(folder))
        resources = pipeline.Resources(settings, lambda _: url, ledger, Registry(ledger.engine))
        monitor = Monitor.model_validate(monitor_file(window))
        first = night(monitor, START + days * DAY, resources, engine)
        labels = labels_come(engine, days)
        second = night(monitor, START + (days + 1) * DAY, resources, engine)
        resources.warehouse("warehouse").dispose()
    return {
        "days": days,
        "window": window,
        "predictions_a_day": a_day,
        "late_labels": labels,
        "everything": asdict(first),
        "one_night": asdict(second),
        "everything_over_one_night": first.seconds / second.seconds,
    }


def main() -> None:
    """Measure, print, keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--a-day", type=int, default=20_000, help="predictions a day")
    options.add_argument("--window", default="1d", help="length of a window, such as 5m")
    asked = options.parse_args()
    found = measure(asked.days, asked.a_day, asked.window)
    print(f"{asked.days} days of {asked.a_day:,} predictions; {found['late_labels']:,} labels came late")
    for name in ("everything", "one_night"):
        took = found[name]
        cost = f"{took['seconds']:8.1f} s {took['cpu_s']:8.1f} CPU s {took['rows']:14,} rows read"
        print(f"{name:12}{took['windows']:5} windows {cost}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"nights{'' if asked.window == '1d' else '-' + asked.window}.json").write_text(
        json.dumps(found, indent=1)
    )


if __name__ == "__main__":
    main()
