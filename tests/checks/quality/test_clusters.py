"""Clusters: rows that come together, as they did in single windows of the reference, are no fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hindsight.checks.reference.control import Control, fit_control
from hindsight.checks.reference.peaks import NEW, OUTSIDE, REPEATED, STILL, Peaks
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, at
from tests.checks.quality.columns import a_baseline, measured, some_columns


def having(what: str, column: str, share: float) -> Control:
    return Control(peaks=Peaks({(what, column): share}))


def amounts(value: float, rows: int) -> np.ndarray:
    found = some_columns(1000)["amount"].to_numpy().copy()
    found[:rows] = value
    return found


@pytest.mark.parametrize(("rows", "told"), [(150, 0.0), (250, 0.25)])
def test_a_far_value_is_a_stand_in_where_more_rows_have_it_than_ever_had_one_value(rows: int, told: float) -> None:
    control = having(REPEATED, "amount", 0.2)
    found = measured(some_columns(1000, amount=amounts(9123.0, rows)), control=control)
    assert found["amount", "sentinel_share"].value == told


def test_a_usual_stand_in_that_the_reference_lacks_needs_no_more_rows_than_ever() -> None:
    found = measured(some_columns(1000, amount=amounts(-999.0, 50)), control=having(REPEATED, "amount", 0.2))
    assert found["amount", "sentinel_share"].value == 0.05


def test_a_word_for_unknown_that_the_reference_has_is_one_where_it_was_never_as_frequent() -> None:
    regions = ["EU"] * 1996 + ["unknown"] * 4
    baseline = a_baseline(region=regions)
    window = some_columns(1000, region=["EU"] * 950 + ["unknown"] * 50)
    for peak, told in ((0.0, 0.05), (0.06, 0.0)):
        found = measured(window, baseline, control=having(REPEATED, "region", peak))
        assert found["region", "sentinel_share"].value == told


@pytest.mark.parametrize(("what", "usual"), [(OUTSIDE, 0.03), (REPEATED, 0.2)])
def test_as_many_rows_are_expected_outside_as_one_window_or_one_value_had(what: str, usual: float) -> None:
    found = measured(some_columns(1000, amount=amounts(1500.0, 100)), control=having(what, "amount", usual))
    outside = found["amount", "out_of_range_share"]
    assert (outside.value, outside.reference) == (0.1, usual)


def test_as_many_new_categories_are_expected_as_one_window_alone_had() -> None:
    found = measured(some_columns(1000), control=having(NEW, "region", 0.06))
    assert found["region", "new_category_share"].reference == 0.06


def test_what_stood_still_in_a_window_of_the_reference_is_not_stuck() -> None:
    window = some_columns(1000, amount=np.full(1000, 12.5))
    assert measured(window)["amount", "stuck"].value == 1
    assert measured(window, control=having(STILL, "amount", 1.0))["amount", "stuck"].value == 0


def test_peaks_are_learnt_from_the_days_of_a_reference_and_kept() -> None:
    days = [at(f"2026-08-{1 + row // 100:02d}T12:00") for row in range(1000)]
    rows = some_columns(1000, predicted_at=days, amount=np.repeat([0.0, *range(1, 10)], 100) + _noise())
    control = fit_control(TableRows(rows), a_monitor())
    assert control.peaks.of(STILL, "amount") == 1.0
    assert Control.from_table(control.to_table()) == control


def test_a_table_kept_before_there_were_peaks_has_none() -> None:
    control = Control({("mean", "amount"): 2.0}, 0.01)
    old = control.to_table().drop_columns(["peak"])
    assert Control.from_table(old) == replace(control, peaks=Peaks())


def _noise() -> np.ndarray:
    noise = np.random.default_rng(7).random(1000)
    noise[:100] = 0.0  # a day on which nothing moved
    return noise
