"""Quality: what is wrong with a window's columns, and silence where nothing is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.quality.norms import Counted
from hindsight.checks.quality.quality import quality
from hindsight.checks.quality.sentinels import _repeated
from hindsight.checks.reference.baseline import fit
from hindsight.checks.reference.control import Control
from hindsight.checks.reference.peaks import RETURNING, Peaks
from hindsight.monitors.metric_catalog import metric
from hindsight.vocabulary.rows import TableRows
from tests.builders import DAY, a_monitor, at, monitor_file
from tests.checks.quality.columns import BASELINE, MONITOR, a_baseline, measured, some_columns

SCORES = {"null_rate_control"}


def nulled(values: Any, share: float, null: Any = None) -> list[Any]:
    cut = round(share * len(values))
    return [null] * cut + list(values[cut:])


def test_a_clean_window_shows_nothing() -> None:
    found = measured(some_columns(1000))
    quiet = {key: m.value for key, m in found.items() if key[1] not in SCORES}
    assert set(quiet.values()) == {0.0}
    logged = {"latency_ms", "cost_usd", "model_version", "status_code"}
    assert {name for name, _ in quiet} == {"", "amount", "region", "prediction", "score"} | logged
    assert all(abs(m.value or 0) < 3 for key, m in found.items() if key[1].endswith("control"))


def test_every_number_is_in_the_catalogue() -> None:
    for m in measured(some_columns(100)).values():
        known = metric(f"quality.{m.metric}")
        assert known is not None, m.metric
        assert bool(known.about) == bool(m.feature)
        assert bool(known.interval) == (m.lower is not None), m


@pytest.mark.parametrize("null", [None, float("nan")])
def test_missing_numbers_are_counted_against_the_reference(null: float | None) -> None:
    amounts = some_columns(1000)["amount"].to_pylist()
    found = measured(some_columns(1000, amount=pa.array(nulled(amounts, 0.4, null), pa.float64())))
    rate = found["amount", "null_rate"]
    assert (rate.value, rate.n, rate.reference) == (0.4, 1000, 0.0)
    assert rate.lower == pytest.approx(0.370, abs=1e-3)
    assert rate.upper == pytest.approx(0.431, abs=1e-3)


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_blank_text_is_missing_in_the_window_and_in_the_reference(blank: str | None) -> None:
    regions = nulled(["EU"] * 2000, 0.1, blank)
    found = measured(some_columns(500, region=nulled(["EU"] * 500, 0.2, blank)), a_baseline(region=regions))
    assert (found["region", "null_rate"].value, found["region", "null_rate"].reference) == (0.2, pytest.approx(0.1))
    assert found["region", "new_category_share"].value == 0


def test_a_sentinel_is_found_and_named() -> None:
    amounts = nulled(some_columns(400)["amount"].to_pylist(), 0.25, -999.0)
    found = measured(some_columns(400, amount=amounts))
    assert found["amount", "sentinel_share"].value == 0.25
    assert found["amount", "sentinel_share"].note == "-999 in 25.0%"
    assert found["amount", "out_of_range_share"].value == 0  # what stands for "unknown" is no value


def test_a_sentinel_inside_the_range_is_found_when_the_reference_has_it_not() -> None:
    amounts = nulled(some_columns(400)["amount"].to_pylist(), 0.05, 999.0)
    assert measured(some_columns(400, amount=amounts))["amount", "sentinel_share"].value == 0.05


def test_zero_stands_for_unknown_where_the_reference_has_none_and_not_where_all_rows_have_it() -> None:
    amounts = some_columns(400)["amount"].to_numpy()
    found = measured(some_columns(400, amount=nulled(amounts, 0.05, 0.0)))["amount", "sentinel_share"]
    assert (found.value, found.note) == (0.05, "0 in 5.0%")
    every = measured(some_columns(400, amount=np.zeros(400)))
    assert (every["amount", "sentinel_share"].value, every["amount", "stuck"].value) == (0, 1)
    flags = np.arange(2000) % 200 > 0
    flag = measured(some_columns(400, amount=nulled(np.ones(400), 0.1, 0.0)), a_baseline(amount=flags.astype(float)))
    assert flag["amount", "sentinel_share"].value == 0  # one of its two values


def test_many_values_far_away_are_another_scale_and_stand_for_nothing() -> None:
    grades = np.arange(2000) % 20
    found = measured(some_columns(400, amount=grades[:400] * 1.8 + 932), a_baseline(amount=grades))
    assert found["amount", "sentinel_share"].value == 0
    assert found["amount", "out_of_range_share"].value == 1


@pytest.mark.parametrize("word", ["N/A", "unknown", "-999", "None", "?", "NULL "])
def test_a_text_that_stands_for_unknown_is_a_sentinel_and_no_new_category(word: str) -> None:
    regions = some_columns(400)["region"].to_pylist()
    found = measured(some_columns(400, region=nulled(regions, 0.05, word)))
    assert (found["region", "sentinel_share"].value, found["region", "new_category_share"].value) == (0.05, 0)
    assert found["region", "sentinel_share"].note == f"{word!r} in 5.0%"
    usual = measured(
        some_columns(400, region=nulled(regions, 0.05, word)), a_baseline(region=nulled(regions, 0.05, word) * 5)
    )
    assert usual["region", "sentinel_share"].value == 0


def test_rare_categories_the_reference_missed_are_expected_by_those_it_has_once() -> None:
    regions = ["EU"] * 1900 + [f"once {k}" for k in range(100)]
    found = measured(some_columns(100, region=nulled(["EU"] * 100, 0.06, "never")), a_baseline(region=regions))
    share = found["region", "new_category_share"]
    assert (share.value, share.reference) == (0.06, 0.05)


def test_a_value_that_was_always_frequent_is_no_sentinel() -> None:
    usual = a_baseline(amount=nulled(some_columns(2000)["amount"].to_pylist(), 0.2, -1.0))
    amounts = nulled(some_columns(400)["amount"].to_pylist(), 0.25, -1.0)
    assert measured(some_columns(400, amount=amounts), usual)["amount", "sentinel_share"].value == 0


def test_four_rows_of_one_value_are_no_sentinel() -> None:
    amounts = nulled(some_columns(400)["amount"].to_pylist(), 0.01, -999.0)
    assert measured(some_columns(400, amount=amounts))["amount", "sentinel_share"].value == 0


def test_values_just_beyond_the_reference_are_in_range_and_far_ones_are_not() -> None:
    near, far = [1050.0 + k for k in range(10)] + [-50.0 - k for k in range(10)], list(range(1200, 1220))
    amounts = some_columns(200)["amount"].to_pylist()[:180]
    assert measured(some_columns(200, amount=amounts + near))["amount", "out_of_range_share"].value == 0
    assert measured(some_columns(200, amount=amounts + far))["amount", "out_of_range_share"].value == 0.1


def test_a_reference_of_few_rows_leads_to_expect_values_beyond_its_own() -> None:
    before = TableRows(some_columns(3, amount=[1.0, 2.0, 3.0]))
    tiny = fit(before, MONITOR, output=before, fitted_as_of=at("2026-09-01"))
    assert measured(some_columns(400), tiny)["amount", "out_of_range_share"].reference == 0.5
    assert measured(some_columns(400), tiny)["score", "out_of_range_share"].reference == 0


def test_a_score_outside_zero_and_one_is_out_of_range() -> None:
    score = [1.5] * 10 + [0.5] * 90
    assert measured(some_columns(100, score=score))["score", "out_of_range_share"].value == 0.1


def test_outliers_lie_beyond_three_interquartile_ranges() -> None:
    amounts = [2700.0, 2701.0, 2702.0, 2703.0, 2704.0, *some_columns(100)["amount"].to_pylist()[5:]]
    assert measured(some_columns(100, amount=amounts))["amount", "outlier_share"].value == 0.05


def test_a_reference_of_one_value_has_no_outliers_but_a_range() -> None:
    found = measured(some_columns(100), a_baseline(amount=[7.0] * 2000))
    assert found["amount", "outlier_share"].value is None
    assert found["amount", "outlier_share"].note == "the quartiles of the reference are equal"
    assert (found["amount", "out_of_range_share"].value or 0) > 0.9


def test_a_new_spelling_is_new_and_named() -> None:
    found = measured(some_columns(100, region=["eu "] * 60 + ["US"] * 40))["region", "new_category_share"]
    assert (found.value, found.note) == (0.6, "'eu ' was 'EU'")


def test_numbers_are_the_same_categories_whether_whole_or_not() -> None:
    monitor = a_monitor(features={"amount": "numeric", "region": "categorical"})
    baseline = a_baseline(monitor, region=[1, 2] * 1000)
    assert measured(some_columns(100, region=[1.0, 2.0] * 50), baseline)["region", "new_category_share"].value == 0


def test_failed_requests_owe_no_prediction() -> None:
    failed = {"status_code": [503] * 40 + [200] * 60, "prediction": pa.array([None] * 43 + [1] * 57, pa.int64())}
    rate = measured(some_columns(100, **failed))["prediction", "null_rate"]
    assert (rate.value, rate.n) == (0.05, 60)


def test_repeated_ids_are_a_share_of_the_rows_as_logged() -> None:
    found = measured(some_columns(700), n_raw=840)["", "duplicate_rate"]
    assert (found.value, found.n) == (pytest.approx(1 / 6), 840)


def test_without_a_baseline_nulls_types_and_duplicates_remain() -> None:
    found = measured(some_columns(100, amount=["1"] * 100), None)
    assert found["amount", "schema_change"].value == 1
    assert found["amount", "null_rate"].reference is None
    assert found["amount", "sentinel_share"].value is None
    assert found["region", "new_category_share"].note == "the baseline does not have this column"


def test_without_rows_nothing_is_evaluated() -> None:
    found = measured(some_columns(0, region=pa.array([], pa.string())))
    assert {(m.value, m.note) for m in found.values()} == {(None, "no rows")}


def test_values_of_hashed_columns_are_never_named() -> None:
    monitor = a_monitor(pii={"hash": ["amount", "region"]})
    table = some_columns(100, amount=[-999.0] * 100, region=["eu"] * 100)
    notes = "".join(m.note for m in measured(table, BASELINE, monitor).values())
    assert "999" not in notes
    assert "eu" not in notes.casefold()


@given(
    st.lists(st.one_of(st.none(), st.floats(), st.just(-999.0)), min_size=1, max_size=80),
    st.randoms(use_true_random=False),
)
def test_shares_are_shares_and_the_order_of_rows_changes_none(amounts: list[float | None], random: Any) -> None:
    columns = {"region": ["EU"] * len(amounts)}
    first = measured(some_columns(len(amounts), amount=pa.array(amounts, pa.float64()), **columns))
    shuffled = pa.array(random.sample(amounts, len(amounts)), pa.float64())
    assert first == measured(some_columns(len(amounts), amount=shuffled, **columns))
    assert all(m.value is None or 0 <= m.value <= 1 for m in first.values() if m.metric not in SCORES)
    assert all(m.value is None or np.isfinite(m.value) for m in first.values())


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60), st.integers(-60, 60), st.integers(0, 60))
def test_counted_values_answer_like_the_values_themselves(values: list[int], low: int, width: int) -> None:
    distinct, counts = np.unique(np.array(values, float), return_counts=True)
    repeats = counts.max() > 1
    counted = Counted(distinct, np.append(0, np.cumsum(counts)) if repeats else None)
    inside = sum(low <= value <= low + width for value in values) / len(values)
    assert counted.share_within(low, low + width) == inside
    assert counted.quantile(0.25) == np.quantile(values, 0.25, method="inverted_cdf")
    assert counted.extremes == (min(values), max(values))


def test_a_reference_of_nulls_alone_leaves_a_category_that_came_unexplained() -> None:
    found = measured(some_columns(100), a_baseline(region=pa.nulls(2000, pa.string())))
    assert found["region", "stuck"].value == 0
    assert found["region", "null_rate"].reference == 1


@given(st.lists(st.integers(-5, 5), max_size=60), st.integers(1, 8))
def test_values_that_occur_often_are_found_without_counting_all_others(values: list[int], times: int) -> None:
    found = _repeated(np.array(values, float), times)
    assert found == {value: values.count(value) for value in set(values) if values.count(value) >= times}


FEATURES = {
    **dict.fromkeys(["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"], "numeric"),
    **dict.fromkeys(["workclass", "marital_status", "occupation", "relationship", "sex"], "categorical"),
}
KINDS = {
    "nulls": ("null_rate", 0.05),
    "sentinel": ("sentinel_share", 0.02),
    "renamed column": ("schema_change", 1),
    "category spelling": ("new_category_share", 0.05),
    "type change": ("schema_change", 1),
    "duplicates": ("duplicate_rate", 0.01),
    "unit change": ("unit_change", 1),
    "stuck value": ("stuck", 1),
}


@pytest.fixture(scope="session")
def schema_break() -> Path:
    folder = os.environ.get("HINDSIGHT_CASES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HINDSIGHT_CASES does not name the folder of real data")
    return Path(folder) / "schema_break"


def test_every_breakage_of_real_data_is_named_and_nothing_else(schema_break: Path) -> None:
    import pandas as pd

    file = monitor_file(features=FEATURES, segments=[])
    for key in ("model_version", "cost"):
        del file["source"]["predictions"][key]
    monitor = a_monitor(**file)
    reference = pq.read_table(schema_break / "reference.parquet")
    output = reference.filter(pc.equal(reference["split"], "holdout"))
    baseline = fit(TableRows(reference), monitor, output=TableRows(output), fitted_as_of=at("2024-03-01"))
    incidents = pd.read_csv(schema_break / "incidents.csv", parse_dates=["start", "end"])
    expected = {
        (f"{day:%Y-%m-%d}", "" if row.column == "*" else row.column, KINDS[row.kind][0])
        for row in incidents.itertuples()
        if row.kind in KINDS
        for day in pd.date_range(row.start, row.end - DAY)
    }
    found = set()
    for folder in sorted((schema_break / "predictions_daily").glob("dt=*")):
        table = pq.read_table(next(folder.glob("*.parquet")), partitioning=None)
        first = ~table["request_id"].to_pandas().duplicated()
        for m in quality(TableRows(table.filter(pa.array(first)), table.num_rows), monitor, baseline):
            limit = dict(KINDS.values()).get(m.metric, 0.02 if m.metric == "out_of_range_share" else None)
            if limit is not None and m.value is not None and m.value - (m.reference or 0) >= limit:
                found.add((folder.name.removeprefix("dt="), m.feature, m.metric))
    assert found == expected


def test_a_column_of_the_clock_is_not_held_against_a_reference_of_another_time() -> None:
    features = {"amount": {"type": "numeric", "clock": True}, "region": {"type": "categorical", "clock": True}}
    odd = some_columns(1000, amount=pa.array([500.0] * 900 + [None] * 100), region=pa.array(["MARS"] * 1000))
    found = {
        (m.feature, m.metric): m for m in quality(TableRows(odd), a_monitor(features=features), BASELINE) if m.feature
    }
    for name, metrics in (
        ("amount", ("out_of_range_share", "outlier_share", "stuck", "unit_change")),
        ("region", ("new_category_share", "stuck")),
    ):
        assert {(found[name, m].value, found[name, m].note) for m in metrics} == {
            (None, "the time of a row fixes it (clock: true)")
        }
    assert found["amount", "null_rate"].value == 0.1
    assert found["amount", "schema_change"].value == 0
    assert measured(odd)["amount", "stuck"].value == 1


def test_a_text_of_the_clock_that_is_new_is_told_where_those_of_the_reference_come_back() -> None:
    monitor = a_monitor(features={"region": {"type": "categorical", "clock": True}})
    odd = some_columns(1000, region=pa.array(["EU"] * 850 + ["eu"] * 150))
    for back, share in ((1.0, 0.15), (0.0, None)):
        control = Control(peaks=Peaks({(RETURNING, "region"): back}))
        found = {(m.feature, m.metric): m.value for m in quality(TableRows(odd), monitor, BASELINE, control=control)}
        assert found["region", "new_category_share"] == share
