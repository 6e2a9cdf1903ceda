"""What Airflow runs when it starts in the demo: heavy imports once in the scheduler, and DAGs that begin last week.

Tasks are forks of the scheduler and find the imports done. The history before HINDSIGHT_DEMO_SINCE was computed by the
command line, so the scheduler does not do it again.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

from hindsight.airflow.preload import preload

if preload(sys.argv):
    import sklearn.ensemble  # noqa: F401  what the demo trains with


def dag_policy(dag: Any) -> None:
    """Let the DAGs of monitors start where the command line stopped."""
    since = datetime.fromisoformat(os.environ["HINDSIGHT_DEMO_SINCE"])
    if dag.dag_id.startswith(("monitor__", "labels__")):
        dag.start_date = max(dag.start_date or since, since)
        for task in dag.tasks:
            task.start_date = max(task.start_date or since, since)
