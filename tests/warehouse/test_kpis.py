"""The rows KPIs are made of: distinct in each window, with the newest label known, from any database and any types."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hindsight.checks.kpis import kpis
from hindsight.vocabulary.rows import TableRows
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.kpis import kpi_faults, kpi_rows
from tests.builders import DAY, a_monitor, a_window, at
from tests.warehouse.tables import LOG, TRUTH, a_label, a_prediction, fill

AS_OF = at("2026-09-20")
REVENUE = {"sum": "amount", "where": {"label": 1}}


def value(url: sa.URL, kpi: dict[str, Any], as_of: datetime | None = AS_OF, **changes: Any) -> float | None:
    """One KPI of the window of 2026-09-01, as it was known."""
    monitor = a_monitor(kpis={"kpi": kpi}, **{"segments": []} | changes)
    rows = kpi_rows(open_engine(url), monitor, [a_window()], ["kpi"], as_of=as_of, pii_key=None)[a_window()]
    (found, *_) = kpis(TableRows(rows), monitor, ["kpi"], reference={})
    return found.value


def test_a_sum_over_labels_takes_what_was_known_strictly_before(database_url: sa.URL) -> None:
    predictions = [a_prediction("a", amount=10.0), a_prediction("b", amount=5.0), a_prediction("c", amount=1.0)]
    labels = [a_label("a"), a_label("b", labeled_at="2026-09-05"), a_label("b", 0, "2026-09-06"), a_label("c", 0)]
    fill(database_url, predictions, labels)
    assert value(database_url, REVENUE, at("2026-09-05")) == 10.0
    assert value(database_url, REVENUE, at("2026-09-05T00:00:01")) == 15.0
    assert value(database_url, REVENUE) == 10.0


def test_contradictory_labels_are_none_and_so_are_rows_that_differ_in_a_column_used(database_url: sa.URL) -> None:
    truth = TRUTH | {"paid": sa.Numeric(10, 2)}
    labels: list[dict[str, Any]] = [
        a_label("a") | {"paid": Decimal("7.25")},
        a_label("b") | {"paid": 1},
        a_label("b", 0) | {"paid": 1},
        a_label("c") | {"paid": 1},
        a_label("c") | {"paid": 2},
        a_label("d", labeled_at="2026-09-03") | {"paid": 3},
        a_label("d") | {"paid": 99},
    ]
    fill(database_url, [a_prediction(name) for name in "abcd"], labels, truth=truth)
    assert value(database_url, {"sum": "labels.paid"}) == 10.25
    assert value(database_url, {"count": True, "where": {"label": 1}}) == 3.0  # the two rows of c agree on the label


def test_ids_are_distinct_the_latest_row_of_each_counts_and_conditions_are_met_by_that_row(
    database_url: sa.URL,
) -> None:
    predictions = [
        a_prediction("a", amount=10.0, prediction=1),
        a_prediction("a", "2026-09-01T13:00", amount=20.0, prediction=0),
        a_prediction("b", amount=3.0, prediction=1),
    ]
    fill(database_url, predictions)
    assert value(database_url, {"sum": "amount"}, None) == 23.0
    assert value(database_url, {"sum": "amount", "where": {"prediction": 1}}, None) == 3.0


def test_an_id_counts_in_every_window_it_occurs_in(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction("a", "2026-09-01T12:00"), a_prediction("a", "2026-09-02T12:00")])
    monitor = a_monitor(kpis={"orders": {"count": True}}, segments=[])
    windows = [a_window(), a_window("2026-09-02"), a_window("2026-09-03")]
    found = kpi_rows(open_engine(database_url), monitor, windows, ["orders"], as_of=None, pii_key=None)
    assert [found[window].num_rows for window in windows] == [1, 1, 0]


def test_absence_of_a_label_means_what_the_file_says_once_the_window_has_matured(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction("a"), a_prediction("b")], [a_label("a")])
    policy = {"labels": {"matures_after": "7d", "absent_means": 0}}
    assert value(database_url, {"mean": "label"}, at("2026-09-08"), **policy) == 1.0
    assert value(database_url, {"mean": "label"}, at("2026-09-09"), **policy) == 0.5


def test_decimals_booleans_and_nulls_are_numbers(database_url: sa.URL) -> None:
    log = LOG | {"price": sa.Numeric(12, 4), "clicked": sa.Boolean(), "empty": sa.Numeric(4, 2)}
    rows = [("a", Decimal("1.2500"), True), ("b", Decimal("2.5000"), False), ("c", None, None)]
    fill(
        database_url,
        [a_prediction(name) | {"price": price, "clicked": clicked, "empty": None} for name, price, clicked in rows],
        log=log,
    )
    assert value(database_url, {"sum": "price"}, None) == 3.75
    assert value(database_url, {"mean": "clicked"}, None) == 0.5
    assert value(database_url, {"sum": "price", "where": {"clicked": True}}, None) == 1.25
    assert value(database_url, {"sum": "empty"}, None) is None


@pytest.mark.parametrize(
    ("kpi", "message"),
    [
        ({"sum": "amout"}, "inference_log.amout: no such column; inference_log has amount, "),
        ({"sum": "amout"}, "did you mean 'amount'? Correct kpis.kpi.sum in the monitor file"),
        ({"count": True, "where": {"reigon": "EU"}}, "did you mean 'region'? Correct kpis.kpi.where.reigon"),
        (
            {"sum": "labeled_at"},
            "but ground_truth has one. Write labels.labeled_at in kpis.kpi.sum of the monitor file",
        ),
        ({"sum": "labels.amount"}, "ground_truth.amount: no such column; ground_truth has label, "),
    ],
)
def test_a_missing_column_is_named_with_its_kpi_and_table(
    database_url: sa.URL, kpi: dict[str, Any], message: str
) -> None:
    fill(database_url, [a_prediction()], [a_label()])
    monitor = a_monitor(kpis={"kpi": kpi, "good": {"count": True}})
    found = kpi_faults(open_engine(database_url), monitor, monitor.kpis)
    assert list(found) == ["kpi"]
    assert message in found["kpi"]


def test_words_of_sql_are_only_names_and_values(database_url: sa.URL) -> None:
    evil = "'; drop table x; --"
    fill(database_url, [a_prediction(region=evil) | {"select": 3}], log=LOG | {"select": sa.Integer()})
    assert value(database_url, {"sum": "select", "where": {"region": evil}}, None) == 3.0


labels = st.lists(
    st.builds(
        a_label,
        st.sampled_from("abc"),
        st.sampled_from([0, 1, None]),
        st.sampled_from(["2026-09-02", "2026-09-03", "2026-09-04"]),
    ),
    max_size=10,
)


@given(rows=labels, amounts=st.tuples(*[st.integers(0, 100)] * 3), nights=st.permutations([2, 3, 4, 5]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_at_any_moment_and_in_any_order_of_arrival_it_equals_pandas(
    tmp_path: Path, rows: list[dict[str, Any]], amounts: tuple[int, ...], nights: list[int]
) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / "history.db"))
    Path(str(url.database)).unlink(missing_ok=True)
    fill(url, [a_prediction(name, amount=amount) for name, amount in zip("abc", amounts, strict=True)], rows)
    for day in nights:
        as_of = at("2026-09-01") + (day - 1) * DAY
        known = pd.DataFrame([row for row in rows if row["labeled_at"] < as_of], columns=list(a_label()))
        newest = known[known["labeled_at"] == known.groupby("request_id")["labeled_at"].transform("max")]
        agreed = newest.groupby("request_id")["label"].agg(
            lambda found: found.iloc[0] if found.nunique(dropna=False) == 1 else None
        )
        truth = pd.Series(dict(zip("abc", amounts, strict=True))).to_frame("amount").join(agreed.rename("label"))
        expected = float(truth.loc[truth["label"] == 1, "amount"].sum()) if truth["label"].notna().any() else None
        assert value(url, REVENUE, as_of) == expected
