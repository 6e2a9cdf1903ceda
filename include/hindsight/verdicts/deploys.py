"""Deploys: a version of the model that is new in the log, and for how long drift after it is told to nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

NOTICED = 0.05  # share of the rows of a window from which on a version counts as deployed
MONTH = timedelta(days=30)
SHARE_OF_MONTH = 0.1  # windows of a month that deploys may silence, so that a version a day does not for ever


@dataclass(frozen=True, slots=True)
class Deploy:
    """A version of the model, and the start of the first window in which it made a noticeable share of the rows."""

    version: str
    start: datetime


@dataclass(frozen=True, slots=True)
class Quiet:
    """From when to when drift is told to nobody because of a deploy."""

    deploy: Deploy
    since: datetime
    until: datetime


def quiet_after(deploys: Sequence[Deploy], size: timedelta, windows: int) -> Iterator[Quiet]:
    """Yield how long drift is silent after each deploy, oldest first: while so many windows from its own are judged.

    A window is judged once it has ended. No more than a tenth of the windows of thirty days are silenced, or those of
    one deploy where these are more.
    """
    most = max(windows, int(SHARE_OF_MONTH * (MONTH / size)))
    spent: list[tuple[datetime, int]] = []
    for deploy in sorted(deploys, key=lambda one: (one.start, one.version)):
        lately = sum(count for start, count in spent if start > deploy.start - MONTH)
        count = min(windows, most - lately)
        if count > 0:
            spent.append((deploy.start, count))
            yield Quiet(deploy, deploy.start, deploy.start + (count + 1) * size)
