"""Reviews: what a week or a month of the monitors came to, by the ledger alone, one statement a table for all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from hindsight.ledger import spans
from hindsight.ledger.acceptances import all_acceptances
from hindsight.ledger.acknowledgements import looked_after
from hindsight.ledger.courses import Wanted
from hindsight.ledger.fleet import Stand, stands
from hindsight.ledger.records import UNDECIDED, Progress
from hindsight.ledger.rollbacks import moments_of_rollbacks
from hindsight.ledger.silences import silences_in
from hindsight.monitors.loader import load_folder
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.alert_load import Deeds, acted, cases_told, expected
from hindsight.pipeline.show.fleet import asked_of, labels_of
from hindsight.reports.review import ReviewAsked, ReviewView
from hindsight.verdicts.acceptance import Acceptance
from hindsight.verdicts.error_budget import Spent
from hindsight.verdicts.model import Incident
from hindsight.verdicts.review_words import headline, said
from hindsight.verdicts.reviews import Alert, Graded, Known, Review, Total, judging, review, together
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.periods import Period
from hindsight.vocabulary.severity import Severity

LATE = timedelta(days=8)  # after an incident was written a message may still tell it: older ones are given up
_ADDED_UP = ("operations.total_requests", "operations.cost_per_prediction")
Item = TypeVar("Item")
MayRead = Callable[[Sequence[str]], Collection[str]]


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows of the ledger that reviews are made of, each read once, by monitor."""

    incidents: Mapping[str, Sequence[Incident]]
    requests: Mapping[str, Sequence[Progress]]
    alerts: Mapping[str, Sequence[Alert]]
    totals: Mapping[str, Mapping[str, Total]]
    graded: Mapping[str, Sequence[Graded]]
    spent: Mapping[str, Mapping[str, tuple[Spent, Spent]]]
    silences: Mapping[str, Sequence[Silence]]
    looked_after: Mapping[str, Collection[str]]
    meant: Mapping[str, Sequence[Acceptance]]
    back: Mapping[str, Sequence[datetime]]
    stands: Mapping[str, Stand]


def reviews(monitors: Iterable[Monitor], period: Period, resources: Resources) -> list[Review]:
    """Return the review of each monitor that is not archived, by what is known of the period now; by name."""
    shown = sorted((one for one in monitors if one.state != "archived"), key=lambda one: one.name)
    found = _found(shown, period, resources)
    return [review(one, _known(one, found, period), period) for one in shown]


def in_order(found: Iterable[Review]) -> list[Review]:
    """Return reviews in the order they are told in: what is gravest still open first, then what was told most often."""
    return sorted(found, key=lambda one: (*(-one.open.get(s, 0) for s in Severity), -sum(one.alerts), one.monitor))


def review_view(asked: ReviewAsked, may_read: MayRead, resources: Resources, *, now: datetime) -> ReviewView | None:
    """Return what the page of a period shows of those monitors somebody may read; None where one asked for is none."""
    monitors = load_folder(resources.settings.monitors).monitors
    readable = may_read([asked.name] if asked.name else list(monitors))
    seen = [one for name, one in monitors.items() if name in readable and asked.name in ("", name)]
    if asked.name and not seen:
        return None
    mine = [one for one in seen if asked.owner in ("", one.owner)]
    found = in_order(reviews(mine, asked.period, resources))
    return ReviewView(
        period=asked.period,
        as_of=now,
        reviews=[(one, said(one)) for one in found],
        whole=together(found),
        headline=headline(found),
        name=asked.name,
        owner=asked.owner,
        owners=() if asked.name else sorted({one.owner for one in seen} - {""}),
        unread=asked.unread,
    )


def _found(monitors: Sequence[Monitor], period: Period, resources: Resources) -> _Found:
    ledger, since, until = resources.ledger, period.start, period.end
    incidents = ledger.incidents(changed_since=period.before.start - LATE)
    requests = ledger.requests()
    with ledger.reading() as connection:
        return _Found(
            incidents=_grouped(incidents, lambda one: one.monitor),
            requests=_grouped(requests, lambda one: one.request.monitor),
            alerts=spans.alerts(connection, period.before.start, until),
            totals=spans.totals(connection, list(_added_up(monitors)), since, until),
            graded=spans.graded(connection, list(_grades(monitors)), since, until),
            spent=spans.spent(connection, list(_budgets(monitors)), since, until),
            silences=silences_in(connection, since, until),
            looked_after=looked_after(connection),
            meant=all_acceptances(connection),
            back=moments_of_rollbacks(connection),
            stands=stands(connection, list(map(asked_of, monitors)), until),
        )


def _known(monitor: Monitor, found: _Found, period: Period) -> Known:
    name = monitor.name
    incidents, requests = found.incidents.get(name, ()), found.requests.get(name, ())
    alerts, back = found.alerts.get(name, ()), found.back.get(name, ())
    asked = {id for one in requests for id in one.request.incidents}
    deeds = Deeds(found.looked_after.get(name, ()), asked, back, found.meant.get(name, ()))
    told = cases_told(incidents, {id for one in alerts for id in one.incidents})
    labels = labels_of(monitor, found.stands[name])
    ended = (one for one in requests if one.finished_at and period.start <= one.finished_at < period.end)
    return Known(
        alerts=alerts,
        incidents=incidents,
        acted=acted(monitor, told, deeds),
        expected=expected(monitor, told, deeds),
        silences=found.silences.get(name, ()),
        spent=found.spent.get(name, {}),
        asked=sum(period.start <= one.request.requested_at < period.end for one in requests),
        outcomes=Counter(str(one.state) for one in ended if one.state not in UNDECIDED),
        grades=found.graded.get(name, ()),
        rollbacks=sum(period.start <= at < period.end for at in back),
        totals=found.totals.get(name, {}),
        late=labels.late,
        labels=labels.said,
    )


def _added_up(monitors: Iterable[Monitor]) -> Iterator[Wanted]:
    for one in monitors:
        sums = (f"{Kind.KPI}.{name}" for name, kpi in one.kpis.items() if kpi.sum is not None)
        rules = (judging(one, metric) for metric in (*_ADDED_UP, *sums))
        yield from (Wanted(one.name, rule) for rule in rules if rule)


def _grades(monitors: Iterable[Monitor]) -> Iterator[Wanted]:
    rules = ((one, judging(one, f"{Kind.PROMOTION}.grade")) for one in monitors if one.retrain)
    yield from (Wanted(one.name, rule) for one, rule in rules if rule)


def _budgets(monitors: Iterable[Monitor]) -> Iterator[spans.Budget]:
    for one in monitors:
        for name, slo in one.slos.items():
            yield spans.Budget(one.name, name, slo.definition(one.window), slo.period)


def _grouped(items: Iterable[Item], of: Callable[[Item], str]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[of(item)].append(item)
    return found
