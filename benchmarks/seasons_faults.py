"""Faults of the season bench: kinds, strengths and places, as pure functions from a log to a log.

A fault runs from its onset to the end of the log (one stuck window, and the ramp's sixty days of climbing, excepted),
in raw units of the column. Whatever is drawn is drawn from crc32 of "series/kind/strength".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

DAY = pd.Timedelta(days=1)
SHIFTS = {"weak": 2.0, "middle": 4.0, "strong": 8.0}  # in deviations between windows
NULLS = {"weak": 0.05, "middle": 0.20, "strong": 0.60}  # more rows than are null already
SENTINELS = {"weak": 0.02, "middle": 0.10, "strong": 0.40}
CATEGORIES = {"weak": 0.05, "middle": 0.15, "strong": 0.30}  # share of the category it is about
ROWS = {"weak": 0.10, "middle": 0.50, "strong": 0.90}
FLIPS = {"weak": 0.05, "middle": 0.15, "strong": 0.30}
UNITS: tuple[tuple[float, float], ...] = ((1.8, 32.0), (0.001, 0.0), (2.54, 0.0))
STAND_INS: tuple[float | str, ...] = (-999.0, 0.0, "unknown")
RAMP_A_DAY, RAMP_DAYS = 0.02, 60
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda text: text.swapcase() if text.swapcase() != text else f"{text} ",
    lambda text: f"{text} ",
    lambda text: f"{text}_de",  # what another language's word is to a monitor: a word it never saw
)

WEAK, MIDDLE, STRONG = "weak", "middle", "strong"
ALL = (WEAK, MIDDLE, STRONG)
GRID: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "shift": (ALL, ("whole", "segment")),
    "unit": ((MIDDLE,), ("whole", "segment")),
    "nulls": (ALL, ("whole", "segment")),
    "sentinel": (ALL, ("whole", "segment")),
    "respelt": (ALL, ("whole",)),
    "lost": (ALL, ("whole",)),
    "stuck": ((WEAK, MIDDLE), ("whole", "segment")),
    "rows_lost": (ALL, ("whole",)),
    "rows_doubled": (ALL, ("whole",)),
    "swapped": ((MIDDLE,), ("whole",)),
    "labels_flipped": (ALL, ("whole",)),
    "relation": ((MIDDLE,), ("whole",)),
    "ramp": ((MIDDLE,), ("whole",)),
}
OF_LABELS, OF_ROWS = ("labels_flipped", "relation"), ("rows_lost", "rows_doubled")
OF_CATEGORIES = ("respelt", "lost")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is planted, where and when.

    `columns` are the columns it is about, none for rows and labels; `size` is what the strength means in this log: raw
    units for shift and ramp (a day), a share for the others; `category` is what is respelt or lost; `segment` is
    (column, value) of the rows it is in, None for all; `turn` picks among units, stand-ins and spellings.
    """

    series: str
    kind: str
    strength: str
    onset: pd.Timestamp
    columns: tuple[str, ...] = ()
    size: float = 0.0
    category: str = ""
    segment: tuple[str, str] | None = None
    turn: int = 0
    window: pd.Timedelta = DAY

    @property
    def seed(self) -> int:
        """What everything drawn for it is drawn from."""
        return crc32(f"{self.series}/{self.kind}/{self.strength}".encode())

    @property
    def place(self) -> str:
        """Whole, or segment."""
        return "segment" if self.segment else "whole"


def plant(
    frame: pd.DataFrame, fault: Fault, counter: Callable[[pd.DataFrame], pd.Series] | None = None
) -> pd.DataFrame:
    """Return the log with the fault in it; rows before the onset and in other segments are as they were.

    `counter` is needed by a changed relation: how much the outcome of each row changes when the two most important
    features enter with the other sign.
    """
    rng = np.random.default_rng(fault.seed)
    struck = _struck(frame, fault)
    if fault.kind in OF_ROWS:
        return _rows(frame, struck, fault, rng)
    made = frame.copy()
    if fault.kind == "relation":
        if counter is None:
            raise ValueError("a changed relation needs to know what the features are to the outcome")
        return _related(made, struck, counter, rng)
    if fault.kind == "labels_flipped":
        return _flipped(made, struck & (rng.random(len(frame)) < fault.size), rng)
    return _COLUMN_FAULTS[fault.kind](made, struck, fault, rng)


def _struck(frame: pd.DataFrame, fault: Fault) -> np.ndarray:
    struck = (frame["predicted_at"] >= fault.onset).to_numpy()
    if fault.segment:
        column, value = fault.segment
        struck = struck & (frame[column].astype(object) == value).to_numpy()
    return np.asarray(struck)


def _shift(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    return _set(made, fault.columns[0], struck, lambda values: values + fault.size)


def _unit(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    factor, offset = UNITS[fault.turn % len(UNITS)]
    return _set(made, fault.columns[0], struck, lambda values: values * factor + offset)


def _ramp(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    days = ((made["predicted_at"] - fault.onset) / DAY).clip(0, RAMP_DAYS)
    return _set(made, fault.columns[0], struck, lambda values: values + fault.size * days[struck])


def _nulls(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    gone = struck & made[fault.columns[0]].notna().to_numpy() & (rng.random(len(made)) < fault.size)
    return _set(made, fault.columns[0], gone, lambda values: None)


def _sentinel(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    column = fault.columns[0]
    is_number = pd.api.types.is_numeric_dtype(made[column])
    stand_in = STAND_INS[fault.turn % 2] if is_number else STAND_INS[2]
    return _set(made, column, struck & (rng.random(len(made)) < fault.size), lambda values: stand_in)


def _respelt(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    other = SPELLINGS[fault.turn % len(SPELLINGS)](fault.category)
    return _set(made, fault.columns[0], struck & _is_category(made, fault), lambda values: other)


def _lost(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    becomes = None if fault.turn % 2 == 0 else "other"
    return _set(made, fault.columns[0], struck & _is_category(made, fault), lambda values: becomes)


def _stuck(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    column = fault.columns[0]
    before = made.loc[made["predicted_at"] < fault.onset, column].dropna()
    if fault.strength == WEAK:
        struck = struck & (made["predicted_at"] < fault.onset + fault.window).to_numpy()
    return _set(made, column, struck, lambda values: before.iloc[-1])


def _swapped(made: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    one, other = fault.columns
    values = made[[one, other]].astype(float)
    made = _set(made, one, struck, lambda _: values.loc[struck, other])
    return _set(made, other, struck, lambda _: values.loc[struck, one])


_COLUMN_FAULTS: dict[str, Callable[[pd.DataFrame, np.ndarray, Fault, np.random.Generator], pd.DataFrame]] = {
    "shift": _shift,
    "unit": _unit,
    "ramp": _ramp,
    "nulls": _nulls,
    "sentinel": _sentinel,
    "respelt": _respelt,
    "lost": _lost,
    "stuck": _stuck,
    "swapped": _swapped,
}


def _set(made: pd.DataFrame, column: str, struck: np.ndarray, change: Callable[[pd.Series], object]) -> pd.DataFrame:
    """Change the struck values of a column: numbers stay numbers (double), anything else stays text."""
    is_number = pd.api.types.is_numeric_dtype(made[column])
    values = made[column].astype(float) if is_number else made[column].astype(object)
    changed = change(values[struck])
    values[struck] = np.nan if changed is None and is_number else changed
    made[column] = values
    return made


def _is_category(made: pd.DataFrame, fault: Fault) -> np.ndarray:
    return np.asarray(made[fault.columns[0]].astype(object) == fault.category)


def _rows(frame: pd.DataFrame, struck: np.ndarray, fault: Fault, rng: np.random.Generator) -> pd.DataFrame:
    chosen = struck & (rng.random(len(frame)) < fault.size)
    if fault.kind == "rows_lost":
        return frame[~chosen].reset_index(drop=True)
    doubled = pd.concat([frame, frame[chosen]])
    return doubled.sort_values("predicted_at", kind="stable").reset_index(drop=True)


def _flipped(made: pd.DataFrame, struck: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Flip labels: of two classes the other one; of a number another row's, drawn among those that are flipped."""
    struck = struck & made["label"].notna().to_numpy()
    labels = made["label"].astype(float)
    if set(labels.dropna().unique()) <= {0.0, 1.0}:
        labels[struck] = 1 - labels[struck]
    else:
        labels[struck] = rng.permutation(labels[struck].to_numpy())
    made["label"] = labels.astype(made["label"].dtype)
    return made


def _related(
    made: pd.DataFrame, struck: np.ndarray, counter: Callable[[pd.DataFrame], pd.Series], rng: np.random.Generator
) -> pd.DataFrame:
    """Change outcomes by what the mirrored features change: added to numbers, and to the odds of a class by chance.

    A row of a class changes it with the smallest probability that gives the class its new share.
    """
    labels = made["label"].astype(float)
    change = counter(made[struck]).to_numpy()
    if not set(labels.dropna().unique()) <= {0.0, 1.0}:
        labels[struck] += change
    else:
        flips = rng.random(struck.sum()) < np.abs(change)
        now = labels[struck].to_numpy()
        labels[struck] = np.where(flips & (change > 0), np.where(np.isnan(now), now, 1.0), now)
        now = labels[struck].to_numpy()
        labels[struck] = np.where(flips & (change < 0), np.where(np.isnan(now), now, 0.0), now)
    made["label"] = labels.round().astype(made["label"].dtype) if made["label"].dtype.kind != "f" else labels
    return made
