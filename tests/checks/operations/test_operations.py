"""Operations: traffic, errors, latency, cost, freshness and health of a window."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.operations.operations import health, operations
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from hindsight.vocabulary.windows import Window
from tests.builders import a_monitor, a_window, at, monitor_file

WINDOW = a_window()


def some_rows(n: int = 100, n_raw: int | None = None, **columns: Any) -> TableRows:
    """n healthy requests of one version in one region, at noon; `columns` replace whole columns."""
    table: dict[str, Any] = {
        "predicted_at": pa.array([at("2026-09-01T12:00")] * n, pa.timestamp("us", "UTC")),
        "model_version": ["7"] * n,
        "prediction": [1] * n,
        "latency_ms": [20.0] * n,
        "status_code": [200] * n,
        "cost_usd": [0.002] * n,
        "region": ["EU"] * n,
    }
    return TableRows(pa.table(table | columns), n_raw)


def measured(rows: TableRows, version: str = "", segment: str = "", **kwargs: Any) -> dict[str, Measurement]:
    found = operations(rows, a_monitor(), WINDOW, **kwargs)
    return {m.metric: m for m in found if (m.model_version, m.segment) == (version, segment)}


def test_a_healthy_window_is_counted() -> None:
    found = {name: m.value for name, m in measured(some_rows(864, n_raw=900), expected_volume=1728.0).items()}
    assert found == {
        "total_requests": 864.0,
        "rows_raw": 900.0,
        "error_rate": 0.0,
        "http_4xx_rate": 0.0,
        "http_5xx_rate": 0.0,
        "latency_p50_ms": 20.0,
        "latency_p95_ms": 20.0,
        "latency_p99_ms": 20.0,
        "throughput_rps": 0.01,
        "cost_per_prediction": pytest.approx(0.002),
        "expected_requests": 1728.0,
        "volume_ratio": 0.5,
        "freshness_s": 12 * 3600.0,
        "longest_gap_s": 12 * 3600.0,
        "availability": 1.0,
        "timeout_rate": 0.0,
        "records_per_hour": 37.5,
        "log_completeness": 0.0,
        "error_rate_control": None,
        "health": 0.0,
    }


def test_an_error_is_a_5xx_a_timeout_or_a_missing_prediction_but_not_a_refusal() -> None:
    status = [500, 503, 408, 404, 422] + [200] * 95
    prediction = [None] * 3 + [1, 1] + [None] + [1] * 94
    found = measured(some_rows(100, status_code=status, prediction=prediction))
    assert found["error_rate"].value == 0.04
    assert (found["http_4xx_rate"].value, found["http_5xx_rate"].value) == (0.03, 0.02)
    assert (found["error_rate"].lower, found["error_rate"].upper) == pytest.approx((0.015664, 0.098366), abs=1e-5)


def test_metrics_of_columns_the_monitor_does_not_declare_are_left_out() -> None:
    file = monitor_file(segments=[])
    for key in ("latency_ms", "status_code", "cost"):
        del file["source"]["predictions"][key]
    names = {m.metric for m in operations(some_rows(), a_monitor(**file), WINDOW)}
    assert names == {
        "total_requests", "rows_raw", "error_rate", "throughput_rps", "volume_ratio", "freshness_s", "health",
        "availability", "records_per_hour", "log_completeness", "longest_gap_s", "error_rate_control",
        "expected_requests",
    }  # fmt: skip


def test_a_window_without_rows_has_no_number_but_its_zero_rows_and_requests() -> None:
    empty = some_rows(0, prediction=pa.array([], pa.int64()))
    found = measured(empty, expected_volume=100.0)
    assert [found.pop(metric).value for metric in ("total_requests", "rows_raw")] == [0, 0]
    assert found.pop("expected_requests").value == 100
    assert {(m.value, m.note) for m in found.values()} == {(None, "no rows")}
    assert len(found) == 17


def test_latencies_that_are_no_numbers_are_counted_out() -> None:
    latency = [float("nan"), float("inf"), None] + [10.0, 20.0, 30.0, 40.0] + [20.0] * 13
    found = measured(some_rows(20, latency_ms=latency))
    assert found["latency_p99_ms"].n == 17
    assert found["latency_p99_ms"].note == "3 of 20 rows without a finite latency left out"
    assert found["latency_p99_ms"].value == pytest.approx(np.percentile(latency[3:], 99))


def test_latency_logged_as_text_is_still_latency() -> None:
    assert measured(some_rows(20, latency_ms=["12.5"] * 19 + ["n/a"]))["latency_p50_ms"].value == 12.5


def test_a_window_nobody_has_an_expectation_for_has_no_volume_ratio() -> None:
    assert measured(some_rows())["volume_ratio"].value is None
    assert measured(some_rows())["volume_ratio"].note == "no expected volume yet"
    assert measured(some_rows())["expected_requests"].note == "no expected volume yet"


def test_behind_a_volume_ratio_lie_the_requests_that_came_or_that_were_expected() -> None:
    assert [measured(some_rows(n), expected_volume=40.0)["volume_ratio"].n for n in (4, 100)] == [40, 100]


@pytest.mark.parametrize(
    ("errors", "p99", "state"),
    [(0.0499, 499.9, 0), (0.05, 10, 1), (0.0, 500, 1), (0.0999, 999, 1), (0.10, 10, 2), (0.0, 1000, 2),
     (None, None, None), (None, 600, 1), (0.2, None, 2)],
)  # fmt: skip
def test_health_is_judged_by_errors_and_by_the_slowest_percent(
    errors: float | None, p99: float | None, state: int | None
) -> None:
    assert health(errors, p99) == state


@pytest.mark.parametrize(
    ("n", "columns", "state", "shown"),
    [
        (168, {"latency_ms": [2000.0] * 2 + [20.0] * 166}, 1, 2),
        (168, {"latency_ms": [2000.0] * 3 + [20.0] * 165}, 2, 3),
        (500, {"latency_ms": [2000.0] * 6 + [600.0] * 40 + [20.0] * 454}, 2, 6),
        (100, {"latency_ms": [2000.0] * 3 + [20.0] * 97, "status_code": [500] * 7 + [200] * 93}, 2, 7),
        (5, {"status_code": [500] * 5}, 2, 5),
        (20, {"status_code": [500] + [200] * 19}, 1, 1),
        (20, {}, 0, 20),
    ],
)  # fmt: skip
def test_health_counts_the_requests_that_make_it_so(n: int, columns: dict[str, Any], state: int, shown: int) -> None:
    found = measured(some_rows(n, **columns))["health"]
    assert (found.value, found.n) == (state, shown)


def test_versions_and_segments_have_numbers_of_their_own() -> None:
    rows = some_rows(60, model_version=["1"] * 30 + ["2"] * 30, status_code=[200] * 30 + [500] * 30)
    assert measured(rows, version="1")["error_rate"].value == 0.0
    assert measured(rows, version="2")["error_rate"].value == 1.0
    assert measured(rows, segment="region=EU")["total_requests"].value == 60


def test_a_group_of_fewer_than_twenty_has_no_numbers() -> None:
    assert measured(some_rows(60, region=["EU"] * 41 + ["FR"] * 19), segment="region=FR") == {}


@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.sampled_from([200, 404, 408, 500])), min_size=1, max_size=50), st.randoms()
)
def test_the_order_of_rows_changes_no_digit(rows: list[tuple[float, int]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    first, second = (
        measured(some_rows(len(rows), latency_ms=[r[0] for r in order], cost_usd=[r[0] for r in order],
                           status_code=[r[1] for r in order]))
        for order in (rows, shuffled)
    )  # fmt: skip
    assert first == second


def test_no_number_is_infinite_or_nan() -> None:
    rows = some_rows(20, latency_ms=[1e308] * 20, cost_usd=[1e308] * 20)
    for m in operations(rows, a_monitor(), WINDOW, expected_volume=0.0):
        assert all(x is None or np.isfinite(x) for x in (m.value, m.lower, m.upper)), m


def test_freshness_counts_from_the_newest_row_to_the_end() -> None:
    newest = datetime(2026, 9, 1, 23, 59, tzinfo=UTC)
    stamps = pa.array([at("2026-09-01")] * 99 + [newest], pa.timestamp("us", "UTC"))
    assert measured(some_rows(predicted_at=stamps))["freshness_s"].value == 60.0


@pytest.mark.parametrize("name", ["elec2", "hotel_booking", "bike_sharing", "insects_gradual", "schema_break"])
def test_numbers_equal_the_known_answers_of_real_data(name: str) -> None:
    folder = os.environ.get("HINDSIGHT_CASES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HINDSIGHT_CASES does not name the folder of real data")
    frame = pd.read_parquet(Path(folder) / name / "predictions.parquet")
    truth = pd.read_csv(Path(folder) / name / "truth.csv", parse_dates=["window_start", "window_end"])
    file = monitor_file(segments=[])
    for key in ("model_version", "cost"):
        del file["source"]["predictions"][key]
    for _, expected in truth.iloc[::7].iterrows():
        window = Window(expected.window_start.to_pydatetime(), expected.window_end.to_pydatetime())
        logged = frame[(frame.predicted_at >= window.start) & (frame.predicted_at < window.end)]
        table = pa.Table.from_pandas(logged.drop_duplicates("request_id"), preserve_index=False)
        found = {m.metric: m.value for m in operations(TableRows(table, len(logged)), a_monitor(**file), window)}
        assert (found["total_requests"], found["rows_raw"]) == (expected.n, expected.n_rows)
        numbers = [found[f"latency_p{q}_ms"] for q in (50, 95, 99)] + [found["error_rate"]]
        known = [*expected[["latency_p50", "latency_p95", "latency_p99", "error_rate"]]]
        assert numbers == pytest.approx(known, rel=1e-5)


def test_timeouts_are_told_apart_from_other_errors_and_availability_is_what_is_left() -> None:
    found = measured(some_rows(100, status_code=[408] * 2 + [504] * 3 + [500] * 5 + [404] * 4 + [200] * 86))
    shares = {name: found[name].value for name in ("timeout_rate", "http_4xx_rate", "http_5xx_rate", "availability")}
    assert shares == {"timeout_rate": 0.05, "http_4xx_rate": 0.06, "http_5xx_rate": 0.08, "availability": 0.9}
    assert found["health"].note == "errors 10.0%, p99 20 ms"


def test_the_longest_silence_counts_the_borders_of_the_window() -> None:
    stamps = [at("2026-09-01T03:00"), at("2026-09-01T04:00"), at("2026-09-01T20:30")]
    found = measured(some_rows(3, predicted_at=pa.array(stamps, pa.timestamp("us", "UTC"))))
    assert (found["longest_gap_s"].value, found["freshness_s"].value) == (16.5 * 3600, 3.5 * 3600)


def test_a_complete_row_has_all_that_is_logged_and_an_error_owes_no_answer() -> None:
    whole: dict[str, Any] = {"score": [0.5] * 100}
    failed = {"status_code": [503] * 10 + [200] * 90, "prediction": pa.array([None] * 20 + [1] * 80, pa.int64())}
    assert measured(some_rows(**whole))["log_completeness"].value == 1
    assert measured(some_rows(**whole, **failed))["log_completeness"].value == 0.9
    assert measured(some_rows(**whole, latency_ms=["12ms"] * 30 + ["12"] * 70))["log_completeness"].value == 0.7


def test_without_status_and_prediction_nobody_knows_of_errors() -> None:
    found = measured(TableRows(_without(some_rows())))
    assert found["error_rate"].value is found["availability"].value is None
    assert found["error_rate"].note == "the rows have neither a status nor a prediction"
    assert found["total_requests"].value == 100


def _without(rows: TableRows) -> pa.Table:
    kept = [name for name in rows.columns if name not in ("status_code", "prediction")]
    return pa.table({name: rows.column(name) for name in kept})


def with_resources(rows: TableRows, **named: str) -> dict[tuple[str, str], Measurement]:
    file = monitor_file(segments=[])
    file["source"]["predictions"]["resources"] = named
    return {(m.model_version, m.metric): m for m in operations(rows, a_monitor(**file), WINDOW)}


def test_resources_are_measured_for_all_rows_and_for_each_version() -> None:
    columns = {"cpu": list(range(100)), "cold": [True] * 5 + [False] * 95, "model_version": ["1"] * 50 + ["2"] * 50}
    found = with_resources(some_rows(**columns), cpu_pct="cpu", cold_start="cold", gpu="gone")
    assert {name: found["", f"cpu_pct_{name}"].value for name in ("mean", "p95", "max")} == {
        "mean": 49.5, "p95": np.percentile(range(100), 95), "max": 99,
    }  # fmt: skip
    assert (found["1", "cpu_pct_max"].value, found["2", "cpu_pct_max"].value) == (49, 99)
    assert (found["", "cold_start_rate"].value, found["1", "cold_start_rate"].value) == (0.05, 0.1)
    assert not [metric for _, metric in found if metric.startswith("gpu") or metric == "cold_start_mean"]


def test_resources_that_are_no_numbers_are_left_out_and_counted() -> None:
    found = with_resources(some_rows(4, mb=["1", "2", "n/a", None]), memory_mb="mb")["", "memory_mb_mean"]
    assert (found.value, found.n) == (1.5, 2)
    assert found.note == "2 of 4 rows without a finite memory_mb left out"
