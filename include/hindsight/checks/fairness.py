"""Fairness: how far apart the groups of one segment column are."""

from __future__ import annotations

from collections.abc import Sequence

from hindsight.monitors.measurement import Measurement

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
    rows of the smallest group that does.
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
    value = max(max(_values(groups)) - min(_values(groups)) for groups in compared)
    return Measurement(metric, value, min(m.n for groups in compared for m in groups), feature=column)


def _values(groups: Sequence[Measurement]) -> list[float]:
    return [m.value for m in groups if m.value is not None]
