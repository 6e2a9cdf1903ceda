"""hindsight init recognises by what columns hold what their names do not tell, and finds tables by a bare name."""

from __future__ import annotations

import os
from datetime import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from hindsight.errors import ConfigError, DataError
from hindsight.proposals.values import separation
from tests.builders import HOUR, at
from tests.proposals.loans import TIME, Rows, init, make
from tests.warehouse.tables import writing

CASE = Path(os.environ.get("HINDSIGHT_CASES", "")) / "elec2" / "predictions.parquet"
LOG: dict[str, Any] = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Integer(), "s1": sa.Double()}
LOG |= {"share": sa.Double(), "rc": sa.Integer(), "opened": sa.Time()}


def a_log(n: int = 600) -> Rows:
    score = np.random.default_rng(3).uniform(0, 1, n).round(4).tolist()
    return [
        {"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": int(score[i] > 0.6), "s1": score[i]}
        | {"share": i * 7 % 101 / 101, "rc": 500 if i % 50 == 0 else 200, "opened": time(i % 24, 30)}
        for i in range(n)
    ]


def test_a_score_and_a_status_are_told_by_what_they_hold(sqlite_url: sa.URL, tmp_path: Path) -> None:
    make(sqlite_url, "logged", LOG, a_log())
    monitor, text, _ = init(sqlite_url, tmp_path, "logged")
    source = monitor.source.predictions
    assert (source.score, source.status_code, monitor.model.positive_label) == ("s1", "rc", 1)
    assert "tells the two predictions apart in 100 % of pairs" in " ".join(text.replace("#", " ").split())


def test_numbers_that_tell_nothing_are_no_score(sqlite_url: sa.URL, tmp_path: Path) -> None:
    make(sqlite_url, "logged", LOG, [row | {"s1": row["share"], "rc": 250 + row["id"] % 9} for row in a_log()])
    source = init(sqlite_url, tmp_path, "logged")[0].source.predictions
    assert (source.score, source.status_code) == (None, None)


@pytest.mark.parametrize("turned", [False, True])
def test_separation_is_the_share_of_pairs_in_order(turned: bool) -> None:
    scores = np.array([0.1, 0.4, 0.35, 0.8, np.nan])
    predicted = np.array([False, False, True, True, True])
    assert separation(1 - scores if turned else scores, predicted) == 0.75  # three pairs of four
    assert separation(scores, np.zeros(5, np.bool_)) == 0


def test_a_time_of_day_is_called_one(database_url: sa.URL, tmp_path: Path) -> None:
    make(database_url, "logged", LOG, a_log())
    monitor, text, _ = init(database_url, tmp_path, "logged")
    assert "opened" not in monitor.features
    assert "opened (a time of day without a date)" in " ".join(text.replace("#", " ").split())


def test_a_lone_yes_or_no_of_a_table_with_the_same_id_is_the_label(database_url: sa.URL, tmp_path: Path) -> None:
    make(database_url, "visits", LOG, rows := a_log())
    columns = {"visit_id": sa.Integer(), "came": sa.Boolean(), "clerk": sa.Text(), "seen": TIME}
    truth = [{"visit_id": r["id"], "came": r["id"] % 3 == 0, "clerk": "ab"[r["id"] % 2], "seen": r["ts"]} for r in rows]
    make(database_url, "arrivals", columns, truth)
    monitor, text, _ = init(database_url, tmp_path, "visits")
    labels = monitor.source.labels
    assert labels is not None
    assert (labels.table, labels.id, labels.label, labels.arrived_at) == ("arrivals", "visit_id", "came", "seen")
    assert "written like" not in text  # true and 1 are one class


def test_another_table_of_the_same_ids_is_no_truth(sqlite_url: sa.URL, tmp_path: Path) -> None:
    make(sqlite_url, "logged", LOG, rows := a_log())
    columns = {"id": sa.Integer(), "weight": sa.Double()}
    make(sqlite_url, "weights", columns, [{"id": r["id"], "weight": r["share"]} for r in rows])
    assert init(sqlite_url, tmp_path, "logged")[0].source.labels is None


def _in_schemas(url: sa.URL, *schemas: str) -> None:
    with writing(url) as connection:
        for schema in schemas:
            connection.execute(sa.schema.CreateSchema(schema))
            columns = (sa.Column(name, kind) for name, kind in LOG.items())
            table = sa.Table("logged", sa.MetaData(), *columns, schema=schema)
            table.create(connection)
            connection.execute(table.insert(), a_log())


@pytest.mark.parametrize("kind", ["postgres", "duckdb"])
def test_a_table_is_found_in_its_schema(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    _in_schemas(url, "ml")
    assert init(url, tmp_path, "logged")[0].source.predictions.table == "ml.logged"
    _in_schemas(url, "other")
    with pytest.raises(ConfigError, match=r"--table logged: 2 schemas have one, say which: ml.logged, other.logged"):
        init(url, tmp_path, "logged")
    with pytest.raises(DataError, match="no such table or view"):
        init(url, tmp_path, "loggings")


@pytest.mark.skipif(not CASE.is_file(), reason="HINDSIGHT_CASES names no folder of cases")
@pytest.mark.parametrize("kind", ["postgres", "sqlite", "duckdb"])
def test_a_real_score_and_status_are_told_by_value(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    import duckdb

    columns = ("request_id", "predicted_at", "prediction", "nswprice", "vicprice", "transfer", "score", "status_code")
    names = dict(zip(columns, ("ref", "made_at", "prediction", "a", "b", "c", "d", "e"), strict=True))
    chosen = ", ".join(f"{column} AS {name}" for column, name in names.items())
    rows = duckdb.sql(f"SELECT {chosen} FROM '{CASE}' LIMIT 6000").fetchall()
    kinds = (sa.Text(), TIME, sa.Integer(), *[sa.Double()] * 4, sa.Integer())
    url = request.getfixturevalue(f"{kind}_url")
    made = dict(zip(names.values(), kinds, strict=True))
    make(url, "elec", made, [dict(zip(made, row, strict=True)) for row in rows])
    source = init(url, tmp_path, "elec")[0].source.predictions
    assert (source.id, source.timestamp, source.score, source.status_code) == ("ref", "made_at", "d", "e")
