"""Rollback: an earlier champion takes the place of one that was found wanting; its reference follows, people hear."""

from __future__ import annotations

from datetime import datetime

from hindsight.ledger.rollbacks import Rollback, note_rollback
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import freeze, in_force
from hindsight.pipeline.resources import Resources
from hindsight.training.registry import put_back
from hindsight.vocabulary.letters import Letter, Message, letters
from hindsight.vocabulary.severity import Severity


def roll_back(
    monitor: Monitor, resources: Resources, *, at: datetime, by: str, why: str, to: str | None = None
) -> Rollback:
    """Make the last good champion, or `to`, the champion again; freeze the baseline for it, tell, and put it on record.

    The baseline comes first, so that where it fails nothing has changed; all else is one transaction, so that a command
    that broke off is given again, or is done. The champion that is left never comes back by itself. Raises
    TrainingError where there is none to go back to.
    """
    left, back = resources.registry.champion(monitor.name), resources.registry.earlier(monitor.name, to)
    is_frozen = _frozen(monitor, back.version, resources, at)
    with resources.ledger.locked(monitor.name) as tx:
        restored = put_back(tx.connection, monitor.name, at=at, to=back.version)
        done = Rollback(at, by, why, left.version if left else "", restored.version)
        note_rollback(tx.connection, monitor.name, done)
        tx.queue(_announcement(monitor, done, is_frozen=is_frozen), at)
    return done


def outlook(monitor: Monitor, resources: Resources, *, to: str | None = None) -> tuple[str, str]:
    """Return which version a rollback would put back now, and what a person reads before saying yes.

    Raises TrainingError where there is none to go back to.
    """
    left, back = resources.registry.champion(monitor.name), resources.registry.earlier(monitor.name, to)
    since = f", champion since {left.promoted_at:%Y-%m-%d %H:%M} UTC" if left and left.promoted_at else ""
    was = f"trained on rows up to {back.trained_to:%Y-%m-%d}"
    return back.version, f"{back.version}, {was}, comes back in the place of {left.version if left else 'none'}{since}."


def _frozen(monitor: Monitor, version: str, resources: Resources, at: datetime) -> bool:
    """Freeze the reference for a version, unless that is done; False where there is none to freeze, or it has no rows.

    It is done where a command broke off after it.
    """
    if monitor.reference is None or monitor.reference.trailing is not None:
        return False
    known = in_force(monitor, resources, at)
    if known is not None and known.pin["model_version"] == version:
        return True
    return freeze(monitor, resources, as_of=at, model_version=version, effective_from=at).n > 0


def _announcement(monitor: Monitor, done: Rollback, *, is_frozen: bool) -> list[Letter]:
    subject = f"[rolled back] {monitor.name}: {done.restored} is the champion again"
    text = (
        f"{done.by} put {done.restored} back in the place of {done.left or 'none'}: {done.why}\n\n"
        f"{'Windows from now on are compared with a reference frozen anew. ' * is_frozen}{done.left or 'It'} is kept "
        f"in the registry and does not come back by itself: hindsight models {monitor.name}\n"
    )
    message = Message(subject, text, severity=Severity.P1)
    cause, to = f"rollback {done.at.isoformat()}", monitor.receivers(message.severity)
    return letters(message, monitor=monitor.name, cause=cause, recipients=to)
