"""Registers Hindsight with Airflow; imported by every Airflow process, so it imports nothing heavy."""

from __future__ import annotations

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

from hindsight.airflow.timetable import WindowTimetable


class HindsightPlugin(AirflowPlugin):
    """The timetable of monitors."""

    name = "hindsight"
    timetables: ClassVar[list[type]] = [WindowTimetable]
