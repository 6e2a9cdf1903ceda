"""Label history: what earlier nights kept of matured windows, from which the next ones learn what labels do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from hindsight.checks.labels.overdue import awaits, least_known, sound
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

PAST = 24  # matured windows that delay curves and the expected coverage are learnt from
FURTHEST, NOTHING = 10 * PAST, PAST  # how far is looked back over windows that lost their labels, or left nothing
DAY = timedelta(days=1)
TURN = 1.2  # days between windows shorter than a day: so that every hour and every weekday has its turn
History = dict[Window, Sequence[Measurement]]


def matured_labels(monitor: Monitor, as_of: datetime, resources: Resources, *, step: int = 1) -> History:
    """Return the label measurements of the windows that matured last and kept their labels, as known before `as_of`.

    What this night measures is left out, so that a night cut into chunks gives the same numbers in any order. Of every
    `step` windows one is taken. Windows that lost their labels are passed over: no outage is learnt.
    """
    found: History = {}
    for window, measured in _backwards(monitor, as_of, resources, step):
        found[window] = measured
        if len(found) >= PAST and len(sound(found)) >= PAST:
            break
    return sound(found)


def rhythm(monitor: Monitor, as_of: datetime, resources: Resources, history: History) -> History:
    """Return the matured windows that tell how labels usually come: those of `history`, or spread over more days."""
    if monitor.window >= DAY:
        return history
    return matured_labels(monitor, as_of, resources, step=max(round(TURN * DAY / monitor.window), 1))


def overdue_windows(
    monitor: Monitor, windows: Collection[Window], previous: datetime | None, as_of: datetime, resources: Resources
) -> set[Window]:
    """Return those of the windows, immature ones, that lack labels which became due since the previous night."""
    if previous is None or not windows:
        return set()
    history = rhythm(monitor, as_of, resources, matured_labels(monitor, as_of, resources))
    found = set()
    for window in windows:
        due, before = (least_known(history, moment - window.end, mature=False) or 0.0 for moment in (as_of, previous))
        if due > before:
            measured = resources.store.measurements(monitor.name, Kind.LABELS, window, as_of)
            found |= {window} if awaits(measured, due) else set()
    return found


def _backwards(
    monitor: Monitor, as_of: datetime, resources: Resources, step: int
) -> Iterator[tuple[Window, Sequence[Measurement]]]:
    """Yield matured windows from the newest on, until too many in a row have left nothing."""
    newest = monitor.grid.window_at(as_of - monitor.labels.matures_after)
    before, empty = as_of - timedelta(microseconds=1), 0
    for k in range(1, FURTHEST + 1):
        back = ((k - 1) * step + 1) * monitor.window
        window = Window(newest.start - back, newest.end - back)
        if empty >= NOTHING or (monitor.start is not None and window.end <= monitor.start):
            return
        measured = resources.store.measurements(monitor.name, Kind.LABELS, window, before)
        empty = 0 if measured else empty + 1
        if any(m.metric == "mature" and m.value for m in measured):
            yield window, measured
