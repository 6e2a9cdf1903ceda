"""Oracle of the season bench: who knows the clean mean and deviation of every slot, and flags beyond four of them.

It is told which column, rows or labels to look at, and in which segment; what it cannot see nobody is blamed for.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.seasons_faults import OF_LABELS, OF_ROWS, Fault
from benchmarks.seasons_grid import slots_of, windows_of

BEYOND = 4.0


def sees(clean: pd.DataFrame, faulty: pd.DataFrame, fault: Fault, until: pd.Timestamp) -> bool:
    """Say whether a window of `[onset, until)` lies beyond four deviations of the clean log in its slot."""
    known = {column: set(clean[column].dropna().unique()) for column in fault.columns if fault.category}
    for before, now in zip(_numbers(clean, fault, known), _numbers(faulty, fault, known), strict=True):
        judged = now[(now.index >= fault.onset) & (now.index < until)]
        if any(abs(z) > BEYOND for z in _deviations(before, judged, fault.window)):
            return True
    return False


def _deviations(clean: pd.Series, judged: pd.Series, window: pd.Timedelta) -> Iterator[float]:
    known = clean.dropna()
    if len(known) < 3:
        return
    slots = slots_of(known.index, window)
    means = known.groupby(slots).mean()
    deviation = max(float((known - means.loc[slots].to_numpy()).std()), 1e-9)
    whole = float(known.mean())
    of_week = len(means) > 1
    for start, value in judged.dropna().items():
        slot = int(start.dayofweek * 24) if of_week else 0
        yield (float(value) - float(means.get(slot, whole))) / deviation


def _numbers(frame: pd.DataFrame, fault: Fault, known: dict[str, set[object]]) -> list[pd.Series]:
    """What a fault moves, a number a window: counts; error; mean and share of nulls, of a category, of unknown ones."""
    rows = frame
    if fault.segment:
        rows = frame[(frame[fault.segment[0]].astype(object) == fault.segment[1]).to_numpy()]
    starts = windows_of(rows, fault.window)
    if fault.kind in OF_ROWS:
        return [rows.groupby(starts).size().astype(float), rows["id"].groupby(starts).nunique().astype(float)]
    if fault.kind in OF_LABELS:
        error = (rows["label"].astype(float) - rows["prediction"].astype(float)).abs()
        return [error.groupby(starts).mean(), rows["label"].astype(float).groupby(starts).mean()]
    found = []
    for column in fault.columns:
        values = rows[column]
        found.append(values.isna().astype(float).groupby(starts).mean())
        if pd.api.types.is_numeric_dtype(values):
            found.append(values.astype(float).groupby(starts).mean())
            found.append(np.log(values.astype(float).groupby(starts).std() + 1e-9))
        elif fault.category:
            found.append((values.astype(object) == fault.category).astype(float).groupby(starts).mean())
            found.append((values.notna() & ~values.isin(list(known[column]))).astype(float).groupby(starts).mean())
    return found
