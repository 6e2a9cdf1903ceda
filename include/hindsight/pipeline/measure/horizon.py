"""The horizon: what starts before it has expired, and is neither measured nor judged nor shown again.

It is moved when something is deleted, and never goes back: a longer `retention` brings nothing back that is gone. A
night reaches back as far as `retention` says of its own moment, so that it makes nothing that would go the same day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hindsight.errors import ExpiredError
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.windows import Window

_MINUTE = "%Y-%m-%dT%H:%MZ"


def kept_from(monitor: Monitor, as_of: datetime, resources: Resources) -> datetime | None:
    """Return the start of the first window a night may measure; None where it may reach back to the first of all."""
    return max(filter(None, [resources.ledger.horizon(monitor.name), monitor.horizon(as_of)]), default=None)


def unexpired(monitor: Monitor, windows: Iterable[Window], resources: Resources) -> list[Window]:
    """Return the windows that have not expired."""
    horizon = resources.ledger.horizon(monitor.name)
    return [window for window in windows if horizon is None or window.start >= horizon]


def refuse_window(monitor: Monitor, window: Window, resources: Resources) -> None:
    """Raise ExpiredError for a window that has expired."""
    _refuse_window(monitor, window, resources.ledger.horizon(monitor.name))


def refuse_written(monitor: Monitor, window: Window, tx: Transaction) -> None:
    """Raise ExpiredError for a window that has expired by now; the monitor's lock is held."""
    _refuse_window(monitor, window, tx.horizon())


def refuse_night(monitor: Monitor, as_of: datetime, resources: Resources) -> None:
    """Raise ExpiredError for a night of which every window has expired."""
    horizon = resources.ledger.horizon(monitor.name)
    if horizon is not None and as_of < horizon + monitor.window:
        raise ExpiredError(
            f"{monitor.name}: the night {as_of:{_MINUTE}} lies before {_the(horizon)}: what it knew is not made again"
            f" - ask for one from {horizon + monitor.window:{_MINUTE}} on"
        )


def refuse_moment(monitor: Monitor, as_of: datetime, resources: Resources) -> None:
    """Raise ExpiredError for a past moment at which the newest window was one that has expired."""
    horizon = resources.ledger.horizon(monitor.name)
    first = horizon and horizon + monitor.window + monitor.lateness
    if horizon and first and as_of < first:
        raise ExpiredError(
            f"{monitor.name}: what was known at {as_of:{_MINUTE}} lies before {_the(horizon)}: it cannot be shown"
            f" - ask for a moment from {first:{_MINUTE}} on"
        )


def _refuse_window(monitor: Monitor, window: Window, horizon: datetime | None) -> None:
    if horizon is not None and window.start < horizon:
        raise ExpiredError(
            f"{monitor.name}: the window {window} starts before {_the(horizon)}: its history was deleted and is not "
            f"made again - ask for windows that start at {horizon:{_MINUTE}} or later"
        )


def _the(horizon: datetime) -> str:
    return f"the horizon {horizon:{_MINUTE}} (retention, docs/retention.md)"
