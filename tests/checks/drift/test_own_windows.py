"""The reference's own windows: the same profiles that a run of them would have made, of whole windows only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hindsight.checks.drift.drift import drift
from hindsight.checks.drift.own_windows import own_windows
from hindsight.checks.reference.baseline import fit
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import DAY, a_monitor, at

FIRST, DAYS = "2026-09-01", 6
Profiles = dict[tuple[datetime, str], list[Measurement]]


def a_log(n: int = 3_000, seed: int = 1) -> pa.Table:
    """Rows of six days in no order, a twentieth of the amounts null."""
    generator = np.random.default_rng(seed)
    moments = [at(FIRST) + DAYS * DAY * share for share in generator.random(n)]
    amounts = [None if i % 20 == 0 else float(value) for i, value in enumerate(generator.normal(size=n))]
    columns: dict[str, Any] = {
        "predicted_at": pa.array(moments, pa.timestamp("us", "UTC")),
        "amount": amounts,
        "region": np.array(["EU", "US", "AS"])[generator.integers(0, 3, n)],
        "prediction": generator.integers(0, 2, n),
        "score": generator.random(n),
    }
    return pa.table(columns)


def referring(**changes: Any) -> Monitor:
    return a_monitor(reference={"start": FIRST, "end": str((at(FIRST) + DAYS * DAY).date())} | changes)


def own(table: pa.Table, monitor: Monitor) -> Profiles:
    side = TableRows(table)
    baseline = fit(side, monitor, output=side, fitted_as_of=at("2026-10-01"))
    found: Profiles = {}
    for start, profile in own_windows(side, monitor, baseline):
        for row in profile:
            found.setdefault((start, row.feature), []).append(row)
    return found


def by_running(table: pa.Table, monitor: Monitor) -> Profiles:
    """The profiles of the same windows as a run of each makes them, without versions."""
    side = TableRows(table)
    baseline = fit(side, monitor, output=side, fitted_as_of=at("2026-10-01"))
    found: Profiles = {}
    for number in range(DAYS):
        start = at(FIRST) + number * DAY
        mask = [start <= moment < start + DAY for moment in table["predicted_at"].to_pylist()]
        for row in drift(TableRows(table.filter(pa.array(mask))), monitor, baseline)[1]:
            found.setdefault((start, row.feature), []).append(row)
    return found


def test_profiles_are_those_that_runs_of_the_same_windows_make() -> None:
    table, monitor = a_log(), referring()
    assert own(table, monitor) == by_running(table, monitor)


def test_the_order_of_the_rows_changes_nothing() -> None:
    table, monitor = a_log(), referring()
    backwards = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
    assert own(backwards, monitor) == own(table, monitor)


@pytest.mark.parametrize("cut", [timedelta(hours=5), timedelta(hours=20)])
def test_a_window_that_the_ends_of_the_period_cut_is_left_out(cut: timedelta) -> None:
    monitor = referring(start=(at(FIRST) + cut).isoformat())
    inside = a_log().filter(pa.array([moment >= at(FIRST) + cut for moment in a_log()["predicted_at"].to_pylist()]))
    assert min(start for start, _ in own(inside, monitor)) == at(FIRST) + DAY


def test_a_log_that_begins_in_the_midst_of_a_window_has_no_profile_of_it() -> None:
    table = a_log()
    late = table.filter(pa.array([moment >= at(FIRST) + DAY / 2 for moment in table["predicted_at"].to_pylist()]))
    assert min(start for start, _ in own(late, referring())) == at(FIRST) + DAY


def test_outputs_compared_with_one_version_have_none() -> None:
    table = a_log().append_column("model_version", pa.array(["v1"] * 3_000))
    named = {feature for _, feature in own(table, referring(output={"model_version": "v1"}))}
    assert named == {"amount", "region"}


def test_a_trailing_reference_has_none() -> None:
    assert own(a_log(), a_monitor(reference={"trailing": "5d"})) == {}
