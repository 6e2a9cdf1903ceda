"""Stattests: Evidently's statistical tests as a drift method, on samples bounded in size."""

from __future__ import annotations

import warnings
from math import isfinite
from typing import Any

import numpy as np

from hindsight.checks.reference.column_comparison import Effect
from hindsight.checks.values.categories import Frequencies
from hindsight.checks.values.samples import Numbers, Sample

PREFIX = "evidently:"
LARGEST = 20_000  # rows of a side, evenly over its sorted values
LARGEST_PAIRWISE = 1_000  # of a test that compares each row with each
PAIRWISE = ("ed", "empirical_mmd")


def stattest(
    name: str, reference: Sample, current: Sample, threshold: float | None, feature: str
) -> tuple[Effect, bool | None]:
    """Return the score of one of Evidently's tests and whether Evidently calls it drift.

    Without a threshold its own default counts: 0.05 for p-values, which drift when they are below it, 0.1 for
    distances, which drift when they are over it. Nulls and infinite values are left out, as Evidently does.
    """
    limit = LARGEST_PAIRWISE if name in PAIRWISE else LARGEST
    sides = [_series(sample, feature, limit) for sample in (reference, current)]
    if not all(len(side) for side in sides):
        return Effect(None, current.n, "no values"), None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

        kind = ColumnType.Numerical if isinstance(reference, Numbers) else ColumnType.Categorical
        try:
            result = get_stattest(*sides, kind, name)(*sides, kind, threshold)
        except (ValueError, ArithmeticError) as exc:
            return Effect(None, current.n, f"Evidently's {name} refused: {exc}"), None
    score = float(result.drift_score)
    if not isfinite(score):
        return Effect(None, current.n, f"Evidently's {name} gave {score}"), None
    return Effect(score, current.n, f"Evidently {name}"), bool(result.drifted)


def _series(sample: Sample, feature: str, limit: int) -> Any:
    import pandas as pd

    values = sample.values.finite() if isinstance(sample, Numbers) else sample.values
    kept = min(values.n, limit)
    places = ((np.arange(kept) + 0.5) * (values.n / max(kept, 1))).astype(np.int64)
    if isinstance(values, Frequencies):
        ends = np.cumsum(values.counts)
        return pd.Series(
            np.array(values.texts, dtype=object)[np.searchsorted(ends, places, side="right")], name=feature
        )
    if values.ranks is not None:
        places = np.searchsorted(values.ranks, places, side="right") - 1
    return pd.Series(values.values[places], name=feature)
