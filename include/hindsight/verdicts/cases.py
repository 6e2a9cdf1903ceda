"""Cases: incidents of one origin, told together; a pure grouping by what they are, under an id that stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hindsight.monitors.rules import Rule
from hindsight.verdicts.incidents import NEWS
from hindsight.verdicts.model import Incident, Series, State
from hindsight.verdicts.notices import moves_otherwise
from hindsight.vocabulary.severity import AT_ONCE, Severity

NEAR = 2  # windows between the onsets of one cause: some rules wait for a second window
COUNTED = frozenset({"drift.drifted", "drift.drift_share", "drift.class_share"})  # told as more columns come to it
LEVEL = COUNTED | {"labels.drifted"}  # how far from the reference something is: one state a monitor
BEYOND = frozenset({"quality.out_of_range_share", "quality.new_category_share"})  # what the reference does not hold
QUALITY = "quality."  # what is wrong with a column, beside how far it is
_ROWS = frozenset({"operations.volume_ratio", "operations.total_requests", NEWS})

Rules = Mapping[str, Rule]
Origin = tuple[datetime, str]  # when it began and, of what belongs to nothing else, which incident it is


def grouped(incidents: Iterable[Incident], rules: Rules, size: timedelta) -> list[Incident]:
    """Return all incidents of a monitor, oldest first, each with the id of the case it belongs to.

    Causes are one case where they began in the same window of `size`, and where one about the same column (or the
    number of rows) began at most NEAR windows before, or is news of it that lasts while it is news in other rows. What
    is far from the reference is one case for as long as any of it lasts, with values beyond the reference in a column
    that is far from it, unless something else goes wrong with the column about then: that its numbers go on the way
    they went is no second cause. A symptom, such as errors or a loss of accuracy, is a case of its own. What was
    withdrawn stays where it was. The groups depend on the incidents alone, not on the order they were recorded in; that
    says only which of the ids a case was given before it keeps.
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
    levels = [one for one in causes if is_level(one, rules)]
    for stretch in _stretches(levels):
        found |= dict.fromkeys((one.id for one in stretch), found[stretch[0].id])
    return found | {id: found[level.id] for id, level in _further(causes, levels, rules, size).items()}


def _further(
    causes: Sequence[Incident], levels: Sequence[Incident], rules: Rules, size: timedelta
) -> dict[str, Incident]:
    """Return, by the id of each cause about values beyond the reference, what says that its column was far already."""
    far, other = _by_column(levels), _by_column(one for one in causes if not is_level(one, rules))
    found: dict[str, Incident] = {}
    for one in causes:
        if not _is(BEYOND, one, rules):
            continue
        around = (near for near in other[one.series.feature] if not _is(BEYOND, near, rules))
        level = next((level for level in far[one.series.feature] if _lasts_at(level, one.started)), None)
        if level is not None and all(abs(near.started - one.started) > NEAR * size for near in around):
            found[one.id] = level
    return found


def _by_column(incidents: Iterable[Incident]) -> dict[str, list[Incident]]:
    found: dict[str, list[Incident]] = defaultdict(list)
    for one in incidents:
        if one.series.feature:
            found[one.series.feature].append(one)
    return found


def _lasts_at(incident: Incident, moment: datetime) -> bool:
    return incident.started <= moment and (incident.news_of is None or moment < incident.news_of)


def _is(metrics: Collection[str], incident: Incident, rules: Rules) -> bool:
    """Whether an incident is about all rows and one of these metrics."""
    rule = rules.get(incident.series.rule)
    return rule is not None and rule.metric in metrics and not incident.series.segment


def _roots(causes: Sequence[Incident], rules: Rules, size: timedelta) -> dict[str, datetime]:
    """Return, by the id of each cause, the window in which its column began to go wrong; `causes` are oldest first.

    A cause goes with those about the same that began at most NEAR windows before, of which the last has the earliest
    root of all, and news with news in other rows that lasts.
    """
    found: dict[str, datetime] = {}
    last: dict[str, Incident] = {}
    news: dict[str, list[Incident]] = defaultdict(list)
    for one in causes:
        about = topic(one.series, rules)
        before = last.get(about)
        near = [found[before.id]] if before is not None and one.started - before.started <= NEAR * size else []
        if rules[one.series.rule].metric == NEWS:
            news[about] = [other for other in news[about] if _lasts_at(other, one.started)]
            near += [found[other.id] for other in news[about] if other.series.segment != one.series.segment]
            news[about].append(one)
        found[one.id] = min([one.started, *near])
        last[about] = one
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
    return _is(LEVEL, incident, rules)


def heard_of(case: Iterable[Incident]) -> list[Incident]:
    """Return what people heard of that is not over."""
    return [one for one in case if one.told is State.OPEN]


def brings_news(
    incident: Incident, case: Sequence[Incident], rules: Rules, heard: Sequence[Incident] | None = None
) -> bool:
    """Say whether telling of an incident says more than was said of its case; `case` are all its incidents.

    `heard` is what people heard of it, where that was looked up already.

    An open one does where nobody has heard of the case, where it is graver than what was heard, and where it is about
    something else: another column, another number of its column, the first segment in which it is to be found (nobody
    is woken again for that), or all rows where it was told of segments. A column that is known to be far, or beyond the
    reference, may be stuck or in another unit besides: that was not said. What is far from the reference is told again
    when as many columns have come to it as were told, and so is that they go beyond it; that one comes back to it, or
    goes further beyond, is not. An end is news when nothing lasts of what people heard of the case.
    """
    if not incident.stands:
        return not any(one.stands and one.told is not None for one in case)
    heard = heard_of(case) if heard is None else heard
    if not heard or incident.severity < min(_heard_at(one) for one in heard):
        return True
    if incident.told is State.OPEN and not moves_otherwise(incident):
        return False
    alike = [one for one in case if topic(one.series, rules) == topic(incident.series, rules)]
    is_beyond = _is(BEYOND, incident, rules) and any(is_level(one, rules) for one in alike)
    if incident.told is State.OPEN:
        return not is_beyond
    if _is(COUNTED, incident, rules):
        return _is_doubled([one for one in case if _is(COUNTED, one, rules)])
    if is_beyond:
        return _is_doubled([one for one in case if _is(BEYOND, one, rules)])
    if is_level(incident, rules):
        return all(one.told is None for one in alike)
    if not _is(BEYOND, incident, rules) and rules[incident.series.rule].metric.startswith(QUALITY):
        alike = [one for one in alike if not (is_level(one, rules) or _is(BEYOND, one, rules))]
    told_of_parts = {bool(one.series.segment) for one in alike if one.told is State.OPEN}
    is_part = bool(incident.series.segment)
    return is_part not in told_of_parts and not (is_part and told_of_parts and incident.severity in AT_ONCE)


def _is_doubled(far: Sequence[Incident]) -> bool:
    """Whether as many columns came to what is far from the reference as people were told of while any of it lasted."""
    lasts = any(one.told is State.OPEN for one in far)
    told = {one.series.feature for one in far if one.told is not None and lasts} - {""}
    new = {one.series.feature for one in far if one.told is not State.OPEN and one.state is State.OPEN} - {"", *told}
    return len(new) >= max(len(told), 1)


def _heard_at(incident: Incident) -> Severity:
    return incident.heard.severity if incident.heard else incident.severity


def waits(incident: Incident, rules: Rules) -> bool:
    """Whether an incident that brings no news now may do so later, when more like it has come."""
    return _is(COUNTED | BEYOND, incident, rules) and incident.stands
