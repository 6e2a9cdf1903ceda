"""Comparisons: judge what is compared with a window before, and the later windows that look back on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.verdicts.against import against, comparing, earlier, later
from hindsight.verdicts.model import Series, Verdict
from hindsight.verdicts.muting import ABSENT, mute

_Place = tuple[Series, datetime]


def with_comparisons(monitor: Monitor, verdicts: Sequence[Verdict], tx: Transaction) -> list[Verdict]:
    """Return verdicts with those of comparing rules made, and those of later windows that look back on them.

    Call it while the monitor's lock is held: of two windows that are judged at a time the second then sees the first.
    Where the ledger knows a window as of a later moment, that is what others are compared with.
    """
    rules = comparing(monitor)
    mine = {_place(verdict) for verdict in verdicts if verdict.series.rule in rules}
    if not mine:
        return list(verdicts)
    judged = {(series.rule, start) for series, start in mine}
    back = {earlier(monitor, rules[id], start) for id, start in judged}
    ahead = {(id, one) for id, start in judged for one in later(monitor, rules[id], start)} - judged
    asked = [*rules, ABSENT]
    recorded = tx.of_windows(back | {start for _, start in judged | ahead}, asked)
    known = _newest([*recorded, *(verdict for verdict in verdicts if verdict.series.rule in asked)])
    followers = [v for v in recorded if (v.series.rule, v.window.start) in ahead]
    return _muted(monitor, against(monitor, [*verdicts, *followers], known), rules, tx)


def _muted(monitor: Monitor, verdicts: Sequence[Verdict], rules: Collection[str], tx: Transaction) -> list[Verdict]:
    """Mute the comparisons that something else in their window explains: when it was judged there were none yet."""
    starts = {verdict.window.start for verdict in verdicts if verdict.series.rule in rules}
    windows: dict[datetime, list[Verdict]] = defaultdict(list)
    for verdict in _newest([*tx.of_windows(starts), *verdicts]).values():
        windows[verdict.window.start].append(verdict)
    muted = _newest(one for start in starts for one in mute(monitor, windows[start]) if one.series.rule in rules)
    return [muted.get(_place(verdict), verdict) for verdict in verdicts]


def _newest(verdicts: Iterable[Verdict]) -> dict[_Place, Verdict]:
    """Return of each series and window the verdict as of the latest moment, of equal ones the last."""
    found: dict[_Place, Verdict] = {}
    for verdict in verdicts:
        place = _place(verdict)
        if place not in found or verdict.as_of >= found[place].as_of:
            found[place] = verdict
    return found


def _place(verdict: Verdict) -> _Place:
    return verdict.series, verdict.window.start
