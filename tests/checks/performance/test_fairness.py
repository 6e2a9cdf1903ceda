"""Fairness: gaps between the groups of a segment column, and the two groups furthest apart."""

from __future__ import annotations

import pyarrow as pa
import pytest

from hindsight.checks.performance.performance import performance
from tests.builders import a_monitor, monitor_file
from tests.checks.performance.rows import binary_rows


def test_gaps_between_groups_are_named_by_the_segment_column() -> None:
    eu = {"prediction": [1] * 20 + [0] * 20, "label": [1] * 10 + [0] * 10 + [0] * 20}
    fr = {"prediction": [1] * 10 + [0] * 30, "label": [1] * 10 + [1] * 10 + [0] * 20}
    table = pa.table({k: eu[k] + fr[k] for k in eu} | {"region": ["EU"] * 40 + ["FR"] * 40})
    file = monitor_file()
    del file["source"]["predictions"]["score"]
    found = {m.metric: m.value for m in performance(table, a_monitor(**file), reference={}) if m.feature == "region"}
    assert found == {
        "demographic_parity_difference": 0.25,
        "equalized_odds_difference": 0.5,
        "accuracy_difference": 0.0,
        "fpr_difference": pytest.approx(1 / 3),
        "fnr_difference": 0.5,
    }


def test_a_gap_has_the_interval_of_the_two_groups_furthest_apart_and_names_them() -> None:
    label = [1] * 50 + [0] * 50
    prediction = [1] * 50 + [0] * 50 + ([1] * 30 + [0] * 20) * 2 + [1] * 50 + [0] * 40 + [1] * 10
    rows = pa.table(
        {"prediction": prediction, "label": label * 3, "region": ["EU"] * 100 + ["FR"] * 100 + ["US"] * 100}
    )
    gaps = {m.metric: m for m in performance(rows, a_monitor(), reference={}) if m.feature == "region"}
    gap = gaps["accuracy_difference"]
    assert (gap.value, gap.n, gap.note) == (0.5, 100, "EU over FR")
    assert gap.lower is not None
    assert gap.upper is not None
    assert 0.35 < gap.lower < 0.5 < gap.upper < 0.62


def test_one_group_has_no_gap_to_another() -> None:
    rows = binary_rows(60, region=["EU"] * 60)
    gap = next(m for m in performance(rows, a_monitor(), reference={}) if m.feature == "region")
    assert (gap.value, gap.note) == (None, "fewer than two groups of 20 labelled rows to compare")
