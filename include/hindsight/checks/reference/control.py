"""Control charts: how many sigmas a mean or a rate of a window lies from that of the frozen reference.

Shewhart's charts (Montgomery, Introduction to Statistical Quality Control, ch. 6 and 7) with Laney's correction (2002):
sigma is what rows drawn at random would show, times how much more the reference's own windows vary than that. Those
windows are the phase-I sample; without them, as in a file without timestamps, the rows alone speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isfinite, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import bdtr, bdtrc, ndtri

from hindsight.checks.reference.fitting import roles
from hindsight.checks.reference.peaks import NO_PEAKS, RETURNING, Key, Peaks, is_returning, number_peaks, text_peaks
from hindsight.checks.reference.thresholds import blocks
from hindsight.checks.values.categories import encode
from hindsight.checks.values.failures import failures
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows

MEAN, NULLS, ERRORS = "mean", "null_rate", "error_rate"
D2 = 1.128  # the expected range of two draws from a normal distribution, in standard deviations
_PEAK = "peak"  # what older baselines do not have
SCHEMA = pa.schema(
    [
        ("what", pa.string()),
        ("column", pa.string()),
        ("sigmas", pa.float64()),
        ("centre", pa.float64()),
        (_PEAK, pa.float64()),
    ]
)


@dataclass(frozen=True)
class Control:
    """By (what, column): how many times more the reference's windows vary than random rows would, at least 1.

    `errors` is the reference's error rate, None where its rows tell of no errors. `peaks` is what single windows had.
    """

    sigmas: Mapping[tuple[str, str], float] = field(default_factory=dict)
    errors: float | None = None
    peaks: Peaks = NO_PEAKS

    def to_table(self) -> pa.Table:
        """Return the table a baseline keeps."""
        centre = {(ERRORS, ""): self.errors}
        keys = [*self.sigmas, *([] if (ERRORS, "") in self.sigmas or self.errors is None else [(ERRORS, "")])]
        rows = [
            {
                "what": what,
                "column": column,
                "sigmas": self.sigmas.get((what, column)),
                "centre": centre.get((what, column)),
            }
            for what, column in keys
        ]
        rows += [{"what": what, "column": column, _PEAK: peak} for (what, column), peak in self.peaks.shares.items()]
        return pa.Table.from_pylist(rows, SCHEMA)

    def of_more_rows(self, times: int) -> Control:
        """Return the same for windows of so many times the rows they were learnt from.

        Rows drawn at random vary less in larger windows, the windows themselves do not: of a ratio r, r² - 1 grows
        with the rows.
        """
        if times == 1:
            return self
        return replace(self, sigmas={key: sqrt(1 + times * (r * r - 1)) for key, r in self.sigmas.items()})

    @classmethod
    def from_table(cls, table: pa.Table) -> Control:
        """Read it back; what was kept before there were peaks has none."""
        rows = table.to_pylist()
        peaks = {(row["what"], row["column"]): row[_PEAK] for row in rows if row.get(_PEAK) is not None}
        sigmas = {(row["what"], row["column"]): row["sigmas"] for row in rows if row["sigmas"] is not None}
        return cls(sigmas, next((row["centre"] for row in rows if row["what"] == ERRORS), None), Peaks(peaks))


UNKNOWN = Control()


def fit_control(rows: Rows, monitor: Monitor) -> Control:
    """Learn from the reference how much the means and rates of its own windows vary."""
    windows = blocks(rows, monitor, None)
    failed = failures(rows, monitor)
    errors = float(failed.mean()) if failed is not None and failed.size else None
    peaks: dict[Key, float] = dict.fromkeys(_returning(rows, monitor), 1.0)
    if windows is None:
        return Control(errors=errors, peaks=Peaks(peaks))
    chosen = windows >= 0
    place = _those(windows, chosen)
    found: dict[tuple[str, str], float] = {}
    for name, _, numeric in roles(monitor):
        if name not in rows.columns:
            continue
        column = rows.column(name)
        if numeric:
            values = _those(numbers(column), chosen)
            finite = np.isfinite(values)
            known, places = _those(values, finite), _those(place, finite)
            found[MEAN, name] = _variation(places, known)
            found[NULLS, name] = _variation(place, np.isnan(values).astype(float))
            peaks |= number_peaks(name, known, places)
        else:
            found[NULLS, name] = _variation(place, np.asarray(pc.is_null(column))[chosen].astype(float))
            peaks |= text_peaks(name, encode(column.filter(pa.array(chosen))), place)
    if failed is not None:
        found[ERRORS, ""] = _variation(place, failed[chosen].astype(float))
    return Control(found, errors, Peaks(peaks))


def _returning(rows: Rows, monitor: Monitor) -> Iterator[Key]:
    """Yield the columns whose texts come back, by the time of the rows; of rows without one there are none."""
    timestamp = monitor.source.predictions.timestamp
    if timestamp not in rows.columns or not pa.types.is_timestamp(rows.column(timestamp).type):
        return
    stamps = rows.column(timestamp).cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    span = pc.min_max(stamps).as_py()
    if span["min"] is None:
        return
    is_later = pc.greater_equal(stamps, (span["min"] + span["max"] + 1) // 2)
    later = np.asarray(is_later.cast(pa.int8()).fill_null(-1))
    for name, _, numeric in roles(monitor):
        if not numeric and name in rows.columns and is_returning(encode(rows.column(name)), later):
            yield RETURNING, name


def _those(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The values under a mask; the array itself where that is all of them, for it may be large."""
    return values if mask.all() else values[mask]


def _variation(place: np.ndarray, values: np.ndarray) -> float:
    """Return how many times the windows vary as random rows would: the mean moving range of the z of means over d2."""
    counts = np.bincount(place)
    spread = float(values.std()) if values.size else 0.0
    if not spread or not isfinite(spread):
        return 1.0
    there = counts > 0
    means = np.bincount(place, values)[there] / counts[there]
    scores = (means - values.mean()) / (spread / np.sqrt(counts[there]))
    ranges = [abs(after - before) for before, after in pairwise(scores.tolist())]
    return max(1.0, float(np.mean(ranges)) / D2) if ranges else 1.0


def mean_control(shifts: Iterable[Measurement], control: Control) -> list[Measurement]:
    """Return (mean - centre) / (sigma / sqrt n) of all rows from mean_shift, which is in standard deviations.

    A mean_shift that was not evaluated gives a mean_control that was not, for the same reason.
    """
    found = []
    for shift in shifts:
        if shift.metric == "mean_shift" and not (shift.segment or shift.model_version):
            score = None if shift.value is None else shift.value * sqrt(shift.n)
            score = None if score is None else score / control.sigmas.get((MEAN, shift.feature), 1.0)
            note = _basis(control, MEAN, shift.feature) if score is not None else shift.note
            found.append(Measurement("mean_control", score, shift.n, feature=shift.feature, note=note))
    return found


def null_rate_control(name: str, nulls: int, n: int, usual: float | None, control: Control) -> Measurement:
    """Return how many sigmas the null rate lies above the reference's."""
    if usual is None or not n:
        note = "the baseline does not have this column" if usual is None else "no rows"
        return Measurement("null_rate_control", None, n, feature=name, note=note)
    score = _rate_score(nulls, n, usual) / control.sigmas.get((NULLS, name), 1.0)
    return Measurement("null_rate_control", score, n, feature=name, note=_basis(control, NULLS, name))


def error_rate_control(errors: int, n: int, control: Control) -> Measurement:
    """Return how many sigmas the error rate lies above the reference's."""
    if control.errors is None or not n:
        note = "no rows" if not n else "the reference tells of no errors"
        return Measurement("error_rate_control", None, n, note=note)
    score = _rate_score(errors, n, control.errors) / control.sigmas.get((ERRORS, ""), 1.0)
    return Measurement("error_rate_control", score, n, note=_basis(control, ERRORS, ""))


def _rate_score(hits: int, n: int, centre: float) -> float:
    """Return the normal score of a count by its exact binomial chance (mid-p), beyond that the number of sigmas.

    A rate of 0 or 1 in the reference counts as one row in ten thousand otherwise: no finite sample shows a zero.
    """
    p = min(max(centre, 1e-4), 1 - 1e-4)
    at_most, more = float(bdtr(hits, n, p)), float(bdtrc(hits, n, p))
    below = float(bdtr(hits - 1, n, p)) if hits else 0.0
    half = (at_most - below) / 2
    chance = min(more + half, below + half)
    if chance <= 1e-12:
        return (hits / n - p) / sqrt(p * (1 - p) / n)
    return float(-ndtri(chance) if more < below else ndtri(chance))


def _basis(control: Control, what: str, column: str) -> str:
    return "" if (what, column) in control.sigmas else "sigma of the rows alone: the reference has too few windows"
