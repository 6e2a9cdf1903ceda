"""Alertmanager: open incidents as alerts of its API v2, posted anew at every tick; it forgets what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.errors import DeliveryError
from hindsight.messages.wording import clean, headline, web_link
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident

STANDS_FOR = timedelta(minutes=10)  # five ticks of the relay: an alert that is not posted any more ends then
TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One Alertmanager, as the connection of an id describes it."""

    connection: str
    url: str
    login: str = ""
    password: str = field(default="", repr=False)

    def post(self, alerts: Sequence[dict[str, Any]]) -> None:
        """Post all alerts of a tick in one request; raise DeliveryError where they are not taken."""
        import requests

        auth = (self.login, self.password) if self.login else None
        try:
            answer = requests.post(f"{self.url}/api/v2/alerts", json=list(alerts), auth=auth, timeout=TIMEOUT_S)
        except requests.RequestException as exc:
            raise DeliveryError(f"{self.connection} is out of reach: {type(exc).__name__}", transient=True) from exc
        if not answer.ok:
            said = clean(answer.text, 200)
            raise DeliveryError(
                f"{self.connection} answered {answer.status_code}: {said}", transient=answer.status_code >= 500
            )


def alert(monitor: Monitor, rule: Rule, incident: Incident, now: datetime) -> dict[str, Any]:
    """Return an incident as an alert: firing until five ticks from now, or over now.

    Labels are what routes and inhibitions match by; empty ones are left out. `startsAt` is always said: without it
    Alertmanager would take the end for the beginning.
    """
    series = incident.series
    labels = {
        "alertname": series.rule,
        "monitor": monitor.name,
        "severity": str(incident.severity),
        "kind": rule.kind,
        "feature": series.feature,
        "segment": series.segment,
        "model_version": series.model_version,
        "criticality": monitor.criticality,
        "incident": incident.id,
    }
    notes = {
        "summary": f"{monitor.name}: {clean(headline(rule, incident), 200)}",
        "runbook_url": web_link(rule.runbook or monitor.alerts.runbook),
        "owner": clean(monitor.owner, 80),
        "case": incident.case,
    }
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in notes.items() if value},
        "startsAt": _time(incident.started),
        "endsAt": _time(now + STANDS_FOR if incident.stands else max(now, incident.started + timedelta(seconds=1))),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
