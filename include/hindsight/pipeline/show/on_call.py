"""On call: what is open over all monitors, and what their newest windows say, from the ledger alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger.acknowledgements import acknowledgements
from hindsight.ledger.deploys import deploys
from hindsight.ledger.newest import Judged, newest
from hindsight.ledger.silences import silences
from hindsight.messages.wording import number
from hindsight.monitors.loader import load_folder
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.findings import BEFORE
from hindsight.reports.on_call import OpenCase, Watch
from hindsight.reports.pages import Link
from hindsight.verdicts.explain import GRADED
from hindsight.verdicts.judge import kind_of
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.measurement import Kind

MOST = 5  # columns named


@dataclass(frozen=True, slots=True)
class OnCall:
    """The open cases and the monitors they are of."""

    cases: tuple[OpenCase, ...]
    watches: tuple[Watch, ...]


def on_call(may_read: Callable[[Sequence[str]], set[str]], resources: Resources, *, now: datetime) -> OnCall:
    """Return what is open of those monitors somebody may read, as `may_read` says of their names."""
    monitors = load_folder(resources.settings.monitors).monitors
    readable = may_read(list(monitors))
    opened: dict[str, list[Incident]] = defaultdict(list)
    for one in resources.ledger.incidents(open_only=True):
        if one.monitor in readable:
            opened[one.monitor].append(one)
    with resources.ledger.reading() as connection:
        cases = [case for name, some in opened.items() for case in _cases(monitors[name], some, connection)]
        judged = newest(connection, dict.fromkeys(sorted(opened), ()))
        watches = [_watch(monitors[name], opened[name], some, connection, now) for name, some in judged.items()]
    return OnCall(tuple(cases), tuple(watches))


def _cases(monitor: Monitor, opened: Sequence[Incident], connection: sa.Connection) -> Iterator[OpenCase]:
    answers = {one.case: f"{one.by}: {one.comment}".strip(": ") for one in acknowledgements(connection, monitor.name)}
    by_case: dict[str, list[Incident]] = defaultdict(list)
    for one in opened:
        by_case[one.case or one.id].append(one)
    for case, some in by_case.items():
        worst = min(some, key=lambda one: (one.severity, one.started, one.id))
        series = worst.series
        about = " ".join(part for part in (series.rule, series.feature, series.segment, series.model_version) if part)
        link = Link(about, f"monitors/{monitor.name}/cases/{case}")
        since = min(one.started for one in some)
        said = _worst(monitor, worst)
        yield OpenCase(monitor.name, worst.severity, since, link, len(some), said, answers.get(case, ""))


def _worst(monitor: Monitor, incident: Incident) -> str:
    metric = next((rule.metric for rule in monitor.rules if rule.id == incident.series.rule), "")
    if incident.value is None or not metric or metric in GRADED:
        return ""
    limit = f", limit {number(metric, incident.threshold)}" if incident.threshold is not None else ""
    return f"{number(metric, incident.value)}{limit}"


def _watch(
    monitor: Monitor, opened: Sequence[Incident], found: Sequence[Judged], connection: sa.Connection, now: datetime
) -> Watch:
    metrics = {rule.id: rule.metric for rule in monitor.rules}
    judged = [(metrics.get(one.series.rule, ""), one) for one in found]
    latency = [one.value for metric, one in judged if metric == "operations.latency_p95_ms" and _is_whole(one)]
    new = [one.version for one in deploys(connection, monitor.name) if now - one.start <= BEFORE]
    silent = [one for one in silences(connection, monitor.name, now) if one.since <= now]
    return Watch(
        monitor=Link(monitor.name, f"monitors/{monitor.name}"),
        owner=monitor.owner,
        latency=number("operations.latency_p95_ms", latency[0]) if latency else "",
        nulls=_few(_bad(judged, "quality.null_rate")),
        drifting=_few(_bad(judged, "drift.drifted") | _drifting(monitor, opened)),
        deployed=", ".join(new[-MOST:]),
        silenced=tuple(f"{one.about} until {one.until:%Y-%m-%d %H:%M} UTC, by {one.by}" for one in silent[:MOST]),
    )


def _is_whole(one: Judged) -> bool:
    return not (one.series.segment or one.series.model_version)


def _bad(judged: Iterable[tuple[str, Judged]], wanted: str) -> set[str]:
    """The columns that a metric breaches in, in the newest window."""
    return {one.series.feature for metric, one in judged if metric == wanted and one.is_breach and _is_whole(one)}


def _drifting(monitor: Monitor, opened: Iterable[Incident]) -> set[str]:
    """The columns that an open incident of drift is about, whatever the newest window alone says of them."""
    rules = {rule.id for rule in monitor.rules if kind_of(rule) is Kind.DRIFT}
    return {one.series.feature or "many at once" for one in opened if one.series.rule in rules}


def _few(names: Collection[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(sorted(names)[:MOST]) + more
