"""Spells: stretches in which a column was news, and what of the past counts because of them for a later window.

A spell stays out of the past until it has lasted two cycles: a fault must not become usual by lasting a week. What has
lasted two cycles is the level from then on and all of it counts; back to what was before it is a return, no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

CYCLES = 2  # that a spell lasts before it is the level
NEARLY = 3  # windows before that in which nothing need be news: a quiet weekend


@dataclass(frozen=True, slots=True)
class Spell:
    """Windows that were news, oldest first, none more than a cycle after the one before.

    `cycle` is how long that is, `size` that of a window.
    """

    windows: tuple[datetime, ...]
    cycle: timedelta
    size: timedelta

    def is_level(self, by: datetime) -> bool:
        """Say whether it is the level for a window that starts at `by`: it had lasted two cycles by then."""
        settled = self.windows[0] + CYCLES * self.cycle
        return by >= settled and self.windows[-1] >= settled - NEARLY * self.size


def spells(windows: Iterable[datetime], cycle: timedelta, size: timedelta) -> list[Spell]:
    """Return the spells of a column by the starts of the windows in which it was news."""
    found: list[list[datetime]] = []
    for window in sorted(windows):
        if found and window - found[-1][-1] <= cycle:
            found[-1].append(window)
        else:
            found.append([window])
    return [Spell(tuple(some), cycle, size) for some in found]


def uncounted(found: Iterable[Spell], by: datetime) -> Iterator[datetime]:
    """Yield the windows that do not count for one that starts at `by`.

    The window before a spell does not count either: it is part of what made the first one news.
    """
    for spell in found:
        if not spell.is_level(by):
            yield spell.windows[0] - spell.size
            yield from spell.windows


def level_since(found: Iterable[Spell], by: datetime) -> datetime | None:
    """Return when the newest level began, None where no spell became one."""
    return max((spell.windows[0] for spell in found if spell.is_level(by)), default=None)
