"""hindsight init: what is guessed of tables nobody described."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from hindsight.errors import ConfigError
from hindsight.proposals.proposal import Wishes
from tests.builders import DAY, HOUR, at
from tests.proposals.loans import LOANS, TIME, a_warehouse, init, loans, make, repaid
from tests.warehouse.tables import writing


@pytest.fixture
def warehouse(database_url: sa.URL) -> sa.URL:
    return a_warehouse(database_url)


def test_the_columns_of_a_table_are_recognised(warehouse: sa.URL, tmp_path: Path) -> None:
    monitor, _, _ = init(warehouse, tmp_path)
    source = monitor.source.predictions
    assert source.model_dump(exclude_none=True) == {
        "resources": {},
        "table": "loans",
        "id": "loan_id",
        "timestamp": "scored_at",
        "prediction": "decision",
        "score": "probability",
        "model_version": "version",
        "latency_ms": "latency",
        "status_code": "http_status",
    }
    assert (monitor.model.name, monitor.model.task, monitor.model.positive_label) == ("Loan Risk", "binary", True)
    assert {name: feature.type for name, feature in monitor.features.items()} == {
        "amount": "numeric",
        "age": "numeric",
        "region": "categorical",
        "product_code": "categorical",
        "is_new": "categorical",
    }
    assert monitor.pii.drop == ("contact", "phone")
    assert monitor.segments == ("region",)
    assert monitor.state == "paused"


def test_windows_and_reference_come_from_rate_and_span(warehouse: sa.URL, tmp_path: Path) -> None:
    monitor, _, _ = init(warehouse, tmp_path)  # 50 rows a day over 60 days
    assert monitor.window == 7 * DAY
    assert monitor.reference is not None
    assert (monitor.reference.start, monitor.reference.end) == (at("2026-01-05"), at("2026-01-19"))
    assert monitor.start == monitor.reference.end


def test_labels_and_their_delay_are_found(warehouse: sa.URL, tmp_path: Path) -> None:
    monitor, text, _ = init(warehouse, tmp_path)
    assert monitor.source.labels is not None
    assert monitor.source.labels.model_dump() == {
        "table": "loan_labels",
        "id": "loan_id",
        "label": "label",
        "arrived_at": "labeled_at",
    }
    assert monitor.labels.matures_after == 3 * DAY
    assert "90 % of" in text


def test_the_file_says_what_was_left_out_and_why(warehouse: sa.URL, tmp_path: Path) -> None:
    _, text, _ = init(warehouse, tmp_path)
    remarks = " ".join(line.strip("# ") for line in text.splitlines() if line.strip().startswith("#"))
    assert "note (names or free text" in remarks
    assert "session_id (an id or address" in remarks
    assert "updated_at (a time)" in remarks
    assert "void (null in every row)" in remarks
    assert "No column found for cost" in remarks
    assert "person1@example.com" not in text


def test_the_suite_expects_what_was_seen_with_slack(warehouse: sa.URL, tmp_path: Path) -> None:
    _, _, suite = init(warehouse, tmp_path)
    asked = {
        (e["type"].removeprefix("expect_column_values_to_"), e["kwargs"]["column"]): e["kwargs"]
        for e in suite["expectations"]
    }
    assert asked["not_be_null", "loan_id"] == {"column": "loan_id"}
    assert asked["be_unique", "loan_id"]["mostly"] == 0.99
    assert asked["not_be_null", "age"]["mostly"] == 0.93  # 2.5 % null
    assert asked["be_in_set", "region"]["value_set"] == ["APAC", "EU", "US"]
    assert asked["be_between", "probability"] == {"column": "probability", "min_value": 0, "max_value": 1}
    amount = asked["be_between", "amount"]
    assert (amount["min_value"], amount["mostly"]) == (0, 0.99)
    assert 1500 < amount["max_value"] < 2500
    assert not {"contact", "phone", "note"} & {column for _, column in asked}


@pytest.mark.parametrize(
    ("values", "kind", "task"),
    [
        ([0, 1], sa.Integer(), "binary"),
        ([0.0, 1.0], sa.Double(), "binary"),
        (["yes", "no"], sa.String(5), "binary"),
        (["a", "b", "c"], sa.String(5), "multiclass"),
        ([1.5, 2.25, 3.125], sa.Double(), "regression"),
        (list(range(300)), sa.Integer(), "regression"),
    ],
    ids=["integers", "whole floats", "texts", "three texts", "fractions", "many integers"],
)
def test_the_task_follows_from_the_predictions(
    sqlite_url: sa.URL, tmp_path: Path, values: list[Any], kind: Any, task: str
) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": kind}
    rows = [{"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": values[i % len(values)]} for i in range(600)]
    make(sqlite_url, "logged", columns, rows)
    monitor, _, _ = init(sqlite_url, tmp_path, "logged")
    assert monitor.model.task == task
    assert monitor.source.predictions.id == "id"


def test_scores_of_classes_are_matched_to_the_classes(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Text()}
    columns |= {f"score_{name}": sa.Double() for name in ("cat", "dog", "1")}
    rows = [
        {"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": ("cat", "dog", "1")[i % 3]}
        | {f"score_{name}": 0.3 for name in ("cat", "dog", "1")}
        for i in range(600)
    ]
    make(sqlite_url, "pets", columns, rows)
    monitor, _, _ = init(sqlite_url, tmp_path, "pets")
    assert monitor.source.predictions.score == {"cat": "score_cat", "dog": "score_dog", "1": "score_1"}
    assert not monitor.features


def test_the_positive_class_is_the_one_the_score_is_high_for(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Text(), "score": sa.Double()}
    rows = [
        {"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": "leaves" if i % 4 == 0 else "stays"}
        | {"score": 0.9 if i % 4 == 0 else 0.1}
        for i in range(600)
    ]
    make(sqlite_url, "churn", columns, rows)
    assert init(sqlite_url, tmp_path, "churn")[0].model.positive_label == "leaves"
    asked = init(sqlite_url, tmp_path, "churn", wishes=Wishes(positive_label="stays", window=DAY))[0]
    assert (asked.model.positive_label, asked.window) == ("stays", DAY)


def test_a_confidence_is_no_probability(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Integer(), "score": sa.Double()}
    rows = [
        {"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": i % 2, "score": 0.5 + (i % 50) / 100}
        for i in range(600)
    ]
    make(sqlite_url, "sure", columns, rows)
    monitor, text, _ = init(sqlite_url, tmp_path, "sure")
    assert monitor.source.predictions.score is None
    assert "never under 0.5" in text


def test_labels_may_lie_in_the_table_itself(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Integer(), "x": sa.Double()}
    columns |= {"actual": sa.Integer(), "labeled_at": TIME}
    rows = [
        {"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": i % 2, "x": i / 7, "actual": i % 2}
        | {"labeled_at": at("2026-01-01") + (i + 5) * HOUR}
        for i in range(600)
    ]
    make(sqlite_url, "own", columns, rows)
    monitor, _, _ = init(sqlite_url, tmp_path, "own")
    assert monitor.source.labels is not None
    assert (monitor.source.labels.table, monitor.source.labels.label) == ("own", "actual")
    assert monitor.labels.matures_after == 6 * HOUR
    assert set(monitor.features) == {"x"}
    assert init(sqlite_url, tmp_path, "own", labels_table="none")[0].source.labels is None


def test_names_may_be_in_any_case(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"RequestId": sa.String(9), "PredictedAt": TIME, "Prediction": sa.Double(), "LatencyMs": sa.Double()}
    columns |= {"HTTPStatus": sa.Integer(), "MODEL_VERSION": sa.String(9), "FloorArea": sa.Double()}
    rows = [
        {"RequestId": f"r{i}", "PredictedAt": at("2026-01-01") + i * HOUR, "Prediction": i / 7, "LatencyMs": i % 90}
        | {"HTTPStatus": 200, "MODEL_VERSION": "v1", "FloorArea": i % 80 + 0.5}
        for i in range(600)
    ]
    make(sqlite_url, "HousePrices", columns, rows)
    truth = {"request_id": sa.String(9), "ActualPrice": sa.Double(), "ObservedAt": TIME}
    labels = [
        {"request_id": row["RequestId"], "ActualPrice": 1.5, "ObservedAt": row["PredictedAt"] + HOUR} for row in rows
    ]
    make(sqlite_url, "HouseActuals", truth, labels)
    monitor, _, _ = init(sqlite_url, tmp_path, "HousePrices")
    source = monitor.source
    assert (source.predictions.id, source.predictions.timestamp) == ("RequestId", "PredictedAt")
    assert (source.predictions.latency_ms, source.predictions.status_code) == ("LatencyMs", "HTTPStatus")
    assert (source.predictions.model_version, set(monitor.features)) == ("MODEL_VERSION", {"FloorArea"})
    assert source.labels is not None
    assert (source.labels.id, source.labels.label, source.labels.arrived_at) == (
        "request_id",
        "ActualPrice",
        "ObservedAt",
    )
    assert monitor.name == "house_prices"


def test_labels_may_lie_in_another_schema(postgres_url: sa.URL, tmp_path: Path) -> None:
    rows = loans()
    make(postgres_url, "loans", LOANS, rows)
    with writing(postgres_url) as connection:
        connection.execute(sa.schema.CreateSchema("truth"))
        columns = (sa.Column("loan_id", sa.Integer()), sa.Column("repaid", sa.Boolean()), sa.Column("seen", TIME))
        table = sa.Table("Repaid", sa.MetaData(), *columns, schema="truth")
        table.create(connection)
        labels = [{"loan_id": r["loan_id"], "repaid": r["label"], "seen": r["labeled_at"]} for r in repaid(rows)]
        connection.execute(table.insert(), labels)
    assert init(postgres_url, tmp_path)[0].source.labels is None
    for said in ({}, {"label": "repaid", "arrived_at": "seen"}):
        labelled = init(postgres_url, tmp_path, labels_table="truth.Repaid", **said)[0].source.labels
        assert labelled is not None
        assert (labelled.table, labelled.label, labelled.arrived_at) == ("truth.Repaid", "repaid", "seen")
    with pytest.raises(ConfigError, match=r"no such table or view 'truth.repaids' - did you mean 'truth.Repaid'"):
        init(postgres_url, tmp_path, labels_table="truth.repaids")


def test_labels_of_another_model_are_passed_over(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"request_id": sa.Integer(), "ts": TIME, "prediction": sa.Integer(), "outcome": sa.Integer()}
    start = at("2026-01-01")
    rows = [{"request_id": i, "ts": start + i * HOUR, "prediction": i % 2, "outcome": i % 3 % 2} for i in range(600)]
    make(sqlite_url, "scored", columns, rows)
    other = [{"request_id": 10**6 + i, "label": 1} for i in range(600)]
    make(sqlite_url, "churn_labels", {"request_id": sa.Integer(), "label": sa.Integer()}, other)
    monitor, text, _ = init(sqlite_url, tmp_path, "scored")
    assert monitor.source.labels is not None
    assert (monitor.source.labels.table, monitor.source.labels.label) == ("scored", "outcome")
    assert monitor.labels.matures_after == 14 * DAY
    assert "CHECK: 100 % of 300 older predictions have one, but nothing tells how long they took" in text
    named = init(sqlite_url, tmp_path, "scored", labels_table="churn_labels")
    assert "none of 300 older predictions has a label here" in named[1]


def test_a_column_of_labels_that_is_named_is_taken(warehouse: sa.URL, tmp_path: Path) -> None:
    labels = init(warehouse, tmp_path, label="is_new")[0].source.labels
    assert labels is not None
    assert (labels.table, labels.label) == ("loans", "is_new")


def test_dates_kept_as_text_are_no_category(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Integer(), "booked": sa.Text(), "day": sa.Text()}
    rows = [
        {"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": i % 2, "booked": f"{i % 28 + 1:02}.03.2026"}
        | {"day": ["Mon", "Tue", "Wed"][i % 3]}
        for i in range(600)
    ]
    make(sqlite_url, "booked", columns, rows)
    monitor, text, _ = init(sqlite_url, tmp_path, "booked")
    assert set(monitor.features) == {"day"}
    assert "booked (dates kept as text)" in text


def test_usual_slowness_does_not_alarm(sqlite_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Integer(), "latency_ms": sa.Double()}
    rows = [
        {"id": i, "ts": at("2026-01-01") + i * HOUR, "prediction": i % 2, "latency_ms": 400.0 + i % 20}
        for i in range(600)
    ]
    make(sqlite_url, "slow", columns, rows)
    monitor, text, _ = init(sqlite_url, tmp_path, "slow")
    rule = next(rule for rule in monitor.rules if rule.id == "latency_p95")
    assert rule.above == 630
    assert "the built-in rule says 300" in text


def test_views_schemas_and_types_of_postgresql_are_read(postgres_url: sa.URL, tmp_path: Path) -> None:
    columns = {"requestId": sa.Uuid(), "ts": sa.DateTime(), "Decision": sa.Boolean(), "payload": postgresql.JSONB()}
    columns |= {
        "tags": postgresql.ARRAY(sa.Integer()),
        "address": postgresql.INET(),
        "kind": sa.Enum("a", "b", name="k"),
    }
    start = at("2026-01-01").replace(tzinfo=None)
    rows = [
        {"requestId": UUID(int=i), "ts": start + i * HOUR, "Decision": i % 3 == 0, "payload": {"i": i}}
        | {"tags": [i], "address": f"10.0.0.{i % 200}", "kind": "ab"[i % 2]}
        for i in range(600)
    ]
    with writing(postgres_url) as connection:
        connection.execute(sa.schema.CreateSchema("ml"))
        logged = sa.Table("Log 1", sa.MetaData(), *(sa.Column(c, kind) for c, kind in columns.items()), schema="ml")
        logged.create(connection)
        connection.execute(logged.insert(), rows)
        connection.execute(sa.DDL('CREATE VIEW ml.inference AS SELECT * FROM ml."Log 1"'))
        connection.execute(
            sa.DDL("""CREATE VIEW ml.outcomes AS
            SELECT "requestId", "Decision" AS actual, ts + interval '3 hours' AS confirmed_at FROM ml.inference""")
        )
    monitor, text, _ = init(postgres_url, tmp_path, "ml.inference")
    source = monitor.source
    assert (source.predictions.table, source.predictions.id, source.predictions.timestamp) == (
        "ml.inference",
        "requestId",
        "ts",
    )
    assert source.labels is not None
    assert (source.labels.table, source.labels.label, source.labels.arrived_at) == (
        "ml.outcomes",
        "actual",
        "confirmed_at",
    )
    assert (monitor.labels.matures_after, set(monitor.features)) == (3 * HOUR, {"kind"})
    assert monitor.pii.drop == ("address",)
    assert "payload (of type JSONB); tags (of type INTEGER[])" in text
