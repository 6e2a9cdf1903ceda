"""Harm in the season bench: stretches in which a model really was worse, by all its labels, and whether it was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from benchmarks.seasons_clean import Clean
from benchmarks.seasons_grid import windows_of
from benchmarks.seasons_score import LABEL_RULES

LIMIT, ERRORS, LEAST = 0.15, 3.0, 3  # what `accuracy_drop` allows; standard errors; windows in a row
APART = 3  # windows between two stretches; nearer ones are one
DAY = timedelta(days=1)
Stretch = tuple[datetime, datetime]  # start and end


def worse_stretches(
    log: pd.DataFrame, task: str, window: pd.Timedelta, start: datetime, end: datetime
) -> list[Stretch]:
    """Return start and end of every stretch of `[start, end)` in which each window is worse than the rows before it.

    Worse by the limit of `accuracy_drop` (mean absolute error for numbers, accuracy for classes; the reference is the
    log before `start`) and by more than three standard errors of the window. Three windows at least.
    """
    labelled = log[log["label"].notna() & log["prediction"].notna()]
    off = (labelled["label"].astype(float) - labelled["prediction"].astype(float)).abs()
    if task == "binary":
        off = (off > 0).astype(float)
    reference = float(off[labelled["predicted_at"] < start].mean())
    allowed = LIMIT * (reference if task == "regression" else 1 - reference)
    by = off.groupby(windows_of(labelled, window))
    mean, error = by.mean(), by.std() / np.sqrt(by.size())
    bad = (mean - reference >= allowed) & (mean - reference > ERRORS * error)
    judged = bad[(bad.index >= start) & (bad.index < end)]
    return list(_stretches(judged, window))


def _stretches(bad: pd.Series, window: pd.Timedelta) -> Iterator[Stretch]:
    runs: list[list[pd.Timestamp]] = []
    for at in bad.index[bad.to_numpy()]:
        if runs and at - runs[-1][-1] == window:
            runs[-1].append(at)
        else:
            runs.append([at])
    last: tuple[pd.Timestamp, pd.Timestamp] | None = None
    for run in (run for run in runs if len(run) >= LEAST):
        if last is not None and run[0] - last[1] < APART * window:
            last = last[0], run[-1] + window
            continue
        if last is not None:
            yield last[0].to_pydatetime(), last[1].to_pydatetime()
        last = run[0], run[-1] + window
    if last is not None:
        yield last[0].to_pydatetime(), last[1].to_pydatetime()


def told_of(stretches: Sequence[Stretch], clean: Clean) -> int:
    """Count the stretches that a case of performance was told of within one maturity after their third window.

    The night that looks at it may come a window and a day later. A case is about a stretch when it breached in a window
    of it; one that stood when the stretch came was told before.
    """
    window, matures = clean.monitor.window, clean.monitor.labels.matures_after
    cases = [one for one in clean.told if LABEL_RULES & set(one.rules)]
    return sum(
        any(
            one.at <= _due(start, window, matures)
            and any(start <= breach < end for breach in clean.breached.get(one.case, ()))
            for one in cases
        )
        for start, end in stretches
    )


def _due(start: datetime, window: timedelta, matures: timedelta) -> datetime:
    return start + (LEAST + 1) * window + matures + 2 * DAY
