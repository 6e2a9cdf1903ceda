"""Registers Hindsight with Airflow; every Airflow process imports this file, so it imports nothing heavy.

What DAG files need is imported here on purpose: the DAG processor and the scheduler fork a process for each file and
each task, and what they have imported before is there.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

import hindsight.airflow.approval_operator
import hindsight.airflow.declared  # noqa: F401
from hindsight.airflow.timetable import WindowTimetable


class HindsightPlugin(AirflowPlugin):
    """The timetable of monitors, and the pages that show them."""

    name = "hindsight"
    timetables = [WindowTimetable]  # noqa: RUF012  as Airflow declares it
    external_views = [  # noqa: RUF012
        {
            "name": "Models",
            "href": "/hindsight/",
            "url_route": "hindsight",
            "destination": "nav",
            "nav_top_level": True,
        },
        {
            "name": "Model health",
            "href": "/hindsight/dags/{DAG_ID}",
            "url_route": "hindsight-dag",
            "destination": "dag",
        },
        {
            "name": "Model health",
            "href": "/hindsight/dags/{DAG_ID}",
            "url_route": "hindsight-task",
            "destination": "task_instance",
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The pages; only the API server reads this."""
        from hindsight.airflow.web import build_app

        return [{"app": build_app(), "url_prefix": "/hindsight", "name": "hindsight"}]
