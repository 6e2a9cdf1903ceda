"""A small warehouse on any database: the two tables that `a_monitor` reads, filled with the rows a test is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from hindsight.warehouse.connect import open_engine
from tests.builders import at

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
LOG = {
    "request_id": sa.String(40),
    "predicted_at": MOMENT,
    "model_version": sa.String(20),
    "prediction": sa.Integer(),
    "score": sa.Double(),
    "latency_ms": sa.Double(),
    "status_code": sa.Integer(),
    "cost_usd": sa.Numeric(12, 6),
    "amount": sa.Double(),
    "region": sa.String(20),
}
TRUTH = {"request_id": sa.String(40), "label": sa.Integer(), "labeled_at": MOMENT}


def a_prediction(
    request_id: str | None = "r1", predicted_at: str = "2026-09-01T12:00", **values: Any
) -> dict[str, Any]:
    """A row of inference_log."""
    row = {"model_version": "v1", "prediction": 1, "score": 0.75, "latency_ms": 20.0, "status_code": 200}
    row |= {"cost_usd": 0.5, "amount": 100.0, "region": "EU"}
    return row | {"request_id": request_id, "predicted_at": at(predicted_at)} | values


def a_label(request_id: str = "r1", label: Any = 1, labeled_at: str = "2026-09-02T00:00") -> dict[str, Any]:
    """A row of ground_truth."""
    return {"request_id": request_id, "label": label, "labeled_at": at(labeled_at)}


def fill(
    url: sa.URL,
    predictions: Sequence[Mapping[str, Any]] = (),
    labels: Sequence[Mapping[str, Any]] = (),
    *,
    log: Mapping[str, Any] = LOG,
    truth: Mapping[str, Any] = TRUTH,
    schema: str | None = None,
) -> None:
    """Make both tables, of columns name -> type, and insert the rows."""
    with writing(url) as connection:
        for name, columns, rows in (("inference_log", log, predictions), ("ground_truth", truth, labels)):
            table = sa.Table(name, sa.MetaData(), *(sa.Column(c, kind) for c, kind in columns.items()), schema=schema)
            table.create(connection)
            if rows:
                connection.execute(table.insert(), [{c: row[c] for c in columns} for row in rows])


@contextmanager
def writing(url: sa.URL) -> Iterator[sa.Connection]:
    """A connection that may write, committed at the end."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


@contextmanager
def a_warehouse(
    url: sa.URL, predictions: Sequence[Mapping[str, Any]] = (), labels: Sequence[Mapping[str, Any]] = (), **tables: Any
) -> Iterator[sa.Engine]:
    """A read-only engine on a warehouse with these rows."""
    fill(url, predictions, labels, **tables)
    yield open_engine(url)
