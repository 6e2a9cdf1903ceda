"""The comparison with known answers can fall short: one wrong digit, or a number that is not there, ends it with 1."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from benchmarks import cases
from hindsight import read_snapshots
from tests.builders import DAY, HOUR, at

START = at("2026-09-01")
RED = (60, 80)  # of a hundred rows of each day; half of the reference's
RIGHT = (90, 75)  # of a hundred predictions
TINY = "colours"
SETUP = {"task": "binary", "categorical": ["colour"], "positive_label": 1, "window_freq": "1D"}


@pytest.fixture
def place(tmp_path: Path, postgres_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds one tiny case, whose known answers are computed by hand; `make cases` finds it."""
    folder = tmp_path / "cases" / TINY
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(json.dumps(SETUP))
    for name, table in (("predictions", predictions()), ("labels", labels()), ("reference", reference())):
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "truth.csv").write_text("\n".join(truth()) + "\n")
    (folder / "drift_truth.csv").write_text("\n".join(drift_truth()) + "\n")
    for name in ("HINDSIGHT_DATA", "HINDSIGHT_MONITORS", "AIRFLOW_CONN_WAREHOUSE"):
        monkeypatch.setenv(name, "")  # what the comparison sets ends with this test
    monkeypatch.setenv("HINDSIGHT_CASES", str(tmp_path / "cases"))
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    server = SimpleNamespace(cleanup=lambda: None)
    monkeypatch.setattr(cases, "_server", lambda folder: (postgres_url, server))  # one that runs already
    return folder


def colours(red: int, n: int = 100) -> list[str]:
    return ["red"] * red + ["blue"] * (n - red)


def predictions() -> pa.Table:
    return pa.table(
        {
            "request_id": [str(k) for k in range(200)],
            "predicted_at": [START + k // 100 * DAY + k % 100 * HOUR / 5 for k in range(200)],
            "colour": [*colours(RED[0]), *colours(RED[1])],
            "prediction": [k % 2 for k in range(200)],
        }
    )


def labels() -> pa.Table:
    return pa.table(
        {
            "request_id": [str(k) for k in range(200)],
            "label": [k % 2 if k % 100 < RIGHT[k // 100] else 1 - k % 2 for k in range(200)],
            "labeled_at": [START + 2 * DAY] * 200,
        }
    )


def reference() -> pa.Table:
    return pa.table({"colour": colours(500, 1000)})


def truth() -> list[str]:
    days = (f"{START + k * DAY:%F},{START + (k + 1) * DAY:%F},100,100,{RIGHT[k] / 100:.6g}" for k in range(2))
    return ["window_start,window_end,n_rows,n_labeled,accuracy", *days]


def drift_truth() -> list[str]:
    rows = (f"{START + k * DAY:%F},colour,cat,{psi(RED[k] / 100):.6g}" for k in range(2))
    return ["window_start,feature,kind,psi_null_bin", *rows]


def psi(red: float) -> float:
    """By its definition: the sum over both colours of (q - p) ln(q / p), against halves."""
    return sum((q - 0.5) * math.log(q / 0.5) for q in (red, 1 - red))


def outcome(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """How `python -m benchmarks.cases` ends."""
    monkeypatch.setattr(sys, "argv", ["cases", *arguments])
    try:
        cases.main()
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else 1  # Python prints a text and exits with 1
    return 0


def alter(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_known_answers_that_are_met_end_it_with_0(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(monkeypatch) == 0
    assert "colours: 2 windows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "metric", "where"),
    [
        ("truth.csv", "100,100,0.75", "100,100,0.75001", "performance.accuracy", "2026-09-02"),
        ("truth.csv", "2026-09-02,100,100,0.9", "2026-09-02,101,100,0.9", "operations.rows_raw", "2026-09-01"),
        ("drift_truth.csv", f"{psi(0.6):.6g}", f"{psi(0.6) * 1.00002:.7g}", "drift.psi", "2026-09-01 colour"),
    ],
)
def test_one_number_altered_beyond_its_six_digits_ends_it_with_1_and_is_named(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    metric: str,
    where: str,
) -> None:
    alter(place / file, old, new)
    assert outcome(monkeypatch, TINY) == 1
    said = capsys.readouterr()
    (line,) = [line for line in said.out.splitlines() if line.strip().startswith(metric + " ")]
    assert line.endswith(where)
    assert "colours: 1 values differ from the known ones or are missing without a reason" in said.err


def lose_psi(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["metric"] != "psi"]


def blank_psi(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(value=frame["value"].where(frame["metric"] != "psi"))


@pytest.mark.parametrize("known", ["a number", "astronomical"])
@pytest.mark.parametrize("spoil", [lose_psi, blank_psi])
def test_a_psi_that_is_missing_without_a_note_ends_it_with_1(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], spoil: Any, known: str
) -> None:
    if known == "astronomical":  # there a null is what is expected, and even then it needs its reason
        alter(place / "drift_truth.csv", f"{psi(0.6):.6g}", "1e9")
        alter(place / "drift_truth.csv", f"{psi(0.8):.6g}", "1e9")
    monkeypatch.setattr(cases, "read_snapshots", lambda *args, **named: spoil(read_snapshots(*args, **named)))
    assert outcome(monkeypatch, TINY) == 1
    said = capsys.readouterr()
    (line,) = [line for line in said.out.splitlines() if "drift.psi" in line]
    assert "missing" in line
    assert "2026-09-01 colour" in line
    assert "colours: 2 values differ" in said.err
