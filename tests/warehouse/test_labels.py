"""Labels as of a moment: strictly before, newest first, contradictions counted, nothing from the future."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hindsight.errors import ConfigError, DataError
from hindsight.monitors.model import Monitor
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.labels import Labelled, labelled, touched
from hindsight.warehouse.predictions import collect
from tests.builders import DAY, a_monitor, a_window, at, monitor_file
from tests.warehouse.tables import LOG, TRUTH, a_label, a_prediction, fill, writing

LATER = "2026-09-20"


def known(url: sa.URL, as_of: str | datetime = LATER, monitor: Monitor | None = None, **rest: Any) -> Labelled:
    moment = as_of if isinstance(as_of, datetime) else at(as_of)
    return labelled(open_engine(url), monitor or a_monitor(), a_window(), moment, pii_key=rest.pop("key", None), **rest)


def labels_of(found: Labelled) -> list[Any]:
    return sorted(found.table.column("label").to_pylist(), key=repr)


def test_a_labelled_row_has_the_columns_performance_needs(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction()], [a_label()])
    found = known(database_url)
    assert found.table.to_pylist() == [
        {
            "prediction": 1,
            "score": 0.75,
            "label": 1,
            "arrived_at": at("2026-09-02"),
            "model_version": "v1",
            "region": "EU",
        }
    ]
    assert (found.n_rows, found.n_scored, found.n_labeled, found.conflicts, found.orphans) == (1, 1, 1, 0, 0)


def test_scores_of_classes_have_a_column_each(database_url: sa.URL) -> None:
    log = {c: k for c, k in LOG.items() if c not in ("score", "model_version")} | {
        "p_a": sa.Double(),
        "p_b": sa.Double(),
    }
    fill(database_url, [a_prediction(p_a=0.25, p_b=0.75)], log=log)
    file = monitor_file(model={"name": "m", "task": "multiclass"})
    file["source"]["predictions"] |= {"score": {"a": "p_a", "b": "p_b"}, "model_version": None}
    (row,) = known(database_url, monitor=Monitor.model_validate(file)).table.to_pylist()
    assert (row["score__a"], row["score__b"], row["label"], row["model_version"]) == (0.25, 0.75, None, None)


def test_a_label_counts_only_strictly_after_it_arrived(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction()], [a_label(labeled_at="2026-09-03T00:00")])
    assert known(database_url, "2026-09-03").n_labeled == 0
    assert known(database_url, at("2026-09-03") + timedelta(microseconds=1)).n_labeled == 1


def test_corrections_append_and_the_newest_known_one_counts(database_url: sa.URL) -> None:
    corrections = [a_label(label=n % 2, labeled_at=f"2026-09-0{n}") for n in (5, 2, 4)]
    fill(database_url, [a_prediction()], corrections)
    as_known = [labels_of(known(database_url, f"2026-09-0{n}")) for n in (2, 3, 5, 6)]
    assert as_known == [[None], [0], [0], [1]]


def test_a_correction_is_a_later_label_that_says_something_else(database_url: sa.URL) -> None:
    log = [a_prediction(request_id=name) for name in ("corrected", "confirmed", "back", "contradicted", "taken_back")]
    said = {
        "corrected": [(2, 1), (4, 0)],
        "confirmed": [(2, 1), (4, 1)],
        "back": [(2, 1), (3, 0), (4, 1)],
        "contradicted": [(2, 1), (2, 0)],
        "taken_back": [(2, 1), (4, None)],
    }
    truth = [
        a_label(request_id=name, label=label, labeled_at=f"2026-09-0{day}")
        for name, labels in said.items()
        for day, label in labels
    ]
    fill(database_url, [*log, a_prediction(request_id="back")], truth)
    assert [known(database_url, f"2026-09-0{day}").corrections for day in (2, 3, 4, 5)] == [0, 0, 1, 4]


def test_a_newest_row_without_a_value_withdraws_the_label(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction()], [a_label(), a_label(label=None, labeled_at="2026-09-05")])
    assert labels_of(known(database_url, "2026-09-05")) == [1]
    assert labels_of(known(database_url, "2026-09-06")) == [None]


def test_contradicting_newest_labels_are_counted_and_not_used(database_url: sa.URL) -> None:
    labels = [a_label(label=1), a_label(label=0), a_label("r2", 1), a_label("r2", 1)]
    fill(database_url, [a_prediction("r1"), a_prediction("r2")], labels)
    found = known(database_url)
    assert (labels_of(found), found.n_labeled, found.conflicts) == ([1, None], 1, 1)


def test_a_later_correction_settles_a_contradiction(database_url: sa.URL) -> None:
    fill(
        database_url, [a_prediction()], [a_label(label=1), a_label(label=0), a_label(label=0, labeled_at="2026-09-04")]
    )
    assert (known(database_url, "2026-09-04").conflicts, known(database_url, "2026-09-05").conflicts) == (1, 0)
    assert labels_of(known(database_url, "2026-09-05")) == [0]


def test_labels_without_an_arrival_column_are_all_known(database_url: sa.URL) -> None:
    truth = {c: k for c, k in TRUTH.items() if c != "labeled_at"}
    fill(
        database_url,
        [a_prediction("r1"), a_prediction("r2")],
        [a_label(), a_label("r2", 0), a_label("r2", 1)],
        truth=truth,
    )
    file = monitor_file()
    del file["source"]["labels"]["arrived_at"]
    monitor = Monitor.model_validate(file)
    found = known(database_url, "2026-09-02", monitor)
    assert (labels_of(found), found.conflicts, found.orphans) == ([1, None], 1, 0)
    assert found.table.column("arrived_at").null_count == 2
    assert touched(open_engine(database_url), monitor, since=at("2026-01-01"), until=at("2026-01-02")) == [a_window()]


def test_only_scored_rows_are_returned_and_all_are_counted(database_url: sa.URL) -> None:
    rows = [a_prediction("ok"), a_prediction("error", status_code=500), a_prediction("none", prediction=None)]
    rows += [a_prediction("unknown", status_code=None), a_prediction(None), a_prediction("out", "2026-09-02")]
    fill(database_url, rows, [a_label(str(row["request_id"])) for row in rows])
    found = known(database_url)
    assert (found.n_rows, found.n_scored, found.n_labeled) == (5, 2, 1)


def test_predictions_and_labels_that_are_no_number_are_no_values(postgres_url: sa.URL) -> None:
    nan = float("nan")
    rows = [a_prediction("a", prediction=1.5), a_prediction("b", prediction=nan), a_prediction("c", prediction=2.0)]
    labels = [a_label("a", nan), a_label("b", 1.0), a_label("c", 2.5)]
    fill(postgres_url, rows, labels, log=LOG | {"prediction": sa.Double()}, truth=TRUTH | {"label": sa.Double()})
    found = known(postgres_url, monitor=a_monitor(model={"name": "m", "task": "regression"}))
    assert (found.n_scored, found.n_labeled, labels_of(found)) == (2, 1, [2.5, None])


def test_duplicated_predictions_end_like_in_collect(database_url: sa.URL, tmp_path: Path) -> None:
    rows = [
        a_prediction("late", score=0.1),
        a_prediction("late", "2026-09-01T13:00", score=0.9),
        a_prediction("tie", prediction=1, amount=1.0, score=0.3),
        a_prediction("tie", prediction=0, amount=2.0, score=0.4),
        a_prediction("tie", prediction=0, amount=1.0, score=0.5),
    ]
    fill(database_url, rows, [a_label("tie", 1), a_label("tie", 0, "2026-09-03"), a_label("late", 1)])
    found = known(database_url)
    with collect(open_engine(database_url), a_monitor(), a_window(), folder=tmp_path, pii_key=None) as rows_of_window:
        collected = rows_of_window.table(["prediction", "score"])
    assert found.table.select(["prediction", "score"]).sort_by("score").equals(collected.sort_by("score"))
    assert sorted(found.table.select(["score", "label"]).to_pylist(), key=str) == [
        {"score": 0.4, "label": 0},
        {"score": 0.9, "label": 1},
    ]


def test_labels_of_no_prediction_are_counted_where_they_arrived(database_url: sa.URL) -> None:
    other_day = a_prediction("known", "2026-08-01")
    orphans = [a_label("ghost", labeled_at="2026-09-01"), a_label("ghost", labeled_at="2026-09-01T01:00")]
    outside = [a_label("early", labeled_at="2026-08-31T23:59:59"), a_label("late", labeled_at="2026-09-02")]
    fill(database_url, [other_day], [*orphans, *outside, a_label("known", labeled_at="2026-09-01T02:00")])
    assert known(database_url).orphans == 1
    assert known(database_url, "2026-09-01").orphans == 0


@pytest.mark.parametrize("as_of", ["2026-09-08T23:59:59", "2026-09-09"])
def test_a_matured_window_assumes_what_absence_means(database_url: sa.URL, as_of: str) -> None:
    rows = [a_prediction(name) for name in ("paid", "silent", "torn")]
    fill(database_url, rows, [a_label("paid", 1), a_label("torn", 1), a_label("torn", 0)])
    found = known(database_url, as_of, a_monitor(labels={"matures_after": "7d", "absent_means": 0}))
    matured = as_of == "2026-09-09"
    assert labels_of(found) == ([0, 1, None] if matured else [1, None, None])
    assert (found.n_labeled, found.conflicts) == (2 if matured else 1, 1)
    if matured:
        assert found.table.filter(pa.compute.equal(found.table["label"], 0)).column("arrived_at").to_pylist() == [None]


def test_what_absence_means_must_fit_the_label(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction()])
    with pytest.raises(ConfigError, match=r"labels.absent_means: 'good' cannot be a label of type int64"):
        known(database_url, LATER, a_monitor(labels={"matures_after": "7d", "absent_means": "good"}))


def test_ids_of_different_types_still_meet(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction("7")], [a_label() | {"request_id": 7}], truth=TRUTH | {"request_id": sa.Integer()})
    assert known(database_url).n_labeled == 1
    assert touched(open_engine(database_url), a_monitor(), since=at("2026-09-02"), until=at(LATER)) == [a_window()]


@pytest.mark.parametrize("kind", [sa.Double(), sa.Numeric(12, 2)])
def test_whole_ids_that_a_tool_wrote_as_decimals_still_meet(database_url: sa.URL, kind: Any) -> None:
    log, truth = LOG | {"request_id": sa.BigInteger()}, TRUTH | {"request_id": kind}
    fill(database_url, [a_prediction() | {"request_id": 7}], [a_label() | {"request_id": 7.0}], log=log, truth=truth)
    found = known(database_url)
    assert (found.n_labeled, found.orphans) == (1, 0)


def test_labels_may_lie_in_the_table_of_predictions(database_url: sa.URL) -> None:
    log = LOG | {"label": sa.Integer(), "labeled_at": sa.DateTime(timezone=True)}
    fill(database_url, [a_prediction(label=1, labeled_at=at("2026-09-03"))], log=log)
    file = monitor_file()
    file["source"]["labels"]["table"] = "inference_log"
    found = known(database_url, LATER, Monitor.model_validate(file))
    assert (found.n_labeled, found.orphans) == (1, 0)


def test_one_version_is_labelled_alone(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction("r1"), a_prediction("r2", model_version="v2")], [a_label("r1"), a_label("r2", 0)])
    monitor = a_monitor(model={"name": "credit", "task": "binary", "version": "v2"})
    found = known(database_url, LATER, monitor)
    assert (labels_of(found), found.orphans) == ([0], 0)


def test_touched_windows_hold_predictions_whose_labels_arrived_in_the_span(database_url: sa.URL) -> None:
    days = [f"2026-09-0{n}" for n in (1, 2, 3, 4)]
    predictions = [a_prediction(day, f"{day}T00:00") for day in days]
    arrivals = ["2026-09-05", "2026-09-06", "2026-09-05T23:59:59.999999", "2026-09-04T23:59:59.999999"]
    labels = [a_label(day, labeled_at=arrival) for day, arrival in zip(days, arrivals, strict=True)]
    fill(database_url, predictions, [*labels, a_label("ghost", labeled_at="2026-09-05")])
    found = touched(open_engine(database_url), a_monitor(), since=at("2026-09-05"), until=at("2026-09-06"))
    assert found == [a_window("2026-09-01"), a_window("2026-09-03")]


@pytest.mark.parametrize("anchor", ["2026-09-01T00:07:00.000001", "2027-01-01T00:00"])
def test_touched_windows_lie_on_the_monitors_own_grid(database_url: sa.URL, anchor: str) -> None:
    moments = ["1969-12-31T23:59:59.999999", "2026-09-01T00:22:00", "2026-09-01T00:22:00.000001", "2026-09-01T00:52"]
    predictions = [a_prediction(moment, moment) for moment in moments]
    fill(database_url, predictions, [a_label(moment) for moment in moments])
    monitor = a_monitor(window="15m", anchor=f"{anchor}Z")
    found = touched(open_engine(database_url), monitor, since=at("2026-09-02"), until=at("2026-09-03"))
    assert found == sorted({monitor.grid.window_at(at(moment)) for moment in moments})


def test_predictions_without_a_real_time_touch_no_window(postgres_url: sa.URL) -> None:
    predictions = [a_prediction(), a_prediction("r2"), a_prediction("r3")]
    fill(postgres_url, predictions, [a_label("r1"), a_label("r2"), a_label("r3")])
    log = sa.table("inference_log", sa.column("request_id"), sa.column("predicted_at", sa.DateTime(timezone=True)))
    with writing(postgres_url) as connection:
        for id, moment in (("r2", sa.null()), ("r3", sa.cast("infinity", sa.DateTime(timezone=True)))):
            connection.execute(sa.update(log).where(log.c.request_id == id).values(predicted_at=moment))
    look = partial(touched, open_engine(postgres_url), a_monitor(), since=at("2026-09-02"), until=at("2026-09-03"))
    assert look(among=a_window(size=7 * DAY)) == [a_window()]
    with writing(postgres_url) as connection:
        connection.execute(sa.delete(log).where(log.c.request_id == "r3"))
    assert look() == [a_window()]


def test_missing_label_columns_are_named(database_url: sa.URL) -> None:
    fill(database_url, truth={"request_id": sa.Text(), "labels": sa.Integer(), "labeled_at": sa.DateTime()})
    with pytest.raises(
        DataError, match=r"ground_truth.label: no such column.*did you mean 'labels'.*source.labels.label"
    ):
        known(database_url)
    file = monitor_file()
    file["source"]["labels"] |= {"label": "labels", "arrived_at": "labels"}
    with pytest.raises(DataError, match=r"ground_truth.labels: expected a date or timestamp.*source.labels.arrived_at"):
        known(database_url, LATER, Monitor.model_validate(file))


def test_a_monitor_without_labels_is_told_so(database_url: sa.URL) -> None:
    fill(database_url)
    file = monitor_file()
    del file["source"]["labels"]
    with pytest.raises(ConfigError, match=r"source.labels: monitor 'credit' declares no labels"):
        known(database_url, LATER, Monitor.model_validate(file))


def expected_label(rows: list[dict[str, Any]], as_of: datetime) -> Any:
    """The contract read aloud: the newest row before as_of, nothing when the newest disagree."""
    before = [row for row in rows if row["labeled_at"] < as_of]
    newest = {row["label"] for row in before if row["labeled_at"] == max(row["labeled_at"] for row in before)}
    return newest.pop() if len(newest) == 1 else None


@given(
    rows=st.lists(
        st.builds(
            a_label,
            st.sampled_from(["a", "b"]),
            st.sampled_from([0, 1, None]),
            st.sampled_from(["2026-09-02", "2026-09-03", "2026-09-04"]),
        ),
        max_size=10,
    ),
    copies=st.integers(1, 3),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_history_of_labels_is_read_as_the_contract_says(
    tmp_path: Path, rows: list[dict[str, Any]], copies: int
) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / "history.db"))
    Path(str(url.database)).unlink(missing_ok=True)
    fill(url, [a_prediction(name, score=score) for name, score in (("a", 0.1), ("b", 0.2))] * copies, rows)
    as_of = at("2026-09-04")
    found = {row["score"]: row["label"] for row in known(url, as_of).table.to_pylist()}
    assert found == {
        score: expected_label([row for row in rows if row["request_id"] == name], as_of)
        for name, score in (("a", 0.1), ("b", 0.2))
    }


def test_touched_windows_are_found_by_the_index_of_arrivals(postgres_url: sa.URL) -> None:
    fill(postgres_url, [a_prediction()], [a_label()])
    with writing(postgres_url) as connection:
        connection.execute(sa.DDL("CREATE INDEX by_arrival ON ground_truth (labeled_at)"))
    engine = open_engine(postgres_url.update_query_dict({"options": "-c enable_seqscan=off"}))
    asked: list[Any] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    touched(engine, a_monitor(), since=at("2026-09-02"), until=at("2026-09-03"))
    statement, values = next(one for one in asked if one[0].startswith("SELECT DISTINCT"))
    with engine.connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
    assert "by_arrival" in plan
    assert "Index Cond: ((labeled_at >= '2026-09-02" in plan


def test_windows_of_a_week_are_touched_whole(database_url: sa.URL) -> None:
    fill(database_url, [a_prediction(predicted_at="2026-09-06T23:59:59")], [a_label()])
    week = a_monitor(window="7d")
    found = touched(open_engine(database_url), week, since=at("2026-09-02"), until=at("2026-09-03"))
    assert found == [a_window("2026-08-31", 7 * DAY)]
