"""DAG runs in a real Airflow without its scheduler; the use cases behind the tasks are recorded, not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.airflow import assets
from hindsight.errors import DataError, TrainingError, WarehouseError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from tests.builders import a_window, at, monitor_file

RETRAIN = {"train": "lending.models:train"}
Write = Callable[[dict[str, Any] | str], Path]
Parse = Callable[[], Any]


@dataclass
class Recorded:
    """The use cases as fakes: what they were asked, and what they answer."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    breaches: int = 0
    starts: list[dict[str, Any]] = field(default_factory=list)
    better: bool = True
    claims: bool = True
    complaints: tuple[str, ...] = ()
    error: Exception | None = None
    undrawn: Exception | None = None
    link: str = ""

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]

    def run_window(self, monitor: Monitor, window: Window, resources: Any, *, read_at: datetime) -> dict[str, Any]:
        self.calls.append(("run_window", monitor.name, window))
        if self.error:
            raise self.error
        return {"rows": 3}

    def judge_window(self, monitor: Monitor, window: Window, resources: Any, *, judged_at: datetime) -> Any:
        self.calls.append(("judge_window", window))
        return SimpleNamespace(breaches=["x"] * self.breaches, told=[], retraining=None)

    def report_window(self, monitor: Monitor, window: Window, resources: Any, *, made_at: datetime) -> str:
        self.calls.append(("report_window", window))
        return "ab12"

    def document_window(self, monitor: Monitor, window: Window, resources: Any, *, made_at: datetime) -> str:
        self.calls.append(("document_window", window))
        return "cd34"

    def find_windows(self, monitor: Monitor, as_of: datetime, resources: Any) -> list[Window]:
        self.calls.append(("find_windows", as_of))
        return self.windows

    def revise_windows(self, monitor: Monitor, windows: list[Window], as_of: datetime, resources: Any) -> Any:
        self.calls.append(("revise_windows", tuple(windows), as_of))
        return {"windows": len(windows)}

    def judge_night(
        self,
        monitor: Monitor,
        as_of: datetime,
        windows: list[Window],
        resources: Any,
        *,
        judged_at: datetime,
        link: str,
    ) -> Any:
        self.calls.append(("judge_night", as_of, tuple(windows)))
        self.link = link
        if self.error:
            raise self.error
        return SimpleNamespace(breaches=[], told=[], retraining=None)

    def report_performance(self, monitor: Monitor, as_of: datetime, resources: Any, *, made_at: datetime) -> str | None:
        self.calls.append(("report_performance", as_of))
        if self.undrawn:
            raise self.undrawn
        return "ef56" if self.windows else None

    def report_night(self, monitor: Monitor, as_of: datetime, resources: Any, *, made_at: datetime) -> str:
        self.calls.append(("report_night", as_of))
        return "cd34"

    def deliver(self, resources: Any, *, now: datetime, monitor: str | None = None) -> Any:
        self.calls.append(("deliver", monitor))
        return SimpleNamespace(sent=0, pending=0, complaints=self.complaints)

    def pending_starts(self, resources: Any) -> list[dict[str, Any]]:
        return self.starts

    def mark_started(self, resources: Any, run_id: str, *, at: datetime) -> None:
        self.calls.append(("mark_started", run_id))

    def put_off(self, resources: Any, run_id: str, *, why: str, monitors: Any, at: datetime) -> None:
        self.calls.append(("put_off", run_id, why))

    def maintain(self, monitors: Any, resources: Any, *, now: datetime, resumed: Any, all_there: bool) -> Any:
        self.calls.append(("maintain", [monitor.name for monitor in monitors], resumed, all_there))
        return {}

    def claim(self, monitor: Monitor, key: str, resources: Any, *, by: str) -> bool:
        self.calls.append(("claim", monitor.name, key, by))
        return self.claims

    def train_and_compare(self, monitor: Monitor, key: str, as_of: datetime, resources: Any) -> dict[str, Any]:
        self.calls.append(("train", key, as_of))
        if self.error:
            raise self.error
        return {"better": self.better, "summary": "0.91 against 0.88"}

    def promote(self, monitor: Monitor, key: str, resources: Any, *, at: datetime) -> dict[str, Any]:
        self.calls.append(("promote", key))
        return {"version": "v2"}

    def give_up(self, monitor: Monitor, key: str, resources: Any, *, at: datetime, run_id: str) -> None:
        self.calls.append(("give_up", key))

    def refuse(self, monitor: Monitor, key: str, resources: Any, *, at: datetime, by: str | None) -> None:
        self.calls.append(("refuse", key, by))


@pytest.fixture
def use_cases(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    recorded = Recorded()
    for name in (name for name in dir(Recorded) if not name.startswith("_") and callable(getattr(Recorded, name))):
        monkeypatch.setattr(pipeline, name, getattr(recorded, name), raising=False)
    for module in ("tasks", "retraining"):
        monkeypatch.setattr(f"hindsight.airflow.{module}.open_resources", lambda: SimpleNamespace(ledger=recorded))
    return recorded


def states(run: Any) -> dict[str, str]:
    return {
        f"{instance.task_id}{'' if instance.map_index < 0 else instance.map_index}": str(instance.state)
        for instance in run.get_task_instances()
    }


def events(asset: Any, run: Any) -> list[str | None]:
    """The partition keys of the asset's events that a run made."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    query = (
        sa.select(AssetEvent.partition_key)
        .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        .where(AssetModel.uri == asset.uri, AssetEvent.source_run_id == run.run_id)
        .order_by(AssetEvent.partition_key)
    )
    with create_session() as session:
        return list(session.scalars(query))


def test_a_window_is_checked_judged_and_told(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file())
    run = parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-01T00:00:00Z"})

    assert states(run) == {"check": "success", "judge": "success", "report": "skipped", "deliver": "success"}
    assert use_cases.calls == [
        ("run_window", "credit", a_window("2026-09-01")),
        ("judge_window", a_window("2026-09-01")),
        ("deliver", "credit"),
    ]
    assert events(assets.snapshots("credit"), run) == ["2026-09-01T00:00:00"]


def test_a_logical_date_is_checked_as_the_last_window_before_it(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    write_monitor(monitor_file())
    parse().dags["monitor__credit"].test(logical_date=at("2026-09-04T05:00"))

    assert use_cases.calls[0] == ("run_window", "credit", a_window("2026-09-03"))


def test_a_breach_is_reported_and_the_task_links_to_it(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.breaches = 2
    write_monitor(monitor_file(reference={"start": "2026-08-01", "end": "2026-09-01"}))
    dag = parse().dags["monitor__credit"]
    run = dag.test(run_conf={"window_start": "2026-09-02T00:00:00Z"})

    assert states(run)["report"] == "success"
    assert link_of(dag, run, "report") == "/hindsight/reports/ab12"
    assert link_of(dag, run, "check") is None


def test_a_breach_of_a_monitor_with_a_suite_has_data_docs(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.breaches = 1
    write_monitor(monitor_file(quality={"suite": "credit"}))
    dag = parse().dags["monitor__credit"]
    run = dag.test(run_conf={"window_start": "2026-09-02T00:00:00Z"})

    assert states(run)["data_docs"] == "success"
    assert link_of(dag, run, "data_docs") == "/hindsight/reports/cd34"


def test_without_a_breach_no_data_docs_are_drawn(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file(quality={"suite": "credit"}))
    run = parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-02T00:00:00Z"})

    assert states(run)["data_docs"] == "skipped"
    assert "document_window" not in use_cases.names()


def link_of(dag: Any, run: Any, task_id: str) -> str | None:
    from tests.airflow.test_dags import as_scheduled

    instance = next(i for i in run.get_task_instances() if i.task_id == task_id)
    task = as_scheduled(dag).get_task(task_id)
    return task.get_extra_links(instance, "Report") if "Report" in task.extra_links else None


def test_a_mistake_fails_at_once_and_is_not_retried(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.error = DataError("warehouse inference_log.amount: expected a number")
    write_monitor(monitor_file())
    run = parse().dags["monitor__credit"].test(run_conf={"window_start": "2026-09-05T00:00:00Z"})

    assert states(run)["check"] == "failed"
    assert use_cases.names() == ["run_window"]
    assert events(assets.snapshots("credit"), run) == []


def test_what_may_pass_is_retried() -> None:
    from hindsight.airflow.tasks import RetryTransient

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

    assert states(run)["check"] == "failed"
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


def retrain(parse: Parse, key: str, **test: Any) -> Any:
    conf = {"request": key, "as_of": "2026-10-01T02:00:00Z"}
    return parse().dags["retrain__credit"].test(run_conf=conf, **test)


def test_a_better_challenger_is_promoted_and_announced(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file(retrain=RETRAIN | {"approval": False}))
    run = retrain(parse, "k1")

    assert run.state == "success"
    assert use_cases.calls == [
        ("claim", "credit", "k1", run.run_id),
        ("train", "k1", at("2026-10-01T02:00")),
        ("promote", "k1"),
    ]
    assert events(assets.retraining("credit"), run) == [None]
    assert states(run)["keep"] == "skipped"


def test_a_challenger_no_better_is_not_asked_about(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    use_cases.better = False
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k2")

    assert states(run)["approve"] == "skipped"
    assert use_cases.calls[-1] == ("refuse", "k2", None)
    assert events(assets.retraining("credit"), run) == []


def test_a_request_answered_by_another_run_ends_this_one(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.claims = False
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k3")

    assert use_cases.names() == ["claim"]
    assert set(states(run).values()) == {"skipped"}


def test_a_retraining_that_fails_is_noted_and_promotes_nothing(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.error = TrainingError("lending.models:train raised ValueError")
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k5")

    assert run.state == "failed"
    assert use_cases.names() == ["claim", "train", "give_up"]
    assert use_cases.calls[-1] == ("give_up", "k5")


def test_approval_marked_as_given_promotes(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file(retrain=RETRAIN))
    run = retrain(parse, "k4", mark_success_pattern="approve")

    assert run.state == "success"
    assert use_cases.names() == ["claim", "train", "promote"]


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


def a_start(dag_id: str, run_id: str = "retrain__credit__k9") -> dict[str, Any]:
    return {"dag_id": dag_id, "run_id": run_id, "conf": {"request": "k9", "as_of": "2026-10-01T02:00:00+00:00"}}


def runs_of(dag_id: str) -> dict[str, Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.scalars(sa.select(DagRun).where(DagRun.dag_id == dag_id)).all()
        return {run.run_id: run.conf for run in found}


def test_a_requested_run_is_started_once_however_often_it_is_asked_for(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.starts = [a_start("retrain__credit")]
    write_monitor(monitor_file(retrain=RETRAIN))
    relay = parse().dags["hindsight__relay"]
    first, again = relay.test(), relay.test()

    assert runs_of("retrain__credit")["retrain__credit__k9"] == use_cases.starts[0]["conf"]
    assert states(first)["start.mark_started0"] == "success"
    assert (states(again)["start.trigger0"], states(again)["start.mark_started0"]) == ("skipped", "success")
    assert use_cases.calls.count(("mark_started", "retrain__credit__k9")) == 2


def test_a_request_for_a_missing_dag_stays_and_holds_up_no_other(
    write_monitor: Write, parse: Parse, use_cases: Recorded
) -> None:
    use_cases.starts = [a_start("gone", "hindsight__credit__x"), a_start("retrain__credit", "retrain__credit__k10")]
    write_monitor(monitor_file(retrain=RETRAIN))
    run = parse().dags["hindsight__relay"].test()

    assert run.state == "failed"
    assert [call for call in use_cases.calls if call[0] == "mark_started"] == [("mark_started", "retrain__credit__k10")]
    assert [call for call in use_cases.calls if call[0] == "put_off"] == [
        (
            "put_off",
            "hindsight__credit__x",
            "DAG gone is missing: no file in the DAG folder makes it, or the one that does is broken.",
        )
    ]
    assert "retrain__credit__k10" in runs_of("retrain__credit")


def test_a_request_for_a_paused_dag_waits(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    use_cases.starts = [a_start("retrain__sleepy", "retrain__sleepy__k11")]
    write_monitor(monitor_file(name="sleepy", retrain=RETRAIN))
    relay = parse().dags["hindsight__relay"]
    with create_session() as session:
        session.execute(sa.update(DagModel).where(DagModel.dag_id == "retrain__sleepy").values(is_paused=True))
    run = relay.test()

    assert states(run)["start.trigger0"] == "failed"
    assert "mark_started" not in use_cases.names()
    assert runs_of("retrain__sleepy") == {}
    ((_, run_id, why),) = [call for call in use_cases.calls if call[0] == "put_off"]
    assert (run_id, why.partition(":")[0]) == ("retrain__sleepy__k11", "DAG retrain__sleepy is paused")


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

    assert use_cases.calls == [("maintain", ["credit"], {"credit": until}, there) for there in (True, False)]


def test_without_requests_the_relay_only_delivers(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file())
    run = parse().dags["hindsight__relay"].test()

    assert run.state == "success"
    assert use_cases.calls == [("deliver", None)]


def test_mail_given_up_makes_the_task_fail(write_monitor: Write, parse: Parse, use_cases: Recorded) -> None:
    write_monitor(monitor_file())
    use_cases.complaints = ("[P0] credit to a@example.com: 550",)
    run = parse().dags["hindsight__relay"].test()

    assert states(run)["deliver"] == "failed"
