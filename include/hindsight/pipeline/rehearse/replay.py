"""Replay: the stored windows and nights of a stretch in order of time, judged by the same use cases as ever.

Verdicts, incidents and what is told of them are written to a ledger made for the occasion; of the monitor's own ledger
and store only what was measured is read. It begins with nothing open.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from hindsight.checks.news.slots import WEEKS
from hindsight.ledger.acceptances import acceptances, add_acceptance
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.summaries import Summary, note_summaries, summaries, summarised
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.monitors.times import nights_of
from hindsight.pipeline.judge.judgement import Judgement, judge_window
from hindsight.pipeline.judge.news import REACH
from hindsight.pipeline.measure.summary import numbers_of
from hindsight.pipeline.measure.windows import as_of_run
from hindsight.pipeline.night import judge_night
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.index import Sought
from hindsight.training.registry import Registry
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a scheduler did: a window that was run, or a night and the windows it measured again."""

    at: datetime
    windows: tuple[Window, ...]
    is_night: bool


def steps(monitor: Monitor, resources: Resources, start: datetime, end: datetime) -> list[Step]:
    """Return what the store holds of the windows that start in [start, end), and of the nights up to the first after.

    A night whose labels changed nothing has no windows: what waited for it was told in it all the same.
    """
    windows = _windows(monitor, resources, start, end)
    if not windows:
        return []
    runs = [Step(as_of_run(monitor, window), (window,), is_night=False) for window in windows]
    return sorted([*runs, *_nights(monitor, resources, start, end)], key=lambda step: (step.at, step.is_night))


def _windows(monitor: Monitor, resources: Resources, start: datetime, end: datetime) -> list[Window]:
    """The windows of the file's size that were measured by the time at which the file says that a window is read."""
    found = resources.store.moments(monitor.name, Kind.OPERATIONS, Sought(start=start, end=end))
    known = {first for first, as_of in found if as_of <= first + monitor.window + monitor.lateness}
    return [window for window in monitor.grid.starting_in(start, end) if window.start in known]


def _nights(monitor: Monitor, resources: Resources, start: datetime, end: datetime) -> list[Step]:
    if monitor.source.labels is None:
        return []
    touched: dict[datetime, set[datetime]] = defaultdict(set)
    for first, as_of in resources.store.moments(monitor.name, Kind.LABELS, Sought(end=end, after=start)):
        touched[as_of].add(first)
    for night in resources.ledger.nights(monitor.name, after=start):
        touched[night] |= set()
    found = sorted(touched) or nights_of(None, start.isoformat(), (end + DAY).isoformat())
    taken = [*(night for night in found if night <= end), *[night for night in found if night > end][:1]]
    return [Step(night, _sized(monitor, touched.get(night, ())), is_night=True) for night in taken]


def _sized(monitor: Monitor, starts: Collection[datetime]) -> tuple[Window, ...]:
    windows = (monitor.grid.window_at(start) for start in sorted(starts))
    return tuple(window for window in windows if window.start in starts)


@contextmanager
def apart(resources: Resources) -> Iterator[Resources]:
    """Open a ledger beside the one there is, empty, and gone at the end; the store stays what it is, and no mailer."""
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        ledger = Ledger(open_engine(sa.URL.create("sqlite", database=str(Path(folder) / "ledger.db"))))
        ledger.create()
        registry = Registry(ledger.engine)
        registry.create()
        yield replace(resources, ledger=ledger, registry=registry, mailer=None)
        ledger.engine.dispose()


def silent(monitor: Monitor) -> Monitor:
    """Return the monitor with nobody to mail: who is told of what stays the same, and no mail is composed."""
    return monitor.model_copy(update={"alerts": monitor.alerts.model_copy(update={"email": (), "report": None})})


def replayed(
    monitor: Monitor, todo: Sequence[Step], own: Resources, beside: Resources
) -> Iterator[tuple[Step, Judgement]]:
    """Judge these steps in order in the ledger `beside`; yield what came of each.

    `own` is what was measured, and what people said is usual.
    """
    start = min(window.start for step in todo for window in step.windows)
    known = _summarised(monitor, own, start - _reach(monitor), max(step.at for step in todo))
    first = next(step.windows[0].start for step in todo if not step.is_night)
    with own.ledger.reading() as connection:
        said = acceptances(connection, monitor.name)
    for one in said:
        add_acceptance(beside.ledger, monitor.name, one)
    with beside.ledger.locked(monitor.name) as tx:
        note_summaries(tx, [one for when, one in known.items() if when < first])
    for step in todo:
        yield step, _night(monitor, step, beside) if step.is_night else _window(monitor, step, beside, known)


def _window(monitor: Monitor, step: Step, beside: Resources, known: Mapping[datetime, Summary]) -> Judgement:
    (window,) = step.windows
    with beside.ledger.locked(monitor.name) as tx:
        if window.start in known:
            note_summaries(tx, [known[window.start]])
        numbers_of(monitor, tx, [window.start], beside)  # what the ledger lacks is made of the snapshots
    return judge_window(monitor, window, beside, judged_at=step.at)


def _night(monitor: Monitor, step: Step, beside: Resources) -> Judgement:
    return judge_night(monitor, step.at, step.windows, beside, judged_at=step.at)


def _reach(monitor: Monitor) -> timedelta:
    """How far back windows are compared with; of what lies further back the snapshots are asked."""
    return max(REACH, 2 * (WEEKS + 1) * monitor.window)


def _summarised(monitor: Monitor, own: Resources, since: datetime, until: datetime) -> dict[datetime, Summary]:
    with own.ledger.reading() as connection:
        tx = Transaction(connection, monitor.name)
        return summaries(tx, summarised(tx, since, until))
