"""Comparisons: judge what is compared with a window before, and the later windows that look back on it."""

from __future__ import annotations

from collections.abc import Sequence

from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.verdicts.against import against, comparing, earlier, later
from hindsight.verdicts.model import Verdict


def with_comparisons(monitor: Monitor, verdicts: Sequence[Verdict], tx: Transaction) -> list[Verdict]:
    """Return verdicts with those of comparing rules made, and those of later windows that look back on them.

    Call it while the monitor's lock is held: of two windows that are judged at a time the second then sees the first.
    """
    rules = comparing(monitor)
    mine = [verdict for verdict in verdicts if verdict.series.rule in rules]
    if not mine:
        return list(verdicts)
    starts = {(rules[v.series.rule].id, v.window.start) for v in mine}
    back = {earlier(monitor, rules[id], start) for id, start in starts}
    ahead = {one for id, start in starts for one in later(monitor, rules[id], start)}
    recorded = {(v.series, v.window.start): v for v in tx.of_windows(back | ahead, rules)}
    known = recorded | {(v.series, v.window.start): v for v in mine}
    given = {(v.series, v.window.start) for v in mine}
    followers = [v for (series, start), v in recorded.items() if start in ahead and (series, start) not in given]
    return against(monitor, [*verdicts, *followers], known)
