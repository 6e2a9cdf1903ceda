"""Grade: did a promoted version keep, in its first windows, what the comparison that promoted it had promised?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import sqrt
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit

FEWEST = 3  # windows: two do not show how windows differ
MIN_ROWS = 200


class Mark(IntEnum):
    """How a version did: as promised or better, short of its promise, or worse than the champion it replaced."""

    KEPT = 0
    SHORT = 1
    WORSE = 2

    @property
    def words(self) -> str:
        """As a table says it."""
        return ("as promised", "short of its promise", "worse than the one before")[self]


@dataclass(frozen=True, slots=True)
class Promise:
    """What the comparison on later rows found: `promised` and `replaced` are the two versions' `metric` there.

    `promised_se` and `replaced_se` are their standard errors.
    """

    metric: Literal["accuracy", "mae"]
    promised: float
    promised_se: float
    replaced: float
    replaced_se: float


@dataclass(frozen=True, slots=True)
class Grade:
    """What `n` labelled rows of so many windows say: `realised` is the `metric` on them, in its own unit.

    `over_promise` and `over_replaced` are 95 % intervals of what was gained over either number: more is better.
    """

    metric: str
    windows: int
    n: int
    realised: float
    promised: float
    replaced: float
    over_promise: tuple[float, float]
    over_replaced: tuple[float, float]

    @property
    def mark(self) -> Mark:
        """The gravest of what the whole of an interval says."""
        if self.over_replaced[1] < 0:
            return Mark.WORSE
        return Mark.SHORT if self.over_promise[1] < 0 else Mark.KEPT

    def __str__(self) -> str:
        return (
            f"{self.metric} {self.realised:.3g} in its first {self.windows} windows; promised {self.promised:.3g} "
            f"(gain {_interval(self.over_promise)}), before {self.replaced:.3g} ({_interval(self.over_replaced)})"
        )


def promise_of(metrics: Mapping[str, Any]) -> Promise | None:
    """Return what a version was promoted on, from the numbers a registry keeps; None where they do not say.

    The standard error of an accuracy is sqrt(p (1 - p) / n); that of an error must have been kept.
    """
    metric: Literal["accuracy", "mae"] = "accuracy" if "accuracy" in metrics else "mae"
    promised, replaced = metrics.get(metric), metrics.get(f"champion_{metric}")
    if promised is None or replaced is None or not metrics.get("n"):
        return None
    errors = [metrics.get(f"{who}se") for who in ("", "champion_")]
    if metric == "accuracy":
        errors = [sqrt(share * (1 - share) / metrics["n"]) for share in (promised, replaced)]
    if errors[0] is None or errors[1] is None:
        return None
    return Promise(metric, promised, errors[0], replaced, errors[1])


def grade(values: Sequence[float], rows: Sequence[int], promise: Promise) -> Grade | None:
    """Grade a version by its metric in each of its first windows and the labelled rows behind it, in the same order.

    Rows of one window move together, so windows are what is counted: the mean over all rows is a ratio of sums over
    windows, with that variance (Cochran, Sampling Techniques, 3rd ed. 1977, chapter 6) but, for a share, no less than
    the binomial one; the intervals are Student's with one degree of freedom fewer than windows. None under FEWEST
    windows or MIN_ROWS rows: too early to tell.
    """
    weights, found = np.asarray(rows, dtype=float), np.asarray(values, dtype=float)
    n, count = int(weights.sum()), len(weights)
    if count < FEWEST or n < MIN_ROWS:
        return None
    realised = float(weights @ found / n)
    variance = count / (count - 1) * float(np.sum((weights * (found - realised)) ** 2)) / n**2
    if promise.metric == "accuracy":
        variance = max(variance, realised * (1 - realised) / n)
    t = float(stdtrit(count - 1, 0.975))

    def gain(other: float, se: float) -> tuple[float, float]:
        better = realised - other if promise.metric == "accuracy" else other - realised
        half = t * sqrt(variance + se**2)
        return better - half, better + half

    over_promise = gain(promise.promised, promise.promised_se)
    over_replaced = gain(promise.replaced, promise.replaced_se)
    return Grade(promise.metric, count, n, realised, promise.promised, promise.replaced, over_promise, over_replaced)


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:+.2g} to {ends[1]:+.2g}"
