"""Tellings: what people would have been told, counted in pages and notices a month, against what they agreed to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.monitors.calendar import MONTH, AlertBudget
from hindsight.monitors.model import Monitor
from hindsight.verdicts.model import Incident, State
from hindsight.vocabulary.severity import Severity


@dataclass(frozen=True, slots=True)
class Telling:
    """One time a case is told that it is open: when, how gravely, since which window, and what it names.

    Told at P0 or P1 it is a page, at P2 a notice; the end of a case is neither.
    """

    at: datetime
    case: str
    severity: Severity
    begun: datetime
    rules: tuple[str, ...]
    columns: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def is_page(self) -> bool:
        """Whether someone is to look at once or today."""
        return self.severity < Severity.P2


@dataclass(frozen=True, slots=True)
class Case:
    """A case that was told: the gravest it was told at, how often, and the starts of the windows that breached."""

    id: str
    severity: Severity
    tellings: int
    rules: tuple[str, ...]
    columns: tuple[str, ...]
    segments: tuple[str, ...]
    windows: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """Pages and notices."""

    pages: int
    notices: int


def tellings(monitor: Monitor, told: Iterable[Incident], at: datetime) -> list[Telling]:
    """Return what people are told when these incidents are: each case once; rules that mail nobody tell nothing."""
    mails = {rule.id for rule in monitor.rules if "email" in rule.then}
    cases: dict[str, list[Incident]] = defaultdict(list)
    for incident in told:
        if incident.told is State.OPEN and incident.series.rule in mails:
            cases[incident.case].append(incident)
    return [_telling(case, some, at) for case, some in cases.items()]


def _telling(case: str, some: Sequence[Incident], at: datetime) -> Telling:
    severity, begun = min(one.severity for one in some), min(one.started for one in some)
    return Telling(at, case, severity, begun, *_names(some))


def _names(some: Iterable[Incident]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The rules, columns and segments that incidents are about, each once."""
    series = [one.series for one in some]
    rules, columns = (one.rule for one in series), (one.feature for one in series if one.feature)
    segments = (one.segment for one in series if one.segment)
    return tuple(dict.fromkeys(rules)), tuple(dict.fromkeys(columns)), tuple(dict.fromkeys(segments))


def cases(told: Iterable[Telling], incidents: Iterable[Incident]) -> list[Case]:
    """Return the cases that were told, in that order, as they are in the end: with the members nobody named too."""
    times: dict[str, list[Telling]] = defaultdict(list)
    for telling in told:
        times[telling.case].append(telling)
    members: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        members[incident.case].append(incident)
    return [_case(id, some, members[id]) for id, some in times.items()]


def _case(id: str, told: Sequence[Telling], members: Sequence[Incident]) -> Case:
    breaches = sorted({start for one in members for start in one.breaches})
    return Case(id, min(one.severity for one in told), len(told), *_names(members), tuple(breaches))


def counted(told: Iterable[Telling]) -> Counted:
    """Count pages and notices; a case that is told again counts again."""
    found = [one.is_page for one in told]
    return Counted(sum(found), len(found) - sum(found))


def by_rule(told: Sequence[Telling]) -> dict[str, Counted]:
    """Count what each rule is named in, the loudest rule first; what names two rules counts for both."""
    rules = dict.fromkeys(rule for one in told for rule in one.rules)
    found = {rule: counted(one for one in told if rule in one.rules) for rule in rules}
    return dict(sorted(found.items(), key=lambda item: (-item[1].pages, -item[1].notices, item[0])))


def a_month(count: int, covered: timedelta) -> float:
    """Return how many that is in thirty days."""
    return count / (covered / MONTH)


def over(found: Counted, covered: timedelta, budget: AlertBudget) -> list[str]:
    """Say of pages and notices which are more than the budget allows in the time covered; nothing where it is kept.

    In less than the budget's period as many may come as in all of it.
    """
    spans = max(covered / budget.period, 1.0)
    both = (("page", found.pages, budget.pages), ("notice", found.notices, budget.notices))
    return [
        f"{count:,} {what}{'s' * (count != 1)}, {agreed * spans:.3g} agreed to"
        for what, count, agreed in both
        if count > agreed * spans
    ]


def plain(one: Telling | Case) -> Mapping[str, Any]:
    """Return a telling or a case as JSON has it."""
    return asdict(one) | {"severity": str(one.severity)}
