"""Which incidents people are told of now; what is only true but old, or said by a graver rule, is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.harm import Quality
from hindsight.verdicts.cases import brings_news, heard_of, waits
from hindsight.verdicts.harm import is_said_by
from hindsight.verdicts.model import SPOKEN, Incident, Series, State, Verdict
from hindsight.verdicts.muting import spokesmen
from hindsight.verdicts.notices import is_graver, is_late, is_stale, needs_notice
from hindsight.vocabulary.severity import AT_ONCE, Severity


def news_of(
    monitor: Monitor, tx: Transaction, verdicts: Sequence[Verdict], judged_at: datetime, *, digest: bool
) -> list[Incident]:
    """Return the incidents to tell of now: P0 and P1 of the series just judged, and in a digest every P2 that waits.

    `verdicts` are the newest of the windows and series just judged.
    """
    known, judged = tx.incidents(), fresh(monitor, verdicts, judged_at)
    told = [i for i in known if i.severity in AT_ONCE and i.series in judged]
    if digest:
        told += still_news(monitor, tx, filter(_waits, known), judged_at)
    rules = {rule.id: rule for rule in monitor.rules}
    late = {i.id for i in told if is_late(i, rules[i.series.rule], monitor, judged_at=judged_at)}
    news = [i for i in told if needs_notice(i, fresh=True, just_over=i.id not in late)]
    silent = _spoken_for(monitor, tx, news)
    return [incident for incident in news if incident.id not in silent]


def worse(monitor: Monitor, incidents: Iterable[Incident], judged_at: datetime) -> list[Incident]:
    """Return those, of incidents just judged, that are open and graver than people were told: told at once.

    What makes them so, an estimate or labels, was due when the labels of their last breach had matured.
    """
    latest = monitor.window + max(monitor.lateness, monitor.labels.matures_after) + monitor.max_age
    graver = [i for i in incidents if i.state is State.OPEN and i.told is State.OPEN and is_graver(i)]
    return [i for i in graver if judged_at - i.breaches[-1] <= latest]


def split(monitor: Monitor, tx: Transaction, due: Sequence[Incident]) -> tuple[list[Incident], list[Incident]]:
    """Return those of the incidents that say more than people heard of their case, and those that will never do."""
    if not due:
        return [], []
    rules = {rule.id: rule for rule in monitor.rules}
    cases: dict[str, list[Incident]] = defaultdict(list)
    for incident in tx.incidents():
        cases[incident.case].append(incident)
    of_quality = Quality.of(monitor).rules
    symptoms = [one for some in cases.values() for one in some if one.series in of_quality]
    heard = {case: heard_of(some) for case, some in cases.items()}
    brings = (one for one in due if brings_news(one, cases[one.case], rules, heard.get(one.case, [])))
    news = [one for one in brings if not is_said_by(symptoms, one)]
    told = {one.id for one in news}
    silent = [one for one in due if one.id not in told and not waits(one, rules)]
    return news, silent


def fresh(monitor: Monitor, verdicts: Iterable[Verdict], judged_at: datetime) -> Collection[Series]:
    """Return the series with a fresh verdict, good or bad: one that only waits, or lacks data, brings no news."""
    spoken = (v for v in verdicts if v.status in SPOKEN)
    return {v.series for v in spoken if not is_stale(v, max_age=monitor.max_age, judged_at=judged_at)}


def still_news(monitor: Monitor, tx: Transaction, incidents: Iterable[Incident], now: datetime) -> list[Incident]:
    """Return those of rules that there are whose newest good or bad verdict is news: what is old stands untold."""
    rules = {rule.id for rule in monitor.rules}
    some = [one for one in incidents if one.series.rule in rules]
    since = now - monitor.max_age - max(monitor.lateness, monitor.labels.matures_after) - monitor.window
    spoken = tx.spoken(since, due=now - monitor.max_age) if some else set()
    return [one for one in some if one.series in spoken]


def _waits(incident: Incident) -> bool:
    return incident.severity is Severity.P2 and needs_notice(incident, fresh=True) is not None


def _spoken_for(monitor: Monitor, tx: Transaction, news: Iterable[Incident]) -> set[str]:
    """Return the ids of those nobody has heard of whose newest breach another incident tells louder or better.

    Only rules that start something open such incidents; the breaches of others are muted.
    """
    acting = {rule.id for rule in monitor.rules if rule.dags}
    mild = [i for i in news if i.series.rule in acting and i.told is not State.OPEN]
    if not mild:
        return set()
    judged: dict[datetime, list[Verdict]] = defaultdict(list)
    for verdict in tx.of_windows({i.breaches[-1] for i in mild}):
        judged[verdict.window.start].append(verdict)
    speaks = {i.id: spokesmen(monitor, judged[i.breaches[-1]]).get(i.series) for i in mild}
    standing = [i for i in tx.incidents(series=set(filter(None, speaks.values()))) if i.state is not State.WITHDRAWN]
    heard = {(i.series, start) for i in standing for start in i.breaches}
    return {i.id for i in mild if (speaks[i.id], i.breaches[-1]) in heard}
