"""Clock: columns whose value the time of a row fixes; how far they lie from training says nothing."""

from __future__ import annotations

from typing import Literal

import numpy as np

Clock = Literal["", "window", "hour", "week"]
FEWEST = 3  # groups of rows before anything is said
ROWS = 2.0  # a group, at least, on average: groups of one row are always alike
MINUTE, HOUR, WEEK = 60, 3600, 7 * 24 * 3600


def clock_of(codes: np.ndarray, seconds: np.ndarray, windows: np.ndarray) -> Clock:
    """Return what fixes the values of a column: its window, its hour, the minute of the week, "" for nothing.

    `codes` numbers the distinct values of the rows (null is one of them), `seconds` is the local time of each row in
    whole seconds since some Monday's midnight, `windows` numbers their windows. A column of one value only is fixed by
    nothing: it may change tomorrow.
    """
    if len(np.unique(codes)) < 2:
        return ""
    groups: dict[Clock, np.ndarray] = {
        "window": windows,
        "hour": seconds // HOUR,
        "week": seconds % WEEK // MINUTE,
    }
    return next((name for name, some in groups.items() if _fixed(codes, some)), "")


def _fixed(codes: np.ndarray, groups: np.ndarray) -> bool:
    """Whether the rows of each group all have one value."""
    count = len(np.unique(groups))
    if count < FEWEST or len(codes) < ROWS * count:
        return False
    return len(np.unique(np.column_stack([groups, codes]), axis=0)) == count
