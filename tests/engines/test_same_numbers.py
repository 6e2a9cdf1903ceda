"""The same log gives the same numbers on every engine as on SQLite, where the other tests check each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.monitors.model import Monitor
from hindsight.warehouse import examination, survey
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.identities import newest_unmatched
from hindsight.warehouse.labels import labelled, labels_now, touched
from hindsight.warehouse.predictions import collect, first_timestamp, logged_between, misdated, strangers, volumes
from tests.builders import a_monitor, a_window, at, monitor_file
from tests.warehouse.tables import LOG, TRUTH, a_label, a_prediction, fill

pytestmark = [  # what the stand-ins and drivers warn of themselves
    pytest.mark.filterwarnings("ignore::UserWarning:fakesnow"),
    pytest.mark.filterwarnings("ignore::UserWarning:duckdb"),
    pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning"),
]
WINDOW, NIGHT = a_window(), at("2026-09-20")
EDGES = ("2026-08-31T23:59:59.999999", "2026-09-01", "2026-09-01T23:59:59.999999", "2026-09-02")
IDS = ("eu", "EU", "eu ", "eü")
PREDICTIONS = [
    *(a_prediction(f"edge {i}", moment) for i, moment in enumerate(EDGES)),
    *(a_prediction(id, region=region) for id, region in zip(IDS, ("EU", "eu", None, "o'x"), strict=True)),
    a_prediction("eu", "2026-09-01T13:00:00.000001", amount=None, score=0.1),
    a_prediction(None, "2026-09-01T14:00"),
    a_prediction("never") | {"predicted_at": None},
    a_prediction("far", "2030-01-01"),
]
LABELS = [
    a_label("EU", 1),
    a_label("eu", 0),
    a_label("eu", 1, "2026-09-05T00:00:00.000001"),
    a_label("edge 1", 1, "2026-09-20"),
    a_label("stranger", 1, "2026-09-01T06:00"),
]
# how an engine writes a type of the tables, where sa.types would not be understood
SPARK = {"String": "string", "DateTime": "timestamp", "Integer": "int", "Double": "double", "Numeric": "decimal(12, 6)"}
SNOWFLAKE = {"String": "varchar", "DateTime": "timestamp_tz", "Integer": "number(38, 0)", "Double": "double"}
SNOWFLAKE |= {"Numeric": "number(12, 6)"}
KINDS = {
    "spark": [SPARK, SPARK | {"DateTime": "timestamp_ntz"}],
    "snowflake": [SNOWFLAKE, SNOWFLAKE | {"DateTime": "timestamp_ntz"}],
}
CASES = [(engine, kinds) for engine, several in KINDS.items() for kinds in several]


def filled(url: sa.URL, kinds: Mapping[str, str]) -> None:
    """Make and fill both tables by statements written out: each engine's driver takes times in its own way."""
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT" if url.database != "default" else None
    )
    with engine.connect() as connection:
        for name, columns, rows in (("inference_log", LOG, PREDICTIONS), ("ground_truth", TRUTH, LABELS)):
            declared = ", ".join(f"{column} {kinds[type(kind).__name__]}" for column, kind in columns.items())
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE TABLE {name} ({declared})")
            values = (", ".join(_literal(row[c], kinds) for c in columns) for row in rows)
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES {', '.join(f'({row})' for row in values)}")
        connection.commit()


def _literal(value: Any, kinds: Mapping[str, str]) -> str:
    if hasattr(value, "isoformat"):
        zone = "+00:00" if kinds["DateTime"] != "timestamp_ntz" else ""
        return f"CAST('{value:%Y-%m-%d %H:%M:%S.%f}{zone}' AS {kinds['DateTime']})"
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'" if kinds["String"] == "string" else "''") + "'"
    return "NULL" if value is None else str(value)


def answers(engine: sa.Engine, folder: Path) -> dict[str, Any]:
    """Everything that is asked of a warehouse, in an order of our own."""
    monitor = a_monitor()
    with collect(engine, monitor, WINDOW, folder=folder, pii_key=None) as rows:
        window = _sorted(rows.table(rows.columns).to_pylist())
    known = labelled(engine, monitor, WINDOW, NIGHT, pii_key=None)
    counts = ("n_rows", "n_scored", "n_labeled", "conflicts", "orphans", "undated", "duplicates", "corrections")
    facts = survey.survey(engine, "warehouse", "inference_log", "predicted_at").facts
    return {
        "window": window,
        "volumes": volumes(engine, monitor, [WINDOW, a_window("2026-09-02")]),
        "misdated": misdated(engine, monitor, NIGHT),
        "first": first_timestamp(engine, monitor),
        "between": logged_between(engine, monitor, until=NIGHT),
        "strangers": strangers(engine, a_monitor(features={"region": "categorical"}), WINDOW),
        "labelled": _sorted(known.table.to_pylist()),
        "counts": {name: getattr(known, name) for name in counts},
        "touched": touched(engine, monitor, since=at("2026-09-01"), until=NIGHT),
        "now": _sorted(labels_now(engine, monitor, WINDOW, pii_key=None).to_pylist()),
        "unmatched": newest_unmatched(engine, monitor, NIGHT),
        "facts": (facts.rows, facts.first, facts.last, {n: (c.kind, c.nulls) for n, c in facts.columns.items()}),
        "tables": {name: sorted(columns) for name, columns in survey.tables(engine, "warehouse").items()},
    }


def _sorted(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(map(str, rows))


@pytest.fixture
def of_sqlite(sqlite_url: sa.URL, tmp_path: Path) -> dict[str, Any]:
    fill(sqlite_url, PREDICTIONS, LABELS)
    return answers(open_engine(sqlite_url), tmp_path)


@pytest.mark.parametrize(("name", "kinds"), CASES, ids=[f"{name} {kinds['DateTime']}" for name, kinds in CASES])
def test_an_engine_answers_as_sqlite_does(
    name: str, kinds: Mapping[str, str], request: pytest.FixtureRequest, of_sqlite: dict[str, Any], tmp_path: Path
) -> None:
    url = request.getfixturevalue(f"{name}_url")
    filled(url, kinds)
    found = answers(open_engine(url), tmp_path)
    assert found["counts"]["n_rows"] == 7  # three of the edges' ids fall out, a null id counts as a row
    for what, expected in of_sqlite.items():
        assert found[what] == expected, what


@pytest.mark.parametrize("name", KINDS)
def test_what_is_not_there_is_named(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue(f"{name}_url")
    filled(url, KINDS[name][0])
    engine = open_engine(url)
    misspelt, text = _changed(table="inference_lok"), _changed(timestamp="region")
    with pytest.raises(DataError, match=r"no such table or view.*inference_log"):
        volumes(engine, misspelt, [WINDOW])
    with pytest.raises(DataError, match="expected a date or timestamp"):
        volumes(engine, text, [WINDOW])


@pytest.mark.parametrize("name", KINDS)
def test_what_doctor_says_of_an_engine(name: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(f"{name}_url")
    filled(url, KINDS[name][0])
    engine = open_engine(url)
    well, said = examination.session(engine, "warehouse", datetime.now(UTC))
    assert well, said
    assert "sessions can write: give it a login that only reads" in said
    well, said = examination.log(engine, a_monitor())
    assert well, said
    assert "12 rows of 10 columns in" in said


def _changed(**predictions: str) -> Monitor:
    file = monitor_file()["source"]
    return a_monitor(source=file | {"predictions": file["predictions"] | predictions})
