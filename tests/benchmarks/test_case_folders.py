"""Folders of cases as others make them: other names, windows and columns, and clear words where one cannot be used."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from benchmarks import case_runs, cases
from benchmarks.case import Case
from tests.builders import HOUR, at

START = at("2024-05-01T03:00")
TRUTH = """window_start,window_end,n_scored,mean_score,n_labeled,accuracy,roc_auc,n_labeled_asof_0d,accuracy_asof_0d
2024-05-01 03:00:00,2024-05-01 04:00:00,3,0.5,2,0.5,nan,0,NaN
2024-05-01 04:00:00,2024-05-01 05:00:00,1,0.5,1,1.0,,1,1.0
"""


def a_case(place: Path, truth: str = TRUTH, **setup: Any) -> Case:
    """Two hours of a classifier without scores' reference, latency or status; labels are written as yes and no."""
    folder = place / "Odd-Hours"
    folder.mkdir()
    said = {"task": "binary", "numeric": ["amount"], "positive_label": "yes", "window_freq": "1h"} | setup
    (folder / "case.json").write_text(json.dumps(said))
    (folder / "truth.csv").write_text(truth)
    naive = START.replace(tzinfo=None)
    predictions = {
        "request_id": pa.array([1, 2, 3, 4], pa.uint32()),
        "predicted_at": pa.array([naive + k * 20 * timedelta(minutes=1) for k in range(4)], pa.timestamp("ns")),
        "amount": [1.0, 2.0, None, 4.0],
        "prediction": pa.array(["yes", "yes", "no", "no"]).dictionary_encode(),
        "empty": pa.nulls(4),
    }
    labels = {
        "request_id": ["1", "2", "4", "ghost"],
        "label": pa.array(["yes", "no", "no", "yes"], pa.large_string()),
        "labeled_at": [START + HOUR, START + 2 * HOUR, START + HOUR, START],
    }
    pq.write_table(pa.table(predictions), folder / "predictions.parquet")
    pq.write_table(pa.table(labels), folder / "labels.parquet")
    return Case(folder)


def test_a_case_of_hours_without_scores_or_reference_is_measured(
    postgres_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = a_case(tmp_path)
    case_runs.load(case, postgres_url)
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    for key, value in case_runs.prepare([case], postgres_url, tmp_path).items():
        monkeypatch.setenv(key, value)
    case_runs.run(case)
    case_runs.nights(case)
    known = list(cases.compare_nights(case, os.environ["HINDSIGHT_DATA"]))
    case_runs.night(case)
    final = list(cases.compare(case, os.environ["HINDSIGHT_DATA"]))

    assert [pair for pair in (*known, *final) if pair.deviation > 1e-9] == []
    assert {pair.metric for pair in final} >= {"labels.n_scored", "labels.n_labeled", "performance.accuracy"}
    assert sum(pair.metric == "labels.n_labeled" for pair in known) == 2
    assert cases.not_compared(case) == ["mean_score"]
    assert case.monitor_file()["window"] == "60m"


@pytest.mark.parametrize(
    ("freq", "size"),
    [("1h", HOUR), ("60min", HOUR), ("H", HOUR), (None, HOUR), ("business hours", HOUR), ("30T", HOUR / 2)],
)
def test_windows_are_as_long_as_the_case_says_or_shows(tmp_path: Path, freq: str | None, size: timedelta) -> None:
    assert a_case(tmp_path, window_freq=freq).size == size


MONTHS = "window_start,window_end\n2024-01-01,2024-02-01\n2024-02-01,2024-03-01\n2024-03-01,2024-04-01\n"


@pytest.mark.parametrize(
    ("truth", "setup", "words"),
    [
        (MONTHS, {"window_freq": "MS"}, r"truth.csv: its windows are not all of one length \(MS.*calendar months"),
        ("n_rows\n", {}, "truth.csv: expected a row a window, with the column window_start"),
        (TRUTH, {"task": "ranking"}, "case.json: task: expected binary, multiclass or regression, got 'ranking'"),
    ],
)
def test_what_cannot_be_measured_says_why(tmp_path: Path, truth: str, setup: dict[str, Any], words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        a_case(tmp_path, truth, **setup).monitor_file()


def test_a_missing_column_or_file_is_named(tmp_path: Path) -> None:
    case = a_case(tmp_path)
    table = pq.read_table(case.folder / "labels.parquet")
    pq.write_table(table.rename_columns(["request_id", "truth", "labeled_at"]), case.folder / "labels.parquet")
    with pytest.raises(SystemExit, match=r"labels.parquet: no column label; there are labeled_at, request_id, truth"):
        case.monitor_file()
    (case.folder / "predictions.parquet").unlink()
    with pytest.raises(SystemExit, match=r"predictions.parquet: expected a Parquet file"):
        case.monitor_file()
