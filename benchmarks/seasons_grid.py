"""Grid of the season bench: which faults a series gets, in which column, segment and unit; by seed, not by eye."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from benchmarks import seasons_faults as faults
from benchmarks.seasons_faults import GRID, OF_CATEGORIES, OF_LABELS, OF_ROWS, Fault

WEEKS_OF_SLOTS = 21 * faults.DAY
FIFTH = 0.2
WITHIN = 1.7  # a category or segment counts as of a share when it is at most so many times off


@dataclass(frozen=True)
class Past:
    """The log before an onset, and what a fault in it would be about; `features` are column -> numeric | categorical.

    `turn` is the place of the series among all, by which units, stand-ins and spellings take turns.
    """

    series: str
    frame: pd.DataFrame
    onset: pd.Timestamp
    window: pd.Timedelta
    features: Mapping[str, str]
    segments: Sequence[str] = ()
    turn: int = 0

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows before the onset."""
        return self.frame[self.frame["predicted_at"] < self.onset]

    @cached_property
    def numeric(self) -> list[str]:
        """Numeric features that vary between windows and are no function of the clock."""
        named = [name for name, kind in self.features.items() if kind == "numeric"]
        return [name for name in named if self.deviation(name) > 0 and not on_the_clock(self.rows, name)]

    @cached_property
    def segment(self) -> tuple[str, str] | None:
        """The value of the monitor's segment that is nearest to a fifth of the rows, None without segments."""
        if not self.segments:
            return None
        column = self.segments[0]
        found = nearest(self.rows[column], FIFTH)
        return (column, found) if found is not None else None

    def deviation(self, column: str) -> float:
        """Return the between-window deviation of a column, in its units (findings of planted faults: `s`)."""
        return between_windows(self.rows, column, self.window)

    def category(self, share: float) -> tuple[str, str] | None:
        """Return the categorical feature and value that is nearest to this share of the rows, None where none is."""
        named = [name for name, kind in self.features.items() if kind == "categorical" and name not in self.segments]
        texts = [name for name in named if not pd.api.types.is_numeric_dtype(self.rows[name])]
        found = [(off, name, value) for name in texts for off, value in _off(self.rows[name], share)]
        best = min(found, default=None)
        return (best[1], best[2]) if best and best[0] <= np.log(WITHIN) else None


def cells() -> list[tuple[str, str, str]]:
    """List kind, strength and place of every planted fault."""
    return [
        (kind, strength, place)
        for kind, (strengths, places) in GRID.items()
        for strength in strengths
        for place in places
    ]


def planned(past: Past, cell: tuple[str, str, str]) -> Fault | str:
    """Return the fault of a cell in this series at this onset, or why there can be none."""
    kind, strength, place = cell
    turn = past.turn + faults.ALL.index(strength)
    fault = Fault(past.series, kind, strength, past.onset, turn=turn, window=past.window)
    if place == "segment":
        if past.segment is None:
            return "its monitor has no segment"
        fault = replace(fault, segment=past.segment)
    if kind in OF_ROWS:
        return replace(fault, size=faults.ROWS[strength])
    if kind in OF_LABELS:
        return replace(fault, size=faults.FLIPS[strength])
    if kind in OF_CATEGORIES:
        found = past.category(faults.CATEGORIES[strength])
        if found is None:
            return f"no category of about {faults.CATEGORIES[strength]:.0%}"
        return replace(fault, columns=found[:1], category=found[1])
    return _of_column(past, fault)


def _of_column(past: Past, fault: Fault) -> Fault | str:
    if len(past.numeric) < 2:
        return "no two numeric features vary"
    picked = np.random.default_rng(fault.seed).permutation(past.numeric)
    column = str(picked[0])
    fault = replace(fault, columns=(column,))
    if fault.kind == "shift":
        return replace(fault, size=faults.SHIFTS[fault.strength] * past.deviation(column))
    if fault.kind == "ramp":
        return replace(fault, size=faults.RAMP_A_DAY * float(past.rows[column].astype(float).std()))
    if fault.kind == "nulls":
        return replace(fault, size=faults.NULLS[fault.strength])
    if fault.kind == "sentinel":
        return replace(fault, size=faults.SENTINELS[fault.strength])
    if fault.kind == "swapped":
        return replace(fault, columns=(column, str(picked[1])))
    return fault


def windows_of(rows: pd.DataFrame, window: pd.Timedelta) -> pd.Series:
    """Return the start of the window of each row: UTC midnights, weeks on Monday."""
    monday = pd.Timestamp("2001-01-01", tz="UTC")
    return monday + (rows["predicted_at"] - monday) // window * window


def slots_of(starts: pd.Index, window: pd.Timedelta) -> np.ndarray:
    """Return the slot of each window: weekday, and hour for windows under a day; one slot under three weeks."""
    if len(starts) == 0 or starts.max() - starts.min() < WEEKS_OF_SLOTS:
        return np.zeros(len(starts), dtype=int)
    return np.asarray(starts.dayofweek * 24 + (starts.hour if window < faults.DAY else 0))


def between_windows(rows: pd.DataFrame, column: str, window: pd.Timedelta) -> float:
    """Return the standard deviation of the window means of a column, less the mean of each one's slot; 0 if none."""
    means = rows[column].astype(float).groupby(windows_of(rows, window)).mean().dropna()
    if len(means) < 2:
        return 0.0
    centred = means - means.groupby(slots_of(means.index, window)).transform("mean")
    return float(centred.std())


def on_the_clock(rows: pd.DataFrame, column: str) -> bool:
    """Say whether weekday and minute of day fix the value of a column."""
    at = rows["predicted_at"]
    repeated = rows[column].groupby([at.dt.dayofweek, at.dt.hour, at.dt.minute])
    return bool((repeated.nunique(dropna=False) <= 1).all()) and len(rows) > 2 * repeated.ngroups


def nearest(values: pd.Series, share: float) -> str | None:
    """Return the text whose share of the rows is nearest to this one, by their ratio."""
    best = min(_off(values, share), default=None)
    return best[1] if best else None


def _off(values: pd.Series, share: float) -> Iterator[tuple[float, str]]:
    for value, found in values.value_counts(normalize=True).items():
        yield abs(float(np.log(found / share))), str(value)
