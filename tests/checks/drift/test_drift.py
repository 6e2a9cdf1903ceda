"""Drift of a window: what moved is found, what did not is not, and every odd column has an outcome with a reason."""

from __future__ import annotations

from functools import cache
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.checks.drift.drift import drift
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, at

N = 2000
Found = dict[tuple[str, str], Measurement]


def plain(**changes: Any) -> Monitor:
    return a_monitor(**({"segments": []} | changes))


def rows(generator: np.random.Generator, n: int = N, **changes: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "amount": generator.normal(size=n),
        "region": np.array(["EU", "US", "AS"])[generator.integers(0, 3, n)],
        "prediction": generator.integers(0, 2, n),
        "score": generator.random(n),
    }
    return pa.table(columns | changes)


REFERENCE = rows(np.random.default_rng(1), 10_000)


def baseline_of(table: pa.Table = REFERENCE, monitor: Monitor | None = None) -> Baseline:
    side = TableRows(table)
    return fit(side, monitor or plain(), output=side, fitted_as_of=at("2026-09-01"))


@cache
def usual() -> Baseline:
    return baseline_of()


def found(
    window: pa.Table, baseline: Baseline | None = None, monitor: Monitor | None = None, segment: str = ""
) -> Found:
    drifts, profiles = drift(TableRows(window), monitor or plain(), baseline or usual())
    for row in drifts + profiles:
        assert row.value is None or isfinite(row.value), row
        assert row.value is not None or row.note, row
    return {(row.metric, row.feature): row for row in drifts if row.segment == segment and not row.model_version}


def drifted(measured: Found) -> list[str]:
    return [feature for (metric, feature), row in measured.items() if metric == "drifted" and row.value]


def test_a_window_like_the_reference_has_not_drifted() -> None:
    measured = found(rows(np.random.default_rng(2)))
    assert drifted(measured) == []
    assert measured["drift_share", ""].value == 0
    assert measured["psi", "amount"].value == pytest.approx(0, abs=0.02)
    assert measured["mean_shift", "amount"].value == pytest.approx(0, abs=0.1)


def test_failed_requests_are_no_drift_of_the_output_but_missing_features_are() -> None:
    generator = np.random.default_rng(31)
    missing = generator.random(N) < 0.2
    window = rows(generator, score=pa.array(generator.random(N), mask=missing))
    measured = found(window)
    assert drifted(measured) == []
    assert (measured["psi", "score"].value or 0) > 0.3  # the number itself keeps its definition
    assert drifted(found(rows(generator, amount=pa.array(generator.normal(size=N), mask=missing)))) == ["amount"]


def test_a_shift_of_half_a_deviation_is_measured_and_found() -> None:
    generator = np.random.default_rng(3)
    measured = found(rows(generator, amount=generator.normal(0.5, 1, N)))
    assert drifted(measured) == ["amount"]
    assert measured["drift_share", ""].value == 0.5  # of the features; prediction and score are not features
    assert measured["wasserstein_normed", "amount"].value == pytest.approx(0.5, abs=0.08)
    assert measured["mean_shift", "amount"].value == pytest.approx(0.5, abs=0.08)
    assert measured["ks", "amount"].value == pytest.approx(0.197, abs=0.04)  # 2 Phi(1/4) - 1
    assert measured["p_value", "amount"].note == "Kolmogorov-Smirnov"


def test_a_wider_window_is_seen_by_its_deviation() -> None:
    generator = np.random.default_rng(4)
    measured = found(rows(generator, amount=generator.normal(0, 2, N)))
    assert measured["std_shift", "amount"].value == pytest.approx(1, abs=0.1)


def test_one_sentinel_does_not_hide_a_shift() -> None:
    generator = np.random.default_rng(5)
    amount = np.append(generator.normal(0.5, 1, N - 1), -999.0)
    assert drifted(found(rows(generator, amount=amount))) == ["amount"]


def test_a_score_that_moves_is_found_but_is_no_feature() -> None:
    generator = np.random.default_rng(6)
    measured = found(rows(generator, score=generator.random(N) ** 3))
    assert drifted(measured) == ["score"]
    assert measured["drift_share", ""].value == 0


def test_a_large_but_uncertain_effect_is_no_drift_and_neither_is_a_certain_small_one() -> None:
    generator = np.random.default_rng(7)
    few = found(rows(generator, 40))
    assert few["psi", "amount"].value > 0.1  # type: ignore[operator]
    assert drifted(few) == []
    many = found(rows(generator, 100_000, amount=generator.normal(0.05, 1, 100_000)))
    assert many["p_value", "amount"].value < 1e-4  # type: ignore[operator]
    assert drifted(many) == []


def test_ten_rows_are_not_judged() -> None:
    measured = found(rows(np.random.default_rng(8), 10, amount=np.full(10, 1000.0)))
    assert measured["drifted", "amount"].value is None
    assert measured["drifted", "amount"].note == "10 rows, fewer than drift.min_rows (30)"
    assert measured["drift_share", ""].value is None


@pytest.mark.parametrize("method", ["psi", "psi_fine", "js_distance", "ks", "wasserstein_normed"])
def test_every_method_finds_nulls_a_new_category_and_a_shift(method: str) -> None:
    monitor = plain(drift={"method": method})
    generator = np.random.default_rng(9)
    baseline = baseline_of(monitor=monitor)
    nulls = rows(generator, amount=pa.array(generator.normal(size=N), mask=generator.random(N) < 0.4))
    spelling = rows(generator, region=np.full(N, "eu "))
    shift = rows(generator, amount=generator.normal(0.5, 1, N))
    assert drifted(found(nulls, baseline, monitor)) == ["amount"]
    assert drifted(found(spelling, baseline, monitor)) == ["region"]
    assert drifted(found(shift, baseline, monitor)) == ["amount"]
    assert drifted(found(rows(generator), baseline, monitor)) == []


@pytest.mark.parametrize(("method", "threshold"), [("wasserstein", 0.1), ("ks", 0.01), ("jensenshannon", "auto")])
def test_evidently_decides_where_the_monitor_asks_for_its_test(method: str, threshold: Any) -> None:
    monitor = plain(drift={"method": f"evidently:{method}", "threshold": threshold})
    generator = np.random.default_rng(10)
    measured = found(rows(generator, amount=generator.normal(1, 1, N)), monitor=monitor)
    assert drifted(measured) == ["amount"]
    assert measured["evidently", "amount"].note == f"Evidently {method}"
    assert drifted(found(rows(generator), monitor=monitor)) == []


def test_a_learnt_threshold_finds_a_quarter_of_a_deviation() -> None:
    monitor = plain(drift={"threshold": "auto"})
    side = TableRows(REFERENCE)
    baseline = fit(side, monitor, output=side, fitted_as_of=at("2026-09-01"), window_rows=1000)
    generator = np.random.default_rng(11)
    windows = [rows(generator, 1000, amount=generator.normal(0.25, 1, 1000)) for _ in range(20)]
    assert sum(drifted(found(window, baseline, monitor)) == ["amount"] for window in windows) >= 18


def test_mass_that_moves_up_from_a_point_mass_is_found() -> None:
    generator = np.random.default_rng(12)
    spent = np.where(generator.random(10_000) < 0.9, 0, generator.lognormal(8, 1, 10_000))
    baseline = baseline_of(rows(generator, 10_000, amount=spent))
    thousandths = np.where(generator.random(700) < 0.9, 0, generator.lognormal(8, 1, 700) / 1000)
    measured = found(rows(generator, 700, amount=thousandths), baseline)
    assert measured["psi", "amount"].value == pytest.approx(0, abs=0.05)
    assert measured["psi_fine", "amount"].value > 0.3  # type: ignore[operator]
    assert drifted(measured) == ["amount"]


def test_a_reference_too_large_to_measure_in_is_said_so() -> None:
    generator = np.random.default_rng(24)
    baseline = baseline_of(rows(generator, amount=[1.7e308, -1.7e308] * (N // 2)))
    measured = found(rows(generator), baseline)
    assert "too large" in measured["wasserstein_normed", "amount"].note
    assert drifted(measured) == ["amount"]


def test_a_reference_without_spread_has_no_unit_but_movement_is_found() -> None:
    monitor = plain(drift={"method": "wasserstein_normed"})
    generator = np.random.default_rng(13)
    baseline = baseline_of(rows(generator, 5000, amount=np.full(5000, 0.003467)), monitor)
    still = found(rows(generator, amount=np.full(N, 0.003467)), baseline, monitor)
    moved = found(rows(generator), baseline, monitor)
    assert still["wasserstein_normed", "amount"].value == 0
    assert moved["wasserstein_normed", "amount"].value is None
    assert "no spread" in moved["wasserstein_normed", "amount"].note
    assert (drifted(still), drifted(moved)) == ([], ["amount"])


def test_numbers_that_arrive_as_text_are_numbers_still() -> None:
    generator = np.random.default_rng(14)
    amount = generator.normal(size=N)
    as_numbers = found(rows(generator, amount=amount))
    as_text = found(rows(generator, amount=[repr(value) for value in amount.tolist()]))
    assert as_text["psi", "amount"] == as_numbers["psi", "amount"]


@pytest.mark.parametrize(
    ("amount", "note"),
    [
        (pa.nulls(N), f"no values: all {N} rows are null"),
        (pa.array(["much"] * N), "in this window: text that is not numbers"),
        (pa.array([[1.0]] * N), "in this window: values of type list<item: double> are not numbers"),
        (pa.array([float("inf"), 1.0] * (N // 2)), f"{N // 2} infinite values left out"),
        (pa.array([float("-inf")] * N), "no finite values"),
        (pa.array([1.7e308, -1.7e308] * (N // 2)), "values too large for a double"),
        (pa.array([-0.0, 0.0] * (N // 2)), ""),
        (pa.array([True, None] * (N // 2)), ""),
        (pa.array([at("2026-09-01")] * N), ""),
    ],
)
def test_every_odd_numeric_window_has_an_outcome(amount: pa.Array, note: str) -> None:
    assert found(rows(np.random.default_rng(15), amount=amount))["std_shift", "amount"].note == note


@pytest.mark.parametrize(
    "region",
    [
        pa.nulls(N),
        pa.array([None, "None"] * (N // 2)),
        pa.array(["x" * 2**20, *["y"] * (N - 1)]),
        pa.array([f"r{i}" for i in range(N)]),
        pa.array([1.5] * N),
        pa.array([True] * N),
        pa.array([b"\x00\xff"] * N),
    ],
)
def test_every_odd_categorical_window_has_an_outcome(region: pa.Array) -> None:
    assert drifted(found(rows(np.random.default_rng(16), region=region))) == ["region"]


def test_all_rows_null_is_drift_and_so_is_a_null_column_that_comes_alive() -> None:
    generator = np.random.default_rng(17)
    dead = rows(generator, 5000, amount=pa.nulls(5000, pa.float64()))
    assert drifted(found(rows(generator, amount=pa.nulls(N)))) == ["amount"]
    measured = found(rows(generator), baseline_of(dead))
    assert drifted(measured) == ["amount"]
    assert measured["ks", "amount"].note == "the reference has no values"


def test_a_column_the_window_or_the_reference_lacks_is_not_evaluated() -> None:
    generator = np.random.default_rng(18)
    gone = found(rows(generator).drop_columns(["amount"]))
    assert gone["psi", "amount"].note == gone["drifted", "amount"].note == "the window has no column 'amount'"
    assert gone["drift_share", ""].value == 0
    unknown = found(rows(generator), baseline_of(REFERENCE.drop_columns(["region"])))
    assert unknown["chi2_p", "region"].note == "in the reference: no column 'region'"


def test_an_empty_window_is_not_evaluated() -> None:
    measured = found(REFERENCE.slice(0, 0))
    assert {row.value for row in measured.values()} == {None}


def test_booleans_logged_as_numbers_are_the_same_categories() -> None:
    generator = np.random.default_rng(19)
    flags = generator.random(5000) < 0.3
    baseline = baseline_of(rows(generator, 5000, region=flags))
    for window in (flags[:N].astype(int), flags[:N].astype(float), flags[:N]):
        assert drifted(found(rows(generator, region=window), baseline)) == []
    turned = baseline_of(rows(generator, 5000, region=flags.astype(int)))
    assert drifted(found(rows(generator, region=flags[:N]), turned)) == []


def test_identifiers_are_no_categories_and_raise_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hindsight.checks.reference.fitting.MOST_CATEGORIES", 100)
    generator = np.random.default_rng(20)
    baseline = baseline_of(rows(generator, 5000, region=[f"r{i}" for i in generator.integers(0, 10**6, 5000)]))
    window = rows(generator, region=[f"r{i}" for i in generator.integers(0, 10**6, N)])
    assert drifted(found(window, baseline)) == []


def test_a_segment_is_compared_with_its_own_reference() -> None:
    monitor = a_monitor()
    generator = np.random.default_rng(21)
    region = REFERENCE["region"].to_numpy()
    far = REFERENCE.set_column(0, "amount", pa.array(REFERENCE["amount"].to_numpy() + 5 * (region == "EU")))
    window = rows(generator)
    moved = window["amount"].to_numpy() + 5 * (window["region"].to_numpy() == "EU")
    window = window.set_column(0, "amount", pa.array(moved + (window["region"].to_numpy() == "US")))
    baseline = baseline_of(far, monitor)
    assert drifted(found(window, baseline, monitor, "region=EU")) == []
    assert drifted(found(window, baseline, monitor, "region=US")) == ["amount"]
    new = rows(generator, region=np.full(N, "AF"))
    assert "too few rows" in found(new, baseline, monitor, "region=AF")["psi", "amount"].note


def test_versions_are_measured_and_profiled_apart_and_segments_coarsely() -> None:
    generator = np.random.default_rng(22)
    window = rows(generator, model_version=["v1"] * 1500 + ["v2"] * 500)
    drifts, profiles = drift(TableRows(window), a_monitor(), baseline_of(monitor=a_monitor()))
    assert {row.model_version for row in drifts} == {"", "v1", "v2"}
    assert {row.segment for row in drifts} == {"", "region=EU", "region=US", "region=AS"}
    assert {row.segment for row in profiles} == {row.segment for row in drifts}
    amounts = [row for row in profiles if row.feature == "amount"]
    sizes = {row.model_version: row.value for row in amounts if row.metric == "n" and not row.segment}
    assert sizes == {"": N, "v1": 1500, "v2": 500}
    parts = [row for row in amounts if row.segment == "region=EU"]
    assert {row.metric for row in parts} == {"n", "bin_count", "bin_sum"}
    assert sum(row.value or 0 for row in parts if row.metric == "bin_count") == parts[0].n
    assert sum(row.metric == "bin_count" for row in parts) == 10


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([60, 300]))
def test_the_order_of_rows_changes_no_number(seed: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    window = rows(generator, n, amount=pa.array(np.round(generator.normal(size=n), 1), mask=generator.random(n) < 0.1))
    turned = window.take(generator.permutation(n))
    baseline, monitor = usual(), a_monitor()
    assert drift(TableRows(window), monitor, baseline) == drift(TableRows(turned), monitor, baseline)


def test_sixty_features_that_did_not_move_raise_no_alarm() -> None:
    generator = np.random.default_rng(23)
    names = [f"f{i}" for i in range(60)]
    monitor = plain(features=dict.fromkeys(names, "numeric"))
    baseline = baseline_of(pa.table({name: generator.normal(size=5000) for name in names}), monitor)
    windows = [pa.table({name: generator.normal(size=500) for name in names}) for _ in range(10)]
    assert [drifted(found(window, baseline, monitor)) for window in windows] == [[]] * 10


def test_how_far_a_feature_of_the_clock_is_from_the_reference_is_no_drift_and_its_profile_is_kept() -> None:
    moved = rows(np.random.default_rng(5), amount=np.full(N, 9.0))
    clock = plain(features={"amount": {"type": "numeric", "clock": True}, "region": "categorical"})
    _, profiles = drift(TableRows(moved), clock, usual())
    drifted = found(moved, monitor=clock)["drifted", "amount"]
    assert drifted.value is None
    assert "clock" in drifted.note
    assert "amount" in {row.feature for row in profiles}
    assert found(moved, monitor=clock)["drift_share", ""].value == 0
    assert found(moved)["drift_share", ""].value == 0.5
