"""Readings: an estimate beside the truth when it comes is good, concept drift or covariate shift."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.estimate.calibration import fit_calibration
from hindsight.checks.estimate.estimate import estimate, estimate_error, reading
from hindsight.checks.performance.performance import performance, reference_values
from hindsight.monitors.metric_catalog import metric
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.checks.estimate.rows import BINARY, SEED, a_task, binary_rows, whole


def truth_of(guess: Measurement, value: float, n: int = 1000, half: float = 0.01) -> Measurement:
    return replace(guess, value=value, n=n, lower=value - half, upper=value + half, reference=None)


GUESS = Measurement("accuracy", 0.80, 1000, lower=0.78, upper=0.82, reference=0.81)
LOSS = Measurement("mae", 10.0, 1000, lower=9.5, upper=10.5, reference=9.9)


@pytest.mark.parametrize(
    ("guess", "truth", "said"),
    [
        (GUESS, 0.815, "as expected"),
        (GUESS, 0.70, "concept"),
        (GUESS, 0.90, "concept"),
        (replace(GUESS, reference=0.90), 0.79, "covariate"),
        (replace(GUESS, reference=0.90), 0.70, "concept"),
        (replace(GUESS, reference=0.70), 0.80, "as expected"),
        (replace(GUESS, reference=None), 0.80, "as expected"),
        (replace(GUESS, lower=0.7999, upper=0.8001), 0.795, "as expected"),
        (LOSS, 10.2, "as expected"),
        (LOSS, 14.0, "concept"),
        (replace(LOSS, reference=7.0), 10.2, "covariate"),
        (replace(LOSS, reference=14.0), 10.2, "as expected"),
    ],
)
def test_a_truth_is_read_against_its_estimate_and_the_reference(guess: Measurement, truth: float, said: str) -> None:
    assert reading(guess, truth_of(guess, truth)) == said


def test_a_reading_needs_numbers() -> None:
    with pytest.raises(ValueError, match="needs an estimate and a truth"):
        reading(replace(GUESS, value=None), GUESS)


def test_a_truth_known_of_few_rows_has_a_wider_band() -> None:
    few = truth_of(GUESS, 0.75, n=100, half=0.08)
    assert reading(GUESS, few) == "as expected"
    assert reading(GUESS, replace(few, n=1000)) == "concept"


def test_errors_are_written_for_what_both_sides_know() -> None:
    found = estimate_error(
        {"accuracy": GUESS, "f1": replace(GUESS, metric="f1", value=None), "recall": replace(GUESS, metric="recall")},
        {"accuracy": truth_of(GUESS, 0.70), "f1": truth_of(GUESS, 0.5), "brier": truth_of(GUESS, 0.1)},
    )
    assert [(m.metric, m.bin) for m in found] == [("estimate_error", "accuracy"), ("estimate_reading", "")]
    error, said = found
    assert error.value == pytest.approx(-0.1)
    assert (error.lower, error.upper) == (pytest.approx(-0.12), pytest.approx(-0.08))
    assert (said.value, said.note) == (2.0, "concept")
    for m in found:
        known = metric(f"performance.{m.metric}")
        assert known is not None
        assert bool(known.vector) == bool(m.bin)
        assert bool(known.interval) == (m.lower is not None)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0, 0.3))
def test_the_interval_of_an_error_leaves_out_zero_only_for_concept_or_a_trifle(
    guess: float, truth: float, half: float
) -> None:
    estimated_ = replace(GUESS, value=guess, lower=guess - half, upper=guess + half)
    error, said = estimate_error({"accuracy": estimated_}, {"accuracy": truth_of(GUESS, truth)})
    outside = not (error.lower or 0) <= 0 <= (error.upper or 0)
    if said.note == "concept":
        assert outside
    elif outside:
        assert abs(truth - guess) <= 0.02 * guess + 1e-12


@pytest.mark.parametrize(
    ("change", "said"), [({}, "as expected"), ({"hard": 6.0}, "covariate"), ({"flipped": 0.15}, "concept")]
)
def test_harder_inputs_and_another_meaning_are_told_apart(change: dict[str, float], said: str) -> None:
    random = np.random.default_rng(SEED)
    past = binary_rows(random, 3000)
    calibration = fit_calibration(past, BINARY)
    known = reference_values(performance(past, BINARY, reference={}))
    said_of = []
    for _ in range(20):
        window = binary_rows(random, 1500, **change)
        guess = whole(estimate(TableRows(window), BINARY, calibration, reference=known))
        scored = estimate_error(guess, whole(performance(window, BINARY, reference=known)))
        said_of += [m.note for m in scored if m.metric == "estimate_reading"]
    assert said_of.count(said) >= 17, said_of


# real data


@pytest.fixture(scope="session")
def cases() -> Path:
    folder = os.environ.get("HINDSIGHT_CASES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HINDSIGHT_CASES does not name the folder of real data")
    return Path(folder)


@pytest.mark.parametrize(("name", "drifts"), [("control_elec2_shuffled", False), ("bike_sharing", True)])
def test_real_windows_are_read_as_what_is_known_of_them(cases: Path, name: str, drifts: bool) -> None:
    import pandas as pd

    task = json.loads((cases / name / "case.json").read_text())["task"]
    monitor, folder = a_task(task), cases / name
    wanted = [c for c in ("prediction", "score", "label") if c != "score" or task == "binary"]
    past, frame, labels = (pd.read_parquet(folder / f"{p}.parquet") for p in ("reference", "predictions", "labels"))
    past = pa.Table.from_pandas(past.loc[past.split == "holdout", wanted], preserve_index=False)
    calibration = fit_calibration(past, monitor)
    known = reference_values(performance(past, monitor, reference={}))
    frame = frame[(frame.status_code == 200) & frame.prediction.notna()].merge(labels, on="request_id")
    said = []
    for _, rows in itertools.islice(frame.groupby(pd.Grouper(key="predicted_at", freq="7D")), 1, 40):
        table = pa.Table.from_pandas(rows[wanted], preserve_index=False)
        guess = whole(estimate(TableRows(table), monitor, calibration, reference=known))
        scored = estimate_error(guess, whole(performance(table, monitor, reference=known)))
        said += [m.note for m in scored if m.metric == "estimate_reading"]
    assert (said.count("concept") / len(said) > 0.9) is drifts
    assert (said.count("concept") / len(said) < 0.1) is not drifts
