"""Cases: incidents of one origin, told together; a pure grouping by what they are, under an id that stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident, Series, State
from hindsight.verdicts.notices import moves_otherwise
from hindsight.vocabulary.severity import Severity

NEAR = 2  # windows between the onsets of one cause: some rules wait for a second window
LEVEL = frozenset({"drift.drifted", "drift.drift_share"})  # how far from the reference: one state a monitor
_ROWS = frozenset({"operations.volume_ratio", "operations.total_requests", "drift.news"})

Rules = Mapping[str, Rule]
Origin = tuple[datetime, str]  # when it began and, of what belongs to nothing else, which incident it is


def grouped(incidents: Iterable[Incident], rules: Rules, size: timedelta) -> list[Incident]:
    """Return all incidents of a monitor, oldest first, each with the id of the case it belongs to.

    Causes are one case where they began in the same window of `size`, and where one about the same column (or the
    number of rows) began at most NEAR windows before. What is far from the reference is one case for as long as any of
    it lasts. A symptom, such as errors or a loss of accuracy, is a case of its own. What was withdrawn stays where it
    was. The groups depend on the incidents alone, not on the order they were recorded in; that says only which of the
    ids a case was given before it keeps.
    """
    ordered = sorted(incidents, key=_age)
    standing = [one for one in ordered if one.state is not State.WITHDRAWN]
    origins = _origins(standing, rules, size)
    groups: dict[Origin, list[Incident]] = defaultdict(list)
    for one in standing:
        groups[origins.get(one.id, (one.started, one.id))].append(one)
    found = _named([groups[origin] for origin in sorted(groups)])
    cases = {one.id: id for id, some in found.items() for one in some}
    return [replace(one, case=cases.get(one.id, one.case or one.id)) for one in ordered]


def _age(incident: Incident) -> Origin:
    return incident.started, incident.id


def _origins(standing: Sequence[Incident], rules: Rules, size: timedelta) -> dict[str, Origin]:
    """Return, by the id of each cause, when what it belongs to began; `standing` are oldest first."""
    causes = [one for one in standing if _is_cause(one, rules)]
    found: dict[str, Origin] = {id: (began, "") for id, began in _roots(causes, rules, size).items()}
    for stretch in _stretches([one for one in causes if is_level(one, rules)]):
        found |= dict.fromkeys((one.id for one in stretch), found[stretch[0].id])
    return found


def _roots(causes: Sequence[Incident], rules: Rules, size: timedelta) -> dict[str, datetime]:
    """Return, by the id of each cause, the window in which its column began to go wrong; `causes` are oldest first."""
    found: dict[str, datetime] = {}
    seen: dict[str, list[Incident]] = defaultdict(list)
    for one in causes:
        same = seen[topic(one.series, rules)]
        near = [found[before.id] for before in same if one.started - before.started <= NEAR * size]
        found[one.id] = min([one.started, *near])
        same.append(one)
    return found


def _stretches(levels: Sequence[Incident]) -> Iterator[list[Incident]]:
    """Yield what is far from the reference in stretches without a gap; `levels` are oldest first."""
    stretch: list[Incident] = []
    until: datetime | None = None  # None while any of it lasts
    for one in levels:
        if stretch and until is not None and one.started > until:
            yield stretch
            stretch = []
        lasts = one.news_of is None or (bool(stretch) and until is None)
        until = None if lasts or one.news_of is None else max(one.news_of, until or one.news_of)
        stretch.append(one)
    if stretch:
        yield stretch


def _named(groups: Sequence[list[Incident]]) -> dict[str, list[Incident]]:
    """Give each group, oldest first, an id: the oldest one its members had, which no two groups share.

    Where a case came apart its id stays with the incident it is named after, else with its earliest part.
    """
    home = {one.id: place for place, group in enumerate(groups) for one in group}
    claims: dict[str, int] = {}
    for place, group in enumerate(groups):
        for had in {one.case for one in group if one.case}:
            claims.setdefault(had, place)
            if home.get(had) == place:
                claims[had] = place
    return {_id(place, group, claims): group for place, group in enumerate(groups)}


def _id(place: int, group: Sequence[Incident], claims: Mapping[str, int]) -> str:
    had = [one.case for one in group if one.case and claims[one.case] == place]
    free = [one.id for one in group if claims.get(one.id, place) == place]
    return next(iter(had or free))


def _is_cause(incident: Incident, rules: Rules) -> bool:
    rule = rules.get(incident.series.rule)
    return rule is not None and rule.kind == "cause"


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
    something else: another column, another number of its column, or the first segment in which it is to be found. What
    is far from the reference is told again when as many columns have come to it as were told. An end is news when
    nothing lasts of what people heard of the case.
    """
    if not incident.stands:
        return not any(one.stands and one.told is not None for one in case)
    heard = [one for one in case if one.told is State.OPEN]
    if not heard or incident.severity < min(_heard_at(one) for one in heard):
        return True
    if incident.told is State.OPEN:
        return moves_otherwise(incident)
    if is_level(incident, rules):
        far = [one for one in case if is_level(one, rules) and one.stands]
        untold = [one for one in far if one.told is not State.OPEN and one.state is State.OPEN]
        return len(untold) >= sum(one.told is State.OPEN for one in far)
    about = topic(incident.series, rules)
    alike = [one for one in heard if topic(one.series, rules) == about]
    return not alike or (bool(incident.series.segment) and not any(one.series.segment for one in alike))


def _heard_at(incident: Incident) -> Severity:
    return incident.heard.severity if incident.heard else incident.severity


def waits(incident: Incident, rules: Rules) -> bool:
    """Whether an incident that brings no news now may do so later, when more like it has come."""
    return is_level(incident, rules) and incident.stands
