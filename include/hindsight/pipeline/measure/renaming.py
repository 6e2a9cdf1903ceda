"""Renaming: the history of the names a monitor had before becomes its own, once, whatever breaks off.

Files are copied first, without a lock; what came meanwhile is copied under the locks of both names, where the rows get
the new name and the old one is closed for writing, in one transaction. Until that is committed all is as it was but for
copies nobody reads; from then on the old files are no one's, and go. Each step may be done again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from hindsight.errors import ConfigError, HindsightError
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.renames import (
    both_locked,
    has_history,
    move_rows,
    moved_at,
    note_emptied,
    refuse_renamed,
    renames,
)
from hindsight.monitors.loader import names_in
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.moving import copy_files, remove_files
from hindsight.training.registry import TABLE as MODELS
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window

logger = logging.getLogger(__name__)
_DAG = "retrain__{}"


def take_over(monitor: Monitor, resources: Resources, *, now: datetime) -> datetime | None:
    """Take over what is on record under earlier names; return when that was last done, None where it never was.

    Raises ConfigError where an earlier name is still in use, or where both names have a history.
    """
    if not monitor.renamed_from:
        return None
    for old in awaited(monitor, resources):
        _move(old, monitor, resources, now)
    with resources.ledger.reading() as connection:
        known = renames(connection, monitor.renamed_from)
    for old, moved in known.items():
        if moved.new == monitor.name and not moved.emptied:
            _empty(old, monitor.name, resources)
    with resources.ledger.reading() as connection:
        return moved_at(connection, monitor.name)


def awaited(monitor: Monitor, resources: Resources) -> list[str]:
    """Return the earlier names under which a monitor's history still lies, oldest first."""
    if not monitor.renamed_from:
        return []
    with resources.ledger.reading() as connection:
        known = renames(connection, monitor.renamed_from)
        return [old for old in monitor.renamed_from if old not in known and has_history(connection, old, [MODELS])]


def own_history(monitor: Monitor, resources: Resources, *, now: datetime) -> None:
    """Take over what is on record under earlier names, before anything is measured under this one.

    Raises LedgerError, not transient, where this name is closed: what a run writes to the store before it comes to the
    ledger would be no one's. Else as `take_over`.
    """
    take_over(monitor, resources, now=now)
    with resources.ledger.reading() as connection:
        refuse_renamed(connection, monitor.name)


def take_over_all(monitors: Iterable[Monitor], resources: Resources, *, now: datetime) -> list[str]:
    """Take over what is on record under earlier names of each of these; return what could not be done, and why."""
    complaints = []
    for monitor in monitors:
        try:
            take_over(monitor, resources, now=now)
        except HindsightError as exc:  # of one monitor; the others are taken over all the same
            logger.error("history not taken over monitor=%s", monitor.name, exc_info=exc)
            complaints.append(str(exc))
    return complaints


def was_measured(monitor: Monitor, window: Window, ledger: Ledger) -> bool:
    """Say whether it is on record that a window was measured."""
    return bool(ledger.measured(monitor.name, str(Kind.OPERATIONS), [window.start]))


def _move(old: str, monitor: Monitor, resources: Resources, now: datetime) -> None:
    new, ledger, files = monitor.name, resources.ledger, resources.files
    if old in names_in(resources.settings.monitors):
        raise ConfigError(
            f"{new}: renamed_from: {old!r} is still the name of a monitor in {resources.settings.monitors}; rename or "
            "remove that one, or take it out here"
        )
    copied = copy_files(files, old, new)
    with ledger.writing() as connection, both_locked(connection, old, new):
        if not has_history(connection, old, [MODELS]):
            return  # another process was faster
        if has_history(connection, new, [MODELS]):
            raise ConfigError(
                f"{new}: renamed_from: both {old} and {new} have a history, and two do not mix; take renamed_from out "
                f"to go on with that of {new}, or go back to the name {old}"
            )
        copied += copy_files(files, old, new)
        move_rows(connection, old, new, now, more=[MODELS], by_dag=_DAG)
    logger.info("history taken over from=%s monitor=%s files=%d", old, new, copied)
    _empty(old, new, resources)


def _empty(old: str, new: str, resources: Resources) -> None:
    """Delete the files of a name whose history has moved, and note that it is done."""
    remove_files(resources.files, old, new)
    resources.files.forget()
    with resources.ledger.writing() as connection:
        note_emptied(connection, old)
