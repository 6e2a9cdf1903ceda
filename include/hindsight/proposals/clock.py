"""Clock: columns whose value the time of a row fixes; how far they lie from a reference tells nothing of the model."""

from __future__ import annotations

from typing import Literal

import numpy as np

Clock = Literal["", "window", "day", "hour"]
FEWEST = 5  # groups of rows before anything is said
ROWS = 2.0  # a group, at least, on average: groups of one row are always alike
CHANGES = 0.15  # of the steps from a group to the next: what hardly ever changes is a setting, not the clock


def clock_of(codes: np.ndarray, windows: np.ndarray, hours: np.ndarray) -> Clock:
    """Return what fixes the values of a column: its window, the day, the hour, "" for nothing.

    `codes` numbers the distinct values of the rows (null is one of them), `windows` and `hours` number the windows and
    the hours of local time, from some midnight on, that the rows lie in. A column that changes from fewer than 15 % of
    such groups to the next is fixed by nothing: a setting that was changed once, a column of one value.
    """
    groups: dict[Clock, np.ndarray] = {"window": windows, "day": hours // 24, "hour": hours}
    return next((name for name, some in groups.items() if _is_fixed(codes, some)), "")


def _is_fixed(codes: np.ndarray, groups: np.ndarray) -> bool:
    """Whether the rows of each group all have one value, and another than those of the group before often enough."""
    found, first = np.unique(groups, return_index=True)
    if len(found) < FEWEST or len(codes) < ROWS * len(found):
        return False
    values = codes[first]
    if not np.array_equal(values[np.searchsorted(found, groups)], codes):
        return False
    return bool(np.mean(values[1:] != values[:-1]) >= CHANGES)
