"""Overdue: labels that a window lacks though every window before it had them at that age, and what that rules out.

Windows that lost their labels teach nothing about labels: what is expected afterwards is what it was before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby, pairwise

import numpy as np

from hindsight.checks.labels.delays import Curve, curves_of
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.windows import Window

METRIC = "missing_share"
LOST, NEAR = 0.5, 0.9  # of the labels to be expected: fewer are lost; a neighbour of such a window may be so in part
ENOUGH_LABELS, ENOUGH_WINDOWS, ENOUGH_TIME = 20, 5, timedelta(days=8)  # a week has other days than the last five
ENOUGH_DELIVERIES, APART = 3, timedelta(hours=12)  # a rhythm is known from three of its beats
LATE, SLOW = timedelta(days=1), 1.25  # a delivery may be late by a day, and by a quarter of what it usually takes
PARTS = (np.arange(8) + 0.5) / 8  # of a window, whose rows are older the earlier they were made
Past = Mapping[Window, Sequence[Measurement]]


def sound(past: Past) -> dict[Window, Sequence[Measurement]]:
    """Return the matured windows that kept their labels, in their order in time.

    Lost are those with `missing_share` of a half or more, or whose labels came under other ids. Labels stop in the
    midst of windows: those next to lost ones are left out too while they lack over a tenth of what was expected. And
    where labels take longer than a window, those before the end lack more and more, none half of the one before it:
    lost are the windows of such a slide that have fallen to under half of what there was before it.
    """
    ordered = sorted(past)
    lost = {window for window in ordered if _is_lost(past[window])}
    lost |= _fallen(past, [window for window in ordered if window not in lost])
    for line in (ordered, ordered[::-1]):
        beside = False
        for window in line:
            beside = window in lost or (beside and _lacks(past[window]))
            lost |= {window} if beside else set()
    return {window: past[window] for window in ordered if window not in lost}


def least_known(past: Past, age: timedelta, *, mature: bool) -> float | None:
    """Return the coverage that a window must have at an age since its end, as every one of the past had it.

    It is the smallest product of final coverage and share of labels that had come by the age, less a day and a fifth;
    once a window is `mature` the smallest final coverage. `past` holds the `labels` measurements of sound matured
    windows. None where they are too few or too close together to tell: five over eight days and, before maturity,
    labels that came on three occasions or more.
    """
    windows = sorted(window for window, measured in past.items() if _scored(measured) >= ENOUGH_LABELS)
    if len(windows) < ENOUGH_WINDOWS or windows[-1].end - windows[0].start < ENOUGH_TIME:
        return None
    final = [_value(past[window], "coverage") for window in windows]
    if mature:
        return min((value for value in final if value is not None), default=None)
    if _deliveries(past) < ENOUGH_DELIVERIES:
        return None
    size = windows[0].end - windows[0].start
    ages = ((age - LATE) / SLOW).total_seconds() + size.total_seconds() * PARTS
    come = (_share_by(past[window], ages) for window in windows)
    return min((value * by for value, by in zip(final, come, strict=True) if value is not None), default=None)


def missing(past: Past, age: timedelta, *, mature: bool, known: int, n: int) -> Measurement:
    """Return `missing_share`: how much of the labels that must have come by now has not; `n` counts those expected.

    `known` of `n` scored predictions have a label, and the window ended `age` ago.
    """
    least = least_known(past, age, mature=mature)
    if least is None:
        return Measurement(METRIC, None, note="too few windows have matured to know when labels must have come")
    expected = int(least * n)
    if not expected:
        return Measurement(METRIC, None, note="no labels must have come by now" if n else "no scored rows")
    note = f"labels of {known / n:.0%} of the predictions are in, of every window before {least:.0%} or more"
    value = max(1 - known / (least * n), 0.0)
    return Measurement(METRIC, value, expected, note=note if value >= LOST else "")


def awaits(measured: Sequence[Measurement], least: float) -> bool:
    """Say whether what is on record of a window leaves open that it lost its labels, `least` being due by now."""
    if not measured:
        return True
    return _is_under_half(measured, least) and not _is_lost(measured)


def _fallen(past: Past, ordered: Sequence[Window]) -> set[Window]:
    """Return those of runs of lacking windows with under half of the least that the windows before the run had."""
    fallen: set[Window] = set()
    steady: dict[Window, Sequence[Measurement]] = {}
    for lacking, run in groupby(ordered, key=lambda window: _lacks(past[window])):
        windows = list(run)
        least = (least_known(steady, timedelta(0), mature=True) or 0.0) if lacking else 0.0
        found = {window for window in windows if _is_under_half(past[window], least)}
        fallen |= found
        steady |= {} if found else {window: past[window] for window in windows}
    return fallen


def _is_under_half(measured: Sequence[Measurement], least: float) -> bool:
    """Say whether a window has under half of the `least` coverage there must be, and enough rows to tell."""
    coverage, n = _value(measured, "coverage"), _scored(measured)
    return coverage is not None and least * n >= ENOUGH_LABELS and coverage < (1 - LOST) * least


def _is_lost(measured: Sequence[Measurement]) -> bool:
    gone = next((m for m in measured if m.metric == METRIC and m.n >= ENOUGH_LABELS), None)
    if gone is not None and gone.value is not None and gone.value >= LOST:
        return True
    coverage, misspelt = _value(measured, "coverage"), _value(measured, "misspelt_share")
    return coverage is not None and misspelt is not None and misspelt >= LOST > coverage


def _lacks(measured: Sequence[Measurement]) -> bool:
    coverage, expected = _value(measured, "coverage"), _value(measured, "expected_final_coverage")
    return coverage is not None and expected is not None and coverage < NEAR * expected


def _value(measured: Sequence[Measurement], metric: str) -> float | None:
    return next((m.value for m in measured if m.metric == metric and not (m.model_version or m.segment)), None)


def _scored(measured: Sequence[Measurement]) -> int:
    return next((m.n for m in measured if m.metric == "coverage" and not (m.model_version or m.segment)), 0)


def _deliveries(past: Past) -> int:
    """On how many occasions the last labels of a window came."""
    waits = ((window, _value(measured, "delay_p95_s")) for window, measured in past.items())
    moments = sorted(window.start + timedelta(seconds=wait) for window, wait in waits if wait is not None)
    return bool(moments) + sum(b - a > APART for a, b in pairwise(moments))


def _share_by(measured: Sequence[Measurement], age_s: np.ndarray) -> float:
    """The share of a window's labels that had come by these ages of its parts, over all classes."""
    curves: list[Curve] = [curve for (version, _), curve in curves_of(measured) if not version]
    n = sum(curve.n for curve in curves)
    return float(sum(curve.n * curve.before(age_s).mean() for curve in curves) / n) if n else 0.0
