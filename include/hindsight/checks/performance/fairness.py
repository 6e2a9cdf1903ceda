"""Fairness: how far apart the groups of one segment column are."""

from __future__ import annotations

from collections.abc import Sequence

from hindsight.checks.statistics import intervals
from hindsight.vocabulary.measurement import Measurement

_GAPS = {
    "demographic_parity_difference": ("positive_rate",),
    "equalized_odds_difference": ("fnr", "fpr"),
    "accuracy_difference": ("accuracy",),
    "fpr_difference": ("fpr",),
    "fnr_difference": ("fnr",),
}


def gaps(measured: Sequence[Measurement], columns: Sequence[str]) -> list[Measurement]:
    """Return, per segment column, the largest difference of a rate between two of its groups.

    Demographic parity: of the share of positive predictions. Equalised odds: the greater of the differences of the
    false negative and the false positive rate (Hardt, Price & Srebro 2016; Agarwal et al. 2018). A group without
    positive (negative) labels has no false negative (positive) rate and does not take part. `n` counts the labelled
    rows of the smallest group that does. The interval is that of the difference of the two groups furthest apart, which
    `note` names; of many groups some two are always apart by chance.
    """
    rates: dict[str, dict[str, list[Measurement]]] = {column: {} for column in columns}
    known = {m.metric for m in measured}
    for m in measured:
        column = m.segment.partition("=")[0]
        if column in rates and not m.bin and m.value is not None:
            rates[column].setdefault(m.metric, []).append(m)
    gaps_known = {gap: needed for gap, needed in _GAPS.items() if known.issuperset(needed)}
    return [
        _gap(gap, column, [rates[column].get(rate, []) for rate in gaps_known[gap]])
        for column in columns
        for gap in gaps_known
    ]


def _gap(metric: str, column: str, rates: Sequence[Sequence[Measurement]]) -> Measurement:
    compared = [groups for groups in rates if len(groups) > 1]
    if not compared:
        return Measurement(metric, None, feature=column, note="fewer than two groups of 20 labelled rows to compare")
    ends = [(max(groups, key=_value), min(groups, key=_value)) for groups in compared]
    high, low = max(ends, key=lambda pair: _value(pair[0]) - _value(pair[1]))
    lower, upper = intervals.difference(_point(high), _point(low))
    n = min(m.n for groups in compared for m in groups)
    note = f"{high.segment.partition('=')[2]} over {low.segment.partition('=')[2]}"
    value = _value(high) - _value(low)
    return Measurement(
        metric, value, n, feature=column, lower=max(lower, 0.0), upper=min(upper, 1.0), note=note if value else ""
    )


def _value(rate: Measurement) -> float:
    return rate.value or 0.0


def _point(rate: Measurement) -> intervals.Point:
    value = _value(rate)
    return value, value if rate.lower is None else rate.lower, value if rate.upper is None else rate.upper
