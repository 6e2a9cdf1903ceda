"""Alert load: how many messages each receiver got a day, and of how many cases of a rule people made something.

A rule whose cases nobody acts on teams learn to ignore; the measures are the load and the precision that Google's
Site Reliability Workbook (2018), chapter 5, judges alerting by.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.ledger.acceptances import acceptances
from hindsight.ledger.acknowledgements import acknowledgements
from hindsight.ledger.claims import sent_since
from hindsight.ledger.records import Mail, MailState
from hindsight.ledger.rollbacks import rollbacks
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.acceptance import Acceptance, may_be_accepted
from hindsight.verdicts.judge import kind_of
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.measurement import Kind

# what a rollback answers
OF_MODEL = (Kind.DRIFT, Kind.PERFORMANCE, Kind.ESTIMATE, Kind.LABELS, Kind.KPI, Kind.PROMOTION)


@dataclass(frozen=True, slots=True)
class Load:
    """How many messages one receiver was sent: in all, a day, and on the worst day (UTC)."""

    receiver: str
    messages: int
    a_day: float
    worst: int

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answered:
    """Of one rule of a monitor: the cases people were told of, acted on, and said were meant to happen."""

    monitor: str
    rule: str
    told: int
    acted: int
    expected: int

    @property
    def precision(self) -> float:
        """The share of the cases that were acted on, from 0 to 1."""
        return self.acted / self.told

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self) | {"precision": self.precision}


@dataclass(frozen=True, slots=True)
class Deeds:
    """What people did: cases looked after, incidents that retrainings answer, moments of rollbacks, acceptances."""

    looked_after: Collection[str] = ()
    asked: Collection[str] = ()
    back: Collection[datetime] = ()
    meant: Collection[Acceptance] = ()


def loads(monitors: Sequence[Monitor], resources: Resources, *, now: datetime, days: int) -> list[Load]:
    """Return what each receiver was sent of these monitors in the last so many days, the most first."""
    mails = [mail for monitor in monitors for mail in resources.ledger.outbox(monitor.name)]
    return load(mails, since=now - timedelta(days=days), until=now)


def load(mails: Iterable[Mail], *, since: datetime, until: datetime) -> list[Load]:
    """Return the load of each receiver by the messages sent in `[since, until)`; days without any count."""
    by_day: dict[str, Counter[str]] = defaultdict(Counter)
    for mail in mails:
        if mail.state is MailState.SENT and mail.sent_at is not None and since <= mail.sent_at < until:
            by_day[mail.recipient][f"{mail.sent_at:%Y-%m-%d}"] += 1
    days = (until - since) / timedelta(days=1)
    found = (Load(to, counts.total(), counts.total() / days, max(counts.values())) for to, counts in by_day.items())
    return sorted(found, key=lambda one: (-one.messages, one.receiver))


def answers(monitor: Monitor, resources: Resources, *, now: datetime, days: int) -> list[Answered]:
    """Return by rule how many of the cases told in the last so many days were acted on, the least precise first."""
    since, ledger = now - timedelta(days=days), resources.ledger
    with ledger.reading() as connection:
        looked_after = {one.case for one in acknowledgements(connection, monitor.name)}
        meant = acceptances(connection, monitor.name)
        back = [one.at for one in rollbacks(connection, monitor.name)]
        sent = sent_since(connection, monitor.name, since)
    asked = {id for one in ledger.requests(monitor.name) for id in one.request.incidents}
    told = cases_told(ledger.incidents(monitor.name), sent)
    deeds = Deeds(looked_after, asked, back, meant)
    return answered(monitor.name, told, acted(monitor, told, deeds), expected(monitor, told, deeds))


def cases_told(incidents: Iterable[Incident], sent: Collection[str]) -> dict[str, list[Incident]]:
    """Return the incidents of each case of which any was told, that is, is among those `sent`."""
    cases: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        cases[incident.case or incident.id].append(incident)
    return {case: some for case, some in cases.items() if any(one.id in sent for one in some)}


def acted(monitor: Monitor, told: Mapping[str, Sequence[Incident]], deeds: Deeds) -> set[str]:
    """Return the cases that somebody looked after, that a retraining answers, or while which a model was put back."""
    of_model = {rule.id for rule in monitor.rules if kind_of(rule) in OF_MODEL}
    return {
        case
        for case, some in told.items()
        if case in deeds.looked_after
        or any(one.id in deeds.asked for one in some)
        or any(_lasted_at((one for one in some if one.series.rule in of_model), at) for at in deeds.back)
    }


def expected(monitor: Monitor, told: Mapping[str, Sequence[Incident]], deeds: Deeds) -> set[str]:
    """Return the cases that people said were meant to happen."""
    acceptable = {rule.id for rule in monitor.rules if may_be_accepted(rule)}
    open_to_it = {case: [one for one in some if one.series.rule in acceptable] for case, some in told.items()}
    return {case for case, some in open_to_it.items() if _meant(some, deeds.meant)}


def answered(
    monitor: str, told: Mapping[str, Sequence[Incident]], acted: Iterable[str], expected: Iterable[str]
) -> list[Answered]:
    """Count cases by the rule that told of them first; `told` are their incidents by case."""
    acted, expected = set(acted), set(expected)
    by_rule: dict[str, list[str]] = defaultdict(list)
    for case, some in told.items():
        by_rule[_spokesman(some)].append(case)
    found = [
        Answered(monitor, rule, len(some), len(acted & set(some)), len(expected & set(some)))
        for rule, some in by_rule.items()
    ]
    return sorted(found, key=lambda one: (one.precision, -one.told, one.rule))


def _spokesman(case: Sequence[Incident]) -> str:
    """The rule by which people first heard of a case: of those told, the earliest, and of these the gravest."""
    told = [one for one in case if one.heard is not None]
    return min(told or case, key=lambda one: (one.started, one.severity, one.series.rule)).series.rule


def _lasted_at(case: Iterable[Incident], moment: datetime) -> bool:
    return any(one.started <= moment and (one.ended is None or moment <= one.ended) for one in case)


def _meant(case: Iterable[Incident], given: Iterable[Acceptance]) -> bool:
    return any(
        _lasted_at([incident], one.accepted_at) and one.concerns(incident.series) for one in given for incident in case
    )
