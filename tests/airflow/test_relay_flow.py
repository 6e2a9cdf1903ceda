"""The relay and maintenance in a real Airflow without its scheduler: requests started once or kept, mail first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.airflow import tasks
from hindsight.errors import LedgerError
from tests.airflow.runs import RETRAIN, Parse, Recorded, Write, runs_of, states
from tests.builders import at, monitor_file


def a_start(dag_id: str, run_id: str = "retrain__credit__k9") -> dict[str, Any]:
    return {"dag_id": dag_id, "run_id": run_id, "conf": {"request": "k9", "as_of": "2026-10-01T02:00:00+00:00"}}


def test_a_requested_run_is_started_once_however_often_it_is_asked_for(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.starts = [a_start("retrain__credit")]
    write_monitor(monitor_file(retrain=RETRAIN))
    relay = parse().dags["hindsight__relay"]
    first, again = relay.test(), relay.test()

    assert runs_of("retrain__credit")["retrain__credit__k9"] == use_cases.starts[0]["conf"]
    assert (states(first)["start0"], states(again)["start0"]) == ("success", "success")
    assert use_cases.calls.count(("mark_started", "retrain__credit__k9")) == 2
    assert "put_off" not in use_cases.names()


def test_a_start_whose_answer_was_lost_is_found_the_next_time(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_run, lost = tasks.start_run, [True]

    def answer_is_lost(*args: Any, **named: Any) -> str:
        why = start_run(*args, **named)
        if lost.pop() if lost else False:
            raise TimeoutError("the API server did not answer in time")
        return why

    monkeypatch.setattr(tasks, "start_run", answer_is_lost)
    use_cases.starts = [a_start("retrain__credit", "retrain__credit__k13")]
    write_monitor(monitor_file(retrain=RETRAIN))
    relay = parse().dags["hindsight__relay"]
    first, again = relay.test(), relay.test()

    assert (states(first)["start0"], states(again)["start0"]) == ("failed", "success")
    assert [run for run in runs_of("retrain__credit") if run.endswith("k13")] == ["retrain__credit__k13"]
    assert use_cases.calls.count(("mark_started", "retrain__credit__k13")) == 1


def test_a_request_for_a_missing_dag_stays_and_holds_up_no_other(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.starts = [a_start("gone", "hindsight__credit__x"), a_start("retrain__credit", "retrain__credit__k10")]
    write_monitor(monitor_file(retrain=RETRAIN))
    run = parse().dags["hindsight__relay"].test()

    assert set(states(run).values()) == {"success"}
    assert [call for call in use_cases.calls if call[0] == "mark_started"] == [("mark_started", "retrain__credit__k10")]
    assert [call for call in use_cases.calls if call[0] == "put_off"] == [
        (
            "put_off",
            "hindsight__credit__x",
            "DAG gone is missing: no file in the DAG folder makes it, or the one that does is broken.",
        )
    ]
    assert "retrain__credit__k10" in runs_of("retrain__credit")


@pytest.mark.parametrize(
    ("name", "fields", "why"),
    [
        ("sleepy", {"is_paused": True}, "DAG retrain__sleepy is paused: "),
        ("removed", {"is_stale": True}, "DAG retrain__removed is missing: "),
        (
            "broken",
            {"has_import_errors": True},
            "DAG retrain__broken takes no run: Dag with dag_id ",
        ),
    ],
)
def test_a_request_for_a_dag_that_takes_no_run_waits_and_the_relay_stays_green(
    name: str, fields: dict[str, bool], why: str, write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    dag_id, run_id = f"retrain__{name}", f"retrain__{name}__k11"
    use_cases.starts = [a_start(dag_id, run_id)]
    write_monitor(monitor_file(name=name, retrain=RETRAIN))
    relay = parse().dags["hindsight__relay"]
    with create_session() as session:
        session.execute(sa.update(DagModel).where(DagModel.dag_id == dag_id).values(**fields))
    run = relay.test()

    assert run.state == "success"
    assert "mark_started" not in use_cases.names()
    assert runs_of(dag_id) == {}
    ((_, put_off, reason),) = [call for call in use_cases.calls if call[0] == "put_off"]
    assert (put_off, reason[: len(why)]) == (run_id, why)


def test_a_relay_that_cannot_keep_its_promise_is_red(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.starts = [a_start("retrain__credit", "retrain__credit__k12")]
    use_cases.unwritten = LedgerError("ledger sqlite:///ledger.db: disk is full")
    write_monitor(monitor_file(retrain=RETRAIN))
    run = parse().dags["hindsight__relay"].test()

    assert run.state == "failed"
    assert states(run)["start0"] == "failed"


def test_maintenance_knows_of_pauses_and_whether_every_file_is_there(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = at("2026-10-01")
    pause = {"credit": {"since": at("2026-09-01").isoformat(), "until": until.isoformat(), "lasts": False}}
    monkeypatch.setenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", json.dumps(pause))
    write_monitor(monitor_file())
    parse().dags["hindsight__maintenance"].test()
    write_monitor("name: broken\n")
    parse().dags["hindsight__maintenance"].test()

    found = [call for call in use_cases.calls if call[0] == "maintain"]
    assert found == [("maintain", ["credit"], {"credit": until}, there) for there in (True, False)]


@pytest.mark.parametrize(("hour", "asked"), [(3, []), (4, [("ask_again", "credit")]), (5, [])])
def test_windows_to_which_rows_came_late_are_looked_for_once_a_day(
    hour: int,
    asked: list[tuple[str, str]],
    write_monitor: Write,
    parse: Parse,
    use_cases: Recorded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_monitor(monitor_file())
    dag = parse().dags["hindsight__maintenance"]
    monkeypatch.setattr(tasks, "now", lambda: at(f"2026-10-01T0{hour}:15"))
    run = dag.test()

    assert [call for call in use_cases.calls if call[0] == "ask_again"] == asked
    assert states(run)["ask_again"] == ("success" if asked else "skipped")


def test_without_requests_the_relay_only_delivers(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file())
    run = parse().dags["hindsight__relay"].test()

    assert run.state == "success"
    assert use_cases.calls == [("deliver", None)]


def test_the_relay_ends_with_a_sign_of_life_unless_something_cannot_be_told(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_monitor(monitor_file())
    file = tmp_path / "hindsight.prom"
    told = {"conn_type": "generic", "password": f"file://{file}"}
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_HEARTBEAT", json.dumps(told))
    relay = parse().dags["hindsight__relay"]
    use_cases.complaints = ("[P0] credit to a@example.com: 550",)
    relay.test()
    assert not file.exists()
    use_cases.complaints = ()
    relay.test()
    assert "hindsight_heartbeat_timestamp_seconds" in file.read_text()


def test_mail_given_up_makes_the_task_fail(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file())
    use_cases.complaints = ("[P0] credit to a@example.com: 550",)
    run = parse().dags["hindsight__relay"].test()

    assert states(run)["deliver"] == "failed"


def weights(run: Any) -> dict[str, int]:
    """What the scheduler orders waiting tasks by where fewer slots are free, the greatest first."""
    return {instance.task_id: instance.priority_weight for instance in run.get_task_instances()}


def test_mail_goes_first_and_drawing_comes_last(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file(quality={"suite": "credit"}, criticality="low"))
    dags = parse().dags
    window = weights(dags["monitor__credit"].test(run_conf={"window_start": "2026-09-07T00:00:00Z"}))
    night = weights(dags["labels__credit"].test(run_conf={"as_of": "2026-10-07T02:00:00Z"}))
    relay = weights(dags["hindsight__relay"].test())

    others = (night | window).keys() - {"documents", "draw", "deliver"}
    assert max(window["documents"], night["draw"]) < min((night | window)[task] for task in others)
    assert max((night | window)[task] for task in others) < night["deliver"]
    assert relay["deliver"] == night["deliver"]


def test_a_more_critical_monitor_goes_before_the_like_of_others_and_never_draws_before_work(
    write_monitor: Write, parse: Parse
) -> None:
    for criticality in ("high", "medium", "low"):
        write_monitor(monitor_file(name=criticality, criticality=criticality))
    dags = parse().dags
    for kind, task in (("monitor", "window"), ("monitor", "documents"), ("labels", "find"), ("labels", "revise")):
        high, medium, low = (
            dags[f"{kind}__{name}"].get_task(task).priority_weight for name in ("high", "medium", "low")
        )
        assert high > medium > low
    drawn, worked, told = (
        dags[f"{kind}__{name}"].get_task(task).priority_weight
        for kind, name, task in (
            ("monitor", "high", "documents"),
            ("monitor", "low", "window"),
            ("labels", "low", "deliver"),
        )
    )
    assert drawn < worked < told
