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
from hindsight.airflow.enabled import is_enabled
from hindsight.airflow.timetable import WindowTimetable

_VIEWS: list[dict[str, Any]] = [
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


class HindsightPlugin(AirflowPlugin):
    """The timetable of monitors, and the pages that show them where HINDSIGHT_ENABLED leaves them."""

    name = "hindsight"
    timetables = [WindowTimetable]  # noqa: RUF012  as Airflow declares it

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The ways to the pages."""
        return list(_VIEWS) if is_enabled() else []

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The pages; only the API server reads this."""
        if not is_enabled():
            return []
        from hindsight.airflow.web import build_app

        return [{"app": build_app(), "url_prefix": "/hindsight", "name": "hindsight"}]
