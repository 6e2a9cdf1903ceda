"""Thresholds: what an effect must exceed, as declared or learnt from how much the reference's own windows differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean, stdev

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.reference.column_comparison import Comparison
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import Rows

FLOORS = {"psi": 0.02, "psi_fine": 0.02, "js_distance": 0.05, "ks": 0.05, "wasserstein_normed": 0.05}
FEWEST, MOST = 8, 40  # windows of the reference that a threshold is learnt from


def method_for(method: str, comparison: Comparison) -> str:
    """Return the measure that decides: categories have no order, so methods that need one give way to js_distance."""
    return method if method in comparison.effects else "js_distance"


def weight(method: str, comparison: Comparison) -> float | None:
    """Return what the threshold is compared with; None where the method has no value.

    PSI over deciles cannot see mass moving up from a point mass, so there PSI over the frozen bins counts as well.
    PSI has a bin for nulls; the other methods drop them, so with these a moved null rate counts as an effect itself.
    """
    names = ["psi", "psi_fine"] if method == "psi" and comparison.has_point_mass else [method_for(method, comparison)]
    effects = [comparison.effects[name] for name in names]
    weights = [effect.weight for effect in effects if effect.value is not None or effect.weight > 0]
    if not method.startswith("psi") and comparison.null_shift > 0:
        weights.append(comparison.null_shift)
    return max(weights, default=None)


def learnt(method: str, weights: Sequence[float]) -> float:
    """Return a threshold over the effects of the reference's own windows: mean plus four deviations, or their largest.

    Never under PSI 0.02 or Wasserstein 0.05: an effect that small is not worth a mail, however steady the reference.
    """
    floor = FLOORS.get(method, 0.05)
    if len(weights) < 2:
        return floor
    return max(floor, max(weights), fmean(weights) + 4 * stdev(weights))


def blocks(rows: Rows, monitor: Monitor, window_rows: int | None) -> np.ndarray | None:
    """Give each row of the reference the number of its window, -1 outside the chosen ones.

    A window that the ends of the reference cut is never chosen: a week of five days differs as no whole week does.
    Returns None where the reference has no timestamps, or spans too few windows of enough rows: then windows are
    drawn at random. At most 40 windows are chosen, evenly over the reference.
    """
    name = monitor.source.predictions.timestamp
    if name not in rows.columns or not pa.types.is_timestamp(rows.column(name).type):
        return None
    stamps = rows.column(name).cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    known = np.asarray(pc.is_valid(stamps))
    origin, length = int(monitor.anchor.timestamp() * 1_000_000), monitor.window // timedelta(microseconds=1)
    windows, after = np.divmod(np.asarray(stamps.drop_null()) - origin, length)
    found, places, counts = np.unique(windows, return_inverse=True, return_counts=True)
    enough = np.flatnonzero(counts >= max(monitor.drift.min_rows, (window_rows or 0) // 2))
    whole = enough[~cut(places, after / length, len(found))[enough]]
    if len(whole) < FEWEST:
        return None
    numbers = np.full(len(found), -1, dtype=np.int64)
    chosen = whole[np.unique(np.linspace(0, len(whole) - 1, min(MOST, len(whole))).astype(int))]
    numbers[chosen] = np.arange(len(chosen))
    blocks = np.full(rows.n, -1, dtype=np.int64)
    blocks[known] = numbers[places]
    return blocks


def cut(places: np.ndarray, after: np.ndarray, windows: int) -> np.ndarray:
    """Return which windows the ends of the reference cut: by over a twentieth more than any other begins or ends short.

    `places` is the window of each row, `after` how far into its window the row lies, as a share of the window.
    """
    begins, ends, cut = np.ones(windows), np.zeros(windows), np.zeros(windows, dtype=bool)
    if windows > 2:
        np.minimum.at(begins, places, after)
        np.maximum.at(ends, places, after)
        cut[0] = begins[0] > begins[1:].max() + 0.05
        cut[-1] = ends[-1] < ends[:-1].min() - 0.05
    return cut
