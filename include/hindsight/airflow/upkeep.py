"""The two DAGs that keep promises whatever else fails: the relay every two minutes, the maintenance once a day."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, task, task_group
from airflow.sdk.exceptions import AirflowFailException, DagRunTriggerException

from hindsight.airflow import describe, tasks


def relay_dag() -> DAG:
    """Build hindsight__relay: send the mail that waits, start the DAG runs that were asked for."""
    with _dag("relay", "*/2 * * * *", describe.RELAY) as dag:
        tasks.deliver()
        tasks.note_pauses()
        start.expand(request=tasks.requested())
    return dag


def maintenance_dag() -> DAG:
    """Build hindsight__maintenance: tidy up, and ask whether every active monitor has reported."""
    with _dag("maintenance", "15 3 * * *", describe.MAINTENANCE) as dag:
        tasks.maintain()
    return dag


@task_group
def start(request: dict[str, Any]) -> None:
    """Start one run and note that it is there, or why it is not."""
    trigger(request) >> [tasks.mark_started(request), tasks.put_off(request)]


@task
def trigger(request: dict[str, Any], **run: Any) -> None:
    """Start a run under its fixed id; one that is there already skips this task, which counts the same.

    A DAG that is missing, broken or paused fails this task, and the request stays pending.
    """
    if run["ti"].get_dag(request["dag_id"]).is_paused:
        raise AirflowFailException(f"DAG {request['dag_id']} is paused: {request['run_id']} starts once it is not")
    raise DagRunTriggerException(
        trigger_dag_id=request["dag_id"],
        dag_run_id=request["run_id"],
        conf=request["conf"],
        reset_dag_run=False,
        skip_when_already_exists=True,
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
    )


def _dag(name: str, schedule: str, doc_md: str) -> DAG:
    return DAG(
        dag_id=f"hindsight__{name}",
        dag_display_name=f"Hindsight - {name}",
        description=doc_md.partition("\n")[0],
        doc_md=doc_md,
        schedule=schedule,
        catchup=False,
        max_active_runs=1,
        tags=["hindsight"],
        default_args=tasks.DEFAULTS | {"owner": "hindsight", "retries": 0},
        is_paused_upon_creation=False,
    )
