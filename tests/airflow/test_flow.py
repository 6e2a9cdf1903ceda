"""DAG runs in a real Airflow without its scheduler; the use cases behind the tasks are recorded, not run."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.contextvars import get_contextvars

from hindsight import pipeline
from hindsight.airflow import assets
from hindsight.errors import DataError, DeliveryError, WarehouseError
from tests.airflow.runs import Parse, Recorded, Write, again, as_scheduled, cleared, events, states
from tests.builders import a_window, at, monitor_file


def test_a_window_is_checked_judged_and_told(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file())
    run = parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-01T00:00:00Z"})

    assert states(run) == {"window": "success", "documents": "skipped"}
    assert use_cases.calls == [
        ("run_window", "credit", a_window("2026-09-01")),
        ("judge_window", a_window("2026-09-01")),
        ("deliver", "credit"),
    ]
    assert events(assets.snapshots("credit"), run) == ["2026-09-01T00:00:00"]


def test_what_a_task_logs_names_its_monitor_and_window(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(pipeline, "note_judged", lambda *_, **__: said.append(get_contextvars()))
    write_monitor(monitor_file())
    parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-01T00:00:00Z"})

    window, as_of = "2026-09-01T00:00Z/2026-09-02T00:00Z", "2026-09-02T00:10:00+00:00"
    assert [(one["monitor"], one["window"], one["as_of"]) for one in said] == [("credit", window, as_of)]


def test_a_run_for_rows_that_came_late_is_judged_quietly(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    write_monitor(monitor_file())
    late = {"window_start": "2026-09-01T00:00:00+00:00", "quiet": True, "cause": "20 requests came late"}
    run = parse().dags["monitor__credit"].test(run_conf=late)

    assert run.state == "success"
    assert ("judge_window", a_window("2026-09-01"), "quiet") in use_cases.calls


def test_a_logical_date_is_checked_as_the_last_window_before_it(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    write_monitor(monitor_file())
    parse().dags["monitor__credit"].test(logical_date=at("2026-09-04T05:00"))

    assert use_cases.calls[0] == ("run_window", "credit", a_window("2026-09-03"))


def test_a_quiet_window_needs_no_process_to_find_that_nothing_is_to_be_drawn(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    write_monitor(monitor_file(reference={"start": "2026-08-01", "end": "2026-09-01"}, quality={"suite": "credit"}))
    run = parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-06T00:00:00Z"})

    assert states(run) == {"window": "success", "documents": "skipped"}
    assert "document_breach" not in use_cases.names()


def test_a_breach_is_drawn_and_the_task_links_to_its_pages(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.breaches = 2
    write_monitor(monitor_file(reference={"start": "2026-08-01", "end": "2026-09-01"}, quality={"suite": "credit"}))
    dag = parse().dags["monitor__credit"]
    run = dag.test(run_conf={"window_start": "2026-09-02T00:00:00Z"})

    assert states(run) == {"window": "success", "documents": "success"}
    assert link_of(dag, run, "documents") == "/hindsight/reports/ab12"
    assert link_of(dag, run, "documents", "Data Docs") == "/hindsight/reports/cd34"
    assert link_of(dag, run, "window") is None


def test_a_window_that_could_not_be_told_is_drawn_and_its_run_fails(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.breaches, use_cases.complaints = 1, ("[P0] credit to a@example.com: 550",)
    write_monitor(monitor_file(quality={"suite": "credit"}))
    run = parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-08T00:00:00Z"})

    assert states(run) == {"window": "failed", "documents": "success"}
    assert run.state == "failed"


def test_what_was_judged_and_not_told_is_only_told_when_its_run_is_cleared(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cases.breaches, use_cases.undelivered = 1, DeliveryError("the login is wrong", transient=False)
    write_monitor(monitor_file())
    dag = parse().dags["monitor__credit"]
    failed = dag.test(logical_date=at("2026-09-10T05:00"))
    before = list(use_cases.calls)
    use_cases.undelivered = None
    told = cleared(dag, failed, monkeypatch)
    once_more = cleared(dag, failed, monkeypatch)

    assert [run.state for run in (failed, told, once_more)] == ["failed", "success", "success"]
    assert [call[0] for call in before] == ["run_window", "judge_window", "deliver", "document_breach"]
    assert use_cases.names()[len(before) :][:2] == ["deliver", "document_breach"]
    assert use_cases.names().count("run_window") == 2  # told: cleared once more it is a wish to measure again
    assert events(assets.snapshots("credit"), told) == ["2026-09-09T00:00:00"] * 2


def test_each_task_of_a_window_may_be_cleared_alone(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file(quality={"suite": "credit"}))
    dag = parse().dags["monitor__credit"]
    run = dag.test(run_conf={"window_start": "2026-09-12T00:00:00Z"})

    assert again(dag, run, "documents") == "skipped"
    assert use_cases.names() == ["run_window", "judge_window", "deliver", "document_breach"]
    assert again(dag, run, "window") == "success"
    assert use_cases.names()[4:] == ["run_window", "judge_window", "deliver"]


def link_of(dag: Any, run: Any, task_id: str, name: str = "Report") -> str | None:
    instance = next(i for i in run.get_task_instances() if i.task_id == task_id)
    task = as_scheduled(dag).get_task(task_id)
    return task.get_extra_links(instance, name) if name in task.extra_links else None


def test_a_mistake_fails_at_once_and_is_not_retried(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.error = DataError("warehouse inference_log.amount: expected a number")
    write_monitor(monitor_file())
    run = parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-05T00:00:00Z"})

    assert states(run) == {"window": "failed", "documents": "skipped"}
    assert run.state == "failed"
    assert use_cases.names() == ["run_window", "document_breach"]  # it asks whether the window breached, and it did not
    assert events(assets.snapshots("credit"), run) == []


def test_what_may_pass_is_retried() -> None:
    from hindsight.airflow.task_retries import RetryTransient

    actions = [
        RetryTransient().evaluate(error, 1, 3).action.value
        for error in (WarehouseError("x"), DataError("x"), OSError())
    ]
    assert actions == ["default", "fail", "default"]


def test_a_run_about_nothing_fails_and_asks_the_clock_for_nothing(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    write_monitor(monitor_file(state="paused"))
    run = parse().dags["monitor__credit"].test()

    assert states(run)["window"] == "failed"
    assert use_cases.calls == []


def test_a_night_measures_again_what_labels_touched(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.windows = [a_window(f"2026-09-{day:02}") for day in (1, 2, 3, 7, 8, 20)]
    write_monitor(monitor_file())
    run = parse().dags["labels__credit"].test(run_conf={"as_of": "2026-10-01T02:00:00Z"})
    night = at("2026-10-01T02:00")
    revised = [window for call in use_cases.calls if call[0] == "revise_windows" for window in call[1]]

    assert run.state == "success"
    assert sorted(revised) == use_cases.windows
    assert ("judge_night", night, tuple(use_cases.windows)) in use_cases.calls
    assert use_cases.names()[0] == "find_windows"
    assert set(use_cases.names()[-3:]) == {"report_performance", "report_night", "deliver"}
    assert use_cases.names()[-4] == "judge_night"
    assert events(assets.snapshots("credit"), run) == [assets.partition_key(w) for w in use_cases.windows]


def test_a_night_without_labels_is_committed_all_the_same(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    write_monitor(monitor_file())
    run = parse().dags["labels__credit"].test(run_conf={"as_of": "2026-10-02T02:00:00Z"})

    assert run.state == "success"
    assert ("judge_night", at("2026-10-02T02:00"), ()) in use_cases.calls
    assert events(assets.snapshots("credit"), run) == []


def test_a_night_is_reported_and_its_tasks_link_to_the_reports(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/af")
    use_cases.windows = [a_window("2026-09-01")]
    write_monitor(monitor_file())
    dag = parse().dags["labels__credit"]
    run = dag.test(run_conf={"as_of": "2026-10-03T02:00:00Z"})

    assert link_of(dag, run, "report_night") == "/af/hindsight/reports/cd34"
    assert link_of(dag, run, "draw") == "/af/hindsight/reports/ef56"
    assert use_cases.link == "https://airflow.example.com/af/hindsight/monitors/credit"


def test_a_drawing_that_fails_costs_the_drawing_never_the_night(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.undrawn = RuntimeError("Evidently could not draw this")
    write_monitor(monitor_file())
    run = parse().dags["labels__credit"].test(run_conf={"as_of": "2026-10-04T02:00:00Z"})

    assert states(run)["draw"] == "failed"
    assert [states(run)[task] for task in ("judge_night", "report_night", "deliver")] == ["success"] * 3


def test_a_night_that_was_not_judged_has_no_report(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.error = DataError("warehouse ground_truth.label: expected a number")
    write_monitor(monitor_file())
    run = parse().dags["labels__credit"].test(run_conf={"as_of": "2026-10-05T02:00:00Z"})

    assert states(run)["judge_night"] == "failed"
    assert states(run)["report_night"] == "skipped"
    assert "report_night" not in use_cases.names()


def test_every_result_is_small_and_plain(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    use_cases.windows = [a_window(f"2026-09-{day:02}") for day in range(1, 31, 2)]
    write_monitor(monitor_file())
    run = parse().dags["labels__credit"].test(run_conf={"as_of": "2026-10-03T02:00:00Z"})
    with create_session() as session:
        values = list(session.scalars(sa.select(XComModel.value).where(XComModel.run_id == run.run_id)))

    assert values
    assert all(len(json.dumps(value)) < 1000 for value in values)
