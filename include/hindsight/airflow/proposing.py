"""The DAG hindsight__propose: a monitor from a form. A table is looked at, a person approves, the file is written."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException

from hindsight.airflow import describe, tasks
from hindsight.airflow.connections import open_warehouse
from hindsight.airflow.retraining import UNKNOWN, answer_of
from hindsight.airflow.runs import is_known
from hindsight.monitors.file_checks import AIRFLOW_ID
from hindsight.settings import read_settings

logger = logging.getLogger(__name__)
PATIENCE = timedelta(days=7)
_OPTIONAL = ["null", "string"]
FORM = {
    "connection": Param(
        "warehouse",
        type="string",
        pattern=f"^{AIRFLOW_ID}$",
        description="the id of the Airflow connection of the warehouse; never an address or a password",
    ),
    "table": Param(type="string", minLength=1, description="table or view of predictions, or schema.table"),
    "labels_table": Param(None, type=_OPTIONAL, description="table of labels; empty to look for one, none for none"),
    "name": Param(
        None, type=_OPTIONAL, pattern="^([a-z][a-z0-9_]{0,62})?$", description="of the monitor; empty: the table's"
    ),
    "overrides": Param(
        None,
        type=_OPTIONAL,
        format="multiline",
        description="what you know better than a guess, in the words of a monitor file (YAML), such as "
        "owner: risk-ml or source: {predictions: {timestamp: scored_at}}",
    ),
}


def propose_dag() -> DAG:
    """Build hindsight__propose: look at a table, show what monitor it would make, write that if a person says yes."""
    with DAG(
        dag_id="hindsight__propose",
        dag_display_name="Hindsight - propose a monitor",
        description=describe.PROPOSE.partition("\n")[0],
        doc_md=describe.PROPOSE,
        schedule=None,
        catchup=False,
        tags=["hindsight"],
        default_args=tasks.DEFAULTS | {"owner": "hindsight"},
        is_paused_upon_creation=False,
    ) as dag:
        proposed = propose()
        proposed >> approve() >> write(proposed)
    dag.params = ParamsDict(FORM)
    return dag


@task(execution_timeout=tasks.LONGEST)
def propose(**run: Any) -> dict[str, Any]:
    """Look at the table, guess a monitor file as `hindsight init` does, check it, and show it with its reasons."""
    from hindsight.pipeline.drafts import Asked, propose_draft

    settings = read_settings()
    form = {field: str(run["params"].get(field) or "").strip("\n ") for field in FORM}
    made = propose_draft(Asked(**form), lambda id: open_warehouse(id, settings), settings)
    if is_known(run["ti"], f"monitor__{made.name}"):
        raise AirflowFailException(
            f"name: Airflow still knows a DAG monitor__{made.name}, which this would go on with: delete it there, or "
            "say another name"
        )
    logger.info("%s\n\n%s", made.summary, made.suite)
    return made.to_dict()


def approve() -> Any:
    """Return the task that asks a person; without an answer in a week nothing is written."""
    from hindsight.airflow.approval_operator import Approval

    return Approval(
        task_id="approve",
        subject="Make this monitor?",
        body="{{ ti.xcom_pull(task_ids='propose')['summary'] }}",
        defaults=Approval.REJECT,
        response_timeout=PATIENCE,
        doc_md="Shows the proposed monitor file and asks a person whether it may be written. No answer means no.",
    )


@task
def write(proposed: Any, **run: Any) -> dict[str, str]:
    """Write what was approved to the folder of drafts, where nothing is of that name; its DAGs come paused."""
    from hindsight.pipeline.drafts import Draft, write_draft

    asked_by = " ".join((run["dag_run"].triggering_user_name or "").split()) or UNKNOWN
    approved_by = (answer_of(run) or {}).get("by") or UNKNOWN
    path = write_draft(Draft(**proposed["draft"]), read_settings(), asked_by=asked_by, approved_by=approved_by)
    return {"written": str(path), "dag": f"monitor__{path.stem}", "asked_by": asked_by, "approved_by": approved_by}
