"""Statements: everything the warehouse room asks of a database, as the text that its dialect makes of it.

Nothing is connected: an engine that writes down what it is asked answers with the few rows it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.counts import Arm, Branch
from hindsight.warehouse import identities, kpis, labels, predictions, survey
from hindsight.warehouse.columns import named, read_as
from hindsight.warehouse.counting import Counting
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.dialects.catalogue import Catalogued
from hindsight.warehouse.dialects.generic import size
from tests.builders import a_monitor, a_window, at

# what a column of moments with a zone is where SQLAlchemy's own type would not do
MOMENTS: dict[str, sa.types.TypeEngine[Any]] = {"bigquery": sa.TIMESTAMP(), "mssql": mssql.DATETIMEOFFSET()}
CUTS = (-1.5, 0.0, 1.5, float("inf"))
WINDOW, NIGHT = a_window(), at("2026-09-20")
AN_ID = "0a1b2c3d-0000-4000-8000-00000000000"


@dataclass
class Answer:
    """Rows, fetched in every way the product fetches them."""

    rows: Sequence[tuple[Any, ...]]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def scalars(self) -> Answer:
        return Answer([row[0] for row in self.rows])

    def all(self) -> list[Any]:
        return list(self.rows)

    def one(self) -> tuple[Any, ...]:
        return self.rows[0]

    def scalar(self) -> Any:
        return self.rows[0][0]

    scalar_one = scalar


@dataclass
class Recorder:
    """An engine of one dialect, and its own connection."""

    url: sa.URL
    dialect: Any
    asked: list[str] = field(default_factory=list)
    rows: Sequence[tuple[Any, ...]] = ((None,) * 40,)

    @contextmanager
    def connect(self) -> Iterator[Recorder]:
        yield self

    def execute(self, statement: sa.Select[Any]) -> Answer:
        text = str(statement.compile(dialect=self.dialect, compile_kwargs={"literal_binds": True}))
        lines = (line.strip() for line in text.replace("%%", "%").splitlines())
        self.asked.append("\n".join(line for line in lines if line))
        return Answer(self.rows)


def columns(dialect: str) -> dict[str, dict[str, Any]]:
    """The two tables that `monitor` reads: a log without zone, truth with one, texts of both kinds, a date, a flag."""
    zoned = MOMENTS.get(dialect, sa.DateTime(timezone=True))
    log = {"request_id": sa.String(40), "predicted_at": sa.DateTime(), "model_version": sa.CHAR(8)}
    log |= {"prediction": sa.Integer(), "score": sa.Float(), "latency_ms": sa.Integer(), "status_code": sa.Integer()}
    log |= {"cost_usd": sa.Numeric(12, 6), "amount": sa.Numeric(12, 2), "region": sa.String(20), "is_new": sa.Boolean()}
    log |= {"born": sa.Date(), "Order": sa.Text(), "secret": sa.Text()}
    return {
        "inference_log": log,
        "ground_truth": {"request_id": sa.String(40), "label": sa.Integer(), "labeled_at": zoned},
    }


def monitor() -> Monitor:
    """A monitor that names all but one column, and one version: a statement for every way of asking."""
    features = {"amount": "numeric", "region": "categorical", "is_new": "categorical", "born": "categorical"}
    return a_monitor(
        model={"name": "credit", "task": "binary", "version": "v1"},
        features=features | {"Order": "categorical"},
        kpis={"revenue": {"sum": "amount", "where": {"labels.label": 1}}},
    )


def recorded(url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return the texts of the statements of each use, by the name of the function that asks."""
    address = sa.make_url(url)
    engine = Recorder(address, address.get_dialect()())
    if engine.dialect.name == "mysql":
        engine.dialect.server_version_info = (8, 4, 0)  # learnt when it connects: older ones know no CAST AS DOUBLE
        vars(engine.dialect)["_support_float_cast"] = True  # what SQLAlchemy 2.1 makes of it
    spoken, tables = dialect_of(engine), columns(engine.dialect.name)  # type: ignore[arg-type]
    found: dict[str, list[str]] = {}
    if isinstance(spoken, Catalogued):
        found["tables"] = _of(engine, lambda: spoken.tables(engine, "ml"), [("inference_log",)])  # type: ignore[arg-type]
    monkeypatch.setattr(type(spoken), "columns", lambda _, __, table, ___: tables[table])
    monkeypatch.setattr(type(spoken), "batches", _written_down)
    return found | {name: _of(engine, ask, rows) for name, (ask, rows) in _uses(engine).items()}


def _written_down(_: object, engine: Recorder, statement: sa.Select[Any], __: object) -> Iterator[pa.RecordBatch]:
    engine.execute(statement)
    if not dialect_of(engine).streams:  # type: ignore[arg-type]
        engine.execute(size(statement))
    return iter(())


def _of(engine: Recorder, ask: Callable[[], object], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    engine.asked, engine.rows = [], rows
    ask()
    return engine.asked


def _uses(engine: Any) -> dict[str, tuple[Callable[[], object], Sequence[tuple[Any, ...]]]]:
    one, nothing, zeros = monitor(), [(None,) * 40], [(0,) * 40]
    ids = [(f"{AN_ID}{i}", 0) for i in range(6)]
    pair = labels.label_tables(engine, one)
    since, until = at("2026-09-02"), at("2026-09-03")
    key: dict[str, Any] = {"pii_key": None}
    unmatched = identities.Unmatched(6, ("A",), labels=identities.Spelling.of([row[0].upper() for row in ids]))
    survey_rows = [(9, at("2026-09-01"), at("2026-09-02"))]
    return {
        "collect": (lambda: _collected(engine, one), nothing),
        "volumes": (lambda: predictions.volumes(engine, one, [WINDOW]), [(0, 9)]),
        "strangers": (lambda: predictions.strangers(engine, one, WINDOW), zeros),
        "misdated": (lambda: predictions.misdated(engine, one, NIGHT), [(0, None)]),
        "first_timestamp": (lambda: predictions.first_timestamp(engine, one), nothing),
        "logged_between": (lambda: predictions.logged_between(engine, one, until=NIGHT), nothing),
        "labelled": (lambda: labels.labelled(engine, one, WINDOW, NIGHT, **key), zeros),
        "duplicates": (lambda: labels._duplicates(engine, one, pair, WINDOW, NIGHT), zeros),
        "touched": (lambda: labels.touched(engine, one, since=since, until=until), []),
        "labels_now": (lambda: labels.labels_now(engine, one, WINDOW, **key), nothing),
        "newest_unmatched": (lambda: identities.newest_unmatched(engine, one, NIGHT), ids),
        "respelt_labels": (
            lambda: identities.respelt_labels(engine, one, WINDOW, unmatched, since=since, until=until),
            ids,
        ),
        "kpi_rows": (lambda: kpis.kpi_rows(engine, one, [WINDOW], ["revenue"], as_of=NIGHT, **key), nothing),
        "clock": (lambda: engine.execute(sa.select(dialect_of(engine).clock())), nothing),
        "sample": (lambda: engine.execute(_counting(engine, one).log.sample(5)), nothing),
        "counted": (lambda: _counted(engine, one), nothing),
        "survey": (lambda: _surveyed(engine), survey_rows),
        "first_labels": (lambda: _first_labels(engine), []),
    }


def _collected(engine: Any, one: Monitor) -> None:
    with TemporaryDirectory() as folder, predictions.collect(engine, one, WINDOW, folder=Path(folder), pii_key=None):
        pass


def _counting(engine: Any, one: Monitor) -> Counting:
    logged = predictions.logged_predictions(engine, one)
    where = predictions.logged_in(one, logged, WINDOW)
    read = read_as(engine, logged, named(one), where, ["predicted_at"])
    return Counting(predictions.log_of(one, logged, where, read))


def _counted(engine: Any, one: Monitor) -> None:
    """A statement of each kind that counts: of ids that repeat, and of a log whose ids do not."""
    counting = _counting(engine, one)
    versions, segments = (
        Branch("model_version", (Arm(("v1",), CUTS),), CUTS),
        Branch("region", (Arm(("EU",), CUTS),), None),
    )
    owed = ("status_code", (200,))
    engine.execute(counting.log.sizes())
    engine.execute(counting.keys("region"))
    counting = Counting(replace(counting.log, repeats=False))
    for statement in (
        counting.keys("is_new"),
        counting.statuses(0, versions, "status_code", "prediction"),
        counting.numbers(0, {"amount": versions}),
        counting.numbers(1, {"score": segments, "amount": segments}, owed),
        counting.texts(0, versions, "Order").limit(10),
        counting.texts(1, segments, "region", owed, only=("EU",), rest="<other>"),
        counting.ranked(0, segments, "latency_ms", (50, 99)),
        counting.repeated("amount", -1.0, 1.0, 5),
        counting.arrivals(),
        counting.complete(["cost_usd"], ["model_version"], ["prediction"], *owed),
    ):
        engine.execute(statement)


def _surveyed(engine: Any) -> None:
    """One statement of its twenty is enough: they differ in their bounds alone."""
    survey.survey(engine, "warehouse", "inference_log", "predicted_at")
    del engine.asked[2:]


def _first_labels(engine: Any) -> None:
    named = {"id": "request_id", "label": "label", "arrived_at": "labeled_at"}
    survey.first_labels(engine, "warehouse", "ground_truth", **named, ids=["a", "b"])
