"""Show: the state of a monitor and the story of its incidents, from snapshots and ledger, for terminal and pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from hindsight.actions.records import Mail, Progress
from hindsight.monitors.measurement import Kind
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import Incident, State

Health = Literal["healthy", "warning", "critical", "unknown"]
GRADES: tuple[Health, ...] = ("healthy", "warning", "critical")
SHOWN = (Kind.OPERATIONS, Kind.QUALITY, Kind.DRIFT, Kind.PERFORMANCE, Kind.LABELS)


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the latest window that has it: `metric` as rules name it, `about` the column it is about."""

    metric: str
    about: str
    value: float | None
    reference: float | None
    n: int
    window: datetime
    note: str


@dataclass(frozen=True, slots=True)
class MonitorState:
    """What there is to say about a monitor now, or as it was known at a moment."""

    name: str
    state: str
    health: Health
    window: datetime | None
    open: dict[str, int]
    numbers: tuple[Number, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self)


def state_of(monitor: Monitor, resources: Resources, *, as_of: datetime | None = None) -> MonitorState:
    """Return the state of a monitor from its latest snapshots, those known at `as_of` if given."""
    numbers = tuple(number for kind in SHOWN for number in _latest(monitor, kind, resources, as_of))
    found = {(number.metric, number.about): number for number in numbers}
    traffic = found.get(("operations.total_requests", ""))
    health = found.get(("operations.health", ""))
    standing = [i for i in resources.ledger.incidents(monitor.name) if _stood(i, as_of)]
    return MonitorState(
        name=monitor.name,
        state=monitor.state,
        health="unknown" if health is None or health.value is None else GRADES[int(health.value)],
        window=traffic.window if traffic else None,
        open=dict(sorted(Counter(str(i.severity) for i in standing).items())),
        numbers=numbers,
    )


def _latest(monitor: Monitor, kind: Kind, resources: Resources, as_of: datetime | None) -> list[Number]:
    window = resources.store.newest(monitor.name, kind, as_of=as_of)
    if window is None:
        return []
    measured = resources.store.measurements(monitor.name, kind, window, as_of)
    return [
        Number(f"{kind}.{m.metric}", m.feature, m.value, m.reference, m.n, window.start, m.note)
        for m in measured
        if not (m.bin or m.segment or m.model_version)
    ]


def _stood(incident: Incident, as_of: datetime | None) -> bool:
    if as_of is None:
        return incident.state is State.OPEN
    ended = incident.ended is None or incident.ended > as_of
    return incident.state is not State.WITHDRAWN and incident.started < as_of and ended


@dataclass(frozen=True, slots=True)
class Story:
    """An incident and what was done about it."""

    incident: Incident
    mails: tuple[Mail, ...]
    retraining: tuple[Progress, ...]

    @property
    def done(self) -> str:
        """What was done, in a few words."""
        sent = Counter(str(mail.state) for mail in self.mails)
        parts = [f"{count} mail{'s' * (count != 1)} {state}" for state, count in sent.items()]
        parts += [f"retraining {progress.state}" for progress in self.retraining]
        return ", ".join(parts) or "recorded silently"

    def cells(self) -> tuple[str, ...]:
        """The incident as a row of text."""
        i = self.incident
        about = " ".join(part for part in (i.series.feature, i.series.segment, i.series.model_version) if part)
        until = f"{i.ended:%Y-%m-%d %H:%M}" if i.ended else ""
        value, threshold = ("" if number is None else f"{number:.4g}" for number in (i.value, i.threshold))
        since = f"{i.started:%Y-%m-%d %H:%M}"
        return str(i.severity), str(i.state), i.monitor, i.series.rule, about, since, until, value, threshold, self.done

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self.incident) | {"done": self.done}


def stories(monitor: Monitor, resources: Resources) -> list[Story]:
    """Return the incidents of a monitor, open ones first, each with its mails and retrainings."""
    requests = resources.ledger.requests(monitor.name)
    found = [
        Story(
            incident,
            tuple(resources.ledger.outbox(incident=incident.id)),
            tuple(request for request in requests if incident.id in request.request.incidents),
        )
        for incident in resources.ledger.incidents(monitor.name)
    ]
    return sorted(found, key=lambda story: (story.incident.state is not State.OPEN, story.incident.started))
