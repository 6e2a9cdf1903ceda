"""What judging produces: verdicts about windows, incidents folded from them, and what is to be told or asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window


class Status(StrEnum):
    """What a rule says about a window."""

    OK = "ok"
    BREACH = "breach"
    IMMATURE = "immature"  # labels are still coming: never a breach
    TOO_FEW = "too_few"  # too few rows or labels behind the number
    NO_DATA = "no_data"  # the number was not evaluated
    MUTED = "muted"  # something else explains it: neither good nor bad news


SPOKEN = (Status.OK, Status.BREACH)  # good or bad; the others say that there is no answer, or none yet


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """What one line of verdicts is about; incidents never cross series."""

    rule: str
    model_version: str = ""
    segment: str = ""
    feature: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says about one series in one window, as of a moment."""

    series: Series
    window: Window
    as_of: datetime
    due: datetime
    status: Status
    value: float | None
    threshold: float | None
    n: int
    note: str = ""


class State(StrEnum):
    """Where an incident stands. Pending ones are not recorded: they are breaches that have not lasted `for` windows."""

    OPEN = "open"
    RECOVERING = "recovering"  # without a breach in its newest window, but not yet calm for as long as its rule asks
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


VALUES, FAR_OFF = "values", "values far off"  # numbers of a column that is news; who heard of the second knows both
_DOUBLED = re.compile(r"doubled (\d+) times")
STANDING = (State.OPEN, State.RECOVERING)


def doubled(times: int) -> str:
    """Name a number that has doubled so many times since it was worth telling."""
    return f"doubled {times} times"


def is_doubling(number: str) -> bool:
    """Say whether a number is one that grew, not another one."""
    return _DOUBLED.fullmatch(number) is not None


def implied(number: str) -> tuple[str, ...]:
    """Return the numbers that people know as well who heard of this one: what was less far, and less often doubled."""
    if found := _DOUBLED.fullmatch(number):
        return tuple(doubled(times) for times in range(int(found[1])))
    return (VALUES,) if number == FAR_OFF else ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What people know of an incident from the mails about it.

    `until` is the start of the last breaching window they were told of, `severity` the worst that was said, `n` how
    often something was told, `numbers` of what, and `at` when it was told last, None where that is not on record.
    """

    until: datetime
    severity: Severity
    n: int = 1
    numbers: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """An episode of breaches worth telling: its id is fixed when first recorded, its start and end may move.

    `breaches` are the window starts that breached; `told` is the state that was last announced, None if none was, and
    `heard` what is known by it. `ended` is when it was over: the end of the last breach where the rule then waits for
    several good windows, else that of the good one; `settled` is the end of the window that showed it. `reason` says
    why it was withdrawn or changed last, and `number` which number of its column is news. `case` is what people are
    told it is part of, "" before it is recorded.
    """

    id: str
    monitor: str
    series: Series
    severity: Severity
    state: State
    started: datetime
    ended: datetime | None
    breaches: tuple[datetime, ...]
    value: float | None
    threshold: float | None
    told: State | None = None
    reason: str = ""
    case: str = ""
    settled: datetime | None = None
    heard: Heard | None = None
    number: str = ""

    @property
    def stands(self) -> bool:
        """Whether it is not over: open, or recovering."""
        return self.state in STANDING

    @property
    def told_as(self) -> State:
        """The state that people are told of: what recovers is not over."""
        return State.OPEN if self.stands else self.state

    @property
    def news_of(self) -> datetime | None:
        """The end of the window that showed that it is over; None while that is not known."""
        return self.settled or self.ended


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """A decision to retrain: `key` is a hash of the monitor and what it answers; it becomes one DAG run.

    It answers the incidents whose ids it lists in order or, without any, a person: `asked_by`, who gave `why`.
    """

    key: str
    monitor: str
    dag: str
    incidents: tuple[str, ...]
    as_of: datetime
    requested_at: datetime
    approval: bool
    asked_by: str = ""
    why: str = ""

    @property
    def run_id(self) -> str:
        """The deterministic id of the one DAG run this request becomes."""
        return f"retrain__{self.monitor}__{self.key}"
