"""Silences kept: mail that waits is held while all it tells is silenced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hindsight.errors import ConfigError
from hindsight.ledger import claims
from hindsight.ledger.claims import Due
from hindsight.monitors.loader import load_monitor
from hindsight.pipeline.judge.silences import silences_of
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.silence import Silence, hushing


def hold_silenced(resources: Resources, *, now: datetime, monitor: str | None = None) -> int:
    """Let mail that is due wait where all it tells is silenced, until the first of these silences ends; count it."""
    held = 0
    for name, mails in claims.due(resources.ledger, now=now, monitor=monitor).items():
        given = _silences(name, resources, now)
        for mail in mails if given else ():
            if until := _silent_until(mail, given, now):
                held += claims.hold(resources.ledger, mail.id, until)
    return held


def _silences(name: str, resources: Resources, now: datetime) -> list[Silence]:
    try:
        monitor = load_monitor(name, resources.settings.monitors)
    except ConfigError:
        return []  # a broken file silences nobody
    with resources.ledger.reading() as connection:
        return silences_of(monitor, connection, now)


def _silent_until(mail: Due, given: Sequence[Silence], now: datetime) -> datetime | None:
    found = [hushing(given, series, now) for series in mail.series]
    return min(one.until for one in found if one) if found and all(found) else None
