"""Registers Hindsight with Airflow; imported by every Airflow process, so it imports nothing heavy."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from hindsight.airflow.timetable import WindowTimetable


class HindsightPlugin(AirflowPlugin):
    """The timetable of monitors."""

    name = "hindsight"
    timetables = [WindowTimetable]  # noqa: RUF012  as Airflow declares it
