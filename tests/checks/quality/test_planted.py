"""Planted faults: in clean real data each kind, at any column, size and day, is named by its rule and by no other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hindsight.checks.drift.drift import drift
from hindsight.checks.operations.operations import operations
from hindsight.checks.quality.quality import quality
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.monitors.model import Monitor
from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Status
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.rows import TableRows
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, a_monitor, at

FOLDER = Path(os.environ.get("HINDSIGHT_CASES", ""), "schema_break")
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="HINDSIGHT_CASES names no folder of cases")
CLEAN = [f"2024-03-{day:02}" for day in (*range(1, 11), 14, 15, 19, 20, 24, 25, 29, 30)]
ROUNDS = 12  # of each kind, each with another column, size and day
Breach = tuple[str, str]
Fault = Callable[[pd.DataFrame, np.random.Generator], Breach]


@dataclass(frozen=True)
class Setting:
    """The monitor of the case, its frozen reference, and which of its columns are what."""

    monitor: Monitor
    baseline: Baseline
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    reference: pd.DataFrame

    @property
    def features(self) -> tuple[str, ...]:
        return self.numeric + self.categorical


@cache
def setting() -> Setting:
    case = json.loads((FOLDER / "case.json").read_text())
    predictions = {"table": "t", "id": "request_id", "timestamp": "predicted_at", "prediction": "prediction"}
    predictions |= {"score": "score", "latency_ms": "latency_ms", "status_code": "status_code"}
    monitor = a_monitor(
        model={"name": "adult", "task": "binary", "positive_label": ">50K"},
        source={"predictions": predictions},
        segments=[],
        features=dict.fromkeys(case["numeric"], "numeric") | dict.fromkeys(case["categorical"], "categorical"),
    )
    reference = pq.read_table(FOLDER / "reference.parquet")
    output = reference.filter(pa.compute.equal(reference["split"], "holdout"))
    baseline = fit(TableRows(reference), monitor, output=TableRows(output), fitted_as_of=at("2024-03-01"))
    return Setting(monitor, baseline, tuple(case["numeric"]), tuple(case["categorical"]), reference.to_pandas())


@cache
def day_of(day: str) -> pd.DataFrame:
    return pq.read_table(FOLDER / f"predictions_daily/dt={day}/part-0.parquet", partitioning=None).to_pandas()


def breaches(rows: pd.DataFrame, day: str, *, expected: float | None = None) -> set[Breach]:
    """The rules that breach, each with its column, in a window of these rows."""
    known, window = setting(), Window(at(day), at(day) + DAY)
    table = pa.Table.from_pandas(rows.drop_duplicates("request_id"), preserve_index=False)
    distinct = TableRows(table, len(rows))
    others = dict.fromkeys(set(rows.columns) - set(day_of(day).columns), True)
    facts = {
        Kind.OPERATIONS: operations(distinct, known.monitor, window, expected_volume=expected),
        Kind.QUALITY: quality(distinct, known.monitor, known.baseline, strangers=lambda: others),
        Kind.DRIFT: drift(distinct, known.monitor, known.baseline)[0],
    }
    verdicts = judge(known.monitor, window, window.end, facts)
    return {(v.series.rule, v.series.feature) for v in verdicts if v.status is Status.BREACH}


def some(rows: pd.DataFrame, share: float, random: np.random.Generator) -> np.ndarray:
    return random.random(len(rows)) < share


def nulls(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().features))
    rows.loc[some(rows, random.uniform(0.1, 0.9), random), column] = None
    return "null_rate", column


def blanks(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().categorical))
    rows.loc[some(rows, random.uniform(0.1, 0.9), random), column] = str(random.choice(["", " "]))
    return "null_rate", column


def sentinel(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().numeric))
    value = float(random.choice([-999, -9999, -1, -99, 999999, 77777777]))
    rows.loc[some(rows, random.uniform(0.05, 0.9), random), column] = value
    return "sentinel", column


def renamed(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().features))
    new = random.choice([column.upper(), f"{column}_v2", column.replace("_", ""), "x1", f"new{column}"])
    rows.rename(columns={column: str(new) if new != column else f"{column}_"}, inplace=True)
    return "schema", column


def dropped(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().features))
    rows.drop(columns=column, inplace=True)
    return "schema", column


def retyped(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().features))
    if column in setting().categorical:
        rows[column] = rows[column].astype("category").cat.codes
    else:
        rows[column] = [f"{value}{random.choice(['', '', ' USD'])}" for value in rows[column]]
    return "schema", column


def respelt(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().categorical))
    changes: list[Callable[[str], str]] = [str.lower, str.upper, lambda t: f"{t} ", lambda t: f"{t}.", lambda t: t[1:]]
    change, hit = changes[random.integers(len(changes))], some(rows, random.uniform(0.2, 1), random)
    rows.loc[hit, column] = rows.loc[hit, column].map(lambda text: change(str(text)))
    return "new_categories", column


def rescaled(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice(setting().numeric))
    rows[column] *= float(random.choice([1000, 0.001, 100, 0.01, 10, 0.1, 60, 1 / 60, 12]))
    return "unit", column


def stuck(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice([name for name in setting().numeric if setting().reference[name].nunique() > 31]))
    rows[column] = float(random.choice(setting().reference[column]))
    return "stuck", column


def one_class(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    column = str(random.choice([name for name in setting().features if setting().reference[name].nunique() <= 31]))
    rows[column] = rows[column].iloc[0]
    return "drift", column


def errors(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    share = float(random.choice([0.07, 0.2, 0.5]))
    failed = np.arange(len(rows)) % round(1 / share) == 0
    rows.loc[failed, "status_code"] = int(random.choice([500, 503, 504, 408]))
    rows.loc[failed, ["prediction", "score"]] = None
    return ("health_critical" if failed.mean() >= 0.1 else "health_warning"), ""


def slow(rows: pd.DataFrame, random: np.random.Generator) -> Breach:
    rows["latency_ms"] = random.uniform(310, 480, len(rows))
    return "latency_p95", ""


FAULTS = [nulls, blanks, sentinel, renamed, dropped, retyped, respelt, rescaled, stuck, one_class, errors, slow]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_a_planted_fault_is_named_and_nothing_else(
    fault: Callable[[pd.DataFrame, np.random.Generator], Breach],
) -> None:
    for seed in range(ROUNDS):
        random = np.random.default_rng([seed, FAULTS.index(fault)])
        day = str(random.choice(CLEAN))
        rows = day_of(day).copy()
        assert {fault(rows, random)} == breaches(rows, day), (fault.__name__, seed, day)


def test_rows_logged_twice_are_named_and_nothing_else() -> None:
    for share in (0.02, 0.2, 1.0):
        rows = day_of(CLEAN[0])
        twice = pd.concat([rows, rows.iloc[: round(share * len(rows))]])
        assert breaches(twice, CLEAN[0]) == {("duplicates", "")}


@pytest.mark.parametrize("kept", [0.03, 0.2, 0.45])
def test_lost_rows_are_named_and_nothing_else(kept: float) -> None:
    rows = day_of(CLEAN[1]).sample(frac=kept, random_state=5)
    assert breaches(rows, CLEAN[1], expected=700) == {("volume", "")}


def test_clean_days_are_quiet() -> None:
    assert [breaches(day_of(day), day, expected=700) for day in CLEAN] == [set()] * len(CLEAN)
