"""Between rows of the ledger and the types of the other rooms: pure, both ways lossless."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from hindsight.verdicts.model import Heard, Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window

Row = sa.Row[Any]


class MailState(StrEnum):
    """Where a mail of the outbox stands."""

    PENDING = "pending"
    SENDING = "sending"  # under a lease; an expired lease means the sender died and nobody knows
    SENT = "sent"
    DEAD = "dead"  # refused for good, or too old
    DROPPED = "dropped"  # a person did not want it sent
    SUPPRESSED = "suppressed"  # what it tells was over before it could be told, or one too many that day


class RequestState(StrEnum):
    """Where a request for a DAG run stands."""

    REQUESTED = "requested"
    STARTED = "started"
    CLAIMED = "claimed"
    DONE = "done"
    KEPT = "kept"  # trained, and the champion stays
    REFUSED = "refused"  # a person said no
    UNANSWERED = "unanswered"  # a person was asked, and said nothing in time
    FAILED = "failed"


UNDECIDED = (RequestState.REQUESTED, RequestState.STARTED, RequestState.CLAIMED)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the newest snapshot of a window on record was measured by: the name of a definition, "" where unknown."""

    window_start: datetime
    as_of: datetime
    revision: int
    definition: str

    @property
    def rank(self) -> tuple[datetime, int]:
        """What makes one snapshot of a window newer than another."""
        return self.as_of, self.revision


@dataclass(frozen=True, slots=True)
class DagRequest:
    """A run of a user's DAG asked for by a rule's `then: dag:<id>`; one run per `key`, however often asked for."""

    key: str
    monitor: str
    dag: str
    conf: dict[str, Any]
    requested_at: datetime

    @property
    def run_id(self) -> str:
        """The deterministic id of the one DAG run this request becomes."""
        return f"hindsight__{self.monitor}__{self.key}"


@dataclass(frozen=True, slots=True)
class DagProgress:
    """How far a request for a run of a user's DAG has come; `note` says why it could not be started yet."""

    request: DagRequest
    state: RequestState
    note: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a retraining request has come."""

    request: RetrainRequest
    state: RequestState
    started_at: datetime | None
    finished_at: datetime | None
    note: str
    decided_by: str

    @property
    def outcome(self) -> str:
        """Where it stands in a few words, with who decided it."""
        by = {RequestState.DONE: ", approved by", RequestState.REFUSED: " by"}.get(self.state)
        return f"{self.state}{by} {self.decided_by}" if by and self.decided_by else str(self.state)


@dataclass(frozen=True, slots=True)
class Mail:
    """What the outbox says about one mail, without its body."""

    id: int
    dedup_key: str
    monitor: str
    cause: str
    recipient: str
    severity: Severity
    subject: str
    state: MailState
    attempts: int
    ambiguous: int
    next_at: datetime
    last_error: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Event:
    """One change of an incident's state; `from_state` None is its first recording."""

    incident: str
    at: datetime
    from_state: State | None
    to_state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """Where the report of a window lies; `id` is what its page is asked for by.

    `kind` is evidently (a window beside the reference), performance (the same of its labelled rows) or accuracy (a
    night, whose `window` ends as of it).
    """

    id: str
    monitor: str
    window: Window
    kind: str
    uri: str
    created_at: datetime


def series_of(row: Row) -> Series:
    """Return the series a row of verdicts or incidents is about."""
    return Series(row.rule, row.model_version, row.segment, row.feature)


def series_fields(series: Series) -> dict[str, str]:
    """Return the columns that hold a series."""
    return {
        "rule": series.rule,
        "model_version": series.model_version,
        "segment": series.segment,
        "feature": series.feature,
    }


def verdict_row(monitor: str, verdict: Verdict, judged_at: datetime) -> dict[str, Any]:
    """Return the row of a verdict."""
    return series_fields(verdict.series) | {
        "monitor": monitor,
        "window_start": verdict.window.start,
        "window_end": verdict.window.end,
        "as_of": verdict.as_of,
        "due": verdict.due,
        "status": str(verdict.status),
        "value": verdict.value,
        "threshold": verdict.threshold,
        "n": verdict.n,
        "note": verdict.note,
        "judged_at": judged_at,
    }


def verdict(row: Row) -> Verdict:
    """Return the verdict of a row."""
    window = Window(row.window_start, row.window_end)
    status = Status(row.status)
    return Verdict(series_of(row), window, row.as_of, row.due, status, row.value, row.threshold, row.n, row.note)


def incident_row(incident: Incident, changed_at: datetime) -> dict[str, Any]:
    """Return the row of an incident."""
    return series_fields(incident.series) | {
        "id": incident.id,
        "monitor": incident.monitor,
        "severity": str(incident.severity),
        "state": str(incident.state),
        "started": incident.started,
        "ended": incident.ended,
        "breaches": [start.astimezone(UTC).isoformat() for start in incident.breaches],
        "value": incident.value,
        "threshold": incident.threshold,
        "told": incident.told and str(incident.told),
        "reason": incident.reason,
        "case_id": incident.case,
        "settled": incident.settled,
        "number": incident.number,
        "heard": incident.heard and _heard_row(incident.heard),
        "changed_at": changed_at,
    }


def incident(row: Row) -> Incident:
    """Return the incident of a row."""
    return Incident(
        id=row.id,
        monitor=row.monitor,
        series=series_of(row),
        severity=Severity(row.severity),
        state=State(row.state),
        started=row.started,
        ended=row.ended,
        breaches=tuple(datetime.fromisoformat(start) for start in row.breaches),
        value=row.value,
        threshold=row.threshold,
        told=row.told and State(row.told),
        reason=row.reason,
        case=row.case_id or row.id,
        settled=row.settled,
        heard=_heard(row),
        number=row.number,
    )


def _heard_row(heard: Heard) -> dict[str, Any]:
    until = heard.until.astimezone(UTC).isoformat()
    at = heard.at and heard.at.astimezone(UTC).isoformat()
    return {"until": until, "severity": str(heard.severity), "n": heard.n, "numbers": list(heard.numbers), "at": at}


def _heard(row: Row) -> Heard | None:
    """Return what people know of an incident; of one told before that was on record, all that is on record of it."""
    if row.heard is None:
        last = datetime.fromisoformat(row.breaches[-1])
        return Heard(last, Severity(row.severity)) if row.told else None
    known = row.heard
    until, severity = datetime.fromisoformat(known["until"]), Severity(known["severity"])
    at = known.get("at")
    return Heard(until, severity, known["n"], tuple(known["numbers"]), at and datetime.fromisoformat(at))


def request_row(request: RetrainRequest) -> dict[str, Any]:
    """Return the row of a new retraining request."""
    return {
        "key": request.key,
        "monitor": request.monitor,
        "dag": request.dag,
        "incidents": list(request.incidents),
        "as_of": request.as_of,
        "requested_at": request.requested_at,
        "approval": request.approval,
        "run_id": request.run_id,
        "asked_by": request.asked_by,
        "why": request.why,
        "state": str(RequestState.REQUESTED),
    }


def progress(row: Row) -> Progress:
    """Return the retraining request of a row and what came of it."""
    state = RequestState(row.state)
    return Progress(request(row), state, row.started_at, row.finished_at, row.note, row.decided_by)


def request(row: Row) -> RetrainRequest:
    """Return the retraining request of a row."""
    return RetrainRequest(
        row.key,
        row.monitor,
        row.dag,
        tuple(row.incidents),
        row.as_of,
        row.requested_at,
        row.approval,
        row.asked_by,
        row.why,
    )


def measured(row: Row) -> Measured:
    """Return what a row says a window was measured by."""
    return Measured(row.window_start, row.as_of, row.revision, row.definition)
