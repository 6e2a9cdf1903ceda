"""Delays: how long labels take to come, by model version and true class, learnt from windows that have matured.

A curve says which share of the labels that are known at maturity is known at an age: its last value is always 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hindsight.checks.labels.labels import ages_of, delays_of
from hindsight.checks.performance.outcomes import Classified, Outcomes, outcomes_of
from hindsight.checks.values.categories import encode
from hindsight.checks.values.groups import groups
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from hindsight.vocabulary.windows import Window

METRIC = "delay_curve"
TERCILES = ("low", "middle", "high")
_LEVELS = np.append(np.arange(20) / 20, 1 - 0.05 / 2.0 ** np.arange(6))  # finer where the last labels come


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The share of final labels that came in less than each of `ages` (seconds, ascending), from `n` labels.

    `spread` is how much more than by chance the curves of single windows differ, in units of F(1 − F).
    """

    ages: np.ndarray
    shares: np.ndarray
    n: int
    spread: float = 0.0

    @property
    def worth(self) -> float:
        """The labels that would, were all windows alike, leave as much unknown of the next window's curve."""
        return self.n / (1 + self.n * self.spread)

    def before(self, age_s: np.ndarray) -> np.ndarray:
        """Return the share known at each age: 0 before the first label, 1 after the last, linear between."""
        return np.asarray(np.interp(age_s, self.ages, self.shares, left=0.0, right=1.0))


Curves = Mapping[tuple[str, str], Curve]  # by model version ("" = all) and class


def learn(delay_s: np.ndarray, age_s: np.ndarray) -> Curve | None:
    """Return the curve of the rows that were labelled, None where none was; rows of one version and class.

    `delay_s` is the time to the label, NaN where there is none; `age_s` how long each row was watched. A row's class
    is known only once its label is, so rows without one cannot be counted as censored (Kaplan-Meier): the delays seen
    are right-truncated at the row's age. The product-limit estimator in reversed time holds for those,
    F(a) = Π over delays s > a of (1 − d(s) / R(s)), with d(s) labels at delay s and R(s) rows whose delay is at most s
    and whose age is more. Lynden-Bell 1971 (MNRAS 155:95); Lagakos, Barraj & De Gruttola 1988 (Biometrika 75:515), for
    reporting delays. Where all rows were watched long enough it is the share of delays up to a.
    """
    with np.errstate(invalid="ignore"):
        seen = delay_s < age_s
    if not seen.any():
        return None
    delays, counts = np.unique(np.maximum(delay_s[seen], 0.0), return_counts=True)
    at_risk = np.cumsum(counts) - np.searchsorted(np.sort(age_s[seen]), delays, side="right")
    kept = np.append(1 - counts[1:] / at_risk[1:], 1.0)
    known = np.append(0.0, np.cumprod(kept[::-1])[::-1])
    whole = np.floor(delays[np.searchsorted(known[1:], np.append(_LEVELS, 1.0) - 1e-12)])
    ages = np.unique(np.concatenate([whole, whole + 1]))  # both sides of a moment at which many labels came
    return Curve(ages, known[np.searchsorted(delays, ages, side="left")], int(seen.sum()))


def pooled(curves: Sequence[Curve]) -> Curve:
    """Return the curve of several windows together: the mean of their curves, weighted by labels.

    Windows differ by more than chance when delays change over time. With F the mean curve and F_w that of a window of
    n_w labels, φ = Σ n_w (F_w − F)² / ((k − 1) F(1 − F)) is 1 for k windows that differ by chance alone (McCullagh &
    Nelder 1989, §4.5, dispersion), taken at the quartiles of F; the next window then departs from F with the variance
    (φ − 1) F(1 − F) (1 / mean n_w + 1 / n) beyond chance.
    """
    ages = np.unique(np.concatenate([curve.ages for curve in curves]))
    sizes = np.array([curve.n for curve in curves])
    n, k = int(sizes.sum()), len(curves)
    each = np.array([curve.before(ages) for curve in curves])
    mean = sizes @ each / n
    places = np.searchsorted(mean, [0.25, 0.5, 0.75])
    noise = mean[places] * (1 - mean[places])
    if k < 2 or not noise.any():
        return Curve(ages, mean, n)
    between = sizes @ (each[:, places] - mean[places]) ** 2 / (k - 1)
    dispersion = float(between[noise > 0].sum() / noise.sum())
    return Curve(ages, mean, n, max(dispersion - 1, 0.0) * (k / n + 1 / n))


def delay_measurements(labelled: pa.Table, monitor: Monitor, window: Window) -> list[Measurement]:
    """Return the delay curves of a matured window, for all versions together and for each, and each true class.

    `labelled` is the table `label_measurements` takes, with the monitor's timestamp column. Labels later than maturity
    are left out; those assumed at maturity (labels.absent_means) count as arriving then. Regression has the terciles
    of the labels for classes. The key is "class=1|age=3600"; `n` counts the labels behind the curve.
    """
    outcomes = outcomes_of(labelled, monitor)
    ages = ages_of(outcomes.table, monitor, window, window.end + monitor.labels.matures_after)
    delays = delays_of(outcomes.table, monitor, window)
    names, classes = _classes(outcomes)
    if np.isfinite(delays).any() and monitor.labels.absent_means is not None:
        delays = np.where(outcomes.known & np.isnan(delays), ages - 1, delays)
    found: list[Measurement] = []
    for group in groups(TableRows(outcomes.table), monitor):
        if not group.segment:
            inside = np.ones(classes.size, bool) if group.mask is None else group.mask
            for place, name in enumerate(names):
                rows = inside & (classes == place)
                found += _written(learn(delays[rows], ages[rows]), group.model_version, name)
    return found


def read_curves(windows: Iterable[Iterable[Measurement]]) -> dict[tuple[str, str], Curve]:
    """Return the curves by model version and class, from the `labels` measurements of matured windows, pooled."""
    found: defaultdict[tuple[str, str], list[Curve]] = defaultdict(list)
    for window in windows:
        for key, curve in curves_of(window):
            found[key].append(curve)
    return {key: pooled(curves) for key, curves in found.items()}


def final_coverage(windows: Iterable[Iterable[Measurement]]) -> list[Measurement]:
    """Return `expected_final_coverage` for all rows and each model version: the share ever labelled.

    It is Σ labels / Σ scored rows over matured windows; `windows` holds the `labels` measurements of each.
    """
    rows: defaultdict[str, int] = defaultdict(int)
    known: defaultdict[str, float] = defaultdict(float)
    for window in windows:
        for m in window:
            if m.metric == "coverage" and not m.segment and m.value is not None:
                rows[m.model_version] += m.n
                known[m.model_version] += m.value * m.n
    return [
        Measurement("expected_final_coverage", known[version] / n, n, model_version=version)
        for version, n in sorted(rows.items())
        if n
    ]


def versions_of(outcomes: Outcomes, monitor: Monitor) -> np.ndarray:
    """Return the model version of each row as text, "" where none is logged."""
    column = monitor.source.predictions.model_version
    if column is None or column not in outcomes.table.column_names:
        return np.full(outcomes.table.num_rows, "")
    encoded = encode(outcomes.table[column].combine_chunks())
    return np.array([*encoded.texts, ""]).take(encoded.codes)


def _classes(outcomes: Outcomes) -> tuple[Sequence[str], np.ndarray]:
    if isinstance(outcomes, Classified):
        return outcomes.classes, outcomes.labels
    if not outcomes.known.any():
        return (), np.full(outcomes.known.size, -1)
    edges = np.quantile(outcomes.labels[outcomes.known], [1 / 3, 2 / 3])
    return TERCILES, np.where(outcomes.known, np.searchsorted(edges, outcomes.labels, side="right"), -1)


def _written(curve: Curve | None, version: str, name: str) -> Iterator[Measurement]:
    if curve is not None:
        for age, share in zip(curve.ages, curve.shares, strict=True):
            key = f"class={name}|age={age:.0f}"
            yield Measurement(METRIC, float(share), curve.n, model_version=version, bin=key)


def curves_of(window: Iterable[Measurement]) -> Iterator[tuple[tuple[str, str], Curve]]:
    """Yield the curves that one window's `labels` measurements hold, by model version and class."""
    points: defaultdict[tuple[str, str], list[tuple[float, float, int]]] = defaultdict(list)
    for m in window:
        if m.metric == METRIC and m.value is not None:
            name, _, age = m.bin.removeprefix("class=").rpartition("|age=")
            points[m.model_version, name].append((float(age), m.value, m.n))
    for key, rows in points.items():
        ages, shares, n = zip(*sorted(rows), strict=True)
        yield key, Curve(np.array(ages), np.array(shares), n[0])
