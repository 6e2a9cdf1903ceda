"""What happened to a model while it was measured: incidents, deploys, retrainings, silences and rollbacks, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from hindsight.ledger.deploys import deploys
from hindsight.ledger.rollbacks import rollbacks
from hindsight.ledger.silences import silences
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.state import Story
from hindsight.reports.charts import Mark

MOST = 60  # marks on a chart; of more, the gravest incidents and then the newest


def happenings(
    monitor: Monitor, resources: Resources, told: Iterable[Story], start: datetime, end: datetime | None = None
) -> list[Mark]:
    """Return what happened in [start, end), or lasted until after its start, newest first and severe before mild."""
    found = [*_incidents(told), *_of_model(monitor, resources), *_silences(monitor, resources)]
    found = [mark for mark in found if end is None or mark.when < end]
    lasting = [mark for mark in found if mark.when >= start or (mark.lasts and (mark.until or start) >= start)]
    return sorted(lasting, key=lambda mark: (-mark.when.timestamp(), mark.severity, mark.text))


def drawn(marks: Iterable[Mark], most: int = MOST) -> tuple[Mark, ...]:
    """Return the marks a chart has room for: those of the model first, then incidents by severity, then the newest."""
    ranked = sorted(marks, key=lambda mark: (mark.severity, -mark.when.timestamp()))
    return tuple(sorted(ranked[:most], key=lambda mark: mark.when))


def _incidents(told: Iterable[Story]) -> Iterator[Mark]:
    for story in told:
        incident, series = story.incident, story.incident.series
        about = " ".join(filter(None, (series.feature, series.segment, series.model_version)))
        text = f"{series.rule}{f' of {about}' if about else ''}, {incident.state}"
        yield Mark(incident.started, text, "incident", incident.ended, str(incident.severity))


def _of_model(monitor: Monitor, resources: Resources) -> Iterator[Mark]:
    with resources.ledger.reading() as connection:
        seen, undone = deploys(connection, monitor.name), rollbacks(connection, monitor.name)
    yield from (Mark(one.start, f"{one.version} first seen", "deploy") for one in seen)
    for version in resources.registry.versions(monitor.name):
        if version.promoted_at:
            yield Mark(version.promoted_at, f"{version.version} promoted", "deploy")
    yield from (Mark(one.at, f"{one.left} rolled back to {one.restored}", "rollback") for one in undone)
    for progress in resources.ledger.requests(monitor.name):
        yield Mark(progress.request.requested_at, f"retraining {progress.outcome}", "retraining")


def _silences(monitor: Monitor, resources: Resources) -> Iterator[Mark]:
    with resources.ledger.reading() as connection:
        asked = silences(connection, monitor.name)
    for one in asked:
        about = " ".join(filter(None, (one.rule, one.segment, one.feature))) or "everything"
        yield Mark(one.since, f"silence of {about} by {one.by}", "silence", one.until)
