"""Due: when a monitor must have reported, and when its labels must have been looked at, by what its file says. Pure."""

from __future__ import annotations

from datetime import datetime

from hindsight.monitors.model import Monitor
from hindsight.monitors.silences import starts_before


def is_behind(monitor: Monitor, last: datetime | None, now: datetime, since: datetime | None = None) -> bool:
    """Say whether a monitor has not reported for two windows; `last` is the end of the newest it reported.

    `since` is when a pause of it ended: it counts as behind only from then on.
    """
    due = now - monitor.lateness - 2 * monitor.window
    begun = max(filter(None, [monitor.start, since]), default=None)
    if (monitor.end and due >= monitor.end) or (begun and due < begun):
        return False
    return last <= due if last else monitor.start is not None


def missed_night(
    monitor: Monitor, last: datetime | None, now: datetime, since: datetime | None = None
) -> datetime | None:
    """Return the night of labels that should have been held and was not, or None; `last` is the newest that was.

    It is the last but one of the schedule: the last may still be at work.
    """
    if monitor.source.labels is None:
        return None
    found = starts_before(monitor.night_schedule, now, "UTC")
    next(found)
    due = next(found)
    begun = max(filter(None, [monitor.start and monitor.start + monitor.window, since]), default=None)
    if (begun and due < begun) or (monitor.end and due > monitor.end):
        return None
    return due if last is None or last < due.replace(hour=0, minute=0, second=0, microsecond=0) else None
