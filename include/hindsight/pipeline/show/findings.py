"""Findings: what the page of a case answers, from ledger and snapshots: since when, how bad, who carries it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from hindsight.checks.statistics.contributions import Contribution
from hindsight.ledger.deploys import deploys
from hindsight.messages.wording import advice, clean, metric_name, moment, number, whose
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.carriers import COUNTS, HEALTHY, OTHERS, VERSIONS, Carried, carried, healthy_windows
from hindsight.pipeline.show.curves import unit_of
from hindsight.pipeline.show.state import Story
from hindsight.reports.case import Carrier, Carriers, CarrierTable, Done, Fact, Findings, Said
from hindsight.verdicts.cases import NEAR
from hindsight.verdicts.explain import GRADED
from hindsight.verdicts.model import Incident, State
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.samples import why_no_sample

BEFORE = timedelta(days=7)  # how long before its onset a deploy may be why
MOST = 8  # of anything named in one answer


def findings(monitor: Monitor, told: Sequence[Story], known: Sequence[Incident], resources: Resources) -> Findings:
    """Return what is known of a case; `told` are the stories of its incidents, `known` all incidents on record."""
    lead = leading(told)
    found = carried(monitor, lead.incident, known, resources)
    before = healthy_windows(monitor, lead.incident.started, known)
    window = Window(lead.incident.breaches[-1], lead.incident.breaches[-1] + monitor.window)
    return Findings(
        facts=tuple(_facts(monitor, lead, told, known, found, resources)),
        carriers=_carriers(monitor, found, before),
        done=tuple(sorted(_done(told), key=lambda one: one.at)),
        compare=comparison(monitor, window.start, before[-1] if before else None, feature=lead.incident.series.feature),
        window=window.start,
        segment=lead.incident.series.segment or (found.worst if found else ""),
        rows=why_no_sample(monitor),
    )


def leading(told: Iterable[Story]) -> Story:
    """Return the story of the incident a case is about: the gravest, of these the first."""
    return min(told, key=lambda story: (story.incident.severity, story.incident.started, story.incident.id))


def comparison(monitor: Monitor, now: datetime, then: datetime | None, *, segment: str = "", feature: str = "") -> str:
    """Return the address, seen from a case, that shows a window beside another, or beside the one before it."""
    asked = {"now": f"{now:%Y-%m-%dT%H:%MZ}", "then": f"{then or now - monitor.window:%Y-%m-%dT%H:%MZ}"}
    return f"../compare?{urlencode(asked | {k: v for k, v in (('segment', segment), ('feature', feature)) if v})}"


def _facts(
    monitor: Monitor,
    lead: Story,
    told: Sequence[Story],
    known: Iterable[Incident],
    found: Carried | None,
    resources: Resources,
) -> Iterator[Fact]:
    incident = lead.incident
    rule = next((rule for rule in monitor.rules if rule.id == incident.series.rule), None)
    yield Fact("Since when", tuple(map(Said, _since(monitor, incident))))
    if rule:
        yield Fact("How bad, against what", tuple(map(Said, _how_bad(rule, incident, found))))
    yield Fact("Broke at the same time", tuple(_beside(monitor, told, known)))
    yield Fact("Deployed near its onset", tuple(map(Said, _deployed(monitor, incident, resources))))
    if rule:
        yield Fact("Where to look first", tuple(_where(monitor, rule)))


def _since(monitor: Monitor, incident: Incident) -> Iterator[str]:
    size, bad = monitor.window, incident.breaches
    yield f"First bad window: {moment(incident.started, size)}"
    newest = f", the newest {moment(bad[-1], size)}" if len(bad) > 1 else ""
    yield f"{len(bad):,} bad window{'s' * (len(bad) != 1)} so far{newest}"
    if incident.ended and not incident.stands:
        yield f"Over since {moment(incident.ended, size)}"


def _how_bad(rule: Rule, incident: Incident, found: Carried | None) -> Iterator[str]:
    if rule.metric not in GRADED and incident.value is not None:
        limit = f", limit {number(rule.metric, incident.threshold)}" if incident.threshold is not None else ""
        yield f"Worst {metric_name(rule.metric)} {number(rule.metric, incident.value)}{limit}"
    if found and found.now is not None:
        said = f"{metric_name(found.metric)} {number(found.metric, found.now)} in the newest bad window"
        whose = f"{found.windows} healthy windows before" if found.against == HEALTHY else "the reference"
        yield f"{said}, {number(found.metric, found.usual)} in {whose}" if found.usual is not None else said
    if (reference := found.references.get("") if found else None) is not None and found and found.against == HEALTHY:
        yield f"{number(found.metric, reference)} on the reference"


def _beside(monitor: Monitor, told: Sequence[Story], known: Iterable[Incident]) -> Iterator[Said]:
    own, onset = {story.incident.id for story in told}, min(story.incident.started for story in told)
    near = [one for one in known if abs(one.started - onset) <= NEAR * monitor.window and one.id not in own]
    standing = sorted((one for one in near if one.state is not State.WITHDRAWN), key=lambda one: one.severity)
    for one in standing[:MOST]:
        since = moment(one.started, monitor.window)
        yield Said(f"{one.series.rule}{whose(one.series)} ({one.severity}, since {since})", one.case or one.id)
    if len(standing) > MOST:
        yield Said(f"and {len(standing) - MOST} more")
    if not standing:
        yield Said("Nothing else that is watched")


def _deployed(monitor: Monitor, incident: Incident, resources: Resources) -> Iterator[str]:
    if monitor.source.predictions.model_version is None:
        yield "Not known: the log has no column with the version of the model"
        return
    with resources.ledger.reading() as connection:
        every = deploys(connection, monitor.name)
    until = incident.started + NEAR * monitor.window
    recent = [one for one in every if incident.started - BEFORE <= one.start <= until]
    yield from (
        f"Version {one.version}, in the log since {moment(one.start, monitor.window)}" for one in recent[-MOST:]
    )
    if not recent:
        yield f"No version that is new in the {BEFORE.days} days before"


def _where(monitor: Monitor, rule: Rule) -> Iterator[Said]:
    yield Said(advice(rule, "", monitor.name))
    if runbook := rule.runbook or monitor.alerts.runbook:
        yield Said("Runbook", runbook)


def _done(told: Iterable[Story]) -> Iterator[Done]:
    for mail in {mail.id: mail for story in told for mail in story.mails}.values():
        why = f": {clean(mail.last_error, 120)}" if mail.last_error and not mail.sent_at else ""
        yield Done(mail.sent_at or mail.created_at, f"Message to {clean(mail.recipient, 80)}", f"{mail.state}{why}")
    for one in {one.request.key: one for story in told for one in story.retraining}.values():
        yield Done(one.request.requested_at, f"Retraining by {one.request.dag}", f"{one.outcome} {one.note}".strip())
    for run in {run.request.key: run for story in told for run in story.runs}.values():
        yield Done(run.request.requested_at, f"Run of {run.request.dag}", f"{run.state} {run.note}".strip())


def _carriers(monitor: Monitor, found: Carried | None, before: Sequence[datetime]) -> Carriers:
    if found is None:
        return Carriers(why_none="It is about no number that is kept by segment.")
    name = metric_name(found.metric)
    if not found.groups:
        return Carriers(why_none=_no_parts(monitor, name, found))
    whose = f"{found.windows} healthy windows before it" if found.against == HEALTHY else "the reference of each part"
    shares = (
        "Shares are of the whole change: what a part changed itself, and that it has more or fewer rows than it had."
        if found.exact
        else "Shares are of the sum of distance times rows: this number of all rows is no mean of those of its parts."
    )
    said = f"{name} in the window {moment(found.window.start, monitor.window)} against {whose}. {shares}"
    tables = [
        CarrierTable.of(column.replace("_", " "), [_carrier(monitor, found, one, before) for one in ranked])
        for column, ranked in found.groups.items()
    ]
    return Carriers(name, unit_of(found.metric.partition(".")[2]), said, tuple(tables))


def _no_parts(monitor: Monitor, name: str, found: Carried) -> str:
    if found.usual is None:
        return f"There is nothing to compare {name} with: no healthy window before it, and no reference."
    if not monitor.segments:
        return f"{name} is known of all rows together alone: the monitor file names no segments."
    return f"{name} is not measured by segment or version."


def _carrier(monitor: Monitor, found: Carried, one: Contribution, before: Sequence[datetime]) -> Carrier:
    part = one.part
    segment = "" if part.name == OTHERS or part.name.startswith(f"{VERSIONS}=") else part.name
    then = before[-1] if before else None
    return Carrier(
        name=part.name if part.name == OTHERS else part.name.partition("=")[2] or "(empty)",
        n=part.n,
        now=part.now if part.n or found.metric.partition(".")[2] in COUNTS else None,
        usual=part.before,
        reference=found.references.get(part.name),
        effect=one.effect,
        share=one.share,
        segment=segment,
        compare=comparison(monitor, found.window.start, then, segment=segment) if segment else "",
    )
