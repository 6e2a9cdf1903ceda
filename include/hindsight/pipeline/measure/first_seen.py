"""Look at labels that come without a time of arrival: each is remembered with the night that first saw it.

A night that was committed, or that a later one followed, is over: run again it reads what is remembered and adds
nothing, so that it knows no more than it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.labels import labels_now
from hindsight.warehouse.memory import changes

_EVER = datetime.max.replace(tzinfo=UTC)


def look(
    monitor: Monitor, closed: Iterable[Window], previous: datetime | None, as_of: datetime, resources: Resources
) -> list[Window]:
    """Return the windows whose labels night `as_of` saw change; remember how.

    Only windows that had not matured by the `previous` night are looked at, on the first night all: the labels of each
    are read whole, for nothing says which are new.
    """
    newest = resources.ledger.last_night(monitor.name, before=_EVER)
    over = newest is not None and newest >= as_of
    watched = (w for w in closed if previous is None or matures_at(monitor, w) >= previous)
    return [window for window in watched if _changed(monitor, window, as_of, resources, over=over)]


def matures_at(monitor: Monitor, window: Window) -> datetime:
    """The moment from which a window's labels count as complete."""
    return window.end + monitor.labels.matures_after


def _changed(monitor: Monitor, window: Window, as_of: datetime, resources: Resources, *, over: bool) -> bool:
    nights = resources.seen.nights(monitor.name, window)
    if over or (nights and nights[-1] >= as_of):
        return as_of in nights
    engine = resources.warehouse(monitor.source.connection)
    now = labels_now(engine, monitor, window, pii_key=resources.pii_key)
    added = changes(resources.seen.known(monitor.name, window, as_of), now)
    if added.num_rows:
        resources.seen.write(monitor.name, window, as_of, added)
    return bool(added.num_rows)
