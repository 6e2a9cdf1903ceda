"""News, offline: how often it comes on real logs in which nothing is planted, and what it finds of planted faults.

`python -m benchmarks.news_offline [--series a,b] [--days N] [--fresh]` makes the profiles of each log by the product's
own functions (kept in the cache of the seasons) and judges the windows of its stretch in order, each by those before;
then the first windows of every planted fault, beside the same windows without it. No ledger, no store, no incidents:
only what the statistic says. `--fresh` lets the past begin with the stretch; without it the reference's own windows
are part of it. Prints a line a series.
"""

from __future__ import annotations

import argparse
import pickle
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from benchmarks.news_offline_profiles import SOON, Numbers, Planted, Prepared, prepare
from benchmarks.seasons_cache import folder
from benchmarks.seasons_series import NAMES
from hindsight.checks.news.family import Finding, news
from hindsight.checks.news.slots import comparable

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
UTC = ZoneInfo("UTC")
Column = tuple[str, str]
Judge = Callable[..., list[Finding]]


@dataclass
class Walk:
    """The windows of a log judged in order: what was news in each, by segment and column."""

    prepared: Prepared
    rate: float
    fresh: bool = False
    judge: Judge = news
    breaches: dict[Column, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    findings: dict[datetime, list[Finding]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {
            start: numbers
            for start, numbers in zip(self.prepared.starts, self.prepared.numbers, strict=True)
            if not self.fresh or start >= self.prepared.begins
        }
        self.cycle = max(WEEK, 3 * self.prepared.size)

    def judged(self, start: datetime, planted: Sequence[Numbers] = (), onset: datetime | None = None) -> list[Finding]:
        """Judge a window, with those from an onset on as a fault made them."""
        size = self.prepared.size

        def numbers(when: datetime) -> Numbers:
            place = (when - onset) // size if onset else -1
            return planted[place] if 0 <= place < len(planted) else self.known.get(when, {})

        places, count = comparable(start, size, UTC)
        grid = [place.start for place in places]
        now = numbers(start)
        gone = {column: set(self._unusual(sorted(when), start)) for column, when in self.breaches.items()}
        columns = {(segment, one[0]) for segment, part in now.items() for one in part.layout}
        out = {column: gone.get(column, set()) | gone.get(("", column[1]), set()) for column in columns}
        return self.judge(
            now,
            [numbers(one) for one in grid[:-1]],
            [place.slot for place in places],
            {column: [t for t, one in enumerate(grid[:-1]) if one in some] for column, some in out.items()},
            slot_count=count,
            rate=self.rate,
        )

    def _unusual(self, breaches: Sequence[datetime], start: datetime) -> Iterator[datetime]:
        """Windows of an incident and the one before it, until it has lasted two cycles."""
        first = None
        for before, now in pairwise([None, *(one for one in breaches if one < start)]):
            if now is not None and (first is None or (before is not None and now - before > self.cycle)):
                first = now
                yield first - self.prepared.size
            if now is not None and first is not None and now - first < 2 * self.cycle:
                yield now

    def run(self) -> None:
        """Judge the stretch."""
        for start in self.prepared.starts:
            if start >= self.prepared.begins and self.known.get(start):
                self.findings[start] = self.judged(start)
                for one in self.findings[start]:
                    if one.is_news:
                        self.breaches[one.segment, one.feature].append(start)

    def notices(self) -> list[tuple[datetime, list[Column]]]:
        """Return when something was told: columns that were no news for a cycle; one window is one case."""
        found: dict[datetime, list[Column]] = defaultdict(list)
        for column, when in self.breaches.items():
            for before, now in pairwise([None, *when]):
                if now is not None and (before is None or now - before > self.cycle):
                    found[now].append(column)
        return sorted(found.items())

    def until(self, onset: datetime) -> Walk:
        """Return the walk as it stood before an onset."""
        earlier = Walk(self.prepared, self.rate, self.fresh, self.judge)
        for column, when in self.breaches.items():
            earlier.breaches[column] = [one for one in when if one < onset]
        return earlier


def found(walk: Walk, planted: Planted) -> bool:
    """Say whether a fault is told within two windows (a ramp within its sixty days) and is not without it."""
    onset, size = planted.fault.onset.to_pydatetime(), walk.prepared.size
    earlier = walk.until(onset)
    names = set(planted.fault.columns) or {""}
    segment = "=".join(planted.fault.segment) if planted.fault.segment else ""
    for place in range(len(planted.numbers)):
        start = onset + place * size
        clean = {(one.segment, one.feature) for one in walk.findings.get(start, ()) if one.is_news}
        for one in earlier.judged(start, planted.numbers, onset):
            column = (one.segment, one.feature)
            if not one.is_news or one.feature not in names or one.segment != segment:
                continue
            last = max(earlier.breaches.get(column, ()), default=None)
            if column not in clean and (last is None or start - last > walk.cycle):
                return True
        if place >= SOON - 1 and planted.fault.kind != "ramp":
            break
    return False


def load(name: str, days: int | None) -> Prepared:
    """Return the profiles of a series, made where they are not kept yet."""
    place = folder() / "news" / f"{name}{f'_{days}' if days else ''}.pkl"
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(pickle.dumps(prepare(name, timedelta(days=days) if days else None)))
    return pickle.loads(place.read_bytes())


def line(prepared: Prepared, *, fresh: bool, notices: float, judge: Judge = news, verbose: bool = False) -> dict:
    """Return the counts of a series."""
    rate = min(notices * 0.5 * (prepared.size / MONTH) * 2 / 3, 0.05)
    walk = Walk(prepared, rate, fresh, judge)
    walk.run()
    told = walk.notices()
    months = len(walk.findings) * prepared.size / MONTH
    cells: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for planted in prepared.planted:
        fault = planted.fault
        if planted.seen and fault.kind != "rows_doubled":  # rows are distinct here: another rule counts them
            cells[fault.kind, fault.strength, fault.place].append(found(walk, planted))
    if verbose:
        for when, columns in told:
            ones = {(o.segment, o.feature): o for o in walk.findings[when]}
            print("   ", when.date(), *(f"{c[0]}/{c[1]}:{ones[c].coordinate} {ones[c].z:.1f}" for c in columns))
    return {"series": prepared.series, "months": months, "told": told, "cells": cells, "walk": walk}


def rates(cells: dict, strength: str, place: str) -> tuple[int, int]:
    """Return how many were found, of how many."""
    some = [
        one for (kind, s, p), ones in cells.items() if (s, p) == (strength, place) and kind != "ramp" for one in ones
    ]
    return sum(some), len(some)


def main() -> None:
    """Run the command."""
    warnings.simplefilter("ignore")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--series", default=",".join(NAMES))
    options.add_argument("--days", type=int, help="the size of a window, instead of the one that init proposes")
    options.add_argument("--fresh", action="store_true")
    options.add_argument("--notices", type=float, default=2.0, help="agreed to in thirty days")
    given = options.parse_args()
    for name in given.series.split(","):
        found = line(load(name, given.days), fresh=given.fresh, notices=given.notices)
        cells = [(strength, place) for place in ("whole", "segment") for strength in ("weak", "middle", "strong")]
        shares = ", ".join(f"{s} {p} {n} of {m}" for s, p in cells for n, m in [rates(found["cells"], s, p)])
        print(f"{name}: {len(found['told']) / found['months']:.2f} cases a month; found {shares}", flush=True)


if __name__ == "__main__":
    main()
