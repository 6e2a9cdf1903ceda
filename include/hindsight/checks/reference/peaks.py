"""Peaks: what one window of the reference has and the others lack, as the next window may have what none of them had.

Rows come in clusters: an invoice of 200 lines, a customer, a sensor at rest. A share of odd rows that is far beyond the
chance of single rows is then as usual as a large invoice. So each window of the reference is held against all others,
as a window to come is held against the whole of it (the jackknife: Barber, Candès, Ramdas, Tibshirani 2021), and what
is odd in one of them is not told as odd later. All shares are of the rows of a window in which the column is known. The
two rows of a quiet hour are no measure of a busy one: of a window with few rows a share is of half the usual number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hindsight.checks.values.categories import EMPTY, Categories
from hindsight.checks.values.precision import STEP

NEW, OUTSIDE, REPEATED, STILL = "new_category_share", "out_of_range_share", "repeated", "stuck"
RETURNING = "returning"
SHARE, FEWEST, OFTEN = 0.005, 5, 10  # of the known values, rows, and times as frequent as in the reference
CHANCE = 1e-9  # less than which is no accident
MARGIN = 0.1  # how far beyond the reference's range, as a share of it, a value may lie
Key = tuple[str, str]


@dataclass(frozen=True)
class Peaks:
    """By (what, column): the largest share of a window of the reference, 0 where none is known.

    NEW: texts, OUTSIDE: numbers, that the other windows do not have; REPEATED: one value that is far more frequent than
    in the others; STILL: 1 where a whole window has one value, and not by chance. No share is RETURNING: 1 where
    both halves of the reference have the same texts: weekdays, and no months, of which others follow.
    """

    shares: Mapping[Key, float] = field(default_factory=dict)

    def of(self, what: str, column: str) -> float:
        """Return the largest share of a window."""
        return self.shares.get((what, column), 0.0)


NO_PEAKS = Peaks()


def widened(low: float, high: float) -> tuple[float, float]:
    """Widen a range on both sides by a tenth of its length, or by what a float32 may differ."""
    margin = MARGIN * (high - low)
    return low - max(margin, STEP * abs(low)), high + max(margin, STEP * abs(high))


def number_peaks(column: str, values: np.ndarray, place: np.ndarray) -> dict[Key, float]:
    """Return the peaks of finite numbers, `place` their windows from 0 on."""
    seen = _Seen.of(values, place)
    if len(seen.rows) < 2:
        return {}
    return _named(column, seen, {OUTSIDE: _outside(values, place, seen.rows)})


def text_peaks(column: str, texts: Categories, place: np.ndarray) -> dict[Key, float]:
    """Return the peaks of texts, `place` their windows from 0 on; those that are blank count as nulls, as ever."""
    is_said = [text != EMPTY and bool(text.strip()) for text in texts.texts]
    said = np.array([*is_said, False])  # the last is for -1, which is null
    known = said[texts.codes]
    seen = _Seen.of(texts.codes[known], place[known])
    if len(seen.rows) < 2:
        return {}
    return _named(column, seen, {NEW: seen.new})


def is_returning(texts: Categories, later: np.ndarray) -> bool:
    """Say whether both halves of the reference have the same texts; `later` is 1 in the second, -1 without a time."""
    early, late = (np.unique(texts.codes[(later == half) & (texts.codes >= 0)]) for half in (0, 1))
    return early.size > 0 and np.array_equal(early, late)


def _named(column: str, seen: _Seen, own: dict[str, float]) -> dict[Key, float]:
    found = own | {STILL: seen.still, REPEATED: seen.burst}
    return {(what, column): share for what, share in found.items() if share}


@dataclass(frozen=True, slots=True)
class _Seen:
    """How often each value is in each window: windows and counts side by side, of all windows; rows by window."""

    windows: np.ndarray
    counts: np.ndarray
    others: np.ndarray  # rows of the same value in the other windows
    rows: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, place: np.ndarray) -> _Seen:
        _, place = np.unique(place, return_inverse=True)
        rows = np.bincount(place)
        known, codes = np.unique(values, return_inverse=True)
        pairs, counts = np.unique(codes * max(len(rows), 1) + place, return_counts=True)
        at, windows = np.divmod(pairs, max(len(rows), 1))
        totals = np.bincount(codes, minlength=len(known))
        return cls(windows, counts, totals[at] - counts, rows)

    @property
    def still(self) -> float:
        """1 where a window has one value in all of its rows, and FEWEST of them: more than its frequency explains."""
        whole = (self.counts == self.rows[self.windows]) & (self.counts >= FEWEST)
        by_chance = self.counts * np.log(np.maximum(self._usual, 1e-300))
        return float((whole & (by_chance < np.log(CHANCE))).any())

    @property
    def new(self) -> float:
        """The largest share of a window at values that the others do not have."""
        alone = np.bincount(self.windows, self.counts * (self.others == 0), minlength=len(self.rows))
        return float((alone / of_usual(self.rows)).max())

    @property
    def burst(self) -> float:
        """The largest share of a window at a value that is repeated there, OFTEN times as often as in the others."""
        n = self.rows[self.windows]
        usual = self._usual
        odd = self.counts >= OFTEN * usual * n + np.where(usual > 0, FEWEST, 0)
        odd &= self.counts >= np.maximum(FEWEST, np.ceil(SHARE * n))
        return float((self.counts[odd] / of_usual(self.rows)[self.windows][odd]).max(initial=0.0))

    @property
    def _usual(self) -> np.ndarray:
        """The share of the rows of the other windows that each value has."""
        return np.asarray(self.others / np.maximum(self.rows.sum() - self.rows[self.windows], 1))


def of_usual(rows: np.ndarray) -> np.ndarray:
    """Return of how many rows the shares of each window are: its own, or half of the median."""
    return np.asarray(np.maximum(rows, float(np.median(rows)) / 2))


def _outside(values: np.ndarray, place: np.ndarray, rows: np.ndarray) -> float:
    """Return the largest share of a window beyond the widened range of the others."""
    order = np.argsort(place, kind="stable")
    pieces = np.split(values[order], np.cumsum(rows)[:-1])
    lows, highs = [piece.min() for piece in pieces], [piece.max() for piece in pieces]
    found = []
    for at, piece in enumerate(pieces):
        low, high = widened(min(lows[:at] + lows[at + 1 :]), max(highs[:at] + highs[at + 1 :]))
        found.append(np.count_nonzero((piece < low) | (piece > high)))
    return float((np.array(found) / of_usual(rows)).max())
