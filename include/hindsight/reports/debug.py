"""The page of whoever looks for a fault: labels by age, cohorts, runs, distributions, what has no value and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hindsight.reports.distribution import Bar
from hindsight.reports.pages import Link, render
from hindsight.vocabulary.windows import Window, format_duration


@dataclass(frozen=True, slots=True)
class Backlog:
    """Windows of one age: how many, their scored predictions, those labelled, and how many labels are still to come.

    `upto` is the greatest age, None for what has matured; `to_come` is None where none says what to expect.
    """

    upto: timedelta | None
    windows: int
    scored: int
    labelled: int
    to_come: float | None = None

    @property
    def missing(self) -> int:
        """Scored predictions without a label."""
        return self.scored - self.labelled


@dataclass(frozen=True, slots=True)
class Cell:
    """What was known of a window at an age: the share of its predictions labelled, and the quality by these labels."""

    coverage: float | None
    quality: float | None


@dataclass(frozen=True, slots=True)
class Cohort:
    """A window as it was known at each age; None for an age it has not reached, and where nothing was measured."""

    start: datetime
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a DAG, what it is about, how long it took in seconds, and its tasks that failed."""

    dag: Link
    run: Link
    state: str
    about: str = ""
    began: datetime | None = None
    lasted: float | None = None
    failed: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """A column in the newest window over its frozen bins, and the way to its own page."""

    column: Link
    psi: float | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What has no value in the newest window for one reason."""

    why: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that was not handed over, and what was said the last time."""

    when: datetime
    subject: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class DebugView:
    """Everything the page shows; `labels` says how far labels were looked at, `quality` what the cohorts tell of."""

    monitor: str
    as_of: datetime
    window: Window | None = None
    labels: str = ""
    backlog: tuple[Backlog, ...] = ()
    ages: tuple[timedelta, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    quality: str = "accuracy"
    histograms: tuple[Histogram, ...] = ()
    columns: int = 0  # of which these are the most drifted
    unanswered: tuple[Unanswered, ...] = ()
    expectations: tuple[str, ...] = ()
    unsent: tuple[Unsent, ...] = ()
    runs: tuple[Run, ...] = ()
    damaged: tuple[str, ...] = ()  # what is wrong with which snapshot, of those that are left out


def debug_page(view: DebugView) -> str:
    """Return the page of one monitor for whoever looks for a fault."""
    broken = [run for run in view.runs if run.failed]
    return render(
        "debug.html.j2", view=view, broken=broken, age=format_duration, spans=_spans(view.backlog), listed=MOST_NAMED
    )


MOST_NAMED = 12  # metrics of one reason that are named; the rest is counted


def _spans(backlog: Sequence[Backlog]) -> list[str]:
    """Return the ages of the backlog in words: from the one before to its own."""
    ends = [timedelta(0), *(one.upto for one in backlog if one.upto)]
    words = [f"{format_duration(begin)} to {format_duration(end)}" for begin, end in pairwise(ends)]
    return [*words, f"older than {format_duration(ends[-1])}"][: len(backlog)]
