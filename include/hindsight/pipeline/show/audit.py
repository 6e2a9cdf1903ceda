"""Audit: who did what, when and why, oldest first: what people accepted, asked for and decided, and deploys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hindsight.ledger.acceptances import acceptances
from hindsight.ledger.acknowledgements import acknowledgements
from hindsight.ledger.deploys import deploys
from hindsight.ledger.records import RequestState
from hindsight.ledger.rollbacks import rollbacks
from hindsight.ledger.silences import silences
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """One thing a person did."""

    at: datetime
    monitor: str
    who: str
    what: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self)


def deeds(monitors: Iterable[Monitor], resources: Resources) -> list[Deed]:
    """Return what people did about monitors, oldest first."""
    return sorted(
        deed
        for monitor in monitors
        for found in (_accepted, _retraining, _silenced, _acknowledged, _rolled_back, _deployed)
        for deed in found(monitor, resources)
    )


def _accepted(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        given = acceptances(connection, monitor.name)
    for one in given:
        series = [one.rule or "drift and news", *(f"of {one.feature}" for _ in [one] if one.feature)]
        series += [f"in {one.segment}" for _ in [one] if one.segment]
        said = f"expected until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else "accepted as usual"
        yield Deed(one.accepted_at, monitor.name, one.by, f"{' '.join(series)} {said}", one.comment)


def _retraining(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    decided = {RequestState.DONE: "approved a retraining", RequestState.REFUSED: "refused a retraining"}
    for one in resources.ledger.requests(monitor.name):
        asked = one.request
        if asked.asked_by:
            yield Deed(asked.requested_at, monitor.name, asked.asked_by, "asked for a retraining", asked.why)
        if one.decided_by and one.finished_at and one.state in decided:
            yield Deed(one.finished_at, monitor.name, one.decided_by, decided[one.state], one.note)


def _silenced(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        given = silences(connection, monitor.name)
    for one in given:
        what = f"silenced {one.about} from {one.since:%Y-%m-%d %H:%M} to {one.until:%Y-%m-%d %H:%M} UTC"
        yield Deed(one.asked_at or one.since, monitor.name, one.by, what, one.comment)
        if one.ended_by:
            yield Deed(one.until, monitor.name, one.ended_by, f"ended the silence of {one.about}", one.comment)


def _acknowledged(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    rules = {one.case: one.series.rule for one in resources.ledger.incidents(monitor.name)}
    with resources.ledger.reading() as connection:
        given = acknowledgements(connection, monitor.name)
    for one in given:
        yield Deed(one.at, monitor.name, one.by, f"acknowledged {rules.get(one.case, 'case')} {one.case}", one.comment)


def _rolled_back(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        given = rollbacks(connection, monitor.name)
    for one in given:
        yield Deed(one.at, monitor.name, one.by, f"put {one.restored} back in the place of {one.left}", one.why)


def _deployed(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        found = deploys(connection, monitor.name)
    for one in found:
        yield Deed(one.start, monitor.name, "the log", f"shows version {one.version} for the first time", "")
