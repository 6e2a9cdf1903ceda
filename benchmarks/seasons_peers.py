"""Peers in the season bench: Evidently's and NannyML's defaults on the windows and reference of the same monitor.

Neither remembers what it said, so every column of every window that is called drifted is a notice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks import alarms_peers
from benchmarks.seasons_clean import Clean
from benchmarks.seasons_grid import windows_of
from benchmarks.seasons_score import MONTH
from benchmarks.seasons_series import Series

PEERS = ("evidently", "nannyml")
MOST_WINDOWS = 80  # of a stretch, evenly spread: a share needs no more


def peers_on(clean: Clean, series: Series) -> dict[str, dict[str, float]]:
    """Return for each peer how many columns a month it calls drifted on a clean stretch, and in what share of windows.

    Where a stretch has more than eighty windows, as many of them are looked at, evenly spread.
    """
    frame, window = series.frame, pd.Timedelta(clean.monitor.window)
    reference = reference_rows(clean, series)
    of_window = dict(tuple(frame.groupby(windows_of(frame, window))))
    starts = [start for start in of_window if clean.start <= start < clean.end]
    looked = [starts[i] for i in np.unique(np.linspace(0, len(starts) - 1, MOST_WINDOWS).astype(int))] if starts else []
    drifted, windows = Counter[str](), Counter[str]()
    for start in looked:
        found = Counter(peer for name in clean.monitor.features for peer in called(reference, of_window[start], name))
        drifted += found
        windows.update(found.keys())
    months = len(looked) * clean.monitor.window / MONTH
    return {
        peer: {"notices_per_month": drifted[peer] / months, "windows": windows[peer] / len(looked)} for peer in PEERS
    }


def peers_find(
    clean: Clean, series: Series, log: pd.DataFrame, columns: Sequence[str], starts: Sequence[pd.Timestamp]
) -> dict[str, bool]:
    """Say of each peer whether it calls one of these columns drifted in one of these windows, and not without fault."""
    reference, window = reference_rows(clean, series), pd.Timedelta(clean.monitor.window)

    def calls(frame: pd.DataFrame) -> set[str]:
        windows = [_between(frame, start, start + window) for start in starts]
        return {peer for rows in windows for column in columns for peer in called(reference, rows, column)}

    found = calls(log) - calls(series.frame)
    return {peer: peer in found for peer in PEERS}


def _between(frame: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    return frame[(frame["predicted_at"] >= start) & (frame["predicted_at"] < end)]


def reference_rows(clean: Clean, series: Series) -> pd.DataFrame:
    """Return the rows of the log that the monitor's reference holds: those before its first window."""
    return series.frame[series.frame["predicted_at"] < clean.start]


def called(reference: pd.DataFrame, window: pd.DataFrame, column: str) -> list[str]:
    """List the peers that call a column of a window drifted; a column without values on a side is none's."""
    before, now = reference[column], window[column]
    numeric = pd.api.types.is_numeric_dtype(before)
    if before.notna().sum() < 2 or now.notna().sum() < 2:
        return []
    if numeric:
        sides = before.astype(float).to_numpy(), now.astype(float).to_numpy()
    else:
        codes = pd.Categorical(pd.concat([before, now]).astype(object).fillna("null")).codes
        sides = codes[: len(before)].astype(float), codes[len(before) :].astype(float)
    try:
        flags = alarms_peers.flags(*sides, numeric=numeric)
    except ValueError:  # a test of theirs that refuses a column, such as a constant one
        return []
    return [peer for peer in PEERS if flags[peer]]
