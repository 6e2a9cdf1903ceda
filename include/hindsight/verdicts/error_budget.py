"""Error budgets: how much of what may be bad was bad, and how fast that goes; sums of counts by window, nothing else.

Source: Beyer, Murphy, Rensin, Kawahara, Thorne (2018), The Site Reliability Workbook, chapter 5, "Alerting on SLOs".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

from hindsight.monitors.slos import BAD, BURN_LONG, BURN_SHORT, FEWEST_WINDOWS, GOOD, LEFT, Slo
from hindsight.verdicts.model import Status, Verdict
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.windows import format_duration

SUSTAINED = 0.75  # of a limit of the short span, that the long one must be over: 1.5 of 2


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a window's rows were bad, or whether it was as one slice; a total of 0 is no traffic."""

    bad: int
    total: int


NOTHING = Count(0, 0)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was counted in a span: of `total` rows or slices `bad` were, and `burning` windows went over the budget."""

    bad: int
    total: int
    burning: int = 0


def counted(slo: Slo, fact: Measurement | None) -> Count:
    """Return what an SLO counts in a window by its metric there; nothing where that has no value or too few rows.

    By occurrences value times n are the bad rows of a share of bad ones, (1 - value) times n those of a good one.
    """
    if fact is None or fact.value is None or not fact.n:
        return NOTHING
    if slo.by_slices:
        return Count(int(not slo.holds(fact.value)), 1) if fact.n >= slo.fewest else NOTHING
    share = 1 - fact.value if slo.metric in GOOD else fact.value
    return Count(round(share * fact.n), fact.n)


def burn_rate(bad: int, total: int, budget: float) -> float:
    """Return how many times as fast as it may the budget goes: bad / total / budget; nothing burns without traffic.

    At 1 a period spends its budget to the end and no more.

    >>> burn_rate(12, 4_000, 0.001)
    3.0
    """
    return bad / total / budget if total else 0.0


def budget_left(bad: int, total: int, budget: float) -> float:
    """Return which share of the bad ones that `total` allows is left, below 0 where there were more.

    >>> budget_left(25, 100_000, 0.001)
    0.75
    """
    return 1 - burn_rate(bad, total, budget)


class Tally:
    """The counts of an SLO by the start of their windows, added up over any span."""

    def __init__(self, counts: Mapping[datetime, Count], budget: float) -> None:
        self._known = counts
        self.starts = sorted(counts)
        ordered = [counts[start] for start in self.starts]
        burning = (burn_rate(one.bad, one.total, budget) > 1 for one in ordered)
        self._bad = [0, *accumulate(one.bad for one in ordered)]
        self._total = [0, *accumulate(one.total for one in ordered)]
        self._burning = [0, *accumulate(map(int, burning))]

    def __contains__(self, start: object) -> bool:
        return start in self._known

    def over(self, span: timedelta, until: datetime) -> Spent:
        """Return what was counted in the windows that start in [until - span, until)."""
        first, last = bisect_left(self.starts, until - span), bisect_left(self.starts, until)
        return Spent(*(sums[last] - sums[first] for sums in (self._bad, self._total, self._burning)))


@dataclass(frozen=True, slots=True)
class Standing:
    """How an SLO stands at the end of a window: what its spans and its period hold, and what that comes to.

    A number is None where too few rows lie behind it.
    """

    slo: Slo
    size: timedelta
    short: Spent
    long: Spent
    period: Spent

    @property
    def burn_short(self) -> float | None:
        """The burn rate over the short span."""
        return self._burn(self.short)

    @property
    def burn_long(self) -> float | None:
        """The burn rate over the long span."""
        return self._burn(self.long)

    @property
    def left(self) -> float | None:
        """The share of the period's budget that is left."""
        return budget_left(self.period.bad, self._of, self.slo.budget) if self._is_enough(self.period) else None

    @property
    def _of(self) -> int:
        """What the budget is a share of: the rows of the period or, of slices, all it holds, seen or not."""
        return self.slo.period // self.size if self.slo.by_slices else self.period.total

    def _burn(self, spent: Spent) -> float | None:
        return burn_rate(spent.bad, spent.total, self.slo.budget) if self._is_enough(spent) else None

    def _is_enough(self, spent: Spent) -> bool:
        return spent.total >= (1 if self.slo.by_slices else self.slo.fewest)

    def facts(self, name: str) -> Iterator[Measurement]:
        """Yield the numbers as rules read them, each with what a mail says of it."""
        short, long = self.slo.spans(self.size)
        numbers = ((BURN_SHORT, self.burn_short, self.short, short), (BURN_LONG, self.burn_long, self.long, long))
        for metric, burn, spent, span in numbers:
            said = self._shortage(spent, span) if burn is None else self._burns(burn, spent, span)
            yield Measurement(metric, burn, spent.total, feature=name, note=said)
        left, period = self.left, self.slo.period
        said = self._shortage(self.period, period) if left is None else self._has_spent()
        yield Measurement(LEFT, left, self.period.total, feature=name, note=said)

    def _shortage(self, spent: Spent, span: timedelta) -> str:
        what = "no window with data" if self.slo.by_slices else f"{spent.total:,} rows, {self.slo.fewest:,} are needed"
        return f"{what} in {format_duration(span)}"

    def _burns(self, burn: float, spent: Spent, span: timedelta) -> str:
        rate = f"burns its budget {amount(burn)} times as fast as it may"
        left = f"; {_share(self.left)} of {self._budget} is left" if self.left is not None else ""
        return f"{rate}: {_bad(self.slo, spent)} in the last {format_duration(span)}{left}"

    def _has_spent(self) -> str:
        return f"has spent {self._budget}: {_bad(self.slo, self.period)}, {amount(self._of * self.slo.budget)} may"

    @property
    def _budget(self) -> str:
        return f"the budget of {format_duration(self.slo.period)}"


def amount(value: float) -> str:
    """Return a number as people say it: 2.93, 1,000."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def standing(slo: Slo, tally: Tally, start: datetime, size: timedelta) -> Standing:
    """Return how an SLO stands at the end of the window that starts at a moment."""
    end = start + size
    short, long = slo.spans(size)
    return Standing(slo, size, tally.over(short, end), tally.over(long, end), tally.over(slo.period, end))


def sustained(verdict: Verdict, now: Standing) -> Verdict:
    """Return a breach of a limit of the short span as none unless two windows of it burn, and the long span does too.

    The long span must be over three quarters of the limit: one bad window is an accident, and what is over is no page.
    """
    if verdict.status is not Status.BREACH or verdict.threshold is None:
        return verdict
    if now.short.burning < FEWEST_WINDOWS:
        return replace(verdict, status=Status.OK, note="in one window only")
    if (now.burn_long or 0.0) <= SUSTAINED * verdict.threshold:
        return replace(
            verdict, status=Status.OK, note=f"not sustained: {amount(now.burn_long or 0)} over the long span"
        )
    return verdict


def _bad(slo: Slo, spent: Spent) -> str:
    """'12 of 4,100 requests failed', or '3 of 24 windows were not below 300'."""
    words = f"windows were not {slo.limit}" if slo.by_slices else (GOOD | BAD)[slo.metric]
    return f"{spent.bad:,} of {spent.total:,} {words}"


def _share(left: float) -> str:
    return f"{100 * left:.3g} %" if left > 0 else "nothing"
