"""Between judging and telling: a run notes that it has judged, so that a delivery that fails measures nothing again."""

from __future__ import annotations

from datetime import datetime

from hindsight.ledger import undelivered
from hindsight.pipeline.resources import Resources


def note_judged(monitor: str, run: str, resources: Resources, *, at: datetime) -> None:
    """Note that a run has measured and judged its window and tells of it next."""
    undelivered.note(resources.ledger, monitor, run, at)


def awaits_delivery(monitor: str, run: str, resources: Resources) -> bool:
    """Whether a run, which is tried again, has only to tell what it judged."""
    return undelivered.is_noted(resources.ledger, monitor, run)


def delivered(monitor: str, run: str, resources: Resources) -> None:
    """Note that a run has told what it judged: cleared from now on, it measures again."""
    undelivered.forget(resources.ledger, monitor, run)
