"""A log of 80 rows with nulls, times, texts and documents, in any database, and the monitor that watches it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hindsight.checks.suites.batches import Warehouse
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.predictions import as_logged, collect
from hindsight.warehouse.rows import WindowRows
from tests.builders import a_monitor

START = datetime(2026, 9, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))
NUMERIC = ("amount", "fee", "fee_again", "rebate", "items", "number", "rank")
CATEGORICAL = ("region", "plan", "word", "day", "payload", "empty", "flag")
_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    **dict.fromkeys(("id", *CATEGORICAL[:-1]), sa.Text()),
    **dict.fromkeys(NUMERIC[:4], sa.Double()),
    **dict.fromkeys((*NUMERIC[4:], "prediction"), sa.Integer()),
    "flag": sa.Boolean(),
    "seen_at": sa.DateTime(timezone=True),
    "unnamed": sa.Text(),  # by the monitor
}


def watching(**changes: Any) -> Monitor:
    """Return the monitor of the log."""
    source = {
        "connection": "warehouse",
        "predictions": {"table": "log", "id": "id", "timestamp": "seen_at", "prediction": "prediction"},
    }
    features = dict.fromkeys(NUMERIC, "numeric") | dict.fromkeys(CATEGORICAL, "categorical")
    return a_monitor(**{"source": source, "features": features, "quality": {"suite": "credit"}} | changes)


def a_row(i: int) -> dict[str, Any]:
    """Return row `i` of the log."""
    return {
        "id": f"r{i}",
        "seen_at": START + i * timedelta(minutes=15),
        "amount": None if i % 10 == 9 else 100.0 + i * 3.5,
        "fee": 1.0 + i % 7,
        "fee_again": 1.0 + i % 7,
        "rebate": 9.0 - i % 7,
        "items": i % 5,
        "number": i,
        "rank": -i,
        "region": "US" if i % 2 else "EU",
        "plan": "b" if i % 2 else "a",
        "word": ["wort", "größe", "abc"][i % 3],
        "day": f"2026-09-{1 + i % 28:02d}",
        "payload": json.dumps({"n": i}),
        "empty": None,
        "flag": bool(i % 2),
        "prediction": i % 2,
        "unnamed": f"u{i % 2}",
    }


def log(url: sa.URL, *, repeated: bool = False, n: int = 80) -> None:
    """Log `n` rows; `repeated` logs the first of them twice."""
    engine, metadata = sa.create_engine(url, poolclass=sa.NullPool), sa.MetaData()
    table = sa.Table("log", metadata, *(sa.Column(name, kind) for name, kind in _TYPES.items()))
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [a_row(i) for i in [*range(n), *([0] if repeated else [])]])
    engine.dispose()


@contextmanager
def rows_of(url: sa.URL, monitor: Monitor, folder: Path) -> Iterator[WindowRows]:
    """Yield the rows of the window as a run reads them."""
    with collect(open_engine(url), monitor, WINDOW, folder=folder, pii_key=b"key") as rows:
        yield rows


def warehouse_at(url: sa.URL, monitor: Monitor, window: Window) -> Warehouse:
    """Return the warehouse as a run asks it."""
    engine = open_engine(url)
    return Warehouse(engine, partial(as_logged, engine, monitor, window), dialect_of(engine).times_are_text)
