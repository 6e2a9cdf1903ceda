"""WindowTimetable: one DAG run for every window of a monitor's grid, and no window left out or taken twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from hindsight.airflow.describe import text
from hindsight.airflow.runs import plain
from hindsight.vocabulary.windows import Grid, Window


class WindowTimetable(Timetable):
    """Runs whose data interval is a window of `size` on the grid through `anchor`, started `lateness` after its end.

    Windows are those that start from the DAG's start date to its end date. Without a start date, or without catch-up,
    the first is the one under way; from then on every window gets its run, outages included.
    """

    def __init__(self, size: timedelta, anchor: datetime, lateness: timedelta) -> None:
        self.grid = Grid(size, anchor)
        self.lateness = lateness
        self.description = f"every {text(size)}, {text(lateness)} after the window's end"

    @property
    def summary(self) -> str:
        """What the UI shows as the schedule."""
        return f"every {text(self.grid.size)}"

    def serialize(self) -> dict[str, Any]:
        """Return the three parameters as JSON."""
        size, lateness = self.grid.size.total_seconds(), self.lateness.total_seconds()
        return {"size": size, "anchor": self.grid.origin.isoformat(), "lateness": lateness}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Return the timetable that `serialize` described."""
        size, lateness = timedelta(seconds=data["size"]), timedelta(seconds=data["lateness"])
        return cls(size, datetime.fromisoformat(data["anchor"]), lateness)

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """Return the last window that may be read at `run_after`."""
        current = self.grid.window_at(plain(run_after) - self.lateness)
        return self._interval(self.grid.window_at(current.start - self.grid.size))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the run of the next window that starts where the last one ended or later; None after the end date."""
        earliest = restriction.earliest and plain(restriction.earliest)
        if last_automated_data_interval:
            begin = plain(last_automated_data_interval.end)
        elif earliest and restriction.catchup:
            begin = earliest
        else:
            begin = self.grid.window_at(datetime.now(UTC)).start
        begin = max(begin, earliest or begin)
        interval = self._interval(next(self.grid.starting_in(begin, begin + self.grid.size)))
        if restriction.latest and interval.start > restriction.latest:
            return None
        return DagRunInfo(run_after=interval.end + self.lateness, data_interval=interval)

    def generate_run_id(
        self, *, run_type: Any, run_after: pendulum.DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """Name a scheduled run after its window's start; others, which may repeat a window, after their moment."""
        moment = data_interval.start if data_interval and run_type == "scheduled" else run_after
        return str(run_type.generate_run_id(suffix=moment.isoformat()))

    @staticmethod
    def _interval(window: Window) -> DataInterval:
        return DataInterval(pendulum.instance(window.start), pendulum.instance(window.end))
