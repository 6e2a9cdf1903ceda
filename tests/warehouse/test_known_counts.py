"""Real data with known answers: counts of rows and of labels as of a moment, computed elsewhere by other means."""

from __future__ import annotations

import csv
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi

from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.dialects.postgresql import conninfo
from hindsight.warehouse.labels import labelled, touched
from hindsight.warehouse.predictions import collect, volumes
from hindsight.warehouse.reference import collect_reference
from tests.builders import DAY, a_monitor, at

CASES = os.environ.get("HINDSIGHT_CASES", "")
pytestmark = pytest.mark.skipif(not Path(CASES, "elec2").is_dir(), reason="HINDSIGHT_CASES names no folder of cases")


def a_case(name: str, task: str, window: str, **changes: Any) -> Any:
    file = a_monitor().model_dump(include={"source"}, exclude_none=True)
    file["source"]["predictions"].pop("cost")
    return a_monitor(model={"name": name, "task": task}, window=window, segments=[], **(file | changes))


MONITORS = {
    "elec2": a_case(
        "elec2",
        "binary",
        "7d",
        anchor="1997-01-12",
        features=dict.fromkeys(["nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"], "numeric"),
        reference={"parquet": str(Path(CASES, "elec2", "reference.parquet")), "output": {"split": "holdout"}},
    ),
    "schema_break": a_case(
        "schema_break",
        "binary",
        "1d",
        features={"age": "numeric", "capital_loss": "numeric", "workclass": "categorical"},
        reference={"parquet": str(Path(CASES, "schema_break", "reference.parquet"))},
    ),
}


@pytest.fixture
def warehouse(request: pytest.FixtureRequest, postgres_url: sa.URL) -> tuple[sa.Engine, str]:
    """A PostgreSQL warehouse holding the case a test asks for."""
    uri = conninfo(sa.create_engine(postgres_url))
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        for table, file in (("inference_log", "predictions"), ("ground_truth", "labels")):
            cursor.adbc_ingest(table, _plain(pq.read_table(Path(CASES, request.param, f"{file}.parquet"))))
        connection.commit()
    return open_engine(postgres_url), request.param


def _plain(table: pa.Table) -> pa.Table:
    strings = [f.with_type(pa.string()) if pa.types.is_large_string(f.type) else f for f in table.schema]
    return table.cast(pa.schema(strings))


def truth_of(case: str, every: int) -> list[dict[str, str]]:
    with Path(CASES, case, "truth.csv").open() as file:
        return list(csv.DictReader(file))[::every]


def _window(row: dict[str, str]) -> Window:
    return Window(*(datetime.fromisoformat(row[key]) for key in ("window_start", "window_end")))


@pytest.mark.parametrize("warehouse", ["elec2", "schema_break"], indirect=True)
def test_counts_equal_the_published_truth(warehouse: tuple[sa.Engine, str], tmp_path: Path) -> None:
    engine, case = warehouse
    monitor = MONITORS[case]
    rows = truth_of(case, every=9)
    assert {str(w): n for w, n in volumes(engine, monitor, [_window(row) for row in rows]).items()} == {
        str(_window(row)): int(row["n"]) for row in rows
    }
    for row in rows:
        window = _window(row)
        with collect(engine, monitor, window, folder=tmp_path, pii_key=None) as found:
            assert (found.n_raw, found.n) == (int(row["n_rows"]), int(row["n"]))
        for as_of, suffix in (
            (at("2100-01-01"), ""),
            *((window.end + days * DAY, f"_asof_{days}d") for days in (0, 1, 7)),
        ):
            truth = labelled(engine, monitor, window, as_of, pii_key=None)
            expected = (int(row["n"]), int(row["n_scored"]), int(row[f"n_labeled{suffix}"]))
            assert (truth.n_rows, truth.n_scored, truth.n_labeled) == expected, (str(window), suffix)


@pytest.mark.parametrize("warehouse", ["elec2"], indirect=True)
def test_accuracy_as_of_a_moment_equals_the_published_one(warehouse: tuple[sa.Engine, str]) -> None:
    engine, case = warehouse
    for row in truth_of(case, every=25):
        table = labelled(engine, MONITORS[case], _window(row), _window(row).end + DAY, pii_key=None).table
        labels = table.filter(pa.compute.is_valid(table["label"]))
        right = pa.compute.mean(pa.compute.equal(labels["label"], labels["prediction"]).cast(pa.float64())).as_py()
        assert right == pytest.approx(float(row["accuracy_asof_1d"]), rel=1e-5)


@pytest.mark.parametrize("warehouse", ["elec2"], indirect=True)
def test_touched_windows_are_those_whose_labels_arrived(warehouse: tuple[sa.Engine, str]) -> None:
    engine, case = warehouse
    night = at("1997-06-02")
    logged, arrived = (
        pq.read_table(Path(CASES, case, f"{name}.parquet")).to_pandas() for name in ("predictions", "labels")
    )
    both = logged.merge(arrived, on="request_id")
    both = both[(both.labeled_at >= night) & (both.labeled_at < night + DAY)]
    expected = sorted({MONITORS[case].grid.window_at(moment.to_pydatetime()) for moment in both.predicted_at})
    assert touched(engine, MONITORS[case], since=night, until=night + timedelta(days=1)) == expected
    assert len(expected) > 1


@pytest.mark.parametrize(("case", "rows", "output"), [("elec2", 12_000, 2_400), ("schema_break", 18_000, 18_000)])
def test_references_of_cases_are_read(tmp_path: Path, case: str, rows: int, output: int) -> None:
    engine = open_engine(sa.make_url("sqlite://"))
    found = collect_reference(engine, MONITORS[case], folder=tmp_path, pii_key=None, as_of=at("2000-01-01"))
    assert (found.rows.n, found.output.n) == (rows, output)
    assert found.labels is not None
    assert found.labels.num_rows == output
    found.close()
