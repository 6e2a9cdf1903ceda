"""Control charts: means and rates of a window in sigmas of the frozen reference."""

from __future__ import annotations

import itertools
from math import sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.reference.control import (
    UNKNOWN,
    Control,
    error_rate_control,
    fit_control,
    mean_control,
    null_rate_control,
)
from hindsight.checks.reference.peaks import RETURNING
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import DAY, a_monitor, at
from tests.checks.quality.columns import some_columns

ROWS, DAYS = 200, 20


def a_reference(between: float, **columns: Any) -> TableRows:
    """Twenty days of 200 amounts, the days' means `between` standard deviations apart from each other."""
    random = np.random.default_rng(7)
    days = np.repeat(random.normal(0, between, DAYS), ROWS)
    stamps = [at("2026-08-01") + k * DAY for k in range(DAYS) for _ in range(ROWS)]
    amounts = random.normal(0, 1, DAYS * ROWS) + days
    stamped = {"predicted_at": pa.array(stamps, pa.timestamp("us", "UTC"))}
    return TableRows(some_columns(DAYS * ROWS, amount=amounts, **stamped, **columns))


def a_shift(value: float | None, n: int = 400, **rest: Any) -> Measurement:
    return Measurement("mean_shift", value, n, feature="amount", **rest)


def test_a_mean_is_measured_in_sigmas_of_as_many_rows() -> None:
    (found,) = mean_control([a_shift(0.2)], UNKNOWN)
    assert found.value == pytest.approx(0.2 * sqrt(400))
    assert found.note == "sigma of the rows alone: the reference has too few windows"


def test_what_could_not_be_evaluated_is_not_and_groups_have_no_chart() -> None:
    found = mean_control([a_shift(None, note="no values"), a_shift(0.2, segment="region=EU")], UNKNOWN)
    assert [(m.value, m.note) for m in found] == [(None, "no values")]


def test_windows_that_always_vary_widen_the_limits() -> None:
    steady, moody = (fit_control(a_reference(between), a_monitor()) for between in (0.0, 0.5))
    assert steady.sigmas["mean", "amount"] == pytest.approx(1.2, abs=0.3)
    assert moody.sigmas["mean", "amount"] == pytest.approx(sqrt(0.5**2 + 1 / ROWS) / sqrt(1.25 / ROWS), rel=0.35)
    shifts = [a_shift(0.6 / sqrt(1.25), ROWS)]
    assert abs(mean_control(shifts, moody)[0].value or 0) < 3 < abs(mean_control(shifts, steady)[0].value or 0)


def test_a_reference_without_timestamps_has_no_windows_of_its_own() -> None:
    found = fit_control(TableRows(some_columns(500)), a_monitor())
    assert found == Control(errors=0.0)


def test_what_was_learnt_is_read_back() -> None:
    for rows in (a_reference(0.2), TableRows(some_columns(500))):
        found = fit_control(rows, a_monitor())
        assert Control.from_table(found.to_table()) == found
    assert Control.from_table(UNKNOWN.to_table()) == UNKNOWN


def test_few_nulls_by_chance_are_no_alarm_and_many_are() -> None:
    values = [null_rate_control("amount", nulls, 700, 0.0, UNKNOWN).value or 0 for nulls in (0, 1, 2, 35)]
    assert -1 < values[0] < 0 < values[1] < 3 < values[3]
    assert values == sorted(values)
    assert null_rate_control("amount", 5, 700, None, UNKNOWN).value is None


def test_a_rate_near_its_centre_is_scored_by_its_exact_chance() -> None:
    from scipy.stats import binom, norm

    upper = binom.sf(25, 400, 0.05) + binom.pmf(25, 400, 0.05) / 2
    assert error_rate_control(25, 400, Control(errors=0.05)).value == pytest.approx(norm.isf(upper))
    assert error_rate_control(20, 400, Control(errors=0.05)).value == pytest.approx(0, abs=0.1)
    assert error_rate_control(5, 400, UNKNOWN).note == "the reference tells of no errors"


@given(st.integers(1, 5000), st.floats(0, 1), st.data())
def test_scores_are_finite_and_rise_with_the_count(n: int, centre: float, data: st.DataObject) -> None:
    hits = sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=5)))
    scores = [error_rate_control(k, n, Control(errors=centre)).value for k in hits]
    assert all(score is not None and np.isfinite(score) for score in scores)
    assert all(after >= before - 1e-6 for before, after in itertools.pairwise(scores))  # type: ignore[operator]


def test_a_rule_may_watch_a_chart() -> None:
    chart = {"id": "chart", "metric": "drift.mean_control", "above": 3, "below": -3}
    monitor: Monitor = a_monitor(rules=[chart])
    assert next(rule for rule in monitor.rules if rule.id == "chart").below == -3


@given(st.floats(1, 50), st.integers(1, 30))
def test_windows_of_more_rows_vary_more_beside_what_chance_explains(ratio: float, times: int) -> None:
    scaled = Control({("mean", "amount"): ratio}).of_more_rows(times).sigmas["mean", "amount"]
    assert scaled**2 - 1 == pytest.approx(times * (ratio**2 - 1), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("window", ["1d", "7d"])  # of whole weeks the reference has too few to compare them
def test_texts_come_back_where_the_later_half_of_the_reference_has_those_of_the_earlier(window: str) -> None:
    weekdays = [f"day {k % 7}" for k in range(DAYS) for _ in range(ROWS)]
    months = [f"month {k // 10}" for k in range(DAYS) for _ in range(ROWS)]
    for texts, comes_back in ((weekdays, 1), (months, 0)):
        control = fit_control(a_reference(0.0, region=texts), a_monitor(window=window))
        assert control.peaks.of(RETURNING, "region") == comes_back
