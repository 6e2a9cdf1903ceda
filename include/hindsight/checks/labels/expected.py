"""Expected accuracy: what a window's accuracy will be when all labels have come, from those that came first.

Given only where every class can be heard: labels of all classes, none of them too rare this early to be weighted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from hindsight.checks.labels.delays import Curve, Curves, versions_of
from hindsight.checks.labels.labels import ages_of
from hindsight.checks.performance.outcomes import Classified, outcomes_of
from hindsight.checks.statistics import intervals
from hindsight.checks.values.groups import groups
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from hindsight.vocabulary.windows import Window

METRIC = "accuracy_expected"
ENOUGH_LABELS, ENOUGH_KNOWN = 30, 0.2


def weighted_share(
    hits: np.ndarray, known: np.ndarray, strata: np.ndarray, curve_n: np.ndarray
) -> tuple[float, float, float]:
    """Return the share of hits among all rows that will be labelled, and its 95 % interval, from those labelled now.

    `hits` is True where a labelled row is right, `known` in (0, 1] the chance that its label had come by now, given
    that it comes; `strata` numbers the curve that chance was read from, `curve_n` counts the labels behind each.

    Hájek estimator A = Σ y/π / Σ 1/π (Hájek 1971); labels come independently, so given the rows that will be labelled
    its variance is Σ (1 − π)/π² · (y − A)² / (Σ 1/π)² (Särndal, Swensson & Wretman 1992, §3.2 and §5.7): 0 once all are
    there. Each curve adds what is unknown of it, (Σ (y − A)/π · √((1 − π)/(π n)) / Σ 1/π)², its rows moving together.
    The interval is Wilson's with the number of rows that would have this variance, A(1 − A)/V.
    """
    weights = 1 / known
    total = weights.sum()
    share = float(weights @ hits / total)
    rest = (weights * (hits - share)) / total
    thinned = float(((1 - known) * weights**2).sum() / total**2)
    by_curve = np.bincount(strata, rest * np.sqrt((1 - known) * weights / curve_n[strata]), minlength=curve_n.size)
    variance = float(((1 - known) * rest**2).sum() + (by_curve**2).sum())
    if thinned == 0.0:
        return share, share, share
    effective = share * (1 - share) / variance if variance > 0 else 1 / thinned
    lower, upper = intervals.wilson(share * effective, effective) or (0.0, 1.0)
    return share, lower, upper


def accuracy_expected(
    labelled: pa.Table, monitor: Monitor, window: Window, *, as_of: datetime, curves: Curves
) -> list[Measurement]:
    """Return `accuracy_expected` for all rows, versions and segments of a classifier's window; [] for regression.

    `labelled` is the table `label_measurements` takes, with the monitor's timestamp column; `curves` are those of
    `read_curves`, from windows that had matured by `as_of`. A version without a curve of its own is weighted by those
    of all versions. Not evaluated unless every class has 30 labels, 30 labels behind its curve, and 20 % of its labels
    for the youngest rows are expected by now. The value keeps to the bounds `accuracy_worst` and `accuracy_best`.
    """
    outcomes = outcomes_of(labelled, monitor)
    if not isinstance(outcomes, Classified):
        return []
    chances = _chances(outcomes, monitor, window, as_of, curves)
    every = np.ones(outcomes.known.size, bool)
    found: list[Measurement] = []
    for group in groups(TableRows(outcomes.table), monitor):
        mask = every if group.mask is None else group.mask
        m = _expected(outcomes.of(mask), chances.of(mask))
        found.append(replace(m, model_version=group.model_version, segment=group.segment))
    return found


@dataclass(frozen=True, slots=True)
class _Chances:
    """The chance that a row's label had come: `known` where it did, `least` for the class slowest to be heard.

    `strata` places each labelled row's curve in `worth`, the labels each is worth, 0 where there are too few; `wanted`
    are the classes to hear from.
    """

    known: np.ndarray
    least: np.ndarray
    strata: np.ndarray
    worth: np.ndarray
    wanted: tuple[str, ...]

    def of(self, mask: np.ndarray) -> _Chances:
        return replace(self, known=self.known[mask], least=self.least[mask], strata=self.strata[mask])


def _chances(outcomes: Classified, monitor: Monitor, window: Window, as_of: datetime, curves: Curves) -> _Chances:
    n, complete = outcomes.known.size, window.end + monitor.labels.matures_after
    if as_of >= complete:
        return _Chances(np.ones(n), np.ones(n), np.zeros(n, int), np.ones(1), ())
    age, final = (ages_of(outcomes.table, monitor, window, moment) for moment in (as_of, complete))
    labelled = {outcomes.classes[place] for place in np.unique(outcomes.labels) if place >= 0}
    wanted = tuple(sorted(labelled | {name for _, name in curves}))
    known, least, strata, worth = np.zeros(n), np.ones(n), np.zeros(n, int), [0.0]
    versions = versions_of(outcomes, monitor)
    for version in np.unique(versions):
        rows = versions == version
        for name in wanted:
            curve = curves.get((str(version), name)) or curves.get(("", name)) or _UNKNOWN
            chance = _come(curve, age[rows], final[rows])
            least[rows] = np.minimum(least[rows], chance)
            if name in outcomes.classes:
                own = outcomes.labels[rows] == outcomes.classes.index(name)
                known[np.flatnonzero(rows)[own]] = chance[own]
                strata[np.flatnonzero(rows)[own]] = len(worth)
            worth.append(curve.worth if curve.n >= ENOUGH_LABELS else 0.0)
    return _Chances(known, least, strata, np.array(worth), wanted)


_UNKNOWN = Curve(np.zeros(1), np.zeros(1), 0)


def _come(curve: Curve, age: np.ndarray, final: np.ndarray) -> np.ndarray:
    """F(age) / F(age at maturity): the chance that a label has come by now, given that it comes by maturity."""
    complete = curve.before(final)
    come = np.divide(curve.before(age), complete, out=np.zeros_like(complete), where=complete > 0)
    return np.asarray(np.minimum(come, 1.0))


def _expected(outcomes: Classified, chances: _Chances) -> Measurement:
    known, n = outcomes.known, outcomes.known.size
    n_known, hits = int(known.sum()), int(outcomes.right.sum())
    problem = _problem(outcomes, chances)
    if problem:
        return Measurement(METRIC, None, n_known, note=problem)
    ends = weighted_share(
        outcomes.right[known], chances.known[known], chances.strata[known], np.maximum(chances.worth, 1)
    )
    share, lower, upper = np.clip(ends, hits / n, (hits + n - n_known) / n)
    return Measurement(METRIC, float(share), n_known, lower=float(lower), upper=float(upper))


def _problem(outcomes: Classified, chances: _Chances) -> str:
    """Why the labels known now say too little about the rest; "" where they say enough."""
    known = outcomes.known
    if not known.any():
        return "no labelled rows"
    if not chances.wanted:
        return ""
    counts = np.bincount(outcomes.labels[known], minlength=len(outcomes.classes))
    heard = dict(zip(outcomes.classes, counts.tolist(), strict=True))
    silent = [name for name in chances.wanted if heard.get(name, 0) < ENOUGH_LABELS]
    if silent:
        return f"fewer than {ENOUGH_LABELS} labels of class {', '.join(silent)}"
    if chances.worth[np.unique(chances.strata[known])].min() == 0:
        return f"a delay curve has fewer than {ENOUGH_LABELS} labels from matured windows behind it"
    if chances.least.min() < ENOUGH_KNOWN:
        return f"{chances.least.min():.0%} of a class's labels expected by now for the youngest rows, not 20%"
    return ""
