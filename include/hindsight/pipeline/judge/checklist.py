"""Checklist: what is known where something grave begins: since when, what was deployed, what else broke, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hindsight.ledger.deploys import deploys
from hindsight.ledger.transaction import Transaction
from hindsight.messages.incident_mail import Check
from hindsight.messages.wording import metric_name, moment, number, whose
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.cases import NEAR
from hindsight.verdicts.model import Incident, State
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.lookup import rows_to_look_at

BEFORE = timedelta(days=7)  # how long before something grave a deploy may be why
FEWEST = 20  # rows of a segment that say anything
MOST = 5  # of anything named


def checklist(monitor: Monitor, tx: Transaction, told: Sequence[Incident], resources: Resources) -> tuple[Check, ...]:
    """Return what is known of the P0 that began first, of the incidents told now; nothing where none is open."""
    grave = [one for one in told if one.severity is Severity.P0 and one.state is State.OPEN]
    if not grave:
        return ()
    first = min(grave, key=lambda one: (one.started, one.id))
    return tuple(_checks(monitor, tx, first, resources))


def _checks(monitor: Monitor, tx: Transaction, incident: Incident, resources: Resources) -> Iterator[Check]:
    size, count = monitor.window, len(incident.breaches)
    newest = f", the newest {moment(incident.breaches[-1], size)}" if count > 1 else ""
    yield Check("First bad window", f"{moment(incident.started, size)}; {count} so far{newest}")
    yield Check("Deployed before it", _deployed(monitor, tx, incident.started))
    yield Check("Broke at about the same time", _beside(monitor, tx, incident))
    rule = next(rule for rule in monitor.rules if rule.id == incident.series.rule)
    worst = _worst(rule, incident.value, _segments(monitor, rule, incident, resources))
    if worst:
        yield Check("Worst segments", "; ".join(_said(rule, one) for one in worst))
    last = Window(incident.breaches[-1], incident.breaches[-1] + size)
    segment = incident.series.segment or (worst[0].segment if worst else "")
    yield Check("Rows to look at", rows_to_look_at(monitor, last, segment), code=True)


def _deployed(monitor: Monitor, tx: Transaction, started: datetime) -> str:
    if monitor.source.predictions.model_version is None:
        return "the log has no column with the version of the model"
    recent = [one for one in deploys(tx.connection, monitor.name) if started - BEFORE <= one.start <= started]
    named = [f"version {one.version}, in the log since {moment(one.start, monitor.window)}" for one in recent]
    return "; ".join(named[-MOST:]) or f"no version that is new in the {BEFORE.days} days before"


def _beside(monitor: Monitor, tx: Transaction, incident: Incident) -> str:
    reach = NEAR * monitor.window
    near = [one for one in tx.incidents() if abs(one.started - incident.started) <= reach and one.id != incident.id]
    standing = [one for one in near if one.state is not State.WITHDRAWN]
    named = dict.fromkeys(f"{one.series.rule}{whose(one.series)} ({one.severity})" for one in standing)
    more = f" and {len(named) - MOST} more" if len(named) > MOST else ""
    return "; ".join([*named][:MOST]) + more or "nothing else that is watched"


def _segments(monitor: Monitor, rule: Rule, incident: Incident, resources: Resources) -> list[Measurement]:
    kind, _, metric = rule.metric.partition(".")
    start = incident.breaches[-1]
    facts = resources.store.measurements(monitor.name, Kind(kind), Window(start, start + monitor.window))
    return [one for one in facts if one.metric == metric and one.segment and not one.model_version and not one.bin]


def _worst(rule: Rule, value: float | None, segments: Sequence[Measurement]) -> list[Measurement]:
    """Return the segments that are worse than all rows together, the worst first."""
    sign = -1 if rule.below is not None or rule.drops_by is not None else 1
    known = [(sign * one.value, one) for one in segments if one.value is not None and one.n >= FEWEST]
    worse = [(bad, one) for bad, one in known if value is not None and bad > sign * value]
    return [one for _, one in sorted(worse, key=lambda pair: (-pair[0], pair[1].segment))][:3]


def _said(rule: Rule, one: Measurement) -> str:
    reference = f", {number(rule.metric, one.reference)} on the reference" if one.reference is not None else ""
    return f"{one.segment}: {metric_name(rule.metric)} {number(rule.metric, one.value)} on {one.n:,} rows{reference}"
