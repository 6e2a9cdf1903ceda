"""Alerts posted: what is open and was told goes to the Alertmanagers of its routes at every tick of the relay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from hindsight.errors import ConfigError, DeliveryError
from hindsight.messages.alertmanager import alert
from hindsight.monitors.model import Monitor
from hindsight.monitors.routes import ALERTMANAGER
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import Incident, State

ENDS_FOR = timedelta(hours=1)  # how long an end is posted: an Alertmanager that was away for so long resolves by itself


def post_alerts(monitors: Iterable[Monitor], resources: Resources, *, now: datetime) -> dict[str, int]:
    """Post to each Alertmanager that a route names all that is open for it; return how many alerts each took.

    What is not told, because it is silenced, is not posted; what was told before goes on firing there. One that fails
    blocks no other. Raises DeliveryError where any did not take its alerts; they are posted again with the next tick.
    """
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for monitor in monitors:
        for connection, one in _alerts(monitor, resources, now):
            found[connection].append(one)
    wrong = []
    for connection, alerts in sorted(found.items()):
        try:
            resources.alertmanager(connection).post(alerts)
        except (ConfigError, DeliveryError) as exc:
            wrong.append(str(exc))
    if wrong:
        raise DeliveryError("; ".join(wrong), transient=False)
    return {connection: len(alerts) for connection, alerts in found.items()}


def _alerts(monitor: Monitor, resources: Resources, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    if monitor.state != "active" or not any(to.startswith(ALERTMANAGER) for r in monitor.alerts.routes for to in r.to):
        return
    rules = {rule.id: rule for rule in monitor.rules if "email" in rule.then}
    for incident in resources.ledger.incidents(monitor.name, changed_since=now - ENDS_FOR):
        rule = rules.get(incident.series.rule)
        if rule is None or not _is_posted(incident, now):
            continue
        for connection in monitor.alertmanagers(incident.severity, rule.kind, rule.id, incident.series.segment):
            yield connection, alert(monitor, rule, incident, now)


def _is_posted(incident: Incident, now: datetime) -> bool:
    if incident.stands:
        return incident.told is State.OPEN
    told_at = incident.heard.at if incident.heard else None
    return told_at is not None and now - told_at <= ENDS_FOR and incident.told is incident.state
