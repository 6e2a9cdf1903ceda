"""The tasks of a retraining: one run a request; only a better challenger that nobody refused is promoted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from hindsight.airflow import assets
from hindsight.airflow.connections import open_resources
from hindsight.airflow.runs import asked_as_of, night_of, request_of
from hindsight.airflow.task_retries import RetryOnlyTransient
from hindsight.airflow.tasks import LONGEST, load, now

UNKNOWN = "somebody in Airflow"


@task
def claim(name: str, **run: Any) -> str:
    """Claim the request for this run, a person's own first written down; a run that comes second ends here.

    DAGs that are scheduled on the asset are told that a retraining was requested.
    """
    from hindsight import pipeline

    monitor, resources, key = load(name), open_resources(), request_of(name, run)
    pipeline.take_over(monitor, resources, now=now())
    if not run["params"].get("request"):
        pipeline.ask(monitor, key, resources, **_wish(run), at=now(), run_id=run["run_id"])
    if not pipeline.claim(monitor, key, resources, by=run["run_id"]):
        raise AirflowSkipException(f"{name} made no request {key}, another run answers it, or it is decided already")
    assets.announce(name, "requested", key, run)
    return key


@task(execution_timeout=LONGEST, retry_policy=RetryOnlyTransient())
def train(name: str, **run: Any) -> dict[str, Any]:
    """Train a challenger on what was known when it was asked for, and compare it with the champion."""
    from hindsight import pipeline

    as_of = night_of(run, now=now()) if run["params"].get("as_of") else None
    return pipeline.train_and_compare(load(name), request_of(name, run), as_of, open_resources())


@task.short_circuit(ignore_downstream_trigger_rules=False)
def evaluate(trained: Any) -> bool:
    """Go on only with a challenger that beats the champion on labelled rows neither was trained on."""
    return bool(trained["better"])


def approve(name: str, patience: timedelta, *, asks: bool) -> Any:
    """Return the task that asks a person; without an answer in `patience` the champion stays.

    Where the file `asks` for no approval the task asks nobody.
    """
    from hindsight.airflow.approval_operator import Approval

    return Approval(
        task_id="approve",
        asks=asks,
        subject=f"Promote the new model of {name}?",
        body="{{ ti.xcom_pull(task_ids='train')['summary'] }}",
        defaults=Approval.REJECT,
        response_timeout=patience,
        doc_md="Asks a person whether the challenger may replace the champion. No answer means no; nobody is asked "
        "where the monitor's file says `approval: false`.",
    )


@task
def promote(name: str, **run: Any) -> dict[str, Any]:
    """Make the challenger the champion and fit the baseline to its data; fails where a newer champion stands."""
    from hindsight import pipeline

    by = (answer_of(run) or {}).get("by", "")
    done = pipeline.promote(load(name), request_of(name, run), open_resources(), at=now(), by=by)
    if refused := done.get("refused"):
        raise AirflowFailException(refused)
    return done


@task
def announce(name: str, **run: Any) -> None:
    """Tell DAGs that are scheduled on it that the model has a new version; told already, it says nothing."""
    assets.announce(name, "promoted", request_of(name, run), run)


@task(trigger_rule="all_skipped")
def keep(name: str, **run: Any) -> None:
    """Note why the champion stays: the challenger is no better, a person refused it, or nobody answered in time."""
    from hindsight import pipeline

    trained, answer = run["ti"].xcom_pull(task_ids="train"), answer_of(run)
    if not trained:
        raise AirflowSkipException("nothing was trained")
    monitor, key, resources = load(name), request_of(name, run), open_resources()
    if answer and not answer["in_time"]:
        pipeline.lapse(monitor, key, resources, at=now())
    else:
        by = None if not trained["better"] else answer["by"] if answer else UNKNOWN
        pipeline.refuse(monitor, key, resources, at=now(), by=by)


@task(trigger_rule="one_failed")
def give_up(name: str, **run: Any) -> None:
    """Note and tell that this retraining failed, so that it does not stand in the way of the next request."""
    from hindsight import pipeline

    pipeline.give_up(load(name), request_of(name, run), open_resources(), at=now(), run_id=run["run_id"])


def answer_of(run: dict[str, Any]) -> dict[str, Any] | None:
    """Return what came of asking a person; None where nobody was asked, or the task was only marked."""
    answer: dict[str, Any] | None = run["ti"].xcom_pull(task_ids="approve", key="answer")
    return answer


def _wish(run: dict[str, Any]) -> dict[str, Any]:
    who = " ".join((run["dag_run"].triggering_user_name or "").split())
    why = run["params"].get("why") or ""
    return {"as_of": asked_as_of(run, now=now()), "by": who or UNKNOWN, "why": why}
