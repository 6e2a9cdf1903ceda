"""News: judge a window by the windows of its own recent past, and those that look back on it where it came late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sin
from zoneinfo import ZoneInfo

import numpy as np

from hindsight.checks.news.coordinates import (
    HIGH,
    LOCATION,
    LOW,
    MEAN,
    MIDDLE,
    NULLS,
    PEAK,
    ROWS,
    SPREAD,
    TILT,
)
from hindsight.checks.news.family import Column, Finding, Out, news, unless_returned
from hindsight.checks.news.numbers import Numbers
from hindsight.checks.news.slots import WEEKS, Place, comparable
from hindsight.checks.news.spells import Spell, level_since, spells, uncounted
from hindsight.errors import ConfigError, Problem
from hindsight.ledger.acceptances import acceptances
from hindsight.ledger.summaries import note_followed, summaries, summarised
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.calendar import AlertBudget, holidays_of
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.summary import numbers_of
from hindsight.pipeline.measure.windows import as_of_run
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.acceptance import accepted, is_usual
from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Series, Status, Verdict
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

METRIC = "news"
RULE_METRIC = f"{Kind.DRIFT}.{METRIC}"
# of the notices people agreed to: rows of a real log come in clusters, and other rules tell too
SHARE_OF_BUDGET = 1 / 8
HIGHEST_RATE = 0.02  # half of it is for all rows together: 1 % of long windows
WEEK, REACH = timedelta(days=7), timedelta(days=92)
LONGEST = 8  # times that reach: how far back the breaches of one incident are looked for, and how far on changes go


def news_of_run(monitor: Monitor, window: Window, tx: Transaction, resources: Resources) -> list[Verdict]:
    """Return the news verdicts of a window and, where it is new or not what it was, of all that look back on it.

    The past is the grid's windows before each, as newest known, so it does not matter in which order they came.
    """
    if not any(rule.metric == RULE_METRIC for rule in monitor.rules):
        return []
    past = _Past(monitor, tx, resources, since=window.start - LONGEST * _reach(monitor))
    own = summaries(tx, [window.start]).get(window.start)
    if own is None:
        return []
    found = past.judged(window.start)
    if not own.followed:
        found += past.followers(window.start)
        note_followed(tx, [window.start])
    return found


@dataclass
class _Past:
    """The windows of a monitor as the ledger knows them while its lock is held, and the breaches found so far."""

    monitor: Monitor
    tx: Transaction
    resources: Resources
    since: datetime

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.monitor.timezone)
        self.rules = {rule.id for rule in self.monitor.rules if rule.metric == RULE_METRIC}
        self.cycle, self.reach = max(WEEK, 3 * self.monitor.window), _reach(self.monitor)
        self.breaches: dict[datetime, set[Column]] | None = None
        self.accepted = acceptances(self.tx.connection, self.monitor.name)

    def judged(self, start: datetime) -> list[Verdict]:
        """Judge one window, and take note of its breaches for those after it."""
        places, count = comparable(start, self.monitor.window, self.zone, self._holidays(start))
        grid = [self.monitor.grid.window_at(place.start).start for place in places]
        known = numbers_of(self.monitor, self.tx, grid, self.resources)
        now, past = known.get(start, {}), [known.get(one, {}) for one in grid[:-1]]
        columns = {(segment, measured[0]) for segment, part in now.items() for measured in part.layout}
        lasting = self._spells(start, columns)
        found = self._findings(places, count, now, past, self._left_out(lasting, grid))
        levels = self._before_levels(lasting, grid)
        if any(one.is_news and (one.segment, one.feature) in levels for one in found):
            found = unless_returned(found, self._findings(places, count, now, past, levels), levels)
        facts, before = [fact(one, now, past) for one in found], self._were_news(grid[:-1])
        spoken = [one for one in facts if not one.segment or one.value or (one.segment, one.feature) in before]
        return self._verdicts(start, spoken)

    def _findings(
        self, places: Sequence[Place], count: int, now: Numbers, past: Sequence[Numbers], out: Out
    ) -> list[Finding]:
        often = rate(self.monitor.alerts.budget, self.monitor.window)
        return news(now, past, [place.slot for place in places], out, slot_count=count, rate=often)

    def followers(self, start: datetime) -> list[Verdict]:
        """Judge the windows after one that look back on it or, further on, on one whose judgement changed by it."""
        until, found = start + self.reach, list[Verdict]()
        for later in summarised(self.tx, start + self.monitor.window, start + LONGEST * self.reach):
            if later > until:
                break
            places, _ = comparable(later, self.monitor.window, self.zone)
            if (
                start in {place.start for place in places}
                or later - start <= self.monitor.window
                or until > start + self.reach
            ):
                before = self._breaches().get(later, set()).copy()
                found += self.judged(later)
                if self._breaches().get(later, set()) != before:
                    until = max(until, later + self.reach)
        return found

    def _verdicts(self, start: datetime, facts: Sequence[Measurement]) -> list[Verdict]:
        window = Window(start, start + self.monitor.window)
        judged = judge(self.monitor, window, as_of_run(self.monitor, window), {Kind.DRIFT: facts})
        told = [verdict for verdict in judged if verdict.series.rule in self.rules]
        told = accepted(told, self.accepted, {rule.id: rule for rule in self.monitor.rules})
        breached = {(v.series.segment, v.series.feature) for v in told if v.status is Status.BREACH}
        self._breaches()[start] = breached
        return told

    def _breaches(self) -> dict[datetime, set[Column]]:
        """Return what is on record: by window, the columns that were news in it."""
        if self.breaches is None:
            self.breaches = defaultdict(set)
            for verdict in self.tx.breaches_of(self.rules, self.since):
                self.breaches[verdict.window.start].add((verdict.series.segment, verdict.series.feature))
        return self.breaches

    def _were_news(self, starts: Iterable[datetime]) -> set[Column]:
        """Return what was news in one of these windows; of a segment nothing else is worth a verdict each window."""
        breaches = self._breaches()
        return {column for start in starts for column in breaches.get(start, ())}

    def _spells(self, start: datetime, columns: Collection[Column]) -> dict[Column, list[Spell]]:
        """Return by column the spells of news before a window, its own and those of all rows.

        What a person accepted before the window's as-of is usual at once, and in no spell.
        """
        as_of = as_of_run(self.monitor, Window(start, start + self.monitor.window))
        starts: dict[Column, list[datetime]] = defaultdict(list)
        for when, told in self._breaches().items():
            if start - 2 * self.reach <= when < start:
                for column in told:
                    if not is_usual(self.accepted, Series(METRIC, "", *column), when, as_of):
                        starts[column].append(when)
        own = {column: spells(when, self.cycle, self.monitor.window) for column, when in starts.items()}
        found = {column: [*own.get(column, ()), *own.get(("", column[1]), ())] for column in columns}
        return {column: some for column, some in found.items() if some}

    def _left_out(self, found: Mapping[Column, Sequence[Spell]], grid: Sequence[datetime]) -> dict[Column, list[int]]:
        """Return by column the places of the windows that do not count because of its spells."""
        out: dict[Column, list[int]] = {}
        for column, some in found.items():
            gone = set(uncounted(some, grid[-1]))
            out[column] = [t for t, one in enumerate(grid[:-1]) if one in gone]
        return out

    def _before_levels(
        self, found: Mapping[Column, Sequence[Spell]], grid: Sequence[datetime]
    ) -> dict[Column, list[int]]:
        """Return by column in which something became the level the places of all windows since shortly before."""
        since = {column: level_since(some, grid[-1]) for column, some in found.items()}
        return {
            column: [t for t, one in enumerate(grid[:-1]) if one >= first - self.monitor.window]
            for column, first in since.items()
            if first is not None
        }

    def _holidays(self, start: datetime) -> frozenset[date]:
        years = range((start - REACH).year, start.year + 1)
        try:
            return holidays_of(self.monitor.calendar, years, self.resources.settings.root)
        except ValueError as exc:
            raise ConfigError(Problem(str(exc), field="calendar.holidays")) from exc


def _reach(monitor: Monitor) -> timedelta:
    """How far ahead of a window those lie that look back on it."""
    return max(REACH, 2 * (WEEKS + 1) * monitor.window)


def rate(budget: AlertBudget, size: timedelta) -> float:
    """Return how often any news may come by chance in one window: a share of the notices agreed to, 0.02 at most."""
    return min(max(budget.notices, 1) * SHARE_OF_BUDGET * (size / budget.period), HIGHEST_RATE)


def fact(found: Finding, now: Numbers, past: Sequence[Numbers]) -> Measurement:
    """Write a finding down as rules read it: 1 where it is news, 0 where not, null while the past is being learnt."""
    n = now[found.segment].n
    value = None if found.learning else float(found.is_news)
    note = f"learning: {found.learning}" if found.learning else said(found, now, past) if found.is_news else ""
    return Measurement(METRIC, value, n, segment=found.segment, feature=found.feature, note=note)


def said(found: Finding, now: Numbers, past: Sequence[Numbers]) -> str:
    """Say what is new: what it is, what its past lets expect, and how far off that is."""
    what, value, expected = _words(found, now, past)
    return f"{what} {value}, {expected} expected ({abs(found.z):.1f} standard deviations of its own past)"


def _words(found: Finding, now: Numbers, past: Sequence[Numbers]) -> tuple[str, str, str]:
    name = found.coordinate
    if name == ROWS:
        return "rows", f"{np.exp(found.value):,.0f}", f"{np.exp(found.expected):,.0f}"
    if name in (LOCATION, MIDDLE, TILT):
        mean, means = _mean(found, now), [one for one in (_mean(found, numbers) for numbers in past) if one is not None]
        if mean is not None and means:
            return "mean", f"{mean:.4g}", f"{np.median(means):.4g}"
    if name in (LOCATION, MIDDLE, SPREAD, TILT):
        return name, f"{found.value:.2f}", f"{found.expected:.2f}"
    shares = {NULLS: "nulls", PEAK: "share of one value", LOW: "share of low values", HIGH: "share of high values"}
    what = shares.get(name) or (f"share of {name[1:]!r}" if name.startswith("=") else "share of other values")
    return what, f"{sin(found.value) ** 2:.1%}", f"{sin(min(max(found.expected, 0), 1.57)) ** 2:.1%}"


def _mean(found: Finding, numbers: Numbers) -> float | None:
    return numbers[found.segment].value(found.feature, MEAN) if found.segment in numbers else None
