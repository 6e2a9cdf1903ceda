"""Decide what is to be told: notices follow the state of an incident, not its transitions, and only if fresh."""

from __future__ import annotations

from datetime import datetime, timedelta

from hindsight.verdicts.model import Incident, State, Verdict


def is_stale(verdict: Verdict, *, max_age: timedelta, judged_at: datetime) -> bool:
    """Say whether a verdict was judged too long after it was due to be news: it may open and close, but not tell."""
    return judged_at - verdict.due > max_age


def needs_notice(incident: Incident, *, fresh: bool) -> State | None:
    """Return the state to announce now, or None.

    `fresh` says whether a fresh verdict of the incident's rule was just judged. Open and not yet told: told. Closed
    after it was told: told. Opened and closed between two looks: never told. Nothing is repeated.
    """
    if not fresh or incident.state is incident.told:
        return None
    if incident.state is State.OPEN or incident.told is State.OPEN:
        return incident.state
    return None
