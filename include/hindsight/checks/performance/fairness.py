"""Fairness: how far apart the groups of one segment column are."""

from __future__ import annotations

from collections.abc import Sequence

from hindsight.checks.statistics import intervals
from hindsight.vocabulary.measurement import Measurement

SHOWN = 5  # groups a note names
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
    positive (negative) labels has no false negative (positive) rate: a difference of that rate is one of the other
    groups, as `note` says, and whether odds are equal cannot be told at all. `n` counts the labelled rows of the
    smallest group that takes part. The interval is that of the difference of the two groups furthest apart, which
    `note` names; of many groups some two are always apart by chance.
    """
    rates: dict[str, dict[str, list[Measurement]]] = {column: {} for column in columns}
    known = {m.metric for m in measured}
    for m in measured:
        column = m.segment.partition("=")[0]
        if column in rates and not m.bin:
            rates[column].setdefault(m.metric, []).append(m)
    gaps_known = {gap: needed for gap, needed in _GAPS.items() if known.issuperset(needed)}
    return [
        _gap(gap, column, [rates[column].get(rate, []) for rate in gaps_known[gap]])
        for column in columns
        for gap in gaps_known
    ]


def _gap(metric: str, column: str, rates: Sequence[Sequence[Measurement]]) -> Measurement:
    compared = [[m for m in groups if m.value is not None] for groups in rates]
    lacking = [m for groups in rates for m in groups if m.value is None]
    if any(len(groups) < 2 for groups in rates):
        return Measurement(metric, None, feature=column, note="fewer than two groups of 20 labelled rows to compare")
    if any(len(groups) < 2 for groups in compared) or (lacking and len(rates) > 1):
        return Measurement(metric, None, feature=column, note=_why(lacking))
    high, low = max(map(_furthest, compared), key=lambda pair: _value(pair[0]) - _value(pair[1]))
    lower, upper = intervals.difference(_point(high), _point(low))
    value, apart = _value(high) - _value(low), f"{_name(high)} over {_name(low)}"
    left_out = [f"{_name(m)} left out: {m.note}" for m in lacking]
    return Measurement(
        metric,
        value,
        min(m.n for groups in compared for m in groups),
        feature=column,
        lower=max(lower, 0.0),
        upper=min(upper, 1.0),
        note="; ".join([apart] * (value > 0) + left_out[:SHOWN]),
    )


def _furthest(groups: Sequence[Measurement]) -> tuple[Measurement, Measurement]:
    return max(groups, key=_value), min(groups, key=_value)


def _why(lacking: Sequence[Measurement]) -> str:
    """Say what which groups lack: "no positive labels in EU, US; no negative labels in FR"."""
    by_reason: dict[str, list[str]] = {}
    for m in lacking:
        by_reason.setdefault(m.note, []).append(_name(m))
    return "; ".join(f"{reason} in {', '.join(names[:SHOWN])}" for reason, names in by_reason.items())


def _name(rate: Measurement) -> str:
    return rate.segment.partition("=")[2]


def _value(rate: Measurement) -> float:
    return rate.value or 0.0


def _point(rate: Measurement) -> intervals.Point:
    value = _value(rate)
    return value, value if rate.lower is None else rate.lower, value if rate.upper is None else rate.upper
