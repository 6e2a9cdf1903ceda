"""The tasks of a rollback: which version would come back is said, a person says yes or no, then it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException

from hindsight.airflow.connections import open_resources
from hindsight.airflow.retraining import UNKNOWN, answer_of
from hindsight.airflow.tasks import load, now

PATIENCE = timedelta(days=1)


@task
def choose(name: str, **run: Any) -> dict[str, str]:
    """Find the version that would come back, and say what it was; fails without a reason, and where there is none."""
    from hindsight.pipeline.act.rollback import outlook

    if not (why := _words(run["params"].get("why"))):
        raise AirflowFailException("why? A rollback is on record for good: trigger it again and say so under 'why'")
    version, left, summary = outlook(load(name), open_resources(), to=_words(run["params"].get("to")) or None)
    return {"version": version, "left": left, "why": why, "summary": f"{summary}\n\nWhy: {why}"}


def approve(name: str) -> Any:
    """Return the task that asks a person; without an answer in a day the champion stays."""
    from hindsight.airflow.approval_operator import Approval

    return Approval(
        task_id="approve",
        subject=f"Put an earlier model of {name} back in production?",
        body="{{ ti.xcom_pull(task_ids='choose')['summary'] }}",
        defaults=Approval.REJECT,
        response_timeout=PATIENCE,
        doc_md="Asks a person whether the earlier champion may come back. No answer means no.",
    )


@task
def put_back(name: str, chosen: Any, **run: Any) -> dict[str, str]:
    """Make the version that was approved the champion again, freeze the reference for it, and tell people."""
    from hindsight.pipeline.act.rollback import roll_back

    answer = answer_of(run) or {}
    asked = _words(run["dag_run"].triggering_user_name) or UNKNOWN
    by = answer.get("by") or asked
    approved = {"why": chosen["why"], "to": chosen["version"], "instead_of": chosen["left"]}
    done = roll_back(load(name), open_resources(), at=now(), by=by, **approved)
    return {"restored": done.restored, "left": done.left, "by": by, "asked_by": asked}


def _words(text: str | None) -> str:
    return " ".join((text or "").split())
