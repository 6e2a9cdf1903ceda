"""Rollback: an earlier champion takes the place of one that was found wanting; its reference follows, people hear."""

from __future__ import annotations

from datetime import datetime

from hindsight.ledger.rollbacks import Rollback, note_rollback
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import freeze
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.letters import Message, letters
from hindsight.vocabulary.severity import Severity


def roll_back(
    monitor: Monitor, resources: Resources, *, at: datetime, by: str, why: str, to: str | None = None
) -> Rollback:
    """Make the last good champion, or `to`, the champion again; freeze the baseline for it, tell, and put it on record.

    The baseline comes first, so that where it fails nothing has changed. The champion that is left never comes back by
    itself. Raises TrainingError where there is none to go back to.
    """
    left, back = resources.registry.champion(monitor.name), resources.registry.earlier(monitor.name, to)
    is_frozen = _frozen(monitor, back.version, resources, at)
    restored = resources.registry.rollback(monitor.name, at=at, to=back.version)
    done = Rollback(at, by, why, left.version if left else "", restored.version)
    note_rollback(resources.ledger, monitor.name, done)
    _announce(monitor, done, resources, is_frozen=is_frozen)
    return done


def _frozen(monitor: Monitor, version: str, resources: Resources, at: datetime) -> bool:
    """Freeze the reference for a version; False where there is none to freeze, or it has no rows."""
    if monitor.reference is None or monitor.reference.trailing is not None:
        return False
    return freeze(monitor, resources, as_of=at, model_version=version, effective_from=at).n > 0


def _announce(monitor: Monitor, done: Rollback, resources: Resources, *, is_frozen: bool) -> None:
    subject = f"[rolled back] {monitor.name}: {done.restored} is the champion again"
    text = (
        f"{done.by} put {done.restored} back in the place of {done.left or 'none'}: {done.why}\n\n"
        f"{'Windows from now on are compared with a reference frozen anew. ' * is_frozen}{done.left or 'It'} is kept "
        f"in the registry and does not come back by itself: hindsight models {monitor.name}\n"
    )
    message = Message(subject, text, severity=Severity.P1)
    with resources.ledger.locked(monitor.name) as tx:
        cause = f"rollback {done.at.isoformat()}"
        to = monitor.receivers(message.severity)
        tx.queue(letters(message, monitor=monitor.name, cause=cause, recipients=to), done.at)
