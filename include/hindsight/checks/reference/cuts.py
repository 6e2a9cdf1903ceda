"""Cuts: where the warehouse parts the numbers of a column: at every border of what is frozen of it."""

from __future__ import annotations

from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.columns import NumericBaseline
from hindsight.checks.values.counted import borders


def frozen_cuts(baseline: Baseline, name: str) -> dict[str, list[float]]:
    """Return the borders of the bins and deciles of a numeric column, of all rows and of each segment."""
    whole = baseline.columns.get(name)
    columns = {"": whole} | {segment: known.get(name) for segment, known in baseline.segments.items()}
    return {
        segment: borders(column.bins, column.deciles)
        for segment, column in columns.items()
        if isinstance(column, NumericBaseline)
    }
