"""The DAGs that belong to no monitor: the relay every two minutes, the maintenance every hour, reviews by the week."""

from __future__ import annotations

from airflow.sdk import DAG

from hindsight.airflow import describe, tasks
from hindsight.vocabulary.periods import Kind

_AT: dict[Kind, str] = {"week": "0 6 * * 1", "month": "0 6 1 * *"}  # UTC; the last windows are judged by then


def relay_dag() -> DAG:
    """Build hindsight__relay: send the mail that waits, start the DAG runs that were asked for."""
    with _dag("relay", "*/2 * * * *", describe.RELAY) as dag:
        tasks.tell_what_lasts()
        tasks.deliver()
        tasks.post_alerts()
        tasks.note_pauses()
        tasks.start.expand(request=tasks.requested())
    return dag


def maintenance_dag() -> DAG:
    """Build hindsight__maintenance: tidy up, and ask whether every active monitor has reported."""
    with _dag("maintenance", "15 * * * *", describe.MAINTENANCE) as dag:
        tasks.maintain()
        tasks.ask_again()
    return dag


def review_dag(kind: Kind) -> DAG:
    """Build hindsight__review: tell everyone what the week, or the month, came to that has just ended."""
    with _dag("review", _AT[kind], describe.REVIEW) as dag:
        tasks.review(kind)
    return dag


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
