"""The rows of the speed bench: 21 continuous and 7 categorical features, made in parts so that any number fits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from hindsight.warehouse.dialects.postgresql import conninfo

NUMERIC = [f"x{i}" for i in range(21)]
CATEGORICAL = [f"c{i}" for i in range(7)]
START = datetime(2026, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PART = 500_000
Side = Literal["reference", "window"]
SIDES: tuple[Side, Side] = ("reference", "window")


def features(n: int, side: Side) -> Iterator[pa.Table]:
    """Yield the features of n rows, part by part; every second column of a window has moved by a tenth."""
    for part in range(-(-n // PART)):
        rng = np.random.default_rng([SIDES.index(side), part])
        rows = min(PART, n - part * PART)
        shift = 0.1 if side == "window" else 0.0
        columns: dict[str, Any] = {x: rng.normal(shift * (i % 2), 1 + i, rows) for i, x in enumerate(NUMERIC)}
        for i, name in enumerate(CATEGORICAL):
            values = np.array([f"v{k}" for k in range(4 + 3 * i)])
            columns[name] = values[rng.integers(0, len(values), rows)]
        yield pa.table(columns)


def write(n: int, folder: Path) -> None:
    """Write reference.parquet and window.parquet, the rows that every library is given."""
    for side in SIDES:
        with pq.ParquetWriter(folder / f"{side}.parquet", next(features(1, side)).schema) as writer:
            for part in features(n, side):
                writer.write_table(part)


def load(uri: str, n: int) -> None:
    """Load the reference as one day and the window as the next, n rows each, into the table bench_log."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(conninfo(sa.create_engine(uri))) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_log")
        for side, start in zip(SIDES, (START - DAY, START), strict=True):
            for part, table in enumerate(features(n, side)):
                cursor.adbc_ingest("bench_log", logged(table, side, part, start), mode="create_append")
                connection.commit()
        cursor.execute("CREATE INDEX bench_time ON bench_log (predicted_at)")
        cursor.execute("ANALYZE bench_log")
        connection.commit()


def logged(table: pa.Table, side: Side, part: int, start: datetime) -> pa.Table:
    """The features as a serving system would log them."""
    n = table.num_rows
    rng = np.random.default_rng([2 + SIDES.index(side), part])
    moments = np.datetime64(start.replace(tzinfo=None), "us") + rng.integers(0, 86_400_000_000, n)
    logged = {
        "request_id": [f"{side[0]}{part * PART + i}" for i in range(n)],
        "predicted_at": pa.array(moments, pa.timestamp("us", "UTC")),
        "prediction": table.column("x0").to_numpy() + table.column("x1").to_numpy(),
        "latency_ms": rng.lognormal(4, 0.4, n),
        "status_code": np.where(rng.random(n) < 0.002, 503, 200),
    }
    for name, values in logged.items():
        table = table.append_column(name, pa.array(values))
    return table


def monitor_file() -> dict[str, Any]:
    """Return the monitor of the bench: its reference is the day before the window."""
    roles = ("prediction", "latency_ms", "status_code")
    return {
        "name": "bench",
        "start": START.isoformat(),
        "model": {"name": "bench", "task": "regression"},
        "source": {
            "predictions": {"table": "bench_log", "id": "request_id", "timestamp": "predicted_at"}
            | {role: role for role in roles}
        },
        "features": dict.fromkeys(NUMERIC, "numeric") | dict.fromkeys(CATEGORICAL, "categorical"),
        "reference": {"start": (START - DAY).isoformat(), "end": START.isoformat()},
    }
