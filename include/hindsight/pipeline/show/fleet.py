"""The fleet: a card for every monitor from the ledger alone, in two statements for all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from math import ceil

from hindsight.ledger.fleet import Asked, Stand, stands
from hindsight.monitors.loader import load_folder
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.state import GRADES, UNCHECKED, Health
from hindsight.reports.pages import Labels, Link, MonitorCard
from hindsight.verdicts.model import Incident, State
from hindsight.vocabulary.severity import Severity

_SHOWN_AS = {Severity.P0: 2, Severity.P1: 1}  # how bad the dot is at least beside an open incident


def overview_cards(resources: Resources, *, now: datetime) -> list[MonitorCard]:
    """Return a card for every monitor whose file is fine; no snapshot is opened."""
    monitors = load_folder(resources.settings.monitors).monitors.values()
    opened: dict[str, list[Incident]] = defaultdict(list)
    for incident in resources.ledger.incidents(open_only=True):
        opened[incident.monitor].append(incident)
    with resources.ledger.reading() as connection:
        found = stands(connection, [asked_of(monitor) for monitor in monitors])
    return [_card(one, found[one.name], opened[one.name]) for one in monitors]


def quality_rule(monitor: Monitor) -> str:
    """Return the rule a model's quality is judged by, "" where the file has none: accuracy, or mae of a regression."""
    metric = "performance.mae" if monitor.model.task == "regression" else "performance.accuracy"
    return next((rule.id for rule in monitor.rules if rule.metric == metric), "") if monitor.source.labels else ""


def asked_of(monitor: Monitor) -> Asked:
    """Return what the list asks the ledger about a monitor."""
    health = next((rule.id for rule in monitor.rules if rule.metric == "operations.health"), "")
    return Asked(monitor.name, health, quality_rule(monitor))


def _card(monitor: Monitor, stand: Stand, opened: Sequence[Incident]) -> MonitorCard:
    open_now = [one for one in opened if one.state is State.OPEN]
    worst = min(opened, key=lambda one: (one.severity, one.started, one.id), default=None)
    return MonitorCard(
        name=monitor.name,
        href=f"monitors/{monitor.name}",
        state=monitor.state,
        health=_health(monitor, stand, opened),
        description=monitor.description,
        owner=monitor.owner,
        task=monitor.model.task,
        criticality=monitor.criticality,
        last_window=monitor.grid.window_at(stand.window) if stand.window else None,
        open=dict(Counter(one.severity for one in open_now)),
        recovering=len(opened) - len(open_now),
        worst=_link(monitor, worst) if worst else None,
        since=worst.started if worst else None,
        labels=labels_of(monitor, stand),
        tags=monitor.tags,
    )


def _health(monitor: Monitor, stand: Stand, opened: Sequence[Incident]) -> Health:
    """The worst of the service's health and of what is open: never healthy beside a P0, or where labels are cut off."""
    unchecked = {rule.id for rule in monitor.rules if rule.metric in UNCHECKED}
    of_incidents = [_SHOWN_AS.get(one.severity, 0) for one in opened if one.state is State.OPEN]
    cut_off = any(one.series.rule in unchecked for one in opened)
    worst = max([*of_incidents, int(cut_off)])
    if stand.health is None:
        return GRADES[worst] if worst else "unknown"
    return GRADES[max(int(stand.health), worst)]


def _link(monitor: Monitor, worst: Incident) -> Link:
    series = worst.series
    about = " ".join(part for part in (series.rule, series.feature, series.segment, series.model_version) if part)
    return Link(about, f"monitors/{monitor.name}/cases/{worst.case or worst.id}")


def labels_of(monitor: Monitor, stand: Stand) -> Labels:
    """Say which windows wait for labels: those after the newest whose quality was judged, and how many may."""
    if not quality_rule(monitor):
        return Labels(None, 0, "no labels" if monitor.source.labels is None else "not judged")
    if stand.window is None:
        return Labels(None, 0, "no window yet")
    expected = ceil(monitor.labels.matures_after / monitor.window)
    if stand.labelled is None:
        return Labels(None, 0, "none judged yet")
    waiting = round((stand.window - stand.labelled) / monitor.window)
    late = max(waiting - expected, 0)
    return Labels(stand.labelled, late, f"{late:,} window{'s' * (late != 1)} late" if late else "as expected")
