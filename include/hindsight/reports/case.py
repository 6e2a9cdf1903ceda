"""What the page of a case answers, as plain data: since when, how bad, who carries it, what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hindsight.reports.charts import Unit

MOST_CARRIERS = 12  # of one column spelt out; the rest is counted


@dataclass(frozen=True, slots=True)
class Said:
    """A line of an answer: words, and where they lead, "" for nowhere."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A question somebody has who opens a case, and its answer in lines."""

    question: str
    answer: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A segment or version: its rows and number now, what is usual, and which share of the change it explains.

    What has no rows now has no number (`now` is None) unless that is how many it has. `segment` is what rows of it are
    found by, "" for a version; `compare` leads to it beside a healthy window.
    """

    name: str
    n: int
    now: float | None
    usual: float | None
    reference: float | None
    effect: float
    share: float | None
    segment: str = ""
    compare: str = ""


@dataclass(frozen=True, slots=True)
class CarrierTable:
    """The parts by one column, what carries most first, as many as are spelt out; `more` are not."""

    column: str
    rows: tuple[Carrier, ...]
    more: int = 0

    @classmethod
    def of(cls, column: str, rows: Sequence[Carrier]) -> CarrierTable:
        """Return the table of a column with the parts that carry most."""
        return cls(column, tuple(rows[:MOST_CARRIERS]), max(len(rows) - MOST_CARRIERS, 0))


@dataclass(frozen=True, slots=True)
class Carriers:
    """Who carries a number that broke: `said` what is compared with what, `why_none` why there is no table."""

    metric: str = ""
    unit: Unit = "number"
    said: str = ""
    tables: tuple[CarrierTable, ...] = ()
    why_none: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done about a case: when, what, and what became of it."""

    at: datetime
    what: str
    became: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something grave that may be done from the page, after it is confirmed: its button and what it does, in words.

    `fields` go back with it, so that it is done to what the page spoke of alone.
    """

    act: str
    title: str
    text: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything the page of a case answers beyond its incidents and its timeline.

    `window` and `segment` are those whose rows may be looked at; `rows` says why they may not be, "" where they may.
    """

    facts: tuple[Fact, ...] = ()
    carriers: Carriers = field(default_factory=Carriers)
    done: tuple[Done, ...] = ()
    compare: str = ""
    window: datetime | None = None
    segment: str = ""
    rows: str = ""
