"""Cases: incidents of one origin, told together; a pure grouping, and the id of a case is that of its first member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident, Series, State

NEAR = 2  # windows between the onsets of one cause: some rules wait for a second window
LEVEL = frozenset({"drift.drifted", "drift.drift_share"})  # how far from the reference: one state a monitor
_ROWS = frozenset({"operations.volume_ratio", "operations.total_requests", "drift.news"})

Rules = Mapping[str, Rule]


def grouped(new: Iterable[Incident], known: Iterable[Incident], rules: Rules, size: timedelta) -> list[Incident]:
    """Return incidents with the case each belongs to; those that have one keep it, so that its id never changes.

    `known` are the monitor's other incidents. A new one belongs to an open case whose onset is near and that is about
    the same column (or the number of rows), or that began in the same window while nobody has heard of it. What is far
    from the reference belongs to the one open case about that, else to one of its own.
    """
    standing = [one for one in known if one.state is State.OPEN and one.case]
    found: list[Incident] = []
    for incident in sorted(new, key=lambda one: (not one.case, one.started, one.id)):  # those with a case first
        joined = incident if incident.case else replace(incident, case=_case_of(incident, standing, rules, size))
        standing.append(joined)
        found.append(joined)
    return found


def _case_of(incident: Incident, standing: Sequence[Incident], rules: Rules, size: timedelta) -> str:
    near = [
        one
        for one in standing
        if abs(one.started - incident.started) <= NEAR * size and _are_causes(one, incident, rules)
    ]
    same = [one for one in near if topic(one.series, rules) == topic(incident.series, rules)]
    together = [one for one in near if one.started == incident.started and one.told is None]
    level = [one for one in standing if is_level(one, rules)] if is_level(incident, rules) else []
    for origin in (same, level, together):
        if origin:
            return min(origin, key=lambda one: (one.started, one.id)).case
    return incident.id


def _are_causes(one: Incident, other: Incident, rules: Rules) -> bool:
    """Whether both are causes: a symptom, such as errors or a loss of accuracy, is told by itself."""
    return all(one.series.rule in rules and rules[one.series.rule].kind == "cause" for one in (one, other))


def topic(series: Series, rules: Rules) -> str:
    """What a series is about: a column, the number of rows, or else its rule."""
    if series.feature:
        return series.feature
    rule = rules.get(series.rule)
    return "the number of rows" if rule is not None and rule.metric in _ROWS else f"rule {series.rule}"


def is_level(incident: Incident, rules: Rules) -> bool:
    """Whether an incident says how far from the reference something is."""
    rule = rules.get(incident.series.rule)
    return rule is not None and rule.metric in LEVEL and not incident.series.segment


def brings_news(incident: Incident, case: Sequence[Incident], rules: Rules) -> bool:
    """Say whether telling of an incident says more than was said of its case; `case` are all its incidents.

    An open one does where nobody has heard of the case, where it is graver than what was heard, and where it is about
    something else. What is far from the reference is told again when as many columns have come to it as were told. An
    end is news when nothing of the case is open any more.
    """
    if incident.state is not State.OPEN:
        return all(one.state is not State.OPEN for one in case)
    heard = [one for one in case if one.told is State.OPEN and one.id != incident.id]
    if not heard or incident.severity < min(one.severity for one in heard):
        return True
    if is_level(incident, rules):
        far = [one for one in case if is_level(one, rules) and one.state is State.OPEN]
        return 2 * sum(one.told is None for one in far) >= len(far)
    return topic(incident.series, rules) not in {topic(one.series, rules) for one in heard}


def waits(incident: Incident, rules: Rules) -> bool:
    """Whether an incident that brings no news now may do so later, when more like it has come."""
    return is_level(incident, rules) and incident.state is State.OPEN
