"""A warehouse nobody described: the log of a loan model, its labels, and what hindsight init makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from hindsight.checks.suites.suites import load_suite
from hindsight.monitors.loader import lint, load_file
from hindsight.monitors.model import Monitor
from hindsight.pipeline import propose
from hindsight.settings import Settings
from hindsight.warehouse.connect import open_engine
from tests.builders import DAY, HOUR, at
from tests.warehouse.tables import writing

TIME = sa.DateTime(timezone=True)
Rows = list[dict[str, Any]]

LOANS: dict[str, Any] = {
    "loan_id": sa.Integer(),
    "scored_at": TIME,
    "model_name": sa.String(20),
    "version": sa.String(10),
    "decision": sa.Boolean(),
    "probability": sa.Double(),
    "latency": sa.Double(),
    "http_status": sa.Integer(),
    "amount": sa.Numeric(12, 2),
    "age": sa.Integer(),
    "region": sa.String(10),
    "product_code": sa.Integer(),
    "is_new": sa.Integer(),
    "contact": sa.String(60),
    "phone": sa.String(30),
    "note": sa.Text(),
    "session_id": sa.String(40),
    "updated_at": TIME,
    "void": sa.Integer(),
}


def loans(n: int = 3000, days: float = 60) -> Rows:
    """The log of a loan model, and columns that are no business of a monitor."""
    rng = np.random.default_rng(7)
    scores = rng.uniform(0, 1, n).round(4).tolist()
    return [
        {
            "loan_id": 10_000 + i,
            "scored_at": at("2026-01-01") + i * days * DAY / n,
            "model_name": "Loan Risk",
            "version": "v2" if i > n / 2 else "v1",
            "decision": scores[i] > 0.6,
            "probability": scores[i],
            "latency": 20.0 + i % 50,
            "http_status": 500 if i % 200 == 0 else 200,
            "amount": 100 + i % 900,
            "age": None if i % 40 == 0 else 18 + i % 60,
            "region": ("EU", "US", "APAC")[i % 3],
            "product_code": 10 * (i % 5),
            "is_new": i % 2,
            "contact": f"person{i}@example.com",
            "phone": f"+49 30 {100000 + i}",
            "note": f"applied for reason number {i}",
            "session_id": f"s{i % 2500}",
            "updated_at": at("2026-06-01"),
            "void": None,
        }
        for i in range(n)
    ]


def repaid(rows: Rows, *, hours: float = 60, share: float = 0.9) -> Rows:
    """Labels of nine in ten loans, all within `hours`."""
    some = [row for i, row in enumerate(rows) if i % 10 < 10 * share]
    return [
        {"loan_id": r["loan_id"], "label": i % 7 == 0, "labeled_at": r["scored_at"] + hours * HOUR * (i % 50) / 49}
        for i, r in enumerate(some)
    ]


LABELS = {"loan_id": sa.Integer(), "label": sa.Boolean(), "labeled_at": TIME}


def make(url: sa.URL, table: str, columns: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    with writing(url) as connection:
        made = sa.Table(table, sa.MetaData(), *(sa.Column(name, kind) for name, kind in columns.items()))
        made.create(connection)
        if rows:
            connection.execute(made.insert(), [{name: row[name] for name in columns} for row in rows])


def a_place(folder: Path) -> Settings:
    return Settings(folder, str(folder / "data"), folder / "monitors", folder / "great_expectations")


def init(
    url: sa.URL, folder: Path, table: str = "loans", labels_table: str | None = None, wishes: Any = None, **columns: str
) -> tuple[Monitor, str, dict[str, Any]]:
    """Propose, write and read back: the monitor, the text of its file and the suite."""
    made = propose.propose_monitor(
        open_engine(url),
        "warehouse",
        table,
        name=propose.name_of(table),
        given=columns,
        labels_table=labels_table,
        wishes=wishes,
    )
    place = a_place(folder)
    written = propose.write(made, place, force=True)
    assert lint([written.monitor]) == []
    load_suite(place.great_expectations, made.name)
    return load_file(written.monitor), written.monitor.read_text(), json.loads(written.suite.read_text())


def a_warehouse(url: sa.URL) -> sa.URL:
    """Fill a database with the log, its labels and a table of no use."""
    rows = loans()
    make(url, "loans", LOANS, rows)
    make(url, "loan_labels", LABELS, repaid(rows))
    make(url, "payments", {"loan_id": sa.Integer(), "paid": sa.Double()}, [])
    return url
