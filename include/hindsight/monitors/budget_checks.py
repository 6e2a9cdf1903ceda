"""What a file's rules tell more often than its `alerts.budget` agrees to, as far as the file alone can say. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist

from hindsight.monitors.document import Where
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import format_duration

SIGMAS = ("operations.error_rate_control", "quality.null_rate_control", "drift.mean_control")
P_VALUE = "drift.p_value"
NAMED = 3  # rules in a warning


def budget_warnings(monitor: Monitor) -> Iterator[tuple[Where, str]]:
    """Yield where a budget cannot be kept: none is agreed to, or chance alone tells more."""
    mailing = [rule for rule in monitor.rules if "email" in rule.then]
    for is_page, what in ((True, "page"), (False, "notice")):
        telling = [rule for rule in mailing if (rule.severity < Severity.P2) is is_page]
        if telling and not _agreed(monitor, telling[0]):
            names = ", ".join(rule.id for rule in telling[:NAMED]) + ", …" * (len(telling) > NAMED)
            rules = f"{len(telling)} rule{'s' * (len(telling) > 1)} of that severity mail{'s' * (len(telling) == 1)}"
            yield ("alerts", "budget"), f"agrees to no {what}, but {rules} ({names}): any incident of theirs is over it"
    places = {change.id: i for i, change in enumerate(monitor.rule_changes)}
    for rule in mailing:
        expected = by_chance(monitor, rule)
        if rule.id in places and expected > _agreed(monitor, rule):
            yield ("rules", places[rule.id]), _said(monitor, rule, expected)


def by_chance(monitor: Monitor, rule: Rule) -> float:
    """Return how many incidents of a rule chance alone opens in the budget's period; 0 where that cannot be known.

    A number in sigmas crosses z with probability 1 - Phi(z), a p-value p with p; a run of `for` such windows begins
    with probability (1 - p) p^for in each window and column (Feller 1968, XIII.7, for rare runs).
    """
    p = _chance(rule)
    windows = monitor.alerts.budget.period / monitor.window
    return float(windows * _columns(monitor, rule) * (1 - p) * p**rule.for_)


def _chance(rule: Rule) -> float:
    """The probability that a window crosses a limit though nothing has changed."""
    normal = NormalDist()
    if rule.metric == P_VALUE:
        return min(max(rule.below or 0.0, 0.0), 1.0)
    if rule.metric not in SIGMAS:
        return 0.0
    above = 1 - normal.cdf(rule.above) if rule.above is not None else 0.0
    return above + (normal.cdf(rule.below) if rule.below is not None and rule.metric == "drift.mean_control" else 0.0)


def _columns(monitor: Monitor, rule: Rule) -> int:
    """How many columns a rule judges at least: the features it can be about."""
    if rule.metric.startswith("operations."):
        return 1
    numeric = sum(feature.type == "numeric" for feature in monitor.features.values())
    return numeric if rule.metric == "drift.mean_control" else len(monitor.features)


def _agreed(monitor: Monitor, rule: Rule) -> int:
    budget = monitor.alerts.budget
    return budget.pages if rule.severity < Severity.P2 else budget.notices


def _said(monitor: Monitor, rule: Rule, expected: float) -> str:
    agreed = _agreed(monitor, rule)
    what = ("page" if rule.severity < Severity.P2 else "notice") + "s" * (agreed != 1)
    period, window = format_duration(monitor.alerts.budget.period), format_duration(monitor.window)
    columns = _columns(monitor, rule)
    about = f" of {columns} columns" if columns > 1 else ""
    return (
        f"{rule.id} opens about {expected:.2g} incidents in {period} by chance alone (windows of {window}{about}, "
        f"for: {rule.for_}), {agreed} {what} agreed to (alerts.budget) - raise its limit or `for`"
    )
