"""Silences of a monitor: those people asked for, those its file repeats, and those after a deploy."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from hindsight.ledger import silences as on_record
from hindsight.monitors.model import Monitor
from hindsight.monitors.silences import RepeatedSilence
from hindsight.pipeline.judge.deploys import silences_after_deploys
from hindsight.verdicts.silence import Silence

BY = "the monitor file"
AFTER = timedelta(days=1)


def silences_of(
    monitor: Monitor, connection: sa.Connection, at: datetime, since: datetime | None = None
) -> list[Silence]:
    """Return the silences of a monitor that are in force at a moment, or ended between `since` and it."""
    first = at if since is None else since
    asked = [one for one in on_record.silences(connection, monitor.name, first) if one.since <= at]
    repeated = [_silence(one, *span) for one in monitor.silences for span in one.between(first, at, monitor.timezone)]
    return asked + repeated + silences_after_deploys(monitor, connection, first, at)


def _silence(one: RepeatedSilence, since: datetime, until: datetime) -> Silence:
    return Silence(
        since,
        until,
        BY,
        one.comment,
        rule=one.rule or "",
        segment=one.segment,
        feature=one.feature or "",
        starts=one.starts,
    )


def remembered_for(monitor: Monitor) -> timedelta:
    """For how long a mail says that a silence has ended, and a relay looks for what it left: while that is news."""
    return max(AFTER, monitor.max_age)
