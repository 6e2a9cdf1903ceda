"""The tasks of a retraining: one run a request; only a better challenger that nobody refused is promoted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from hindsight.airflow import assets
from hindsight.airflow.connections import open_resources
from hindsight.airflow.runs import night_of, request_of
from hindsight.airflow.tasks import LONGEST, load, now


@task
def claim(name: str, **run: Any) -> str:
    """Claim the request for this run; a run that comes second, whatever started it, ends here."""
    from hindsight import pipeline

    key = request_of(run)
    if not pipeline.claim(load(name), key, open_resources(), by=run["run_id"]):
        raise AirflowSkipException(f"{name} made no request {key}, or another run answers it")
    return key


@task(execution_timeout=LONGEST)
def train(name: str, **run: Any) -> dict[str, Any]:
    """Train a challenger on what was known when it was asked for, and compare it with the champion."""
    from hindsight import pipeline

    return pipeline.train_and_compare(load(name), request_of(run), night_of(run, now=now()), open_resources())


@task.short_circuit(ignore_downstream_trigger_rules=False)
def evaluate(trained: Any) -> bool:
    """Go on only with a challenger that beats the champion on labelled rows neither was trained on."""
    return bool(trained["better"])


def approve(name: str, patience: timedelta) -> Any:
    """Return the task that asks a person; without an answer in `patience` the champion stays."""
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    return ApprovalOperator(
        task_id="approve",
        subject=f"Promote the new model of {name}?",
        body="{{ ti.xcom_pull(task_ids='train')['summary'] }}",
        defaults=ApprovalOperator.REJECT,
        response_timeout=patience,
        doc_md="Asks a person whether the challenger may replace the champion. No answer means no.",
    )


@task
def promote(name: str, **run: Any) -> dict[str, Any]:
    """Make the challenger the champion, and fit the baseline to the data it was trained on."""
    from hindsight import pipeline

    return pipeline.promote(load(name), request_of(run), open_resources(), at=now())


@task
def announce(name: str, **run: Any) -> None:
    """Tell DAGs that are scheduled on it that the model has a new version."""
    run["outlet_events"][assets.retraining(name)].extra = {"request": request_of(run)}


@task(trigger_rule="all_skipped")
def keep(name: str, **run: Any) -> None:
    """Note why the champion stays: the challenger is no better, or a person refused it."""
    from hindsight import pipeline

    trained, answer = run["ti"].xcom_pull(task_ids="train"), run["ti"].xcom_pull(task_ids="approve")
    if not trained:
        raise AirflowSkipException("nothing was trained")
    pipeline.refuse(load(name), request_of(run), open_resources(), at=now(), by=_who(answer))


@task(trigger_rule="one_failed")
def give_up(name: str, **run: Any) -> None:
    """Note and tell that this retraining failed, so that it does not stand in the way of the next request."""
    from hindsight import pipeline

    pipeline.give_up(load(name), request_of(run), open_resources(), at=now(), run_id=run["run_id"])


def _who(answer: dict[str, Any] | None) -> str | None:
    if not answer:
        return None
    user = answer.get("responded_by_user") or {}
    return str(user.get("name") or "nobody in time")
