"""Rollback: an earlier champion takes the place of one that was found wanting; its reference follows, people hear."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from hindsight.errors import TrainingError
from hindsight.ledger.rollbacks import Rollback, note_rollback, rollbacks
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import freeze, in_force
from hindsight.pipeline.resources import Resources
from hindsight.training.registry import champion_of, put_back
from hindsight.vocabulary.letters import Letter, Message, letters
from hindsight.vocabulary.severity import Severity


def roll_back(
    monitor: Monitor,
    resources: Resources,
    *,
    at: datetime,
    by: str,
    why: str,
    to: str | None = None,
    instead_of: str | None = None,
) -> Rollback:
    """Make the last good champion, or `to`, the champion again; freeze the baseline for it, tell, and put it on record.

    The baseline comes first, so that where it fails nothing has changed; all else is one transaction, so that a command
    that broke off is given again, or is done. The champion that is left never comes back by itself. Raises
    TrainingError where there is none to go back to, and where the champion is not, or is no more, the one that `to` was
    to come `instead_of`; where that was done already the rollback on record is returned.
    """
    if instead_of is not None and (done := _done(monitor, resources, to, instead_of)):
        return done
    left, back = resources.registry.champion(monitor.name), resources.registry.earlier(monitor.name, to)
    is_frozen = _frozen(monitor, back.version, resources, at)
    with resources.ledger.locked(monitor.name) as tx:
        _refuse_another(monitor, tx.connection, instead_of)
        restored = put_back(tx.connection, monitor.name, at=at, to=back.version)
        done = Rollback(at, by, why, left.version if left else "", restored.version)
        note_rollback(tx.connection, monitor.name, done)
        tx.queue(_announcement(monitor, done, is_frozen=is_frozen), at)
    return done


def _done(monitor: Monitor, resources: Resources, to: str | None, instead_of: str) -> Rollback | None:
    """Return the rollback on record that is asked for, where nothing was promoted since."""
    champion = resources.registry.champion(monitor.name)
    with resources.ledger.reading() as connection:
        last = next(reversed(rollbacks(connection, monitor.name)), None)
    is_it = last is not None and (last.left, last.restored) == (instead_of, to)
    return last if is_it and champion is not None and champion.version == to else None


def _refuse_another(monitor: Monitor, connection: sa.Connection, instead_of: str | None) -> None:
    """Raise TrainingError where the champion is another than the one somebody was asked about."""
    found = champion_of(connection, monitor.name)
    now = found.version if found else ""
    if instead_of is not None and now != instead_of:
        raise TrainingError(
            f"{monitor.name}: {now or 'no version'} is the champion now, and {instead_of or 'none'} was when the "
            f"rollback was asked for - ask again, if this one is no good either"
        )


def outlook(monitor: Monitor, resources: Resources, *, to: str | None = None) -> tuple[str, str, str]:
    """Return which version a rollback would put back now, the one it would leave, and what a person reads first.

    Raises TrainingError where there is none to go back to.
    """
    left, back = resources.registry.champion(monitor.name), resources.registry.earlier(monitor.name, to)
    since = f", champion since {left.promoted_at:%Y-%m-%d %H:%M} UTC" if left and left.promoted_at else ""
    was = f"trained on rows up to {back.trained_to:%Y-%m-%d}"
    told = f"{back.version}, {was}, comes back in the place of {left.version if left else 'none'}{since}."
    return back.version, left.version if left else "", told


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
