"""KPIs as numbers: equal to pandas, with intervals that hold, and silent about groups that are too small."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.kpis import NO_LABELS, NO_MATCH, TOO_LARGE, kpis, reference_kpis
from hindsight.checks.statistics import intervals
from hindsight.checks.statistics.rates import NO_ROWS
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor


def measured(kpi: dict[str, Any], *, segments: tuple[str, ...] = (), **columns: Any) -> list[Measurement]:
    monitor = a_monitor(kpis={"kpi": kpi}, segments=list(segments))
    return kpis(TableRows(pa.table(columns)), monitor, ["kpi"], reference={})


def number(kpi: dict[str, Any], **columns: Any) -> Measurement:
    (found,) = measured(kpi, **columns)
    return found


def test_a_sum_is_of_the_rows_its_filter_keeps() -> None:
    found = number({"sum": "amount", "where": {"prediction": 1}}, amount=[10.0, 20.0, 40.0], prediction=[1, 0, 1])
    assert (found.value, found.n, found.lower, found.note) == (50.0, 2, None, "")


def test_a_count_is_of_all_rows_kept_or_of_those_with_a_value_and_says_how_many_it_looked_at() -> None:
    columns: dict[str, Any] = {"coupon": ["x", None, "y"], "prediction": [1, 1, 0]}
    assert [(m.value, m.n) for m in measured({"count": True, "where": {"prediction": 1}}, **columns)] == [(2.0, 3)]
    assert number({"count": "coupon"}, **columns).value == 2.0


def test_a_mean_has_students_interval_and_one_of_zeros_and_ones_wilsons() -> None:
    amounts = np.arange(30.0)
    found = number({"mean": "amount"}, amount=amounts)
    assert (found.lower, found.upper) == intervals.mean_t(amounts)
    clicked = number({"mean": "clicked"}, clicked=[True] * 3 + [False] * 17)
    assert (clicked.value, clicked.lower, clicked.upper) == (0.15, *(intervals.wilson(3, 20) or ()))


def test_a_ratio_is_a_sum_over_a_sum_and_a_null_adds_nothing() -> None:
    found = number({"ratio": ["bought", "cost"]}, bought=[100.0, None, 20.0, None], cost=[10.0, 10.0, None, None])
    assert (found.value, found.n) == (6.0, 3)


def test_a_ratio_of_zeros_and_ones_is_a_share_of_the_rows_that_could() -> None:
    found = number({"ratio": ["bought", "shown"]}, bought=[1, 1, 0, 0, 0], shown=[1, 1, 1, 1, 0])
    assert (found.value, found.lower, found.upper) == (0.5, *(intervals.wilson(2, 4) or ()))


def test_the_interval_of_a_ratio_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(20260901)
    hits = 0
    for _ in range(400):
        cost = random.exponential(2.0, 300)
        ends = intervals.ratio(3 * cost + random.normal(0, 2, 300), cost)
        hits += ends is not None and ends[0] <= 3 <= ends[1]
    assert 0.92 <= hits / 400 <= 0.98


def test_a_proportional_ratio_has_an_interval_of_no_width() -> None:
    assert intervals.ratio(np.array([2.0, 4.0, 8.0]), np.array([1.0, 2.0, 4.0])) == (2.0, 2.0)
    assert intervals.ratio(np.array([2.0]), np.array([1.0])) is None


@pytest.mark.parametrize(
    ("kpi", "columns", "note"),
    [
        ({"sum": "a"}, {"a": pa.array([], pa.float64())}, NO_ROWS),
        ({"count": True}, {"a": pa.array([], pa.float64())}, NO_ROWS),
        ({"sum": "a"}, {"a": pa.array([None, None], pa.float64())}, "no value in 2 rows"),
        ({"mean": "a"}, {"a": [np.nan, np.inf]}, "no value in 2 rows; 2 rows hold infinity or NaN, left out"),
        ({"mean": "a", "where": {"a": 7}}, {"a": [1.0]}, NO_MATCH),
        ({"ratio": ["a", "b"]}, {"a": [1.0, 2.0], "b": [0.0, 0.0]}, "divided by a sum of 0 over 2 rows"),
        ({"ratio": ["a", "b"], "where": {"a": 7}}, {"a": [1.0], "b": [1.0]}, NO_MATCH),
        ({"sum": "a"}, {"a": [1.7e308, 1.7e308]}, TOO_LARGE),
        ({"mean": "label"}, {"a": [1.0], "labels.label": pa.array([None], pa.int64())}, NO_LABELS),
    ],
)
def test_what_has_no_value_says_why(kpi: dict[str, Any], columns: dict[str, Any], note: str) -> None:
    found = number(kpi, **columns)
    assert (found.value, found.lower, found.note) == (None, None, note)


@pytest.mark.parametrize(
    ("kpi", "value"), [({"sum": "x"}, 6.0), ({"mean": "x"}, 2.0), ({"ratio": ["x", "y"]}, 2.0), ({"count": "x"}, 5.0)]
)
def test_infinity_and_nan_left_out_of_a_number_are_said(kpi: dict[str, Any], value: float) -> None:
    x = pa.array([1.0, 2.0, 3.0, float("inf"), float("-inf"), float("nan"), None])
    y = pa.array([1.0, 1.0, 1.0, None, None, None, None], pa.float64())
    found = number(kpi, x=x, y=y)
    assert found.value == value
    assert found.note == ("" if "count" in kpi else "3 rows hold infinity or NaN, left out")


def test_nothing_sold_is_a_sum_of_zero() -> None:
    found = number({"sum": "amount", "where": {"prediction": 1}}, amount=[10.0], prediction=[0])
    assert (found.value, found.n, found.note) == (0.0, 0, NO_MATCH)


@pytest.mark.parametrize(
    ("column", "wanted", "kept"),
    [
        (["EU", "US", None], "EU", 1),
        ([1, 0, None], 1, 1),
        ([1.0, 0.0, None], 1, 1),
        ([True, False, None], 1, 1),
        ([True, False, None], True, 1),
        (["1", "0", None], 1, 1),
        (["true", "false", None], True, 1),
        ([1, 2, 3], {"above": 2}, 2),
        ([1, 2, 3], {"below": 2}, 1),
        ([1, 2, None, 3], {"above": 2, "below": 3}, 1),
        ([Decimal("1.5"), Decimal("2.5")], {"above": 2}, 1),
        ([1, 2], 1.5, 0),
    ],
)
def test_a_filter_keeps_equal_values_or_a_half_open_range_and_never_a_null(column: Any, wanted: Any, kept: int) -> None:
    assert number({"count": True, "where": {"x": wanted}}, x=column).value == kept


@pytest.mark.parametrize(
    ("kpi", "field"),
    [
        ({"sum": "region"}, "sum: inference_log.region holds string, and a sum needs numbers"),
        ({"ratio": ["amount", "region"]}, "ratio: inference_log.region holds string"),
        ({"mean": "made"}, "mean: inference_log.made holds timestamp[us], and a mean needs numbers"),
        ({"count": True, "where": {"region": {"above": 1}}}, "where.region: inference_log.region holds string"),
        ({"sum": "labels.paid"}, "sum: ground_truth.paid holds string"),
    ],
)
def test_text_where_numbers_are_needed_is_no_value_and_says_so(kpi: dict[str, Any], field: str) -> None:
    columns = {"region": ["EU"], "amount": [1.0], "made": [datetime(2026, 9, 1)]}  # noqa: DTZ001  as a database has it
    found = number(kpi, **columns, **{"labels.paid": ["a lot"], "labels.label": [1]})
    assert (found.value, found.note.startswith(f"kpis.kpi.{field}")) == (None, True)


def test_a_few_texts_among_numbers_count_as_null() -> None:
    found = number({"sum": "amount"}, amount=["1.5"] * 39 + ["n/a"])
    assert (found.value, found.n) == (58.5, 39)


def test_only_rows_with_a_known_label_count_where_labels_are_asked_for() -> None:
    columns: dict[str, Any] = {"amount": [10.0, 20.0, 40.0], "labels.label": pa.array([1, 0, None])}
    assert (number({"sum": "amount", "where": {"label": 1}}, **columns)).value == 10.0
    assert number({"ratio": ["label", "predictions.amount"]}, **columns).value == 1 / 30
    assert number({"count": True, "where": {"label": 1}}, **columns).n == 2


def test_versions_and_segments_have_numbers_of_their_own_and_small_groups_none() -> None:
    n = 100
    columns: dict[str, Any] = {
        "amount": np.ones(n),
        "region": ["EU"] * 60 + ["US"] * 30 + ["NZ"] * 10,
        "model_version": ["v1"] * 90 + ["v2"] * 10,
        "prediction": [1] * 50 + [0] * 50,
    }
    found = measured({"sum": "amount"}, segments=("region",), **columns)
    assert {(m.model_version, m.segment): m.value for m in found} == {
        ("", ""): 100.0,
        ("v1", ""): 90.0,
        ("", "region=EU"): 60.0,
        ("", "region=US"): 30.0,
    }
    some = measured({"sum": "amount", "where": {"prediction": 1}}, segments=("region",), **columns)
    assert {m.segment: m.value for m in some if not m.model_version} == {"": 50.0, "region=EU": 50.0, "region=US": 0.0}
    few = measured(
        {"mean": "amount", "where": {"amount": 1}}, segments=("region",), **columns | {"amount": [1] * 5 + [0] * 95}
    )
    assert {m.segment for m in few if m.value is not None} == {""}


def test_a_reference_averages_sums_over_its_windows_and_pools_what_is_a_rate() -> None:
    monitor = a_monitor(
        kpis={"revenue": {"sum": "amount"}, "spend": {"mean": "amount"}, "orders": {"count": True}}, segments=[]
    )
    windows = [TableRows(pa.table({"amount": [10.0] * 30})), TableRows(pa.table({"amount": [40.0] * 10}))]
    nothing = TableRows(pa.table({"amount": pa.array([], pa.float64())}))
    found = reference_kpis([*windows, nothing], monitor, list(monitor.kpis))
    assert found == {"revenue": 350.0, "spend": 700 / 40, "orders": 20.0}
    (m, *_) = kpis(windows[0], monitor, ["revenue"], reference=found)
    assert (m.value, m.reference) == (300.0, 350.0)


values = st.one_of(st.none(), st.floats(-1e6, 1e6))


@given(
    rows=st.lists(st.tuples(values, values, st.sampled_from(["EU", "US", None])), min_size=1, max_size=40),
    seed=st.integers(0, 100),
)
def test_every_kpi_equals_pandas_in_whatever_order_rows_come(rows: list[Any], seed: int) -> None:
    kpi = {"sum": "a", "mean": "a", "count": "a", "ratio": ["a", "b"]}
    file = {part: {part: columns, "where": {"region": "EU", "b": {"below": 100}}} for part, columns in kpi.items()}
    monitor = a_monitor(kpis=file, segments=[])
    frame = pd.DataFrame(rows, columns=["a", "b", "region"]).astype({"a": float, "b": float})

    def found(frame: pd.DataFrame) -> list[Measurement]:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        return kpis(
            TableRows(table.cast(pa.schema({"a": "double", "b": "double", "region": "string"}))),
            monitor,
            list(file),
            reference={},
        )

    shuffled = frame.sample(frac=1, random_state=seed)
    numbers = {m.metric: m for m in found(frame)}
    assert found(shuffled) == list(numbers.values())
    kept = frame[(frame["region"] == "EU") & (frame["b"] < 100)]
    assert numbers["count"].value == kept["a"].count()
    has_value = kept.empty or kept["a"].notna().any()
    assert numbers["sum"].value == (pytest.approx(kept["a"].sum(), rel=1e-9, abs=1e-6) if has_value else None)
    mean = kept["a"].mean()
    assert numbers["mean"].value == (None if pd.isna(mean) else pytest.approx(mean, rel=1e-9, abs=1e-6))
    if numbers["ratio"].value is not None:
        assert numbers["ratio"].value * kept["b"].sum() == pytest.approx(kept["a"].sum(), rel=1e-6, abs=1e-3)
