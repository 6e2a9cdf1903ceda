"""Batches: the rows asked as SQL are the rows in hand, and asked over the connection there is."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from hindsight.checks.suites.expectations import run_suite
from hindsight.checks.suites.lent import lent
from hindsight.checks.suites.library import great_expectations
from hindsight.vocabulary.rows import TableRows
from hindsight.warehouse.connect import connected, open_engine
from tests.builders import a_monitor, a_window
from tests.checks.suites.a_log import warehouse_at
from tests.warehouse.tables import a_prediction, fill

MONITOR = a_monitor(model={"name": "credit", "task": "binary", "version": "Vé 5%"}, quality={"suite": "credit"})
REPEATED = TableRows(pa.table({"request_id": ["a"]}), 2)  # so that what is about repetition is asked as SQL


def a_suite(folder: Path, **expectations: dict[str, object]) -> Path:
    """Write a suite of expectations type -> arguments and return the Great Expectations folder."""
    (folder / "expectations").mkdir()
    asked = [{"type": f"expect_{type}", "kwargs": kwargs} for type, kwargs in expectations.items()]
    (folder / "expectations" / "credit.json").write_text(json.dumps({"name": "credit", "expectations": asked}))
    return folder


def test_the_version_is_compared_by_code_points_and_with_every_character(database_url: sa.URL, tmp_path: Path) -> None:
    versions = ["Vé 5%", "vé 5%", "Ve 5%", "Vé 5%%", "Vé 5% "]
    fill(database_url, [a_prediction(f"r{i}", model_version=version) for i, version in enumerate(versions)])
    root = a_suite(tmp_path, table_row_count_to_equal={"value": 1})
    found = run_suite(
        MONITOR, a_window(), root=root, warehouse=warehouse_at(database_url, MONITOR, a_window()), rows=REPEATED
    )
    assert [(m.value, m.note) for m in found if m.metric == "expectation_success"] == [(1.0, "observed 1")]


@pytest.mark.parametrize("kept", [True, False])
def test_sqlite_knows_the_functions_the_library_asks_by(sqlite_url: sa.URL, kept: bool) -> None:
    fill(sqlite_url)
    engine = open_engine(sqlite_url)
    with connected(engine) if kept else nullcontext(), great_expectations() as context:
        engine.connect().close()
        with lent(context, engine) as source:
            asked = sa.select(sa.func.md5("a", 3))  # SQLite itself has none
            assert source.get_execution_engine().execute_query(asked).scalar_one() == "661"


def test_a_suite_opens_two_connections_at_most_and_gives_them_back(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction("a", model_version="Vé 5%")])
    unique, typed = {"column": "request_id"}, {"column": "amount", "type_": "DOUBLE"}
    root = a_suite(tmp_path, column_values_to_be_unique=unique, column_values_to_be_of_type=typed)
    warehouse = warehouse_at(database_url, MONITOR, a_window())
    opened: list[object] = []
    closed: list[object] = []
    sa.event.listen(warehouse.engine, "connect", lambda connection, _: opened.append(connection))
    sa.event.listen(warehouse.engine, "close", lambda connection, _: closed.append(connection))
    with connected(warehouse.engine):
        run_suite(MONITOR, a_window(), root=root, warehouse=warehouse, rows=REPEATED)
        assert 1 <= len(opened) <= 2
        assert not closed
    assert len(closed) == len(opened)
