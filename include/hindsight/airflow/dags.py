"""The DAGs of monitor files: what runs when; building them reads YAML and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, chain
from airflow.sdk.definitions.param import ParamsDict

from hindsight.airflow import assets, describe, retraining, rolling_back, tasks
from hindsight.airflow.timetable import WindowTimetable
from hindsight.errors import ConfigError
from hindsight.monitors.model import Monitor

_INSTANT = timedelta(microseconds=1)


def monitor_dag(monitor: Monitor) -> DAG:
    """Build monitor__<name>: check, judge and tell every window, and draw what shows one that breached.

    Drawing is a teardown: it follows a window that was judged and could not be told as well, and how a run fares is
    what came of its window.
    """
    asked = {
        "window_start": _moment("the start of the window to check"),
        "quiet": Param(
            False, type="boolean", description="tell of nothing that opens and start nothing: rows came late"
        ),
    }
    with _dag("monitor", monitor, WindowTimetable(monitor.window, monitor.anchor, monitor.lateness), asked) as dag:
        settled = tasks.window.override(outlets=[assets.snapshots(monitor.name)])(monitor.name)
        drawn = tasks.documents(monitor.name)
        dag.get_task("documents").operator_extra_links = (tasks.ReportLink(), tasks.DataDocsLink())
        settled >> drawn.as_teardown()
    return _weighed(dag, monitor)


def labels_dag(monitor: Monitor) -> DAG:
    """Build labels__<name>: find the windows that new labels touch, measure them again, judge the night, tell."""
    asked = {"as_of": _moment("the moment whose knowledge counts: labels that arrived before it")}
    with _dag("labels", monitor, CronDataIntervalTimetable(monitor.night_schedule, timezone="UTC"), asked) as dag:
        found = tasks.find(monitor.name)
        revise = tasks.revise.override(outlets=[assets.snapshots(monitor.name)], doc_md=tasks.revise.function.__doc__)
        revised = revise.partial(name=monitor.name).expand(chunk=found)
        judged, told = tasks.judge_night(monitor.name, found), tasks.deliver(monitor.name)
        drawn, reported = tasks.draw(monitor.name, judged), tasks.report_night(monitor.name, judged)
        for task_id in ("draw", "report_night"):
            dag.get_task(task_id).operator_extra_links = (tasks.ReportLink(),)
        revised >> judged >> [told, drawn]
        drawn >> reported
    return _weighed(dag, monitor)


def retrain_dag(monitor: Monitor) -> DAG:
    """Build retrain__<name>: claim the request, train, evaluate against the champion, ask, promote, announce."""
    asked = {
        "why": _text("why you ask for a retraining; those who approve it read this"),
        "as_of": _moment("the moment whose knowledge is trained on"),
        "request": _text("the key of a request made by the rules or on the command line; empty to make one yourself"),
    }
    retrain = monitor.retrain
    if retrain is None:
        raise ConfigError(f"{monitor.name}: the file declares no retraining")
    with _dag("retrain", monitor, None, asked) as dag:
        trained = retraining.train(monitor.name)
        announcing = assets.announcing(monitor.name)
        steps = [retraining.claim.override(**announcing)(monitor.name), trained, retraining.evaluate(trained)]
        steps.append(retraining.approve(monitor.name, retrain.cooldown, asks=retrain.approval))
        announced = retraining.announce.override(**announcing)(monitor.name)
        steps.append(retraining.promote(monitor.name))
        chain(*steps, [announced, retraining.keep(monitor.name)])
        steps >> retraining.give_up(monitor.name)
    return _weighed(dag, monitor)


def rollback_dag(monitor: Monitor) -> DAG:
    """Build rollback__<name>: say which version would come back, ask a person, put it back."""
    asked = {
        "why": _text("what is wrong with the champion; it is on record, and those who approve read it"),
        "to": _text("the version to put back; empty for the last champion that was not itself rolled back"),
    }
    with _dag("rollback", monitor, None, asked) as dag:
        chosen = rolling_back.choose(monitor.name)
        done = rolling_back.put_back(monitor.name, chosen)
        chosen >> rolling_back.approve(monitor.name) >> done
    return _weighed(dag, monitor)


@contextmanager
def _dag(kind: str, monitor: Monitor, timetable: Any, params: dict[str, Param]) -> Iterator[DAG]:
    owner = monitor.owner or "hindsight"
    with DAG(
        dag_id=f"{kind}__{monitor.name}",
        dag_display_name=f"{monitor.name} - {describe.TITLES[kind]}",
        description=describe.one_line(kind, monitor),
        doc_md=describe.dag(kind, monitor),
        schedule=timetable if monitor.state == "active" else None,
        start_date=monitor.start,
        end_date=monitor.end - _INSTANT if monitor.end and kind == "monitor" else None,
        catchup=monitor.start is not None,
        max_active_runs=4 if kind == "monitor" else 1,
        tags=["hindsight", kind, monitor.model.task, f"criticality:{monitor.criticality}", *monitor.tags],
        owner_links={owner: f"mailto:{monitor.alerts.email[0]}"} if monitor.alerts.email else {},
        default_args=tasks.DEFAULTS | {"owner": owner},
        is_paused_upon_creation=False,
    ) as dag:
        yield dag
    dag.params = ParamsDict(params)  # not sooner: each task would get copies, whose schemas Airflow checks one by one


def _weighed(dag: DAG, monitor: Monitor) -> DAG:
    """Let the tasks of a more critical monitor go before the like of others."""
    for task in dag.tasks:
        task.priority_weight += tasks.MORE[monitor.criticality]
    return dag


def _moment(what: str) -> Param:
    return Param(None, type=["null", "string"], format="date-time", description=f"{what}; empty for the run's own")


def _text(what: str) -> Param:
    return Param(None, type=["null", "string"], description=what)
